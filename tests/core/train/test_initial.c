// Starting from a trained model, and layers that do not learn.
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

TestSuite(initial, .init = begin, .fini = end);

#define BODY                                                                                       \
    "{\"type\": \"dense\", \"units\": 8, \"activation\": \"relu\", \"name\": \"body\"}, "          \
    "{\"type\": \"batch_norm\", \"name\": \"norm\"}"
#define MODEL(head) "\"model\": {\"layers\": [" BODY ", " head "]}"
#define FROM(head) "\"model\": {\"initial\": \"mdl_1\", \"layers\": [" BODY ", " head "]}"
#define HEAD "{\"type\": \"dense\", \"units\": 3, \"name\": \"head\"}"
#define OTHER_HEAD "{\"type\": \"dense\", \"units\": 3, \"name\": \"other\", \"use_bias\": false}"

static Dataset *blobs(void) {
    SampleData data = sample_blobs(60, 3);
    return sample_dataset(&data);
}

static Trainer *run(const Job *job) {
    Trainer *trainer;
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    return trainer;
}

// Trains a model, saves it as "model" and gives its weights.
static Real *train(const Dataset *dataset) {
    Job *job = sample_job(dataset, "{" MODEL(HEAD) ", \"training\": {\"epochs\": 3}}");
    Trainer *trainer = run(job);
    char sha256[65];
    size_t bytes, elements = graph_weight_elements(model_graph(job_model(job)));
    cr_assert_eq(trainer_save_model(trainer, sample_directory, "model", "{}", sha256, &bytes), OK);
    Real *weights = arena_array(&sample_arena, elements, sizeof(Real));
    memcpy(weights, trainer_weights(trainer), elements * sizeof(Real));
    trainer_destroy(trainer);
    job_destroy(job);
    return weights;
}

static int start_from_model(Job *job) {
    Archive *archive;
    cr_assert_eq(archive_open(sample_directory, "model", true, &archive), OK);
    return job_start_from(job, archive, &issues);
}

// The weight "layer.name" in a job's weights, and in those of MODEL(HEAD).
static const Real *find(const Model *model, const Real *weights, const char *wanted,
                        size_t *ret_count) {
    const Graph *graph = model_graph(model);
    for (int w = 0; w < graph_weights(graph); w++) {
        char name[ARCHIVE_NAME_MAX + 1];
        model_weight_name(model, w, name);
        if (strcmp(name, wanted) != 0)
            continue;
        *ret_count = (size_t)shape_elements(&graph_weight_at(graph, w)->shape);
        return weights + graph_weight_at(graph, w)->offset;
    }
    cr_assert_fail("there is no %s", wanted);
    return NULL;
}

static const char *const body_weights[] = {"body.kernel",      "body.bias",
                                           "norm.gamma",       "norm.beta",
                                           "norm.moving_mean", "norm.moving_variance"};

// Whether the weights of the body are the same in both, to the bit.
static bool same_body(const Model *a, const Real *a_weights, const Model *b,
                      const Real *b_weights) {
    for (size_t i = 0; i < ARRAY_LENGTH(body_weights); i++) {
        size_t count, other;
        const Real *first = find(a, a_weights, body_weights[i], &count);
        const Real *second = find(b, b_weights, body_weights[i], &other);
        cr_assert_eq(count, other);
        if (memcmp(first, second, count * sizeof(Real)) != 0)
            return false;
    }
    return true;
}

typedef struct Found {
    int count;
    Finding finding;
} Found;

static const char *evidence_word(const Finding *finding, const char *name) {
    for (int i = 0; i < finding->evidence_count; i++)
        if (strcmp(finding->evidence[i].name, name) == 0)
            return finding->evidence[i].text;
    return "";
}

static void keep(void *context, const Finding *finding) {
    Found *found = context;
    found->count++;
    found->finding = *finding;
}

Test(initial, weights_of_the_same_names_and_shapes_are_the_first) {
    Dataset *dataset = blobs();
    const Real *trained = train(dataset);
    Job *same = sample_job(dataset, "{" FROM(HEAD) "}");
    cr_assert_eq(start_from_model(same), OK);
    Trainer *trainer;
    cr_assert_eq(trainer_create(same, NULL, &trainer), OK);
    cr_assert_arr_eq(trainer_weights(trainer), trained,
                     graph_weight_elements(model_graph(job_model(same))) * sizeof(Real));
    trainer_destroy(trainer);
    Found found = {0};
    job_findings(same, keep, &found);
    cr_assert_eq(found.count, 0);
    job_destroy(same);
    dataset_close(dataset);
}

Test(initial, others_are_drawn_as_ever_and_a_finding_says_so) {
    Dataset *dataset = blobs();
    const Real *trained = train(dataset);
    Job *old = sample_job(dataset, "{" MODEL(HEAD) "}");
    Job *job = sample_job(dataset, "{" FROM(OTHER_HEAD) "}");
    Job *drawn = sample_job(dataset, "{" MODEL(OTHER_HEAD) "}");
    cr_assert_eq(start_from_model(job), OK);
    Trainer *trainer, *plain;
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_create(drawn, NULL, &plain), OK);
    cr_assert(same_body(job_model(job), trainer_weights(trainer), job_model(old), trained));
    size_t count;
    const Real *head = find(job_model(job), trainer_weights(trainer), "other.kernel", &count);
    cr_assert_arr_eq(head, find(job_model(drawn), trainer_weights(plain), "other.kernel", &count),
                     count * sizeof(Real));
    Found found = {0};
    job_findings(job, keep, &found);
    cr_assert_eq(found.count, 1);
    cr_assert_str_eq(found.finding.code, "initial_weights");
    cr_assert_not_null(strstr(found.finding.explanation, "6 of the 7 weights"));
    cr_assert_not_null(strstr(found.finding.explanation, "other.kernel [8, 3]"));
    cr_assert_str_eq(evidence_word(&found.finding, "first"), "other.kernel");
    cr_assert_str_eq(evidence_word(&found.finding, "shape"), "[8, 3]");
    trainer_destroy(trainer);
    trainer_destroy(plain);
    job_destroy(job);
    job_destroy(old);
    job_destroy(drawn);
    dataset_close(dataset);
}

Test(initial, a_model_of_which_nothing_fits_is_refused_with_what_it_has) {
    Dataset *dataset = blobs();
    train(dataset);
    Job *job = sample_job(dataset, "{\"model\": {\"initial\": \"mdl_1\", \"layers\": ["
                                   "{\"type\": \"dense\", \"units\": 9, \"name\": \"body\"},"
                                   " {\"type\": \"dense\", \"units\": 3}]}}");
    cr_assert_eq(start_from_model(job), ERR_INVALID);
    assert_issue(&issues, "/model/initial", "body.kernel [4, 8]");
    assert_issue(&issues, "/model/initial", "this model has body.kernel [4, 9]");
    const char *detail = sample_issue(&issues, "/model/initial");
    cr_assert_null(strstr(detail, "input.mean"), "%s", detail);
    job_destroy(job);
    dataset_close(dataset);
}

// Weight decay and momentum move a weight without a gradient, and training moves a batch_norm's means.
Test(initial, frozen_layers_keep_their_bits) {
    Dataset *dataset = blobs();
    const Real *trained = train(dataset);
    Job *old = sample_job(dataset, "{" MODEL(HEAD) "}");
    Job *job = sample_job(
        dataset,
        "{\"model\": {\"initial\": \"mdl_1\", \"layers\": [{\"type\": \"dense\", \"units\": 8,"
        " \"activation\": \"relu\", \"name\": \"body\", \"trainable\": false}, {\"type\":"
        " \"batch_norm\", \"name\": \"norm\", \"trainable\": false}, " OTHER_HEAD "]},"
        " \"training\": {\"epochs\": 4, \"optimizer\": {\"type\": \"adamw\", \"learning_rate\":"
        " 0.05, \"weight_decay\": 0.5}, \"early_stopping\": {}}}");
    cr_assert_eq(start_from_model(job), OK);
    Trainer *trainer = run(job);
    cr_assert(same_body(job_model(job), trainer_weights(trainer), job_model(old), trained));
    trainer_destroy(trainer);
    job_destroy(job);
    job_destroy(old);
    dataset_close(dataset);
}

Test(initial, layers_within_a_frozen_residual_are_frozen) {
    Dataset *dataset = blobs();
    Job *job = sample_job(
        dataset, "{\"model\": {\"layers\": [{\"type\": \"residual\", \"trainable\": false,"
                 " \"layers\": [{\"type\": \"dense\", \"units\": 6}, {\"type\": \"batch_norm\"},"
                 " {\"type\": \"dense\", \"units\": 8}]}, {\"type\": \"dense\", \"units\": 3}]},"
                 " \"training\": {\"epochs\": 2}}");
    const Graph *graph = model_graph(job_model(job));
    size_t elements = graph_weight_elements(graph), begin_at, end_at;
    AUTO_FREE Real *first = memory_array(elements, sizeof(Real));
    cr_assert_eq(graph_initialise(graph, 0, first), OK);
    Trainer *trainer = run(job);
    int last = model_find_layer(job_model(job), "dense_3");
    graph_layer_range(graph, last, &begin_at, &end_at);
    for (size_t i = 0; i < elements; i++)
        if (i < begin_at || i >= end_at)
            cr_assert_eq(trainer_weights(trainer)[i], first[i], "element %zu", i);
    cr_assert_arr_neq(trainer_weights(trainer) + begin_at, first + begin_at,
                      (end_at - begin_at) * sizeof(Real));
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(initial, a_net_that_is_frozen_as_a_whole_is_refused) {
    Dataset *dataset = blobs();
    Job *job;
    cr_assert_eq(
        job_create(json_value(&sample_arena, "{\"model\": {\"layers\": [{\"type\": \"dense\","
                                             " \"units\": 3, \"trainable\": false}]}}"),
                   dataset, 1, &issues, &job),
        ERR_INVALID);
    assert_issue(&issues, "/model/layers", "weights to learn");
    dataset_close(dataset);
}
