// What goes wrong in a job's life, one thing at a time: every allocation fails once, every write, sync, truncation and renaming fails
// once, and each byte of each file that a job reads is damaged once.
//
// The life is that of a worker and of what follows: dataset, job, training with a checkpoint after each step, resuming, model, prediction.
// An error must come back as such, nothing may leak (./dev sanitize sees to that), and what was on the disk before must be whole.
#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "core/model/predictor.h"
#include "tests/core/train/forms.h"

static void begin(void) {
    sample_begin();
    form_write_all();
}

enum { UNNOTICED_MAX = 40 };

TestSuite(torture, .init = begin, .fini = sample_end);

// ---- what the C library does, but for the nth time ----

static atomic_long fault_countdown; // of calls on regular files; 0: off
static atomic_int fault_errno;

static bool fault(int file) {
    struct stat status;
    if (atomic_load(&fault_countdown) <= 0 || fstat(file, &status) != 0 ||
        !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
        return false;
    if (atomic_fetch_sub(&fault_countdown, 1) != 1)
        return false;
    errno = atomic_load(&fault_errno);
    return true;
}

ssize_t write(int file, const void *data, size_t bytes) {
    return fault(file) ? -1 : syscall(SYS_write, file, data, bytes);
}

ssize_t pwrite(int file, const void *data, size_t bytes, off_t at) {
    return fault(file) ? -1 : syscall(SYS_pwrite64, file, data, bytes, at);
}

int fsync(int file) { // the disk itself is not at stake here
    return fault(file) ? -1 : 0;
}

int renameat(int from, const char *old, int to, const char *new) {
    return fault(from) ? -1 : (int)syscall(SYS_renameat2, from, old, to, new, 0);
}

// ---- a life ----

static const struct {
    const char *dataset, *layers, *training;
} lives[] = {
    {"rows",
     "{\"type\": \"dense\", \"units\": 5, \"activation\": \"relu\"}, {\"type\": \"batch_norm\"}, "
     "{\"type\": \"dropout\", \"rate\": 0.2}, {\"type\": \"dense\", \"units\": 3}",
     "\"batch_size\": 16, \"early_stopping\": {\"patience\": 2}, \"loss\": {\"type\": "
     "\"cross_entropy\", \"class_weight\": "
     "\"balanced\"}"},
    {"images",
     "{\"type\": \"conv2d\", \"filters\": 3, \"kernel_size\": 3, \"padding\": \"same\"}, "
     "{\"type\": \"residual\", \"layers\": "
     "[{\"type\": \"group_norm\", \"groups\": 3}]}, {\"type\": \"max_pool2d\"}, {\"type\": "
     "\"flatten\"}, {\"type\": \"dense\", "
     "\"units\": 2}",
     "\"batch_size\": 16, \"augment\": [\"flip_horizontal\", \"crop\"]"},
    {"texts",
     "{\"type\": \"embedding\", \"units\": 4}, {\"type\": \"positional_embedding\"}, {\"type\": "
     "\"transformer_block\", \"heads\": 2}, "
     "{\"type\": \"gru\", \"units\": 3, \"bidirectional\": true}, {\"type\": \"dense\", \"units\": "
     "3}",
     "\"batch_size\": 16, \"augment\": [\"token_dropout\"]"},
    {"corpus",
     "{\"type\": \"embedding\", \"units\": 4}, {\"type\": \"lstm\", \"units\": 4, "
     "\"return_sequences\": true}, {\"type\": \"dense\", "
     "\"units\": 6}",
     "\"batch_size\": 8, \"sequence_length\": 9"},
    {"series",
     "{\"type\": \"conv1d\", \"filters\": 3, \"kernel_size\": 3}, {\"type\": \"flatten\"}, "
     "{\"type\": \"dense\", \"units\": 2}",
     "\"batch_size\": 16"},
    {"graph",
     "{\"type\": \"gat_conv\", \"units\": 3, \"heads\": 2}, {\"type\": \"gcn_conv\", \"units\": 3}",
     ""},
    {"graphs",
     "{\"type\": \"gin_conv\", \"units\": 3}, {\"type\": \"global_avg_pool\"}, {\"type\": "
     "\"dense\", \"units\": 2}",
     "\"batch_size\": 8"},
};

typedef struct Life {
    const char *dataset_name, *text;
    Value spec;
    Dataset *dataset;
    Job *job;
    Trainer *trainer;
    Archive *archive;
    Predictor *predictor;
    Issues issues;
    int saves; // of checkpoints that were whole
} Life;

static int save(void *context, Trainer *trainer) {
    Life *life = context;
    int error = trainer_save(trainer, sample_directory, "c");
    life->saves += error == OK;
    return error;
}

static int make(Life *life) {
    int error = dataset_open(sample_directory, life->dataset_name, true, &life->dataset);
    if (error == OK)
        error = job_create(life->spec, life->dataset, 1, &life->issues, &life->job);
    const TrainerHooks hooks = {.context = life, .checkpoint = save};
    return error == OK ? trainer_create(life->job, &hooks, &life->trainer) : error;
}

static int predict(Life *life) {
    int error = archive_open(sample_directory, "m", true, &life->archive);
    if (error == OK)
        error =
            predictor_create(value_member(life->spec, "model"), life->archive, 4, &life->predictor);
    if (error != OK || predictor_task(life->predictor)->kind == TASK_LANGUAGE_MODEL ||
        strncmp(life->dataset_name, "graph", 5) == 0)
        return error;
    float values[3 * 72] = {0}, outputs[3 * 3], probabilities[3 * 3];
    int32_t lengths[3] = {2, 1, 2};
    bool tokens = strcmp(life->dataset_name, "texts") == 0;
    PredictorInput input = {.rows = 3, .values = values, .lengths = tokens ? lengths : NULL};
    for (size_t i = 0; i < ARRAY_LENGTH(values) && tokens; i++)
        values[i] = 2;
    return predictor_run(life->predictor, &input, outputs,
                         predictor_classes(life->predictor) > 0 ? probabilities : NULL);
}

static void finish(Life *life) {
    predictor_destroy(TAKE(life->predictor));
    archive_close(TAKE(life->archive));
    trainer_destroy(TAKE(life->trainer));
    job_destroy(TAKE(life->job));
    dataset_close(TAKE(life->dataset));
    issues_finish(&life->issues);
    issues_init(&life->issues);
}

static int live(Life *life) {
    char sha256[65];
    size_t bytes;
    Confusion confusion;
    life->saves = 0;
    issues_init(&life->issues);
    int error = make(life);
    if (error == OK)
        error = trainer_run(life->trainer);
    if (error == OK) {
        finish(life);
        error = make(life);
    }
    if (error == OK)
        error = trainer_load(life->trainer, sample_directory, "c", INT64_MAX);
    if (error == OK)
        error = trainer_run(life->trainer);
    if (error == OK) {
        error = trainer_confusion(life->trainer, &confusion);
        if (error == OK)
            confusion_finish(&confusion);
        error = error == ERR_NOT_FOUND ? OK : error;
    }
    if (error == OK)
        error =
            trainer_save_model(life->trainer, sample_directory, "m", life->text, sha256, &bytes);
    if (error == OK)
        error = predict(life);
    finish(life);
    return error;
}

static Life life_of(size_t index) {
    const char *more = lives[index].training;
    const char *text = arena_format(&sample_arena,
                                    "{\"model\": {\"layers\": [%s]}, \"training\": {\"seed\": 3, "
                                    "\"steps\": 2, \"checkpoint_seconds\": 1e-9, \"optimizer\": "
                                    "{\"type\": \"adam\"}%s%s}}",
                                    lives[index].layers, more[0] != '\0' ? ", " : "", more);
    return (Life){.dataset_name = lives[index].dataset,
                  .text = text,
                  .spec = json_value(&sample_arena, text)};
}

// A checkpoint and a model that are there are whole.
static void assert_files_whole(const char *where, long nth) {
    static const char *const names[] = {"c", "m"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        Archive *archive = NULL;
        int error = archive_open(sample_directory, names[i], true, &archive);
        cr_assert_eq(error, OK, "%s, %ld: %s: %s", where, nth, names[i], error_name(error));
        archive_close(archive);
    }
    cr_assert_eq(faccessat(sample_directory, "m.tmp", F_OK, 0), -1, "%s, %ld", where, nth);
}

Test(torture, every_allocation_may_fail, .timeout = 600) {
    for (size_t i = 0; i < ARRAY_LENGTH(lives); i++) {
        Life life = life_of(i);
        cr_assert_eq(live(&life), OK, "%s", lives[i].dataset);
        long nth = 0, told = 0;
        // One that is not needed may fail unnoticed; so many of them in a row were never made.
        for (int unnoticed = 0; unnoticed < UNNOTICED_MAX;) {
            memory_fail_at(++nth);
            int error = live(&life);
            memory_fail_at(0);
            cr_assert(error == OK || error == ERR_NO_MEMORY, "%s, allocation %ld: %s",
                      lives[i].dataset, nth, error_name(error));
            assert_files_whole(lives[i].dataset, nth);
            unnoticed = error == OK ? unnoticed + 1 : 0;
            told += error == ERR_NO_MEMORY;
        }
        cr_log_info("%s: %ld allocations", lives[i].dataset, nth - UNNOTICED_MAX);
        cr_assert_gt(told, 50, "%s: only %ld failures were told", lives[i].dataset, told);
    }
}

Test(torture, every_write_and_sync_may_fail, .timeout = 600) {
    static const int errors[] = {ENOSPC, EIO};
    for (size_t i = 0; i < 2 * ARRAY_LENGTH(lives); i++) {
        Life life = life_of(i / 2);
        atomic_store(&fault_errno, errors[i % 2]);
        cr_assert_eq(live(&life), OK);
        for (long nth = 1;; nth++) {
            atomic_store(&fault_countdown, nth);
            int error = live(&life);
            bool fired = atomic_exchange(&fault_countdown, 0) <= 0;
            cr_assert_eq(error != OK, fired, "%s, call %ld: %s", life.dataset_name, nth,
                         error_name(error));
            cr_assert(error == OK || error == ERR_IO || error == ERR_UNAVAILABLE,
                      "%s, call %ld: %s", life.dataset_name, nth, error_name(error));
            assert_files_whole(life.dataset_name, nth);
            if (!fired)
                break;
        }
    }
}

// ---- damage ----

static int open_and_load(Life *life, const char *name) {
    if (strcmp(name, "c") == 0)
        return trainer_load(life->trainer, sample_directory, "damaged", INT64_MAX);
    Archive *archive = NULL;
    int error = archive_open(sample_directory, "damaged", true, &archive);
    archive_close(archive);
    return error;
}

static void write_damaged(const uint8_t *bytes, size_t length) {
    int file = openat(sample_directory, "damaged", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert(file >= 0 && write(file, bytes, length) == (ssize_t)length);
    close(file);
}

static void damage(Life *life, const char *name, long *flips, long *cuts) {
    int file = openat(sample_directory, name, O_RDONLY);
    struct stat status;
    cr_assert(file >= 0 && fstat(file, &status) == 0);
    size_t length = (size_t)status.st_size;
    AUTO_FREE uint8_t *bytes = memory_array(length, 1);
    cr_assert_eq(read(file, bytes, length), (ssize_t)length);
    close(file);
    write_damaged(bytes, length);
    cr_assert_eq(open_and_load(life, name), OK);
    file = openat(sample_directory, "damaged", O_WRONLY);
    for (size_t at = 0; at < length; at++, ++*flips) {
        uint8_t flipped = (uint8_t)(bytes[at] ^ 1u << at % 8);
        cr_assert_eq(pwrite(file, &flipped, 1, (off_t)at), 1);
        int error = open_and_load(life, name);
        cr_assert_eq(error, ERR_DAMAGED, "%s of %s, byte %zu: %s", name, life->dataset_name, at,
                     error_name(error));
        cr_assert_eq(pwrite(file, bytes + at, 1, (off_t)at), 1);
    }
    for (size_t left = length; left-- > 0; ++*cuts) {
        cr_assert_eq(ftruncate(file, (off_t)left), 0);
        int error = open_and_load(life, name);
        cr_assert_eq(error, ERR_DAMAGED, "%s of %s, cut at %zu: %s", name, life->dataset_name, left,
                     error_name(error));
    }
    close(file);
}

Test(torture, every_flipped_byte_and_every_cut_is_noticed, .timeout = 600) {
    long flips = 0, cuts = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(lives); i++) {
        Life life = life_of(i);
        cr_assert_eq(live(&life), OK);
        cr_assert_eq(make(&life), OK);
        const char *names[] = {life.dataset_name, "c", "m"};
        for (size_t k = 0; k < ARRAY_LENGTH(names); k++)
            damage(&life, names[k], &flips, &cuts);
        finish(&life);
    }
    cr_log_info("%ld flips and %ld cuts", flips, cuts);
}
