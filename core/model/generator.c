// The net of a generator is made of the predictor's spec once more, for other rows than those of training, and runs with the
// same weights: either for one step at a time, or for windows that may be shorter than those it was trained on.
#include "core/model/generator.h"
#include <string.h>
#include "core/base/error.h"

typedef enum Way {
    WAY_STEPS,   // one step a pass, states carried on
    WAY_LENGTHS, // windows of any length up to that of training
    WAY_WINDOWS, // windows of that length
    WAYS,
} Way;

struct Generator {
    Way way;
    Model *model;
    Plan *plan;
    Real *weights; // borrowed from the predictor; only read, since nothing trains
    size_t bytes;  // of the plan
    int64_t vocabulary;
    int64_t window, count; // steps of a pass; tokens taken that stand in it
    Real *tokens;          // [window]
    Real *work;            // [vocabulary]
    const Real *logits;    // [vocabulary] of the last pass; NULL: a token was taken since
};

static Task task_for(const Task *task, Way way) {
    Task changed = *task;
    if (way == WAY_STEPS) {
        changed.input = SHAPE(1);
        changed.steps = 1;
    } else if (way == WAY_LENGTHS) {
        changed.rows = ROWS_SEQUENCES;
    }
    return changed;
}

// Weights fit where none has the length of the window in its shape.
static bool weights_fit(const Graph *graph, const Graph *trained) {
    if (graph_weights(graph) != graph_weights(trained))
        return false;
    for (int i = 0; i < graph_weights(graph); i++)
        if (!shape_equal(&graph_weight_at(graph, i)->shape, &graph_weight_at(trained, i)->shape))
            return false;
    return true;
}

static bool tells_padding(const Graph *graph, int output) {
    for (int i = 0; i <= output; i++)
        if (graph_node(graph, i)->lengths == LENGTHS_NONE || graph_length(graph, i, 1) != 1)
            return false;
    return true;
}

static bool way_goes(Way way, const Model *model, const Model *trained) {
    const Graph *graph = model_graph(model);
    int output = model_output(model);
    return weights_fit(graph, model_graph(trained)) &&
           (way != WAY_STEPS || graph_carries(graph, output)) &&
           (way != WAY_LENGTHS || tells_padding(graph, output));
}

// Makes the model the first way that goes.
static int make_model(Generator *generator, const Predictor *predictor, Value spec) {
    for (Way way = WAY_STEPS; way < WAYS; way++) {
        CLEANUP(issues_finish) Issues issues;
        issues_init(&issues);
        Task task = task_for(predictor_task(predictor), way);
        Model *model;
        int error = model_create(spec, NULL, &task, &issues, &model);
        if (error != OK && error != ERR_INVALID)
            return error;
        if (error == OK && way_goes(way, model, predictor_model(predictor))) {
            generator->way = way;
            generator->model = model;
            generator->window = shape_elements(&task.input);
            return OK;
        }
        if (error == OK)
            model_destroy(model);
    }
    return ERR_DAMAGED; // it was made of this spec before
}

static int make_plan(Generator *generator) {
    const Graph *graph = model_graph(generator->model);
    PlanOptions options = {.max_rows = 1,
                           .carry = generator->way == WAY_STEPS,
                           .output = model_output(generator->model)};
    PlanCost cost;
    generator->tokens = memory_array((size_t)generator->window, sizeof(Real));
    generator->work = memory_array((size_t)generator->vocabulary, sizeof(Real));
    if (generator->tokens == NULL || generator->work == NULL)
        return ERR_NO_MEMORY;
    int error = plan_cost(graph, &options, NULL, &cost);
    if (error != OK)
        return error;
    generator->bytes = cost.activation_bytes;
    return plan_create(graph, &options, &generator->plan);
}

int generator_create(const Predictor *predictor, Value spec, Generator **ret_generator) {
    if (predictor_task(predictor)->kind != TASK_LANGUAGE_MODEL)
        return ERR_INVALID;
    Generator *generator = memory_new(Generator);
    if (generator == NULL)
        return ERR_NO_MEMORY;
    generator->weights = (Real *)predictor_weights(predictor);
    generator->vocabulary = predictor_output_width(predictor);
    int error = make_model(generator, predictor, spec);
    if (error == OK)
        error = make_plan(generator);
    if (error != OK) {
        generator_destroy(generator);
        return error;
    }
    *ret_generator = generator;
    return OK;
}

void generator_destroy(Generator *generator) {
    if (generator == NULL)
        return;
    plan_destroy(generator->plan);
    model_destroy(generator->model);
    memory_free(generator->tokens);
    memory_free(generator->work);
    memory_free(generator);
}

int64_t generator_window(const Generator *generator) {
    return generator->way == WAY_STEPS ? 0 : generator->window;
}

int64_t generator_least(const Generator *generator) {
    return generator->way == WAY_WINDOWS ? generator->window : 1;
}

size_t generator_bytes(const Generator *generator) {
    return generator->bytes;
}

static void run(Generator *generator) {
    int32_t length = (int32_t)generator->count;
    OpContext context = {.lengths = generator->way == WAY_LENGTHS ? &length : NULL};
    const Shape *row = model_input_shape(generator->model);
    Tensor input = {.data = generator->tokens, .shape = {.rank = row->rank + 1, .dim = {1}}};
    memcpy(input.shape.dim + 1, row->dim, (size_t)row->rank * sizeof(*row->dim));
    Tensor output; // [1, window, vocabulary]
    plan_forward(generator->plan, &context, NULL, &input, generator->weights, &output);
    generator->logits = output.data + (generator->count - 1) * generator->vocabulary;
}

void generator_take(Generator *generator, int32_t token) {
    Real *tokens = generator->tokens;
    if (generator->count == generator->window) {
        memmove(tokens, tokens + 1, (size_t)(generator->window - 1) * sizeof(Real));
        generator->count--;
    }
    tokens[generator->count++] = (Real)token;
    generator->logits = NULL;
    if (generator->way == WAY_STEPS) // each has to move the states on
        run(generator);
}

const Real *generator_logits(Generator *generator) {
    if (generator->logits == NULL)
        run(generator);
    return generator->logits;
}

int generator_next(Generator *generator, const Sampling *sampling, int64_t first, uint64_t place,
                   int32_t *ret_token) {
    int32_t token;
    int error = sampling_draw(sampling, generator_logits(generator), first, generator->vocabulary,
                              place, generator->work, &token);
    if (error != OK)
        return error;
    generator_take(generator, token);
    *ret_token = token;
    return OK;
}
