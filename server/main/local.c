// Reading a job and its dataset from files. What is wrong inside a file becomes an issue with its
// place; what is wrong with the files themselves is said on stderr.
#include "server/main/local.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "server/data/intake.h"
#include "server/jobs/jobs.h"
#include "server/main/commands.h"

enum { THREADS_MAX = 256 };

bool local_options(int argc, char **argv, bool takes_output, const char *usage,
                   LocalOptions *ret_options, int *ret_status) {
    static const struct option known[] = {
        {"dataset", required_argument, NULL, 'd'}, {"threads", required_argument, NULL, 't'},
        {"json", no_argument, NULL, 'j'},          {"help", no_argument, NULL, 'h'},
        {"output", required_argument, NULL, 'o'},  {0},
    };
    LocalOptions options = {0};
    *ret_status = EXIT_USAGE;
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        char *end;
        switch (c) {
        case 'd':
            options.dataset_path = optarg;
            break;
        case 't':
            options.threads = (int)strtol(optarg, &end, 10);
            if (*end != '\0' || options.threads < 1 || options.threads > THREADS_MAX) {
                fprintf(stderr, "--threads must be a whole number from 1 to %d, not \"%s\"\n",
                        THREADS_MAX, optarg);
                return false;
            }
            break;
        case 'j':
            options.json = true;
            break;
        case 'h':
            printf("%s\n", usage);
            *ret_status = EXIT_DONE;
            return false;
        case 'o':
            if (takes_output) {
                options.output_path = optarg;
                break;
            }
            fprintf(stderr, "%s: --output is train's\n", argv[0]);
            __attribute__((fallthrough)); // a wrong call shows the usage
        default:
            fprintf(stderr, "%s\n", usage);
            return false;
        }
    }
    if (argc - optind != 1) {
        fprintf(stderr, "%s\n", usage);
        return false;
    }
    options.job_path = argv[optind];
    *ret_options = options;
    return true;
}

int local_read(const char *path, char **ret_text, size_t *ret_length) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    char *text = NULL;
    size_t length = 0;

    if (file < 0 || fstat(file, &status) < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        goto fail;
    }
    if (!S_ISREG(status.st_mode)) {
        fprintf(stderr, "%s: not a file\n", path);
        goto fail;
    }
    text = memory_array((size_t)status.st_size + 1, 1);
    if (text == NULL) {
        fprintf(stderr, "%s: %s\n", path, error_text(ERR_NO_MEMORY));
        goto fail;
    }
    while (length < (size_t)status.st_size) {
        ssize_t count = read(file, text + length, (size_t)status.st_size - length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            fprintf(stderr, "%s: %s\n", path, strerror(errno));
            goto fail;
        }
        if (count == 0)
            break;
        length += (size_t)count;
    }
    close(file);
    *ret_text = text;
    *ret_length = length;
    return OK;
fail:
    memory_free(text);
    if (file >= 0)
        close(file);
    return ERR_IO;
}

static bool has_suffix(const char *path, const char *suffix) {
    size_t length = strlen(path), end = strlen(suffix);
    return length >= end && strcmp(path + length - end, suffix) == 0;
}

// The file's name without folders and suffix: the dataset's name. memory_free.
static char *file_stem(const char *path) {
    const char *slash = strrchr(path, '/');
    char *stem = memory_string(slash != NULL ? slash + 1 : path);
    char *dot = stem != NULL ? strrchr(stem, '.') : NULL;
    if (dot != NULL && dot != stem)
        *dot = '\0';
    return stem;
}

static int folder_make(LocalJob *job, int *ret_directory) {
    const char *base = getenv("TMPDIR");
    int length = snprintf(job->folder, sizeof job->folder, "%s/backpropd-XXXXXX",
                          base != NULL && base[0] != '\0' ? base : "/tmp");
    if (length < 0 || (size_t)length >= sizeof job->folder || mkdtemp(job->folder) == NULL) {
        fprintf(stderr, "cannot make a temporary folder like %s: %s\n", job->folder,
                strerror(errno));
        job->folder[0] = '\0';
        return ERR_IO;
    }
    int directory = open(job->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || mkdirat(directory, "datasets", 0700) < 0) {
        fprintf(stderr, "%s: %s\n", job->folder, strerror(errno));
        if (directory >= 0)
            close(directory);
        return ERR_IO;
    }
    *ret_directory = directory;
    return OK;
}

static int dataset_load_file(const char *path, int directory, Issues *issues, DatasetRow *ret_row) {
    AUTO_FREE char *text = NULL;
    AUTO_FREE char *stem = file_stem(path);
    size_t length;
    int error = local_read(path, &text, &length);
    if (error < 0)
        return error;
    Source source = source_in_memory(text, length);
    IntakeWish wish = {.name = stem};
    if (has_suffix(path, ".csv"))
        return intake_csv(directory, &source, &wish, issues, ret_row);
    if (has_suffix(path, ".ndjson"))
        return intake_ndjson(directory, &source, &wish, issues, ret_row);
    if (!has_suffix(path, ".json")) {
        fprintf(stderr, "%s: a dataset's file ends in .json, .csv or .ndjson\n", path);
        return ERR_IO;
    }
    Document *document = NULL;
    error = document_parse(text, length, intake_lifted_top, issues, &document);
    if (error == OK)
        error = intake_json(directory, document, document_root(document), "", issues, ret_row);
    document_destroy(document);
    return error;
}

static int dataset_load(const LocalOptions *options, LocalJob *job) {
    DatasetRow row = {0};
    int directory, error;
    Value inline_dataset = value_member(job->spec, "dataset");

    if (options->dataset_path == NULL && value_kind(inline_dataset) != VALUE_OBJECT) {
        issues_add_at(&job->issues, "/dataset",
                      value_kind(inline_dataset) == VALUE_MISSING
                          ? "is missing: give it inline here, or a file with --dataset"
                          : "must be inline where no server runs; or give a file with --dataset");
        return ERR_INVALID;
    }
    error = folder_make(job, &directory);
    if (error < 0)
        return error;
    error =
        options->dataset_path != NULL
            ? dataset_load_file(options->dataset_path, directory, &job->issues, &row)
            : intake_json(directory, job->document, inline_dataset, "/dataset", &job->issues, &row);
    close(directory);
    if (error == OK) {
        snprintf(job->archive, sizeof job->archive, "%s/datasets/%s.bpa", job->folder, row.id);
        error = dataset_open(AT_FDCWD, job->archive, false, &job->dataset);
    }
    dataset_row_finish(&row);
    return error;
}

static int cores(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

int local_load(const LocalOptions *options, LocalJob *ret_job) {
    LocalJob *job = ret_job;
    size_t length;
    int64_t threads = cores();

    *job = (LocalJob){0};
    issues_init(&job->issues);
    int error = local_read(options->job_path, &job->text, &length);
    if (error < 0)
        return error;
    error = document_parse(job->text, length, intake_lifted_inline, &job->issues, &job->document);
    if (error == OK) {
        PoolOptions pool = {.threads = cores()};
        job->spec = document_root(job->document);
        value_integer(value_member(job->spec, "threads"), 1, pool.threads, &threads);
        job->threads = options->threads > 0 ? options->threads : (int)threads;
        error = dataset_load(options, job);
        const char *kind = value_string(value_member(job->spec, "kind"));
        if (kind != NULL && strcmp(kind, "lr_range") == 0)
            issues_add_at(&job->issues, "/kind", "range tests run on a server");
        if (value_kind(job->spec) == VALUE_OBJECT)
            submission_check_keys(&pool, job->spec, &job->issues);
        else
            issues_add_at(&job->issues, "", "must be an object");
    }
    if (error < 0 && !issues_any(&job->issues) && error != ERR_IO)
        fprintf(stderr, "%s: %s\n", options->job_path, error_text(error));
    return issues_any(&job->issues) ? ERR_INVALID : error;
}

int local_create(const LocalOptions *options, LocalJob *ret_local, Job **ret_job) {
    int error = local_load(options, ret_local);
    // Whatever else is wrong, a job that can be fitted is, so that its problems come all at once.
    if (ret_local->dataset == NULL) {
        if (error == ERR_INVALID && value_kind(ret_local->spec) == VALUE_OBJECT)
            job_check_words(ret_local->spec, &ret_local->issues);
        return error;
    }
    error = job_create(ret_local->spec, ret_local->dataset, ret_local->threads, &ret_local->issues,
                       ret_job);
    if (error < 0 && !issues_any(&ret_local->issues))
        fprintf(stderr, "%s: %s\n", options->job_path, error_text(error));
    return issues_any(&ret_local->issues) ? ERR_INVALID : error;
}

void local_finish(LocalJob *job) {
    dataset_close(job->dataset);
    document_destroy(job->document);
    memory_free(job->text);
    issues_finish(&job->issues);
    if (job->archive[0] != '\0')
        unlink(job->archive);
    if (job->folder[0] != '\0') {
        char path[sizeof job->folder + sizeof "/datasets"];
        snprintf(path, sizeof path, "%s/datasets", job->folder);
        rmdir(path);
        rmdir(job->folder);
    }
}

int local_print_issues(const LocalOptions *options, const Issues *issues) {
    if (options->json) {
        JsonOut out;
        json_init(&out);
        json_begin_object(&out, NULL);
        json_begin_array(&out, "errors");
        for (size_t i = 0; i < issues->count; i++) {
            json_begin_object(&out, NULL);
            json_string(&out, "pointer", issues->items[i].pointer);
            json_string(&out, "detail", issues->items[i].detail);
            json_end_object(&out);
        }
        json_end_array(&out);
        json_end_object(&out);
        puts(text_string(&out.text));
        json_finish(&out);
        return EXIT_REFUSED;
    }
    for (size_t i = 0; i < issues->count; i++)
        printf("%s: %s\n", issues->items[i].pointer[0] != '\0' ? issues->items[i].pointer : "/",
               issues->items[i].detail);
    printf("%zu problem%s\n", issues->count + issues->omitted,
           issues->count + issues->omitted == 1 ? "" : "s");
    return EXIT_REFUSED;
}
