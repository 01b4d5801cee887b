// Reads a trace's body: rows, model, weights. What can be judged is judged whatever else is wrong, so that one answer
// names every mistake: without rows the model has no shapes, without a model its weights and targets have none.
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/train/nested.h"
#include "core/train/trace_private.h"

static const double default_rate = 0.1;

#define FIELD(name) offsetof(TraceParams, name)
static const ParamSpec params[] = {
    {.name = "model",
     .type = PARAM_VALUE,
     .offset = FIELD(model),
     .required = true,
     .help = "as in a job"},
    {.name = "loss",
     .type = PARAM_ENTRY,
     .offset = FIELD(loss),
     .registry = &loss_registry,
     .help = "by default cross_entropy where the targets are classes, else mse"},
    {.name = "inputs",
     .type = PARAM_VALUE,
     .offset = FIELD(inputs),
     .help = "1 to 64 rows of one shape, or sequences each as long as it is; taken as they are"},
    {.name = "graph",
     .type = PARAM_VALUE,
     .offset = FIELD(graph),
     .help = "in place of inputs: a graph as in a dataset, whose nodes are the rows"},
    {.name = "targets",
     .type = PARAM_VALUE,
     .offset = FIELD(targets),
     .help = "one for each row: a class's name or number, a number, or a list of numbers; a node "
             "may have none, null"},
    {.name = "optimizer",
     .type = PARAM_ENTRY,
     .offset = FIELD(optimizer),
     .registry = &optimizer_registry,
     .help = "how weights follow from gradients; by default sgd with a learning rate of 0.1"},
    {.name = "weights",
     .type = PARAM_VALUE,
     .offset = FIELD(weights),
     .help = "an object per layer with nested lists by weight; what is left out is initialised"},
    {.name = "class_weight",
     .type = PARAM_VALUE,
     .offset = FIELD(class_weight),
     .help = "for cross_entropy: \"balanced\", or a list with a number per class"},
    {.name = "seed",
     .type = PARAM_INTEGER,
     .offset = FIELD(seed),
     .minimum = 0,
     .maximum = 9007199254740991, // every whole number up to here is exact in JSON
     .help = "decides initial weights and dropout"},
    {.name = "dropout", .type = PARAM_BOOLEAN, .offset = FIELD(dropout), .help = "keep dropout on"},
};
#undef FIELD

static const Desc trace_desc = {
    .name = "trace",
    .summary = "one cycle with every number",
    .params = params,
    .param_count = ARRAY_LENGTH(params),
    .params_size = sizeof(TraceParams),
};

// ---- keys ----

static int fill_defaults(Trace *trace, Issues *issues) {
    Selection *optimizer = &trace->params.optimizer;
    if (optimizer->desc != NULL)
        return OK;
    int error = selection_read(&optimizer_registry, "sgd", VALUE_NONE, NULL, &trace->arena, issues,
                               optimizer);
    if (error != OK)
        return error;
    OptimizerCommon *common = arena_array(&trace->arena, 1, optimizer->desc->params_size);
    if (common == NULL)
        return ERR_NO_MEMORY;
    memcpy(common, optimizer->params, optimizer->desc->params_size);
    common->learning_rate = default_rate;
    optimizer->params = common;
    return OK;
}

static int read_keys(Value body, Issues *issues, Trace *trace) {
    const void *read;
    int error = params_read(&trace_desc, body, NULL, NULL, &trace->arena, issues, &read);
    if (error == OK) {
        trace->params = *(const TraceParams *)read;
        return fill_defaults(trace, issues);
    }
    if (error != ERR_INVALID)
        return error;
    // The rest is read in spite of it, so that its mistakes come in the same answer; what was wrong with the loss is told.
    TraceParams *known = &trace->params;
    known->model = value_member(body, "model");
    known->inputs = value_member(body, "inputs");
    known->graph = value_member(body, "graph");
    known->targets = value_member(body, "targets");
    known->weights = value_member(body, "weights");
    known->class_weight = value_member(body, "class_weight");
    Issues told;
    issues_init(&told);
    error = selection_read(&loss_registry, NULL, value_member(body, "loss"), NULL, &trace->arena,
                           &told, &known->loss);
    issues_finish(&told);
    if (error == ERR_INVALID)
        known->targets = VALUE_NONE; // not to be judged
    return error == ERR_NO_MEMORY ? error : ERR_INVALID;
}

// ---- the model ----

// Numbers of the answer but for the weights': what each layer reads and writes, forward and backward.
static double answer_numbers(const Model *model) {
    const Graph *graph = model_graph(model);
    double numbers = 0;
    for (int i = 0; i < model_layers(model); i++) {
        const ModelLayer *layer = model_layer(model, i);
        numbers += 4 * (double)shape_elements(&graph_node(graph, layer->output)->shape);
        for (int k = 0; k < layer->inputs; k++)
            numbers += 2 * (double)shape_elements(&graph_node(graph, layer->input[k])->shape);
    }
    return numbers;
}

static int check_bounds(const Trace *trace, Issues *issues) {
    int64_t parameters = model_parameters(trace->model);
    int result = OK;
    if (parameters > TRACE_PARAMETERS_MAX) {
        issues_add(issues, PATH_KEY(NULL, "model"),
                   "has %lld parameters; at most %d are traced with every number",
                   (long long)parameters, TRACE_PARAMETERS_MAX);
        result = ERR_INVALID;
    }
    double row = answer_numbers(trace->model), rows = (double)trace->inputs.shape.dim[0];
    if (row * rows <= TRACE_NUMBERS_MAX)
        return result;
    double fitting = floor(TRACE_NUMBERS_MAX / row);
    if (fitting >= 1)
        issues_add(issues, PATH_KEY(NULL, "inputs"),
                   "%.0f rows would make an answer of %.0f numbers; at most %d are given, which "
                   "fits %.0f rows",
                   rows, row * rows, TRACE_NUMBERS_MAX, fitting);
    else
        issues_add(issues, PATH_KEY(NULL, "model"),
                   "one row would make an answer of %.0f numbers; at most %d are given", row,
                   TRACE_NUMBERS_MAX);
    return ERR_INVALID;
}

static int read_model(Trace *trace, Issues *issues) {
    int error = model_create(trace->params.model, PATH_KEY(NULL, "model"), &trace->task, issues,
                             &trace->model);
    if (error != OK)
        return error;
    if (model_initial(trace->model) != NULL)
        issues_add(issues, PATH_KEY(PATH_KEY(NULL, "model"), "initial"),
                   "a trace takes its weights from \"weights\"");
    // model.input.shape may read the rows otherwise.
    const Shape *input = model_input_shape(trace->model);
    trace->inputs.shape.rank = input->rank + 1;
    memcpy(trace->inputs.shape.dim + 1, input->dim, (size_t)input->rank * sizeof(*input->dim));
    trace_check_rows(trace, issues);
    return check_bounds(trace, issues);
}

// ---- weights ----

static int refuse_name(Issues *issues, const Path *path, const char *name, const char *const *known,
                       size_t count, const char *what) {
    const char *nearest = nearest_name(name, known, count);
    if (nearest != NULL)
        issues_add(issues, path, "there is no such %s; did you mean \"%s\"?", what, nearest);
    else
        issues_add(issues, path, "there is no such %s", what);
    return ERR_INVALID;
}

static int read_weight(Trace *trace, int layer, const char *name, Value value, const Path *path,
                       Issues *issues) {
    const Graph *graph = model_graph(trace->model);
    const char *known[2 * OP_WEIGHTS_MAX] = {0};
    size_t count = 0;
    for (int w = 0; w < graph_weights(graph); w++) {
        const GraphWeight *weight = graph_weight_at(graph, w);
        if (weight->layer != layer)
            continue;
        if (strcmp(weight->name, name) == 0)
            return nested_read(value, &weight->shape, path, issues,
                               trace->weights + weight->offset);
        if (count < ARRAY_LENGTH(known))
            known[count++] = weight->name;
    }
    return refuse_name(issues, path, name, known, count, "weight in this layer");
}

static int read_layer_weights(Trace *trace, Value layer, const Path *path, Issues *issues) {
    const Model *model = trace->model;
    int index = model_find_layer(model, path->key), result = OK;
    if (index < 0) {
        AUTO_FREE const char **names = memory_array((size_t)model_layers(model), sizeof(*names));
        if (names == NULL)
            return ERR_NO_MEMORY;
        for (int i = 0; i < model_layers(model); i++)
            names[i] = model_layer(model, i)->name;
        return refuse_name(issues, path, path->key, names, (size_t)model_layers(model), "layer");
    }
    if (value_kind(layer) != VALUE_OBJECT) {
        issues_add(issues, path, "must be an object with the layer's weights, not %s",
                   value_kind_name(value_kind(layer)));
        return ERR_INVALID;
    }
    VALUE_FOREACH(weight, layer) {
        const char *name = value_key(weight);
        int error = read_weight(trace, index, name, weight, PATH_KEY(path, name), issues);
        result = error != OK ? error : result;
    }
    return result;
}

// The initial weights, and over them those that are given.
static int read_weights(Trace *trace, Issues *issues) {
    const Graph *graph = model_graph(trace->model);
    const Path *path = PATH_KEY(NULL, "weights");
    Value given = trace->params.weights;
    trace->weights = arena_array(&trace->arena, graph_weight_elements(graph), sizeof(Real));
    if (trace->weights == NULL)
        return ERR_NO_MEMORY;
    int result = graph_initialise(graph, (uint64_t)trace->params.seed, trace->weights);
    if (result != OK || value_kind(given) == VALUE_MISSING || value_kind(given) == VALUE_NULL)
        return result;
    if (value_kind(given) != VALUE_OBJECT) {
        issues_add(issues, path, "must be an object with an object per layer, not %s",
                   value_kind_name(value_kind(given)));
        return ERR_INVALID;
    }
    VALUE_FOREACH(layer, given) {
        int error = read_layer_weights(trace, layer, PATH_KEY(path, value_key(layer)), issues);
        result = error != OK ? error : result;
    }
    return result;
}

// ---- the body ----

void trace_finish(Trace *trace) {
    model_destroy(trace->model);
    adjacency_finish(&trace->graphs);
    arena_finish(&trace->arena);
}

static int read_rows(Trace *trace, Issues *issues) {
    ValueKind graph = value_kind(trace->params.graph);
    if (graph == VALUE_MISSING || graph == VALUE_NULL)
        return trace_read_rows(trace, issues);
    if (value_kind(trace->params.inputs) != VALUE_MISSING) {
        issues_add(issues, PATH_KEY(NULL, "inputs"),
                   "must not stand beside \"graph\", whose nodes are the rows");
        return ERR_INVALID;
    }
    return trace_read_graph(trace, issues);
}

int trace_read(Value body, Issues *issues, Trace *trace) {
    size_t before = issues->count + issues->omitted;
    int error = read_keys(body, issues, trace);
    if (error == OK || error == ERR_INVALID)
        error = read_rows(trace, issues);
    // Rows of a shape tell the model's, even where a number in them is wrong.
    if ((error == OK || error == ERR_INVALID) && trace->inputs.data != NULL) {
        error = read_model(trace, issues);
        if (error == OK)
            error = read_weights(trace, issues);
        if ((error == OK || error == ERR_INVALID) && trace->model != NULL)
            error = trace_read_targets(trace, issues);
    }
    if (error != OK && error != ERR_INVALID)
        return error;
    if (issues->failed)
        return ERR_NO_MEMORY;
    return issues->count + issues->omitted > before ? ERR_INVALID : OK;
}
