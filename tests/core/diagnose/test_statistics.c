#include <math.h>
#include "core/diagnose/statistics.h"
#include "tests/core/sample.h"
#include "tests/support/near.h"

TestSuite(statistics, .init = sample_begin, .fini = sample_end);

enum { ROWS = 6, WIDTH = 3, OUTPUTS = 2 };

static const char layers[] =
    "{\"layers\": [{\"type\": \"dense\", \"units\": 4, \"activation\": \"relu\"},"
    " {\"type\": \"activation\", \"function\": \"tanh\"},"
    " {\"type\": \"dense\", \"units\": 2, \"trainable\": false}]}";

// One pass forward and back over rows of noise; `weights` and `gradients` are the caller's.
static void pass(const Model *model, Statistics *statistics, bool record, Real *weights,
                 Real *gradients) {
    Plan *plan;
    PlanOptions options = {.max_rows = ROWS, .backward = true, .output = model_output(model)};
    cr_assert_eq(plan_create(model_graph(model), &options, &plan), OK);
    Real inputs[ROWS * WIDTH];
    Rng rng = rng_make(5, RNG_PROBE, 0, 0);
    for (int i = 0; i < ROWS * WIDTH; i++)
        inputs[i] = (Real)rng_normal(&rng);
    const OpContext context = {.training = true, .step = 1};
    const PlanObserver *observer = statistics_begin(statistics, NULL, gradients, record, NULL);
    Tensor input = {inputs, SHAPE(ROWS, WIDTH)}, output;
    plan_forward(plan, &context, observer, &input, weights, &output);
    for (int i = 0; i < ROWS * OUTPUTS; i++)
        plan_output_gradient(plan)[i] = (Real)(i - 3);
    plan_backward(plan, &context, observer, gradients);
    plan_destroy(plan);
}

static Model *make_model(void) {
    Issues issues;
    issues_init(&issues);
    Model *model;
    const Task task = {.kind = TASK_REGRESSION, .input = SHAPE(WIDTH), .outputs = OUTPUTS};
    cr_assert_eq(model_create(json_value(&sample_arena, layers), NULL, &task, &issues, &model), OK);
    issues_finish(&issues);
    return model;
}

Test(statistics, measures_gradients_at_every_step_and_outputs_when_recorded) {
    Model *model = make_model();
    const Graph *graph = model_graph(model);
    AUTO_FREE Real *weights = memory_array(graph_weight_elements(graph), sizeof(Real));
    AUTO_FREE Real *gradients = memory_array(graph_learned(graph), sizeof(Real));
    cr_assert_eq(graph_initialise(graph, 1, weights), OK);
    size_t begin, end;
    graph_layer_range(graph, 0, &begin, &end);
    size_t bias = begin + WIDTH * 4;
    weights[bias + 1] = -100; // this unit never fires
    Statistics *statistics;
    cr_assert_eq(statistics_create(model, &statistics), OK);
    const LayerStatistics *measured = statistics_layers(statistics);

    pass(model, statistics, false, weights, gradients);
    double squares = 0;
    for (size_t i = begin; i < end; i++)
        squares += (double)gradients[i] * (double)gradients[i];
    cr_assert_gt(squares, 0);
    assert_near(statistics_gradient_norm(statistics), sqrt(squares), 1e-6);
    assert_near(measured[0].gradient_norm, sqrt(squares), 1e-6);
    cr_assert(isnan(measured[0].activation_mean));
    cr_assert(isnan(measured[1].gradient_norm), "it has no weights");
    cr_assert(isnan(measured[2].gradient_norm), "it is frozen");

    pass(model, statistics, true, weights, gradients);
    assert_near(statistics_gradient_norm(statistics), sqrt(squares), 1e-6);
    cr_assert_geq(measured[0].activation_mean, 0);
    cr_assert_geq(measured[0].dead_fraction, 0.25);
    cr_assert(isnan(measured[0].saturated_fraction), "relu has no bounds");
    cr_assert(isnan(measured[1].dead_fraction), "tanh cannot die");
    cr_assert_geq(measured[1].saturated_fraction, 0);
    cr_assert_gt(measured[2].activation_std, 0);
    statistics_destroy(statistics);
    model_destroy(model);
}

Test(statistics, relates_updates_to_weights) {
    Model *model = make_model();
    Statistics *statistics;
    cr_assert_eq(statistics_create(model, &statistics), OK);
    statistics_updated(statistics, 0, 0.04, 4);
    assert_near(statistics_layers(statistics)[0].weight_norm, 2, 1e-12);
    assert_near(statistics_layers(statistics)[0].update_ratio, 0.1, 1e-12);
    statistics_updated(statistics, 0, 0, 0);
    cr_assert(isnan(statistics_layers(statistics)[0].update_ratio));
    statistics_destroy(statistics);
    model_destroy(model);
}
