// How long training steps take: a job trained as `backpropd worker` trains it, with a clock beside every step.
//
//   step --make DATASET.json FOLDER           makes the dataset's archive, prints its path
//   step JOB.json ARCHIVE [--threads N]       trains, and waits between windows of steps:
//
//   ←  {"ready":true,"parameters":…,"blas":"HASWELL"}           after the first step
//   →  200                                                      a line of standard input: that many steps
//   ←  {"steps":200,"seconds":…,"cpu_seconds":…,"memory_bytes":…,"loss":…}
//
// Nothing of a job's work is left out: rows are gathered, every step is recorded, and what the server would be told is
// written, to /dev/null. Whoever starts it decides when a window runs, so that those of several programs can take turns.
// It ends with its input: `echo 2000 | perf record build/bench/step JOB ARCHIVE` profiles one window.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "bench/environment.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/trainer.h"
#include "server/data/intake.h"
#include "server/jobs/courtesy.h"
#include "server/jobs/report.h"
#include "server/main/local.h"

typedef struct Window {
    Report report;
    CourtesyWatch courtesy; // nobody asks for predictions, but every loop looks
    const Model *model;
    atomic_bool stop;    // no more windows are wanted
    int64_t steps, left; // of the window under way; 0: the first step
    double begin, cpu_begin;
} Window;

static double clock_seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

// The most memory that the process has held.
static long long peak_bytes(void) {
    char line[128];
    long long kibibytes = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmHWM: %lld", &kibibytes) == 1)
            break;
    if (status != NULL)
        fclose(status);
    return kibibytes * 1024;
}

static void window_print(const Window *window, double loss) {
    double now = clock_seconds(CLOCK_MONOTONIC), cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (window->steps == 0)
        printf("{\"ready\":true,\"parameters\":%" PRId64 ",\"blas\":\"%s\"}\n",
               model_parameters(window->model), blas_core_in_use());
    else
        printf("{\"steps\":%" PRId64 ",\"seconds\":%.9f,\"cpu_seconds\":%.9f,"
               "\"memory_bytes\":%lld,\"loss\":%.9g}\n",
               window->steps, now - window->begin, cpu - window->cpu_begin, peak_bytes(), loss);
    fflush(stdout);
}

static void window_next(Window *window) {
    char line[64];
    int64_t steps = 0;
    if (fgets(line, sizeof line, stdin) == NULL || (steps = strtoll(line, NULL, 10)) < 1) {
        atomic_store(&window->stop, true);
        steps = INT64_MAX; // the trainer sees the wish after this step
    }
    window->steps = window->left = steps;
    window->cpu_begin = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
    window->begin = clock_seconds(CLOCK_MONOTONIC);
}

static void trained(void *context, const TrainEvent *event) {
    Window *window = context;
    report_event(&window->report, event);
    if (event->kind != TRAIN_STEP || --window->left > 0)
        return;
    window_print(window, event->loss);
    window_next(window);
}

static bool pause_hook(void *context) {
    Window *window = context;
    return courtesy_rest(&window->courtesy);
}

static int run(const Job *job) {
    Window window = {.model = job_model(job), .left = 1};
    const TrainerHooks hooks = {
        .context = &window, .event = trained, .pause = pause_hook, .stop = &window.stop};
    Trainer *trainer = NULL;
    Courtesy courtesy;
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    report_open(&window.report, nowhere, 1);
    int result = report_init(&window.report, job);
    if (result == OK)
        result = courtesy_create(&courtesy);
    if (result == OK)
        courtesy_watch(courtesy.descriptor, &window.courtesy);
    if (result == OK)
        result = trainer_create(job, &hooks, &trainer);
    if (result == OK) {
        report_started(&window.report, 0, VALUE_NONE, VALUE_NONE);
        result = trainer_run(trainer);
    }
    trainer_destroy(trainer);
    report_finish(&window.report);
    close(nowhere);
    return result == ERR_STOPPED ? OK : result;
}

static int train(const char *job_path, const char *archive, int threads) {
    AUTO_FREE char *text = NULL;
    Document *document = NULL;
    Dataset *dataset = NULL;
    Job *job = NULL;
    Issues issues;
    size_t length;
    issues_init(&issues);
    int result = local_read(job_path, &text, &length);
    if (result == OK)
        result = document_parse(text, length, NULL, &issues, &document);
    if (result == OK)
        result = dataset_open(AT_FDCWD, archive, false, &dataset);
    if (result == OK)
        result = job_create(document_root(document), dataset, threads, &issues, &job);
    if (result == OK)
        result = run(job);
    if (result != OK)
        fprintf(stderr, "%s: %s: %s\n", job_path, error_text(result),
                issues.count > 0 ? issues.items[0].detail : "");
    job_destroy(job);
    dataset_close(dataset);
    document_destroy(document);
    issues_finish(&issues);
    return result == OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int make(const char *dataset_path, const char *folder) {
    AUTO_FREE char *text = NULL;
    Document *document = NULL;
    DatasetRow row = {0};
    Issues issues;
    size_t length;
    issues_init(&issues);
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = directory < 0 ? ERR_IO : local_read(dataset_path, &text, &length);
    if (result == OK)
        result = document_parse(text, length, intake_lifted_top, &issues, &document);
    if (result == OK)
        result = intake_json(directory, document, document_root(document), "", &issues, &row);
    if (result == OK)
        printf("%s/datasets/%s.bpa\n", folder, row.id);
    else
        fprintf(stderr, "%s: %s: %s\n", dataset_path, error_text(result),
                issues.count > 0 ? issues.items[0].detail : "");
    dataset_row_finish(&row);
    document_destroy(document);
    issues_finish(&issues);
    if (directory >= 0)
        close(directory);
    return result == OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
    environment_settle(argv);
    if (argc == 4 && strcmp(argv[1], "--make") == 0)
        return make(argv[2], argv[3]);
    if (argc == 3)
        return train(argv[1], argv[2], 1);
    if (argc == 5 && strcmp(argv[3], "--threads") == 0 && atoi(argv[4]) > 0)
        return train(argv[1], argv[2], atoi(argv[4]));
    fprintf(stderr, "usage: step --make DATASET.json FOLDER\n"
                    "       step JOB.json ARCHIVE [--threads N]\n");
    return 2;
}
