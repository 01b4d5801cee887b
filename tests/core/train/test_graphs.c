// Jobs on one graph and on many: forms, batches, targets that count, and what they learn.
#include <math.h>
#include "core/model/predictor.h"
#include "core/train/augment.h"
#include "core/train/evaluation.h"
#include "core/train/metrics.h"
#include "tests/core/sample.h"

TestSuite(graphs, .init = sample_begin, .fini = sample_end);

enum { NODES = 24, EDGES_MAX = 512 };

// Two rings of twelve with chords, joined by one edge: class 0 and class 1. Features are one-hot, sparse or whole.
typedef struct Clubs {
    int32_t pairs[2 * EDGES_MAX];
    int64_t edges;
    int32_t classes[NODES];
    uint8_t splits[NODES];
} Clubs;

static void add_edge(Clubs *clubs, int32_t a, int32_t b) {
    const int32_t both[] = {a, b, b, a};
    memcpy(clubs->pairs + 2 * clubs->edges, both, sizeof(both));
    clubs->edges += 2;
}

static int compare_pairs(const void *a, const void *b) {
    const int32_t *first = a, *second = b;
    return first[0] != second[0] ? first[0] - second[0] : first[1] - second[1];
}

// Two nodes train, one of each; the last four of each test; the third of each has no target.
static Clubs make_clubs(void) {
    Clubs clubs = {.edges = 0};
    for (int32_t side = 0; side < 2; side++)
        for (int32_t i = 0; i < 12; i++) {
            int32_t v = 12 * side + i;
            add_edge(&clubs, v, 12 * side + (i + 1) % 12);
            add_edge(&clubs, v, 12 * side + (i + 3) % 12);
            clubs.classes[v] = i == 2 ? -1 : side;
            clubs.splits[v] = i == 0   ? SPLIT_TRAIN
                              : i == 2 ? SPLIT_NONE
                              : i >= 8 ? SPLIT_TEST
                                       : SPLIT_VALIDATION;
        }
    add_edge(&clubs, 3, 15);
    qsort(clubs.pairs, (size_t)clubs.edges, 2 * sizeof(int32_t), compare_pairs);
    return clubs;
}

static void add_features(ArchiveWriter *writer, bool sparse) {
    float whole[NODES * NODES] = {0}, ones[NODES];
    int32_t first[NODES + 1] = {0}, column[NODES];
    for (int32_t v = 0; v < NODES; v++) {
        whole[v * NODES + v] = ones[v] = 1;
        first[v + 1] = v + 1;
        column[v] = v;
    }
    if (!sparse) {
        archive_add(writer, "inputs", ARCHIVE_F32, 2, (int64_t[]){NODES, NODES}, whole);
        return;
    }
    archive_add(writer, "features.width", ARCHIVE_I64, 1, (int64_t[]){1}, (int64_t[]){NODES});
    archive_add(writer, "features.first", ARCHIVE_I32, 1, (int64_t[]){NODES + 1}, first);
    archive_add(writer, "features.column", ARCHIVE_I32, 1, (int64_t[]){NODES}, column);
    archive_add(writer, "features.value", ARCHIVE_F32, 1, (int64_t[]){NODES}, ones);
}

static ArchiveWriter *begin(const char *task, const char *form) {
    ArchiveWriter *writer;
    cr_assert_eq(archive_writer_create(sample_directory, "data", &writer), OK);
    archive_add_text(writer, "task", task);
    archive_add_text(writer, "form", form);
    return writer;
}

static int finish(ArchiveWriter *writer, Dataset **ret_dataset) {
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    return dataset_open(sample_directory, "data", true, ret_dataset);
}

static int open_clubs(const Clubs *clubs, bool sparse, Dataset **ret_dataset) {
    ArchiveWriter *writer = begin("classification", "graph");
    add_features(writer, sparse);
    archive_add(writer, "edges", ARCHIVE_I32, 2, (int64_t[]){clubs->edges, 2}, clubs->pairs);
    archive_add(writer, "targets", ARCHIVE_I32, 1, (int64_t[]){NODES}, clubs->classes);
    archive_add(writer, "class_names", ARCHIVE_U8, 1, (int64_t[]){4}, "a\0b");
    archive_add(writer, "splits", ARCHIVE_U8, 1, (int64_t[]){NODES}, clubs->splits);
    return finish(writer, ret_dataset);
}

static Dataset *clubs_dataset(bool sparse) {
    Clubs clubs = make_clubs();
    Dataset *dataset;
    cr_assert_eq(open_clubs(&clubs, sparse, &dataset), OK);
    return dataset;
}

#define GCN                                                                                        \
    "{\"model\": {\"layers\": [{\"type\": \"dropout\", \"rate\": 0.2}, {\"type\": \"gcn_conv\", "  \
    "\"units\": 8, \"activation\": \"relu\"}, {\"type\": \"gcn_conv\", \"units\": 2}]}, "          \
    "\"training\": {\"epochs\": 60, \"seed\": 3, \"optimizer\": {\"type\": \"adam\", "             \
    "\"learning_rate\": 0.05}}}"

typedef struct Losses {
    double values[256];
    int count;
} Losses;

static void note(void *context, const TrainEvent *event) {
    Losses *losses = context;
    if (event->kind == TRAIN_STEP)
        losses->values[losses->count++] = event->loss;
}

static Metrics train(const Dataset *dataset, const char *spec, Losses *losses) {
    Job *job = sample_job(dataset, spec);
    Trainer *trainer;
    TrainerHooks hooks = {.context = losses, .event = note};
    cr_assert_eq(trainer_create(job, &hooks, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    Metrics metrics = METRICS_NONE;
    trainer_test(trainer, &metrics);
    trainer_destroy(trainer);
    job_destroy(job);
    return metrics;
}

Test(graphs, learn_a_club_from_one_member_of_each_side) {
    Dataset *dataset = clubs_dataset(true);
    Losses losses = {.count = 0};
    Metrics metrics = train(dataset, GCN, &losses);
    cr_expect_eq(metrics.accuracy, 1, "%g", metrics.accuracy);
    cr_expect_eq(losses.count, 60, "one step an epoch");
    dataset_close(dataset);
}

// The same numbers but for rounding, whichever way the features lie; dropout alone draws otherwise.
Test(graphs, give_the_same_from_sparse_and_whole_features) {
    Losses losses[2] = {0};
    for (int whole = 0; whole < 2; whole++) {
        Dataset *dataset = clubs_dataset(!whole);
        train(dataset,
              "{\"model\": {\"layers\": [{\"type\": \"gcn_conv\", \"units\": 8, \"activation\": "
              "\"tanh\"}, {\"type\": \"gat_conv\", \"units\": 2, \"heads\": 2, \"concat\": "
              "false}]}, \"training\": {\"epochs\": 20}}",
              &losses[whole]);
        dataset_close(dataset);
    }
    for (int i = 0; i < 20; i++)
        cr_expect(fabs(losses[0].values[i] - losses[1].values[i]) < 1e-5, "step %d: %.9g, %.9g",
                  i + 1, losses[0].values[i], losses[1].values[i]);
}

// The features are filled once for all steps, unless a step changes them: noise must not heap up on noise.
Test(graphs, add_noise_to_the_features_as_they_are) {
    for (int sparse = 0; sparse < 2; sparse++) {
        Dataset *dataset = clubs_dataset(sparse);
        Job *job =
            sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"gcn_conv\", \"units\":"
                                " 2}]}, \"training\": {\"augment\": [{\"type\": \"noise\","
                                " \"std\": 0.1}]}}");
        const JobRows *rows = job_rows(job);
        Scalers scalers;
        Batch batch;
        Augmenter augmenter;
        cr_assert_eq(scalers_fit(job, &scalers), OK);
        cr_assert_eq(batch_init(&batch, job, &scalers, rows->train_count), OK);
        cr_assert_eq(augmenter_init(&augmenter, job), OK);
        double squares = 0;
        for (int64_t step = 1; step <= 50; step++) {
            batch_gather(&batch, rows->train, rows->train_count);
            cr_assert_eq(batch.inputs.shape.dim[0], NODES);
            augmenter_run(&augmenter, &batch, step, NULL);
            for (int i = 0; i < NODES * NODES; i++) {
                double noise = (double)batch.inputs.data[i] - (i % (NODES + 1) == 0);
                squares += noise * noise;
            }
        }
        double spread = sqrt(squares / (50 * NODES * NODES));
        cr_assert(spread > 0.095 && spread < 0.105, "%g", spread);
        augmenter_finish(&augmenter);
        batch_finish(&batch);
        scalers_finish(&scalers);
        job_destroy(job);
        dataset_close(dataset);
    }
}

// A layer that reads all features, beside one that could do without.
Test(graphs, hold_features_whole_where_a_layer_needs_them) {
    Dataset *dataset = clubs_dataset(true);
    Losses losses = {.count = 0};
    train(dataset,
          "{\"model\": {\"layers\": [{\"type\": \"batch_norm\"}, {\"type\": \"sage_conv\", "
          "\"units\": 2, \"aggregator\": \"max\"}]}, \"training\": {\"epochs\": 5}}",
          &losses);
    cr_expect(isfinite(losses.values[4]) && losses.values[4] < losses.values[0]);
    dataset_close(dataset);
}

Test(graphs, take_all_training_nodes_a_step_unless_told_otherwise) {
    Dataset *dataset = clubs_dataset(true);
    Job *job = sample_job(dataset, GCN);
    cr_expect_eq(job_batch_rows(job), 2);
    cr_expect_eq(job_training(job)->batch_size, 0);
    cr_expect_not(job_training(job)->standardize);
    const JobRows *rows = job_rows(job);
    cr_expect_eq(rows->train_count, 2);
    cr_expect_eq(rows->validation_count, 12);
    cr_expect_eq(rows->test_count, 8);
    job_destroy(job);
    job = sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"gcn_conv\", \"units\": 2}]}, "
                              "\"training\": {\"batch_size\": 1, \"standardize\": true}}");
    cr_expect_eq(job_batch_rows(job), 1);
    cr_expect_eq(job_steps(job), 20, "two a pass");
    cr_expect(job_training(job)->standardize);
    job_destroy(job);
    dataset_close(dataset);
}

// What a node that is not listed would have been must not matter.
Test(graphs, count_only_the_nodes_that_a_batch_lists) {
    Dataset *dataset = clubs_dataset(false);
    Job *job = sample_job(dataset, GCN);
    Scalers scalers;
    cr_assert_eq(scalers_fit(job, &scalers), OK);
    Batch batch;
    cr_assert_eq(batch_init(&batch, job, &scalers, 3), OK);
    static const int32_t nodes[] = {13, 4};
    batch_gather(&batch, nodes, 2);
    Real outputs[NODES * 2], gradients[NODES * 2];
    for (int i = 0; i < NODES * 2; i++)
        outputs[i] = i % 2 == 0 ? 5 : 0; // class 0 everywhere
    const Real *picked = batch_pick(&batch, outputs);
    cr_expect_eq(batch_counted(&batch), 2);
    cr_expect_eq(batch_correct(&batch, picked), 1);
    double loss = batch_loss(&batch, picked, gradients);
    cr_expect(fabs(loss - (5 + 2 * log1p(exp(-5))) / 2) < 1e-6, "%.9g", loss);
    for (int i = 0; i < NODES * 2; i++)
        cr_expect_eq(gradients[i] != 0, i / 2 == 13 || i / 2 == 4, "[%d] is %g", i,
                     (double)gradients[i]);
    batch_finish(&batch);
    scalers_finish(&scalers);
    job_destroy(job);
    dataset_close(dataset);
}

Test(graphs, say_which_output_fits_nodes) {
    Dataset *dataset = clubs_dataset(true);
    Issues issues;
    issues_init(&issues);
    Job *job;
    cr_assert_eq(
        job_create(json_value(&sample_arena, "{\"model\": {\"layers\": [{\"type\": \"gcn_conv\", "
                                             "\"units\": 2}, {\"type\": \"global_avg_pool\"}]}}"),
                   dataset, 1, &issues, &job),
        ERR_INVALID);
    assert_issue(&issues, "/model/layers/1", "a row for each node");
    issues_finish(&issues);
    dataset_close(dataset);
}

Test(graphs, refuse_archives_that_do_not_fit) {
    Dataset *dataset;
    Clubs clubs = make_clubs();
    clubs.pairs[0] = NODES;
    cr_expect_eq(open_clubs(&clubs, true, &dataset), ERR_DAMAGED, "an edge to nowhere");
    clubs = make_clubs();
    clubs.pairs[1] = clubs.pairs[0];
    cr_expect_eq(open_clubs(&clubs, true, &dataset), ERR_DAMAGED, "a self-loop");
    clubs = make_clubs();
    memcpy(clubs.pairs, clubs.pairs + 2, 2 * sizeof(int32_t));
    cr_expect_eq(open_clubs(&clubs, true, &dataset), ERR_DAMAGED, "an edge twice");
    clubs = make_clubs();
    clubs.classes[0] = -1;
    cr_expect_eq(open_clubs(&clubs, true, &dataset), ERR_DAMAGED, "a training node without class");
    clubs = make_clubs();
    clubs.classes[5] = 2;
    cr_expect_eq(open_clubs(&clubs, false, &dataset), ERR_DAMAGED, "a class beyond");
    ArchiveWriter *writer = begin("classification", "graph");
    archive_add(writer, "edges", ARCHIVE_I32, 2, (int64_t[]){clubs.edges, 2}, clubs.pairs);
    cr_expect_eq(finish(writer, &dataset), ERR_DAMAGED, "no features");
    writer = begin("classification", "graph");
    add_features(writer, true);
    archive_add(writer, "features.extra", ARCHIVE_I32, 1, (int64_t[]){1}, clubs.pairs);
    cr_expect_eq(finish(writer, &dataset), ERR_DAMAGED, "no edges");
}

// ---- prediction ----

static const char *const two_layers =
    "{\"layers\": [{\"type\": \"gcn_conv\", \"units\": 8, \"activation\": \"relu\"}, {\"type\": "
    "\"gcn_conv\", \"units\": 2}]}";

// The dataset is gone by then: the model has its graph.
Test(graphs, are_kept_with_the_model_for_their_nodes) {
    Dataset *dataset = clubs_dataset(true);
    char spec[512];
    snprintf(spec, sizeof(spec), "{\"model\": %s, \"training\": {\"epochs\": 40}}", two_layers);
    Job *job = sample_job(dataset, spec);
    Trainer *trainer;
    char sha256[65];
    size_t bytes;
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    cr_assert_eq(trainer_save_model(trainer, sample_directory, "model", "{}", sha256, &bytes), OK);
    Metrics tested;
    trainer_test(trainer, &tested);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);

    Archive *archive;
    Predictor *predictor;
    GraphData own;
    cr_assert_eq(archive_open(sample_directory, "model", true, &archive), OK);
    cr_assert_eq(predictor_create(json_value(&sample_arena, two_layers), archive, 7, &predictor),
                 OK);
    cr_assert_eq(graph_data_load(archive, false, &own), OK);
    cr_assert_eq(own.nodes, NODES);
    const PredictorInput input = {.graphs = &own};
    cr_assert_eq(predictor_targets(predictor, &input), NODES);
    float outputs[NODES * 2], probabilities[NODES * 2];
    cr_assert_eq(predictor_run(predictor, &input, outputs, probabilities), OK);
    Clubs clubs = make_clubs();
    int correct = 0, count = 0;
    double loss = 0;
    for (int v = 0; v < NODES; v++)
        if (clubs.splits[v] == SPLIT_TEST) {
            const float *p = probabilities + 2 * v;
            correct += (p[1] > p[0]) == clubs.classes[v];
            loss -= log((double)p[clubs.classes[v]]);
            count++;
        }
    cr_expect_eq((double)correct / count, tested.accuracy);
    cr_expect(fabs(loss / count - tested.loss) < 1e-5, "%g, %g", loss / count, tested.loss);

    // Another graph: two of its nodes, without the rest. Whole features say the same as sparse ones.
    static const int32_t pairs[] = {0, 1, 1, 0}, first[] = {0, 1, 2}, column[] = {0, 1};
    static const float ones[] = {1, 1};
    float whole[2 * NODES] = {1}, again[4];
    whole[NODES + 1] = 1;
    GraphData pair = {.nodes = 2,
                      .features = NODES,
                      .graphs = 1,
                      .edges = 2,
                      .numbers = 2,
                      .value = ones,
                      .first = first,
                      .column = column,
                      .pairs = pairs};
    cr_assert_eq(predictor_run(predictor, &(PredictorInput){.graphs = &pair}, outputs, NULL), OK);
    pair.first = NULL;
    pair.value = whole;
    pair.numbers = 2 * NODES;
    cr_assert_eq(predictor_run(predictor, &(PredictorInput){.graphs = &pair}, again, NULL), OK);
    for (int i = 0; i < 4; i++)
        cr_expect(fabs((double)(outputs[i] - again[i])) < 1e-5);
    predictor_destroy(predictor);
    archive_close(archive);
}

// ---- evaluation ----

// Leaves the model as the archive "model"; `spec` is a whole job's.
static Metrics train_and_save(const Dataset *dataset, const char *spec) {
    Job *job = sample_job(dataset, spec);
    Trainer *trainer;
    char sha256[65];
    size_t bytes;
    Metrics tested = METRICS_NONE;
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    cr_assert_eq(trainer_save_model(trainer, sample_directory, "model", "{}", sha256, &bytes), OK);
    trainer_test(trainer, &tested);
    trainer_destroy(trainer);
    job_destroy(job);
    return tested;
}

static int evaluate(const char *spec, Dataset *dataset, const EvaluationOptions *options,
                    Issues *issues, Metrics *ret_metrics) {
    Archive *archive;
    Evaluation *evaluation;
    const Confusion *confusion;
    cr_assert_eq(archive_open(sample_directory, "model", true, &archive), OK);
    int error = evaluation_create(json_value(&sample_arena, spec), archive, dataset, options,
                                  issues, &evaluation);
    if (error == OK) {
        evaluation_run(evaluation, ret_metrics, &confusion);
        evaluation_destroy(evaluation);
    }
    archive_close(archive);
    return error;
}

Test(graphs, are_evaluated_as_they_were_tested) {
    Dataset *dataset = clubs_dataset(true);
    Metrics tested = train_and_save(dataset, GCN), again;
    Issues issues;
    issues_init(&issues);
    EvaluationOptions options = {.split = SPLIT_TEST};
    cr_assert_eq(evaluate(GCN, dataset, &options, &issues, &again), OK);
    cr_expect_eq(again.loss, tested.loss);
    cr_expect_eq(again.accuracy, tested.accuracy);
    dataset_close(dataset);
    // All nodes with a target: two have none.
    dataset = clubs_dataset(false);
    options.split = -1;
    cr_assert_eq(evaluate(GCN, dataset, &options, &issues, &again), OK);
    cr_expect_gt(again.accuracy, 0.9);
    dataset_close(dataset);
    // Features that have names, in another order.
    int32_t places[NODES];
    for (int32_t c = 0; c < NODES; c++)
        places[c] = NODES - 1 - c;
    options.places = places;
    dataset = clubs_dataset(true);
    cr_assert_eq(evaluate(GCN, dataset, &options, &issues, &again), ERR_INVALID);
    assert_issue(&issues, "/dataset", "in another order");
    dataset_close(dataset);
    issues_finish(&issues);
}

// ---- numbers of nodes ----

// On a path the number is the place; every third node misses its own.
Test(graphs, learn_numbers_of_nodes_of_which_some_are_missing) {
    enum { PLACES = 40 };
    float inputs[PLACES * 2], values[PLACES];
    int32_t pairs[4 * PLACES];
    uint8_t splits[PLACES];
    int64_t edges = 0;
    for (int32_t v = 0; v < PLACES; v++) {
        inputs[2 * v] = (float)v / 7 + 100; // so far from 0 that only scaling makes it easy
        inputs[2 * v + 1] = v == 5 ? NAN : (float)(v % 2);
        values[v] = v % 3 == 1 ? NAN : 3000 + 50 * (float)v;
        splits[v] = v % 3 == 1 ? SPLIT_NONE : v % 5 == 0 ? SPLIT_TEST : SPLIT_TRAIN;
        for (int32_t u = v - 1; u <= v + 1; u += 2)
            if (u >= 0 && u < PLACES) {
                pairs[2 * edges] = v;
                pairs[2 * edges++ + 1] = u;
            }
    }
    ArchiveWriter *writer = begin("regression", "graph");
    archive_add(writer, "inputs", ARCHIVE_F32, 2, (int64_t[]){PLACES, 2}, inputs);
    archive_add(writer, "edges", ARCHIVE_I32, 2, (int64_t[]){edges, 2}, pairs);
    archive_add(writer, "targets", ARCHIVE_F32, 1, (int64_t[]){PLACES}, values);
    archive_add(writer, "splits", ARCHIVE_U8, 1, (int64_t[]){PLACES}, splits);
    Dataset *dataset;
    cr_assert_eq(finish(writer, &dataset), OK);
    const char *spec =
        "{\"model\": {\"layers\": [{\"type\": \"sage_conv\", \"units\": 16, \"activation\": "
        "\"tanh\"}, {\"type\": \"sage_conv\", \"units\": 1}]}, \"training\": {\"epochs\": 250, "
        "\"optimizer\": {\"type\": \"adam\", \"learning_rate\": 0.02}}}";
    Metrics metrics = train_and_save(dataset, spec), all;
    Issues issues;
    issues_init(&issues);
    const EvaluationOptions options = {.split = -1};
    cr_assert_eq(evaluate(spec, dataset, &options, &issues, &all), OK);
    cr_expect_gt(all.r2, 0.97, "%g", all.r2);
    issues_finish(&issues);
    cr_expect_gt(metrics.r2, 0.97, "%g", metrics.r2);
    cr_expect_lt(metrics.mae, 80, "%g", metrics.mae);
    dataset_close(dataset);
}

// ---- many graphs ----

enum { GRAPHS = 80 };

// Rings against stars of 4 to 9 nodes, all features alike: only the edges tell them apart.
static Dataset *shapes_dataset(void) {
    static float inputs[GRAPHS * 9];
    static int32_t pairs[4 * GRAPHS * 9], first_node[GRAPHS + 1], first_edge[GRAPHS + 1],
        classes[GRAPHS];
    int32_t nodes = 0, edges = 0;
    for (int32_t g = 0; g < GRAPHS; g++) {
        int32_t size = 4 + g % 6;
        classes[g] = g % 7 < 3;
        for (int32_t v = 0; v < size; v++) {
            int32_t to = classes[g] ? (v + 1) % size : 0;
            inputs[nodes + v] = 1;
            if (to == v)
                continue;
            const int32_t both[] = {v, to, to, v};
            memcpy(pairs + 2 * edges, both, sizeof(both));
            edges += 2;
        }
        qsort(pairs + 2 * first_edge[g], (size_t)(edges - first_edge[g]), 2 * sizeof(int32_t),
              compare_pairs);
        nodes += size;
        first_node[g + 1] = nodes;
        first_edge[g + 1] = edges;
    }
    ArchiveWriter *writer = begin("classification", "graphs");
    archive_add(writer, "inputs", ARCHIVE_F32, 2, (int64_t[]){nodes, 1}, inputs);
    archive_add(writer, "edges", ARCHIVE_I32, 2, (int64_t[]){edges, 2}, pairs);
    archive_add(writer, "graphs.first_node", ARCHIVE_I32, 1, (int64_t[]){GRAPHS + 1}, first_node);
    archive_add(writer, "graphs.first_edge", ARCHIVE_I32, 1, (int64_t[]){GRAPHS + 1}, first_edge);
    archive_add(writer, "targets", ARCHIVE_I32, 1, (int64_t[]){GRAPHS}, classes);
    archive_add(writer, "class_names", ARCHIVE_U8, 1, (int64_t[]){10}, "star\0ring");
    Dataset *dataset;
    cr_assert_eq(finish(writer, &dataset), OK);
    return dataset;
}

Test(graphs, must_have_the_features_that_the_model_knows) {
    Dataset *dataset = clubs_dataset(true);
    train_and_save(dataset, GCN);
    dataset_close(dataset);
    dataset = shapes_dataset();
    Issues issues;
    issues_init(&issues);
    Metrics metrics;
    const EvaluationOptions options = {.split = -1};
    cr_assert_eq(evaluate(GCN, dataset, &options, &issues, &metrics), ERR_INVALID);
    assert_issue(&issues, "/dataset",
                 "has graphs, and the model was trained on nodes of one graph");
    issues_finish(&issues);
    dataset_close(dataset);
}

Test(graphs, tell_rings_from_stars_by_their_edges) {
    Dataset *dataset = shapes_dataset();
    Job *job = sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"gin_conv\", \"units\": "
                                   "8, \"activation\": \"relu\"}, {\"type\": \"gin_conv\", "
                                   "\"units\": 8, \"activation\": \"relu\"}, {\"type\": "
                                   "\"global_avg_pool\"}, {\"type\": \"dense\", \"units\": 2}]}, "
                                   "\"training\": {\"epochs\": 80, \"optimizer\": {\"type\": "
                                   "\"adam\", \"learning_rate\": 0.02}}}");
    cr_expect_eq(job_batch_rows(job), 32);
    Trainer *trainer;
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    cr_expect_eq(trainer_validation(trainer)->accuracy, 1, "%g",
                 trainer_validation(trainer)->accuracy);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(graphs, plan_for_the_largest_that_may_come_together) {
    Dataset *dataset = shapes_dataset();
    Job *job = sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"gcn_conv\", \"units\": "
                                   "2}, {\"type\": \"global_max_pool\"}]}}");
    PlanOptions options = job_plan_options(job, 3, false);
    cr_expect_eq(options.max_rows, 3);
    cr_expect_eq(options.max_nodes, 27);
    cr_expect_eq(options.max_edges, 3 * 18);
    job_destroy(job);
    dataset_close(dataset);
}

// ---- scaling of features ----

Test(graphs, scale_sparse_features_without_moving_their_zeros) {
    static const int32_t first[] = {0, 2, 3, 3, 4}, column[] = {0, 2, 0, 2};
    static const float value[] = {3, 10, 1, 20};
    const GraphData data = {.nodes = 4,
                            .features = 3,
                            .graphs = 1,
                            .numbers = 4,
                            .value = value,
                            .first = first,
                            .column = column};
    Scaler scaler;
    Real numbers[4], whole[6];
    cr_assert_eq(graph_data_fit(&data, true, NULL, 0, &scaler), OK);
    graph_data_fill_numbers(&data, &scaler, numbers);
    // Column 0 is 3, 1, 0, 0: mean 1, variance 6 / 4; column 2 is 10, 0, 0, 20: mean 7.5, variance 68.75.
    cr_expect(fabs((double)numbers[0] - 3 / sqrt(1.5)) < 1e-6);
    cr_expect(fabs((double)numbers[3] - 20 / sqrt(68.75)) < 1e-6);
    graph_data_fill(&data, 0, 2, &scaler, whole);
    cr_expect_eq(whole[1], 0);
    cr_expect_eq(whole[2], numbers[1]);
    cr_expect_eq(whole[3], numbers[2]);
    cr_expect_eq(whole[5], 0);
    scaler_finish(&scaler);
}
