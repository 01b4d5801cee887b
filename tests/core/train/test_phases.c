// Phases: which step has which optimizer, schedule and batch, and what goes on from one to the next.
#include "tests/core/sample.h"
#include <math.h>
#include "core/train/fingerprint.h"
#include "tests/support/near.h"

static Issues issues;

static void begin(void) {
    sample_begin();
    issues_init(&issues);
}

static void end(void) {
    issues_finish(&issues);
    sample_end();
}

TestSuite(phases, .init = begin, .fini = end);

#define MODEL                                                                                      \
    "\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 8, \"activation\": \"tanh\"},"      \
    " {\"type\": \"dense\", \"units\": 3}]}"
#define SGD "{\"type\": \"sgd\", \"learning_rate\": 0.1, \"momentum\": 0.9}"

static Dataset *blobs(int64_t rows) {
    SampleData data = sample_blobs(rows, 3);
    return sample_dataset(&data);
}

static void refuse(const char *spec) {
    Dataset *dataset = blobs(30);
    Job *job;
    cr_assert_eq(job_create(json_value(&sample_arena, spec), dataset, 1, &issues, &job),
                 ERR_INVALID);
    dataset_close(dataset);
}

// What each step was told to be.
typedef struct Told {
    int64_t steps, epochs, stop_at;
    double rates[256];
    atomic_bool stop;
} Told;

static void listen(void *context, const TrainEvent *event) {
    Told *told = context;
    if (event->kind == TRAIN_EPOCH)
        cr_assert_eq(event->epoch, ++told->epochs);
    if (event->kind != TRAIN_STEP)
        return;
    told->rates[told->steps++ % 256] = event->learning_rate;
    if (event->step == told->stop_at)
        atomic_store(&told->stop, true);
}

static Trainer *start(const Job *job, Told *told) {
    const TrainerHooks hooks = {.context = told, .event = listen, .stop = &told->stop};
    Trainer *trainer;
    cr_assert_eq(trainer_create(job, &hooks, &trainer), OK);
    return trainer;
}

// The weights after `steps` steps (0: all).
static Real *run(const Dataset *dataset, const char *spec, int64_t steps, Told *told) {
    Job *job = sample_job(dataset, spec);
    *told = (Told){.stop_at = steps};
    Trainer *trainer = start(job, told);
    int ended = trainer_run(trainer);
    cr_assert(ended == OK || (ended == ERR_STOPPED && trainer_step(trainer) == steps));
    size_t elements = graph_weight_elements(model_graph(job_model(job)));
    Real *weights = arena_array(&sample_arena, elements, sizeof(Real));
    memcpy(weights, trainer_weights(trainer), elements * sizeof(Real));
    trainer_destroy(trainer);
    job_destroy(job);
    return weights;
}

enum { ELEMENTS = 4 * 8 + 8 + 8 * 3 + 3 }; // of MODEL

static bool same(const Real *a, const Real *b) {
    return memcmp(a, b, ELEMENTS * sizeof(Real)) == 0;
}

Test(phases, count_steps_epochs_and_rows) {
    Dataset *dataset = blobs(50); // 40 train
    Job *job = sample_job(dataset, "{" MODEL ", \"training\": {\"epochs\": 4, \"batch_size\": 16,"
                                   " \"phases\": [{\"epochs\": 2}, {\"batch_size\": \"full\"},"
                                   " {\"epochs\": 1, \"batch_size\": 1}]}}");
    cr_assert_eq(job_phases(job), 3);
    cr_assert_eq(job_steps(job), 2 * 3 + 4 + 40);
    cr_assert_eq(job_epochs(job), 7);
    cr_assert_eq(job_batch_rows(job), 40);
    const int64_t steps[] = {1, 3, 4, 6, 7, 10, 11, 50}, epochs[] = {1, 1, 2, 2, 3, 6, 7, 7},
                  samples[] = {16, 40, 56, 80, 120, 240, 241, 280};
    for (int i = 0; i < 8; i++) {
        cr_assert_eq(job_epoch_at(job, steps[i]), epochs[i]);
        cr_assert_eq(job_samples(job, steps[i]), samples[i]);
    }
    cr_assert_eq(job_phase_at(job, 6), job_phase(job, 0));
    cr_assert_eq(job_phase_at(job, 7), job_phase(job, 1));
    cr_assert_eq(job_phase_at(job, 7)->batch_rows, 40);
    cr_assert_eq(job_phase_at(job, 11)->batch_rows, 1);
    Told told = {0};
    Trainer *trainer = start(job, &told);
    cr_assert_eq(trainer_run(trainer), OK);
    cr_assert_eq(told.steps, 50);
    cr_assert_eq(told.epochs, 7);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(phases, that_change_nothing_are_one_run) {
    Dataset *dataset = blobs(50);
    Told told;
    const Real *whole = run(dataset, "{" MODEL ", \"training\": {\"epochs\": 3}}", 0, &told);
    const Real *parts = run(dataset,
                            "{" MODEL ", \"training\": {\"phases\": [{\"epochs\": 1},"
                            " {\"epochs\": 2}]}}",
                            0, &told);
    cr_assert(same(whole, parts));
    dataset_close(dataset);
}

// Adam's first step is the rate for every weight, whatever the gradients; a later one is not.
Test(phases, begin_with_an_optimizer_that_remembers_nothing) {
    Dataset *dataset = blobs(50);
    Told told;
#define ADAM "{\"type\": \"adam\", \"learning_rate\": 0.01}"
    const char *spec = "{" MODEL ", \"training\": {\"epochs\": 2, \"optimizer\": " ADAM
                       ", \"phases\": [{}, {\"optimizer\": " ADAM "}]}}";
    for (int64_t step = 4; step <= 5; step++) { // phase 1 ends with step 4
        const Real *before = run(dataset, spec, step - 1, &told);
        const Real *after = run(dataset, spec, step, &told);
        double least = INFINITY, greatest = 0;
        for (int i = 0; i < ELEMENTS; i++) {
            least = fmin(least, fabs((double)(after[i] - before[i])));
            greatest = fmax(greatest, fabs((double)(after[i] - before[i])));
        }
        cr_assert_lt(greatest, step == 5 ? 0.01001 : 0.1);
        if (step == 5)
            cr_assert_gt(least, 0.0099);
        else
            cr_assert_lt(least, 0.009);
    }
    dataset_close(dataset);
}

Test(phases, may_change_to_an_optimizer_of_more_or_fewer_slots) {
    Dataset *dataset = blobs(50);
    Told told;
    const Real *up = run(dataset,
                         "{" MODEL ", \"training\": {\"epochs\": 1, \"phases\": [{\"optimizer\": "
                         "\"sgd\"}, {\"optimizer\": \"adam\"}, {\"optimizer\": " SGD "}]}}",
                         0, &told);
    for (int i = 0; i < ELEMENTS; i++)
        cr_assert(isfinite((double)up[i]));
    assert_near(told.rates[0], 0.01, 0);
    assert_near(told.rates[2], 0.001, 0);
    assert_near(told.rates[4], 0.1, 0);
    dataset_close(dataset);
}

Test(phases, run_a_schedule_over_their_own_steps) {
    Dataset *dataset = blobs(50); // 40 train
    Told told;
    run(dataset,
        "{" MODEL ", \"training\": {\"batch_size\": 10, \"optimizer\": " SGD
        ", \"schedule\": {\"type\": \"constant\", \"warmup_steps\": 2}, \"phases\": ["
        "{\"epochs\": 1}, {\"epochs\": 2, \"schedule\": {\"type\": \"step\", \"every\": 1,"
        " \"factor\": 0.5}}, {\"epochs\": 1, \"optimizer\": {\"type\": \"sgd\","
        " \"learning_rate\": 1}}]}}",
        0, &told);
    assert_all_near(
        told.rates,
        ((double[]){0.05, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.5, 1, 1, 1}),
        16, 1e-15);
    dataset_close(dataset);
}

// A rate of nearly 0 lets the validation loss stand still, so the plateau falls in each phase.
Test(phases, begin_a_plateau_anew) {
    Dataset *dataset = blobs(50);
    Told told;
    run(dataset,
        "{" MODEL ", \"training\": {\"batch_size\": \"full\", \"optimizer\": {\"type\": \"sgd\","
        " \"learning_rate\": 1e-9}, \"schedule\": {\"type\": \"plateau\", \"patience\": 0},"
        " \"phases\": [{\"epochs\": 3}, {\"epochs\": 2}]}}",
        0, &told);
    assert_all_near(told.rates, ((double[]){1e-9, 1e-9, 1e-10, 1e-9, 1e-9}), 5, 1e-24);
    dataset_close(dataset);
}

// The loss stands still from the first epoch on: the patience of 3 would be over with epoch 4.
Test(phases, give_early_stopping_its_whole_patience) {
    Dataset *dataset = blobs(50);
    Told told;
#define STOPPING                                                                                   \
    ", \"training\": {\"batch_size\": \"full\", \"optimizer\": {\"type\": \"sgd\","                \
    " \"learning_rate\": 1e-12}, \"early_stopping\": {\"patience\": 3, \"min_delta\": 1},"         \
    " \"phases\": "
    run(dataset, "{" MODEL STOPPING "[{\"epochs\": 3}, {\"epochs\": 9}]}}", 0, &told);
    cr_assert_eq(told.epochs, 6);
    // Over within a phase, it ends the run, not the phase.
    run(dataset, "{" MODEL STOPPING "[{\"epochs\": 8}, {\"epochs\": 9}]}}", 0, &told);
    cr_assert_eq(told.epochs, 4);
    dataset_close(dataset);
}

// The second phase's rate is far too high, so the best epoch is the first phase's last.
Test(phases, end_with_the_best_weights_of_them_all) {
    Dataset *dataset = blobs(50);
    Told told;
#define GOOD "{\"epochs\": 4}"
    const Real *good =
        run(dataset, "{" MODEL ", \"training\": {\"phases\": [" GOOD "]}}", 0, &told);
    const Real *best = run(dataset,
                           "{" MODEL ", \"training\": {\"early_stopping\": {\"patience\": 4},"
                           " \"phases\": [" GOOD ", {\"epochs\": 3, \"optimizer\": {\"type\":"
                           " \"sgd\", \"learning_rate\": 1000}}]}}",
                           0, &told);
    cr_assert_eq(told.epochs, 7);
    cr_assert(same(best, good));
    dataset_close(dataset);
}

Test(phases, are_written_so_that_they_read_the_same) {
    Dataset *dataset = blobs(30);
    Job *job = sample_job(dataset, "{" MODEL ", \"training\": {\"epochs\": 4, \"phases\":"
                                   " [{\"optimizer\": \"sgd\", \"batch_size\": \"full\"},"
                                   " {\"epochs\": 2, \"schedule\": \"cosine\", \"batch_size\": 3},"
                                   " {}]}}");
    JsonWriter writer;
    json_writer_init(&writer);
    ValueWriter out = json_value_writer(&writer);
    write_begin_object(&out, NULL);
    job_write_spec(job, &out);
    write_end_object(&out);
    Job *again = sample_job(dataset, text_string(&writer.text));
    char first[HASH_TEXT], second[HASH_TEXT];
    job_fingerprint(job, first);
    job_fingerprint(again, second);
    cr_assert_str_eq(first, second);
    cr_assert_eq(job_steps(again), job_steps(job));
    cr_assert_eq(job_phase(again, 1)->memory_begin, job_phase(job, 1)->memory_begin);
    json_writer_finish(&writer);
    job_destroy(job);
    job_destroy(again);
    dataset_close(dataset);
}

Test(phases, are_checked_key_by_key) {
    refuse("{" MODEL ", \"training\": {\"steps\": 5, \"phases\": [{\"epochs\": 0},"
           " {\"optimiser\": \"sgd\"}, {\"batch_size\": \"all\"}, 3]}}");
    assert_issue(&issues, "/training/steps", "phases");
    assert_issue(&issues, "/training/phases/0/epochs", "at least 1");
    assert_issue(&issues, "/training/phases/1/optimiser", "optimizer");
    assert_issue(&issues, "/training/phases/2/batch_size", "full");
    assert_issue(&issues, "/training/phases/3", "an object");
    cr_assert_eq(issues.count, 5);
}

Test(phases, are_a_list_of_a_bounded_length) {
    refuse("{" MODEL ", \"training\": {\"phases\": {\"epochs\": 1}}}");
    assert_issue(&issues, "/training/phases", "list");
    issues_finish(&issues);
    issues_init(&issues);
    refuse("{" MODEL ", \"training\": {\"epochs\": 600000000, \"phases\": [{}, {}]}}");
    assert_issue(&issues, "/training/phases", "1000000000 epochs");
}
