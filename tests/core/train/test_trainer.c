#include "tests/core/sample.h"
#include <math.h>
#include "tests/support/near.h"

TestSuite(trainer, .init = sample_begin, .fini = sample_end);

#define MLP                                                                                        \
    "\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 16, \"activation\": \"relu\"},"     \
    " {\"type\": \"dropout\", \"rate\": 0.1}, {\"type\": \"batch_norm\"},"                         \
    " {\"type\": \"dense\", \"units\": 3}]}"

// What a run told its listener.
typedef struct Told {
    int64_t steps, gradients, epochs, findings;
    int64_t best_epoch;
    double best_loss; // least validation loss
    TrainEvent last_epoch;
    char finding[32], layer[32];
    double losses[4096]; // of each step
    double gradient_norms[4096];
    int diagnoses, histograms;
    bool counted; // some layer had all kinds of histograms
} Told;

static void listen(void *context, const TrainEvent *event) {
    Told *told = context;
    switch (event->kind) {
    case TRAIN_STEP:
        cr_assert_eq(event->step, told->steps + 1);
        told->losses[told->steps % 4096] = event->loss;
        told->gradient_norms[told->steps++ % 4096] = event->gradient_norm;
        break;
    case TRAIN_GRADIENTS:
        cr_assert_not_null(event->layers);
        told->gradients++;
        break;
    case TRAIN_HISTOGRAMS:
        cr_assert_eq(event->step, told->steps);
        cr_assert_eq((event->step - 1) % event->interval, 0);
        for (int i = 0; i < event->histogram_layers; i++)
            told->counted |= event->histograms[i].gradient.counted > 0 &&
                             event->histograms[i].weight.counted > 0 &&
                             event->histograms[i].activation.counted > 0;
        told->histograms++;
        break;
    case TRAIN_EPOCH:
        told->epochs++;
        cr_assert_eq(event->epoch, told->epochs);
        if (event->best) {
            told->best_epoch = event->epoch;
            told->best_loss = event->validation.loss;
        }
        told->last_epoch = *event;
        break;
    case TRAIN_FINDING:
        told->findings++;
        if (strcmp(event->finding->code, "non_finite") != 0)
            break;
        snprintf(told->finding, sizeof(told->finding), "%s", event->finding->code);
        if (event->finding->layer != NULL)
            snprintf(told->layer, sizeof(told->layer), "%s", event->finding->layer);
        break;
    case TRAIN_DIAGNOSIS:
        cr_assert_not_null(event->view);
        told->diagnoses++;
        break;
    }
}

// Runs a job to its end; the trainer is the caller's to destroy.
static Trainer *run(const Job *job, Told *told, int expected) {
    const TrainerHooks hooks = {.context = told, .event = told == NULL ? NULL : listen};
    Trainer *trainer;
    cr_assert_eq(trainer_create(job, &hooks, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), expected);
    return trainer;
}

static void weights_hash(const Job *job, const Trainer *trainer, char sha256[65]) {
    model_hash_weights(job_model(job), trainer_weights(trainer), sha256);
}

static Dataset *blobs(int64_t rows) {
    SampleData data = sample_blobs(rows, 3);
    return sample_dataset(&data);
}

Test(trainer, learns_classes_that_lie_apart) {
    Dataset *dataset = blobs(150);
    Job *job =
        sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 16,"
                            " \"activation\": \"relu\"}, {\"type\": \"dense\", \"units\": 3}]},"
                            "\"training\": {\"epochs\": 50, \"batch_size\": 16, \"seed\": 1,"
                            " \"optimizer\": {\"type\": \"adam\", \"learning_rate\": 0.01}}}");
    Told told = {0};
    Trainer *trainer = run(job, &told, OK);
    cr_assert_geq(trainer_validation(trainer)->accuracy, 0.95);
    cr_assert_geq(told.last_epoch.train.accuracy, 0.95);
    cr_assert_eq(told.steps, job_steps(job));
    cr_assert_eq(told.epochs, 50);
    cr_assert_eq(told.gradients, job_steps(job));
    cr_assert_gt(told.histograms, 0);
    cr_assert(told.counted);
    cr_assert_eq(told.findings, 0);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(trainer, learns_numbers_and_tells_errors_in_their_unit) {
    SampleData data = sample_line(200);
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\","
                                   " \"units\": 2}]}, \"training\": {\"epochs\": 60,"
                                   " \"optimizer\": {\"type\": \"adam\","
                                   " \"learning_rate\": 0.05}}}");
    Trainer *trainer = run(job, NULL, OK);
    const Metrics *metrics = trainer_validation(trainer);
    cr_assert_gt(metrics->r2, 0.999);
    // The first target varies by 180, so an error this small is in its own unit, not in deviations.
    cr_assert_lt(metrics->mae, 5);
    cr_assert_gt(metrics->mae, metrics->loss);
    cr_assert(isnan(metrics->accuracy));
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(trainer, learns_two_classes_with_one_output) {
    SampleData data = sample_blobs(100, 2);
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\","
                                   " \"units\": 1}]}, \"training\": {\"epochs\": 60,"
                                   " \"loss\": \"binary_cross_entropy\", \"optimizer\":"
                                   " {\"type\": \"adam\", \"learning_rate\": 0.05}}}");
    Trainer *trainer = run(job, NULL, OK);
    cr_assert_geq(trainer_validation(trainer)->accuracy, 0.95);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(trainer, gives_the_same_bits_for_the_same_seed) {
    Dataset *dataset = blobs(100);
    char first[65], second[65], other[65];
    const char *spec = "{" MLP ", \"training\": {\"epochs\": 3, \"seed\": 5}}";
    Job *job = sample_job(dataset, spec);
    Job *reseeded = sample_job(dataset, "{" MLP ", \"training\": {\"epochs\": 3, \"seed\": 6}}");
    Trainer *trainer = run(job, NULL, OK);
    weights_hash(job, trainer, first);
    trainer_destroy(trainer);
    trainer = run(job, NULL, OK);
    weights_hash(job, trainer, second);
    trainer_destroy(trainer);
    trainer = run(reseeded, NULL, OK);
    weights_hash(reseeded, trainer, other);
    trainer_destroy(trainer);
    cr_assert_str_eq(first, second);
    cr_assert_str_neq(first, other);
    job_destroy(job);
    job_destroy(reseeded);
    dataset_close(dataset);
}

Test(trainer, keeps_the_last_smaller_batch) {
    Dataset *dataset = blobs(21);
    Job *job = sample_job(dataset, "{" MLP ", \"training\": {\"epochs\": 2, \"batch_size\": 10,"
                                   " \"validation_split\": 0}}");
    Told told = {0};
    Trainer *trainer = run(job, &told, OK);
    cr_assert_eq(told.steps, 6);
    cr_assert(isnan(told.last_epoch.validation.loss));
    cr_assert(isnan(trainer_validation(trainer)->loss));
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(trainer, validates_after_the_last_step_of_a_broken_epoch) {
    Dataset *dataset = blobs(100);
    Job *job = sample_job(dataset, "{" MLP ", \"training\": {\"steps\": 7, \"batch_size\": 16}}");
    Told told = {0};
    Trainer *trainer = run(job, &told, OK);
    cr_assert_eq(told.epochs, 2);
    cr_assert_eq(told.last_epoch.step, 7);
    cr_assert(isfinite(told.last_epoch.validation.loss));
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(trainer, stops_early_and_restores_the_best_weights) {
    Dataset *dataset = blobs(60);
    // A rate this high makes the validation loss jump, so the best epoch is not the last.
    Job *job =
        sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 32,"
                            " \"activation\": \"tanh\"}, {\"type\": \"dense\", \"units\": 3}]},"
                            "\"training\": {\"epochs\": 500, \"batch_size\": 8, \"optimizer\":"
                            " {\"type\": \"adam\", \"learning_rate\": 0.3},"
                            " \"early_stopping\": {\"patience\": 3}}}");
    Told told = {0};
    Trainer *trainer = run(job, &told, OK);
    cr_assert_lt(told.epochs, 500);
    cr_assert_eq(told.epochs, told.best_epoch + 3);
    cr_assert_eq(trainer_best_epoch(trainer), told.best_epoch);
    assert_near(trainer_best(trainer)->loss, told.best_loss, 0);
    // A run of exactly the best epoch's length ends in the same weights.
    char restored[65], shorter[65], spec[512];
    weights_hash(job, trainer, restored);
    trainer_destroy(trainer);
    snprintf(spec, sizeof(spec),
             "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 32,"
             " \"activation\": \"tanh\"}, {\"type\": \"dense\", \"units\": 3}]},"
             "\"training\": {\"epochs\": %d, \"batch_size\": 8, \"optimizer\":"
             " {\"type\": \"adam\", \"learning_rate\": 0.3}}}",
             (int)told.best_epoch);
    Job *best = sample_job(dataset, spec);
    trainer = run(best, NULL, OK);
    weights_hash(best, trainer, shorter);
    cr_assert_str_eq(restored, shorter);
    trainer_destroy(trainer);
    job_destroy(job);
    job_destroy(best);
    dataset_close(dataset);
}

Test(trainer, clips_the_global_norm) {
    Dataset *dataset = blobs(60);
    Job *job = sample_job(dataset, "{" MLP ", \"training\": {\"epochs\": 1,"
                                   " \"optimizer\": {\"type\": \"sgd\", \"learning_rate\": 1},"
                                   " \"clip_norm\": 0.001}}");
    Told told = {0};
    Trainer *trainer = run(job, &told, OK);
    cr_assert_gt(told.last_epoch.gradient_norm, 0.001);
    assert_near(told.last_epoch.clipped_gradient_norm, 0.001, 1e-4);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(trainer, ends_a_divergence_with_a_finding_that_names_the_layer) {
    SampleData data = sample_line(50);
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\","
                                   " \"units\": 8}, {\"type\": \"dense\", \"units\": 2}]},"
                                   " \"training\": {\"epochs\": 100, \"optimizer\":"
                                   " {\"type\": \"sgd\", \"learning_rate\": 1000}}}");
    Told told = {0};
    Trainer *trainer = run(job, &told, ERR_DIVERGED);
    cr_assert_str_eq(told.finding, "non_finite");
    cr_assert_neq(told.layer[0], '\0');
    cr_assert_lt(told.steps, 100);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(trainer, goes_on_through_a_divergence_when_told_to) {
    SampleData data = sample_line(50);
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\","
                                   " \"units\": 2}]}, \"training\": {\"epochs\": 100,"
                                   " \"stop_on_divergence\": false, \"optimizer\":"
                                   " {\"type\": \"sgd\", \"learning_rate\": 1000}}}");
    Told told = {0};
    Trainer *trainer = run(job, &told, OK);
    cr_assert_str_eq(told.finding, "non_finite");
    cr_assert_eq(told.steps, job_steps(job));
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(trainer, stops_when_asked_between_two_steps) {
    Dataset *dataset = blobs(60);
    Job *job = sample_job(dataset, "{" MLP "}");
    atomic_bool stop = true;
    const TrainerHooks hooks = {.stop = &stop};
    Trainer *trainer;
    cr_assert_eq(trainer_create(job, &hooks, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), ERR_STOPPED);
    cr_assert_eq(trainer_step(trainer), 0);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

typedef struct FinishAt {
    int64_t step;
    atomic_bool now;
    int64_t epochs, validated_at;
} FinishAt;

static void finish_at(void *context, const TrainEvent *event) {
    FinishAt *finish = context;
    if (event->kind == TRAIN_STEP && event->step == finish->step)
        atomic_store(&finish->now, true);
    if (event->kind == TRAIN_EPOCH) {
        finish->epochs++;
        finish->validated_at = event->step;
    }
}

Test(trainer, finishes_when_asked_as_if_no_more_had_been_wanted) {
    Dataset *dataset = blobs(60);
    Job *job = sample_job(dataset, "{" MLP ", \"training\": {\"steps\": 1000, \"batch_size\": 8}}");
    Job *shorter =
        sample_job(dataset, "{" MLP ", \"training\": {\"steps\": 20, \"batch_size\": 8}}");
    FinishAt finish = {.step = 20}, at_once = {.now = true};
    const TrainerHooks hooks = {.context = &finish, .event = finish_at, .finish = &finish.now};
    const TrainerHooks now = {.context = &at_once, .event = finish_at, .finish = &at_once.now};
    char finished[65], wanted[65];
    Trainer *trainer;
    cr_assert_eq(trainer_create(job, &hooks, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    cr_assert_eq(trainer_step(trainer), 20);
    cr_assert_eq(finish.validated_at, 20, "it is validated in the middle of an epoch");
    double loss = trainer_validation(trainer)->loss;
    weights_hash(job, trainer, finished);
    trainer_destroy(trainer);
    trainer = run(shorter, NULL, OK);
    weights_hash(shorter, trainer, wanted);
    cr_assert_str_eq(finished, wanted);
    assert_near(trainer_validation(trainer)->loss, loss, 0);
    trainer_destroy(trainer);
    cr_assert_eq(trainer_create(job, &now, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    cr_assert_eq(trainer_step(trainer), 1, "a step there is in any case");
    cr_assert_eq(at_once.epochs, 1);
    trainer_destroy(trainer);
    job_destroy(job);
    job_destroy(shorter);
    dataset_close(dataset);
}

Test(trainer, leaves_frozen_layers_as_they_began) {
    Dataset *dataset = blobs(60);
    Job *job = sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 8,"
                                   " \"trainable\": false}, {\"type\": \"dense\","
                                   " \"units\": 3}]}, \"training\": {\"epochs\": 1}}");
    const Graph *graph = model_graph(job_model(job));
    size_t elements = graph_weight_elements(graph), begin, end;
    AUTO_FREE Real *initial = memory_array(elements, sizeof(Real));
    cr_assert_eq(graph_initialise(graph, 0, initial), OK);
    Trainer *trainer = run(job, NULL, OK);
    graph_layer_range(graph, 0, &begin, &end);
    cr_assert_arr_eq(trainer_weights(trainer) + begin, initial + begin,
                     (end - begin) * sizeof(Real));
    graph_layer_range(graph, 1, &begin, &end);
    cr_assert_arr_neq(trainer_weights(trainer) + begin, initial + begin,
                      (end - begin) * sizeof(Real));
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(trainer, evaluates_the_datasets_test_rows) {
    SampleData data = sample_blobs(60, 3);
    uint8_t splits[60];
    for (int i = 0; i < 60; i++)
        splits[i] = i < 40 ? SPLIT_TRAIN : i < 50 ? SPLIT_VALIDATION : SPLIT_TEST;
    data.splits = splits;
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(dataset, "{" MLP "}");
    Trainer *trainer = run(job, NULL, OK);
    Metrics test;
    cr_assert(trainer_test(trainer, &test));
    cr_assert(isfinite(test.loss));
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(trainer, learns_iris) {
    FILE *file = fopen("../shared/data/tabular/iris.csv", "r");
    if (file == NULL)
        cr_skip_test("../shared/data/tabular/iris.csv is absent");
    SampleData data = sample_blobs(150, 3);
    char line[256];
    cr_assert_not_null(fgets(line, sizeof(line), file));
    for (int i = 0; i < 150; i++) {
        float *x = data.inputs + (size_t)i * 4;
        cr_assert_not_null(fgets(line, sizeof(line), file));
        cr_assert_eq(sscanf(line, "%f,%f,%f,%f,%d", x, x + 1, x + 2, x + 3, &data.classes[i]), 5,
                     "%s", line);
    }
    fclose(file);
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 16,"
                                   " \"activation\": \"relu\"}, {\"type\": \"dense\","
                                   " \"units\": 3}]}, \"training\": {\"epochs\": 50,"
                                   " \"batch_size\": 16, \"seed\": 1, \"optimizer\":"
                                   " {\"type\": \"adam\", \"learning_rate\": 0.01}}}");
    Trainer *trainer = run(job, NULL, OK);
    cr_assert_geq(trainer_best(trainer)->accuracy, 0.95);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}
