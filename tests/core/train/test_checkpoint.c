#include "tests/core/sample.h"
#include <sys/stat.h>
#include "core/train/trainer.h"

TestSuite(checkpoint, .init = sample_begin, .fini = sample_end);

#define MODEL                                                                                      \
    "\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 16, \"activation\": \"relu\"},"     \
    " {\"type\": \"dropout\", \"rate\": 0.2}, {\"type\": \"batch_norm\"},"                         \
    " {\"type\": \"dense\", \"units\": 3}]}"
#define JOB                                                                                        \
    "{" MODEL ", \"training\": {\"epochs\": 6, \"batch_size\": 16, \"seed\": 3,"                   \
    " \"optimizer\": {\"type\": \"adam\", \"learning_rate\": 0.05}, \"schedule\":"                 \
    " {\"type\": \"cosine\", \"warmup_steps\": 5}, \"early_stopping\": {\"patience\": 2}}}"

// Counts what was told, bit for bit, and stops at a step.
typedef struct Watch {
    int64_t stop_at; // 0: never
    atomic_bool stop;
    double sums[6]; // of losses, norms and epochs' metrics, in the order in which they came
    double epoch_loss, epoch_accuracy;
} Watch;

static void watch(void *context, const TrainEvent *event) {
    Watch *w = context;
    if (event->kind == TRAIN_STEP) {
        w->sums[0] = w->sums[0] * 0.5 + event->loss;
        w->sums[1] = w->sums[1] * 0.5 + event->gradient_norm;
        w->sums[2] = w->sums[2] * 0.5 + event->learning_rate;
        if (event->step == w->stop_at)
            atomic_store(&w->stop, true);
    } else if (event->kind == TRAIN_EPOCH) {
        w->sums[3] = w->sums[3] * 0.5 + event->train.loss;
        w->sums[4] = w->sums[4] * 0.5 + event->train.accuracy;
        w->sums[5] = w->sums[5] * 0.5 + event->validation.loss;
    }
}

static Trainer *make(const Job *job, Watch *w) {
    const TrainerHooks hooks = {.context = w, .event = watch, .stop = &w->stop};
    Trainer *trainer;
    cr_assert_eq(trainer_create(job, &hooks, &trainer), OK);
    return trainer;
}

static void finish(const Job *job, Trainer *trainer, char sha256[65]) {
    model_hash_weights(job_model(job), trainer_weights(trainer), sha256);
    trainer_destroy(trainer);
}

static Dataset *blobs(void) {
    SampleData data = sample_blobs(100, 3);
    return sample_dataset(&data);
}

// Interrupts a run after each of its steps in turn: what the resumed one does must be what the whole
// one did, to the last bit.
static void assert_resumes(const Dataset *dataset, const char *spec) {
    Job *job = sample_job(dataset, spec);
    char whole[65], resumed[65];
    Watch straight = {0};
    Trainer *trainer = make(job, &straight);
    cr_assert_eq(trainer_run(trainer), OK);
    Metrics best = *trainer_best(trainer);
    finish(job, trainer, whole);
    for (int64_t at = 1; at < job_steps(job); at++) {
        Watch watched = {.stop_at = at};
        trainer = make(job, &watched);
        int ended = trainer_run(trainer);
        if (ended == OK) { // early stopping came first
            trainer_destroy(trainer);
            break;
        }
        cr_assert_eq(ended, ERR_STOPPED);
        cr_assert_eq(trainer_step(trainer), at);
        cr_assert_eq(trainer_save(trainer, sample_directory, "c"), OK);
        trainer_destroy(trainer);

        atomic_store(&watched.stop, false);
        watched.stop_at = 0;
        trainer = make(job, &watched);
        cr_assert_eq(trainer_load(trainer, sample_directory, "c", INT64_MAX), OK);
        cr_assert_eq(trainer_step(trainer), at);
        cr_assert_eq(trainer_run(trainer), OK);
        cr_assert_eq(trainer_best(trainer)->loss, best.loss);
        finish(job, trainer, resumed);
        cr_assert_str_eq(resumed, whole, "interrupted after step %d", (int)at);
        cr_assert_arr_eq(watched.sums, straight.sums, sizeof(watched.sums));
    }
    job_destroy(job);
}

Test(checkpoint, lets_an_interrupted_run_end_in_the_same_bits) {
    Dataset *dataset = blobs();
    assert_resumes(dataset, JOB);
    dataset_close(dataset);
}

// The second phase's rate is so low that every one of its epochs is a plateau. The optimizers keep no
// slot, two and one.
Test(checkpoint, goes_on_within_phases_and_from_one_to_the_next) {
    Dataset *dataset = blobs();
    assert_resumes(dataset,
                   "{" MODEL ", \"training\": {\"epochs\": 2, \"batch_size\": 16,"
                   " \"schedule\": {\"type\": \"plateau\", \"patience\": 0},"
                   " \"clip_value\": 0.1, \"clip_norm\": 1, \"augment\": [\"noise\"], \"phases\": ["
                   "{\"optimizer\": {\"type\": \"sgd\", \"learning_rate\": 3}},"
                   " {\"optimizer\": {\"type\": \"adam\", \"learning_rate\": 1e-6},"
                   " \"epochs\": 4}, {\"batch_size\": 30, \"schedule\": \"one_cycle\"},"
                   " {}, {\"optimizer\": \"lion\", \"batch_size\": \"full\"}]}}");
    dataset_close(dataset);
}

static void save_after(const Job *job, int64_t step) {
    Watch w = {.stop_at = step};
    Trainer *trainer = make(job, &w);
    cr_assert_eq(trainer_run(trainer), ERR_STOPPED);
    cr_assert_eq(trainer_save(trainer, sample_directory, "c"), OK);
    trainer_destroy(trainer);
}

Test(checkpoint, of_another_job_is_refused) {
    Dataset *dataset = blobs();
    Job *job = sample_job(dataset, JOB);
    Job *other = sample_job(dataset, "{" MODEL ", \"training\": {\"seed\": 4}}");
    save_after(job, 3);
    Watch w = {0};
    Trainer *trainer = make(other, &w);
    cr_assert_eq(trainer_load(trainer, sample_directory, "c", INT64_MAX), ERR_CONFLICT);
    cr_assert_eq(trainer_step(trainer), 0);
    trainer_destroy(trainer);
    job_destroy(job);
    job_destroy(other);
    dataset_close(dataset);
}

Test(checkpoint, that_is_damaged_anywhere_is_refused) {
    Dataset *dataset = blobs();
    Job *job = sample_job(dataset, JOB);
    save_after(job, 3);
    int file = openat(sample_directory, "c", O_RDWR);
    struct stat status;
    cr_assert_eq(fstat(file, &status), 0);
    Watch w = {0};
    Trainer *trainer = make(job, &w);
    for (off_t at = 0; at < status.st_size; at += 41) {
        unsigned char byte, flipped;
        cr_assert_eq(pread(file, &byte, 1, at), 1);
        flipped = byte ^ 0x10;
        cr_assert_eq(pwrite(file, &flipped, 1, at), 1);
        cr_assert_eq(trainer_load(trainer, sample_directory, "c", INT64_MAX), ERR_DAMAGED,
                     "byte %ld", (long)at);
        cr_assert_eq(pwrite(file, &byte, 1, at), 1);
    }
    cr_assert_eq(trainer_step(trainer), 0);
    cr_assert_eq(trainer_load(trainer, sample_directory, "c", INT64_MAX), OK);
    cr_assert_eq(ftruncate(file, status.st_size - 1), 0);
    cr_assert_eq(trainer_load(trainer, sample_directory, "c", INT64_MAX), ERR_DAMAGED);
    cr_assert_eq(trainer_load(trainer, sample_directory, "missing", INT64_MAX), ERR_NOT_FOUND);
    close(file);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

typedef struct Saver {
    int saves;
} Saver;

static int save(void *context, Trainer *trainer) {
    Saver *saver = context;
    saver->saves++;
    return trainer_save(trainer, sample_directory, "timed");
}

Test(checkpoint, is_asked_for_by_the_clock) {
    Dataset *dataset = blobs();
    Job *job = sample_job(dataset, "{" MODEL ", \"training\": {\"checkpoint_seconds\": 1e-9}}");
    Saver saver = {0};
    const TrainerHooks hooks = {.context = &saver, .checkpoint = save};
    Trainer *trainer;
    cr_assert_eq(trainer_create(job, &hooks, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    cr_assert_eq(saver.saves, job_steps(job));
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}
