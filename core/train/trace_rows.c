// The rows of a trace: of one shape, or sequences [time, …] each as long as it is, padded with zeros to the longest.
//
// Rows of token ids are told from rows of numbers by the layers that read them: an embedding reads ids. Rows of
// different lengths without a further axis can only be that.
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/train/nested.h"
#include "core/train/trace_private.h"

enum { TOKENS_MAX = 1 << 24 }; // ids beyond it are no whole numbers of single precision

// ---- their shape ----

// The longest row decides; *lengths stays NULL where all are as long.
static int measure(Trace *trace, Value inputs, const Path *path, Issues *issues, Shape *ret_row) {
    Value first = value_child(inputs);
    int error = nested_shape(first, PATH_INDEX(path, 0), issues, ret_row);
    if (error != OK || ret_row->rank == 0)
        return error;
    if (ret_row->rank == SHAPE_RANK_MAX) { // the rows are an axis too
        issues_add(issues, path, "has lists nested deeper than %d", SHAPE_RANK_MAX);
        return ERR_INVALID;
    }
    int32_t *lengths = arena_array(&trace->arena, value_length(inputs), sizeof(*lengths));
    if (lengths == NULL)
        return ERR_NO_MEMORY;
    size_t i = 0;
    int64_t longest = ret_row->dim[0];
    bool differ = false;
    VALUE_FOREACH(row, inputs) {
        // What is no list at all is told when it is read.
        int64_t steps =
            value_kind(row) == VALUE_ARRAY ? (int64_t)value_length(row) : ret_row->dim[0];
        if (steps == 0) {
            issues_add(issues, PATH_INDEX(path, i), "has an empty list");
            error = ERR_INVALID;
        }
        differ = differ || steps != ret_row->dim[0];
        longest = steps > longest ? steps : longest;
        lengths[i++] = (int32_t)(steps < TRACE_NUMBERS_MAX ? steps : TRACE_NUMBERS_MAX);
    }
    if (differ) {
        trace->lengths = lengths;
        ret_row->dim[0] = longest;
    }
    return error;
}

// ---- the numbers ----

static int read_numbers(const Trace *trace, Value inputs, const Shape *row, const Path *path,
                        Issues *issues) {
    size_t i = 0, elements = (size_t)shape_elements(&trace->task.input);
    int result = OK;
    VALUE_FOREACH(item, inputs) {
        Shape shape = *row;
        if (trace->lengths != NULL)
            shape.dim[0] = trace->lengths[i];
        if (nested_read(item, &shape, PATH_INDEX(path, i), issues,
                        trace->inputs.data + i * elements) != OK)
            result = ERR_INVALID;
        i++;
    }
    return result;
}

// One more than the greatest, where all are whole as token ids are; else 0. An embedding that says none takes it.
static int64_t vocabulary_of(const Trace *trace) {
    size_t count = (size_t)(trace->inputs.shape.dim[0] * trace->inputs.shape.dim[1]);
    double greatest = 0;
    for (size_t i = 0; i < count; i++) {
        double id = (double)trace->inputs.data[i];
        if (!(id >= 0 && id < TOKENS_MAX && id == floor(id)))
            return 0;
        greatest = fmax(greatest, id);
    }
    return (int64_t)greatest + 1;
}

int trace_read_rows(Trace *trace, Issues *issues) {
    const Path *path = PATH_KEY(NULL, "inputs");
    Value inputs = trace->params.inputs;
    size_t count = value_length(inputs);
    if (value_kind(inputs) == VALUE_MISSING) {
        issues_add(issues, path, "is required: 1 to %d rows, or a \"graph\" in their place",
                   TRACE_ROWS_MAX);
        return ERR_INVALID;
    }
    if (value_kind(inputs) != VALUE_ARRAY || count < 1 || count > TRACE_ROWS_MAX) {
        issues_add(issues, path, "must be a list of 1 to %d rows", TRACE_ROWS_MAX);
        return ERR_INVALID;
    }
    Shape row;
    int error = measure(trace, inputs, path, issues, &row);
    if (error != OK)
        return error;
    trace->task = (Task){.kind = TASK_REGRESSION,
                         .rows = trace->lengths != NULL ? ROWS_SEQUENCES : ROWS_ALIKE,
                         .input = row.rank == 0 ? SHAPE(1) : row, // rows of one number
                         .outputs = 1};
    int64_t elements = shape_elements(&trace->task.input);
    if (elements == 0 || elements > TRACE_NUMBERS_MAX / (int64_t)count) {
        issues_add(issues, path, "have more than %d numbers", TRACE_NUMBERS_MAX);
        return ERR_INVALID;
    }
    trace->inputs.shape = SHAPE((int64_t)count, elements);
    trace->inputs.data = arena_array(&trace->arena, count * (size_t)elements, sizeof(Real));
    if (trace->inputs.data == NULL)
        return ERR_NO_MEMORY;
    error = read_numbers(trace, inputs, &row, path, issues);
    if (error == OK && row.rank == 1)
        trace->task.vocabulary = vocabulary_of(trace);
    return error;
}

bool trace_lengths(const Trace *trace, int node, int32_t lengths[TRACE_ROWS_MAX]) {
    const Graph *graph = model_graph(trace->model);
    if (trace->lengths == NULL || graph_length(graph, node, trace->lengths[0]) < 0)
        return false;
    for (int64_t i = 0; i < trace->inputs.shape.dim[0]; i++)
        lengths[i] = (int32_t)graph_length(graph, node, trace->lengths[i]);
    return true;
}

// ---- what the model asks of them ----

// Tokens that the embedding knows.
static void check_tokens(const Trace *trace, int64_t vocabulary, Issues *issues) {
    const Path *path = PATH_KEY(NULL, "inputs");
    const Tensor *inputs = &trace->inputs;
    int64_t row = shape_elements(&trace->task.input);
    for (int64_t i = 0; i < inputs->shape.dim[0] * row; i++) {
        double id = (double)inputs->data[i];
        if (id >= 0 && id < (double)vocabulary && id == (double)(int64_t)id)
            continue;
        issues_add(issues, PATH_INDEX(PATH_INDEX(path, (size_t)(i / row)), (size_t)(i % row)),
                   "must be a token id from 0 to %lld, not %.15g", (long long)(vocabulary - 1), id);
    }
}

void trace_check_rows(const Trace *trace, Issues *issues) {
    const Graph *graph = model_graph(trace->model);
    bool bare = trace->lengths != NULL && trace->task.input.rank == 1;
    for (int i = 0; i < model_layers(trace->model); i++) {
        const ModelLayer *layer = model_layer(trace->model, i);
        bool embeds = strcmp(layer->desc->desc.name, "embedding") == 0;
        if (embeds)
            check_tokens(trace, graph_weight_at(graph, layer->first_weight)->shape.dim[0], issues);
        for (int k = 0; bare && !embeds && k < layer->inputs; k++)
            if (graph_node(graph, layer->input[k])->op == NULL) {
                issues_add(issues, PATH_KEY(NULL, "inputs"),
                           "have rows of different lengths, which %s cannot read: only token ids "
                           "for an embedding, and steps [time, features], may differ",
                           layer->name);
                bare = false;
            }
    }
}
