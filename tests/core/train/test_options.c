// Training options whose effect on the first update can be worked out by hand.
#include "tests/core/sample.h"
#include <math.h>
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

TestSuite(options, .init = begin, .fini = end);

// Six rows of class 0, three of class 1 and one of class 2, all of which train.
static Dataset *unequal(void) {
    SampleData data = sample_blobs(10, 3);
    for (int i = 0; i < 10; i++)
        data.classes[i] = i < 6 ? 0 : i < 9 ? 1 : 2;
    return sample_dataset(&data);
}

#define FLAT                                                                                       \
    "\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 3, \"kernel_init\": \"zeros\"}]}"
#define STEP                                                                                       \
    "\"steps\": 1, \"batch_size\": \"full\", \"validation_split\": 0, \"optimizer\": {\"type\":"   \
    " \"sgd\", \"learning_rate\": 1}"

enum { KERNEL = 4 * 3, ELEMENTS = KERNEL + 3 };

// The weights after a run; loss: of its last step; norms: as measured and as clipped.
typedef struct Ending {
    Real weights[ELEMENTS];
    double loss, norm, clipped;
    int64_t steps;
} Ending;

static void listen(void *context, const TrainEvent *event) {
    Ending *outcome = context;
    if (event->kind != TRAIN_STEP)
        return;
    outcome->loss = event->loss;
    outcome->norm = event->gradient_norm;
    outcome->clipped = event->clipped_gradient_norm;
    outcome->steps++;
}

static Ending run(const Dataset *dataset, const char *spec) {
    Job *job = sample_job(dataset, spec);
    Ending outcome = {.steps = 0};
    const TrainerHooks hooks = {.context = &outcome, .event = listen};
    Trainer *trainer;
    cr_assert_eq(trainer_create(job, &hooks, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    cr_assert_eq(graph_weight_elements(model_graph(job_model(job))), ELEMENTS);
    memcpy(outcome.weights, trainer_weights(trainer), sizeof(outcome.weights));
    trainer_destroy(trainer);
    job_destroy(job);
    return outcome;
}

// From zero weights every class has the probability 1/3, so a bias becomes its class's share of the targets less 1/3.
static void assert_biases(const char *loss, const double shares[3]) {
    Dataset *dataset = unequal();
    char spec[512];
    snprintf(spec, sizeof(spec), "{" FLAT ", \"training\": {" STEP ", \"loss\": %s}}", loss);
    Ending outcome = run(dataset, spec);
    for (int c = 0; c < 3; c++)
        assert_near((double)outcome.weights[KERNEL + c], shares[c] - 1.0 / 3, 1e-6);
    assert_near(outcome.loss, log(3), 1e-6);
    dataset_close(dataset);
}

Test(options, classes_weigh_by_their_rows) {
    assert_biases("\"cross_entropy\"", (double[]){0.6, 0.3, 0.1});
}

Test(options, class_weights_are_divided_by_their_sum) {
    assert_biases("{\"type\": \"cross_entropy\", \"class_weight\": [1, 3, 15]}",
                  (double[]){6.0 / 30, 9.0 / 30, 15.0 / 30});
    assert_biases("{\"type\": \"cross_entropy\", \"class_weight\": [2, 2, 2]}",
                  (double[]){0.6, 0.3, 0.1});
}

Test(options, balanced_classes_weigh_the_same) {
    assert_biases("{\"type\": \"cross_entropy\", \"class_weight\": \"balanced\"}",
                  (double[]){1.0 / 3, 1.0 / 3, 1.0 / 3});
}

Test(options, label_smoothing_spreads_targets) {
    assert_biases("{\"type\": \"cross_entropy\", \"label_smoothing\": 0.2}",
                  (double[]){0.8 * 0.6 + 0.2 / 3, 0.8 * 0.3 + 0.2 / 3, 0.8 * 0.1 + 0.2 / 3});
}

// ---- batches ----

Test(options, a_full_batch_is_all_training_rows) {
    Dataset *dataset = unequal();
    Ending full = run(dataset, "{" FLAT ", \"training\": {\"epochs\": 3, \"batch_size\": \"full\","
                               " \"validation_split\": 0.2}}");
    Ending eight = run(dataset, "{" FLAT ", \"training\": {\"epochs\": 3, \"batch_size\": 8,"
                                " \"validation_split\": 0.2}}");
    cr_assert_eq(full.steps, 3);
    cr_assert_arr_eq(full.weights, eight.weights, sizeof(full.weights));
    dataset_close(dataset);
}

Test(options, a_batch_of_one_is_a_step_a_row) {
    Dataset *dataset = unequal();
    Ending one = run(dataset, "{" FLAT ", \"training\": {\"epochs\": 2, \"batch_size\": 1,"
                              " \"validation_split\": 0.2, \"optimizer\": {\"type\": \"sgd\","
                              " \"learning_rate\": 1e-7}}}");
    cr_assert_eq(one.steps, 16);
    // Steps so small add up to a gradient over all rows, each with the whole rate.
    Ending full = run(dataset, "{" FLAT ", \"training\": {\"epochs\": 2, \"batch_size\": \"full\","
                               " \"validation_split\": 0.2, \"optimizer\": {\"type\": \"sgd\","
                               " \"learning_rate\": 8e-7}}}");
    for (int i = 0; i < ELEMENTS; i++)
        assert_near((double)one.weights[i] / 1e-6, (double)full.weights[i] / 1e-6, 1e-4);
    dataset_close(dataset);
}

// ---- clipping ----

Test(options, the_norm_is_bounded_before_the_elements) {
    Dataset *dataset = unequal();
    // Zero weights and a rate of 1: what is left is minus the gradient.
    Ending plain = run(dataset, "{" FLAT ", \"training\": {" STEP "}}");
    double norm = 0, clipped = 0;
    for (int i = 0; i < ELEMENTS; i++)
        norm += (double)(plain.weights[i] * plain.weights[i]);
    norm = sqrt(norm);
    assert_near(plain.norm, norm, 1e-5);
    cr_assert_gt(norm, 0.4);
    Ending both = run(dataset, "{" FLAT ", \"training\": {" STEP ", \"clip_norm\": 0.2,"
                               " \"clip_value\": 0.05}}");
    int bounded = 0;
    for (int i = 0; i < ELEMENTS; i++) {
        double scaled = (double)plain.weights[i] * 0.2 / norm;
        double expected = fmin(fmax(scaled, -0.05), 0.05);
        bounded += fabs(scaled) > 0.05;
        clipped += expected * expected;
        assert_near((double)both.weights[i], expected, 1e-6);
    }
    cr_assert(bounded > 0 && bounded < ELEMENTS);
    assert_near(both.norm, norm, 1e-5);
    assert_near(both.clipped, sqrt(clipped), 1e-6);
    dataset_close(dataset);
}

Test(options, bounds_that_nothing_reaches_change_nothing) {
    Dataset *dataset = unequal();
    Ending plain = run(dataset, "{" FLAT ", \"training\": {" STEP "}}");
    Ending wide = run(dataset, "{" FLAT ", \"training\": {" STEP ", \"clip_norm\": 1000,"
                               " \"clip_value\": 100}}");
    cr_assert_arr_eq(plain.weights, wide.weights, sizeof(plain.weights));
    dataset_close(dataset);
}
