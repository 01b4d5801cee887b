// A trace's cycle: forward → loss → backward → the optimizer's step → central differences.
//
// The plan keeps every value and gradient in a place of its own (keep_all). What a layer alone sends back to its input
// is caught while the backward pass runs: later the place holds the sum over all readers. The answer is written as the
// cycle goes, before the differences run the net again.
#include "core/train/trace.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/graph/gradcheck.h"
#include "core/tensor/kernels.h"
#include "core/train/nested.h"
#include "core/train/trace_private.h"

typedef struct Cycle {
    Trace *trace;
    const Model *model;
    const Graph *graph;
    Plan *plan;
    OpContext context;
    Real *weights;   // [graph_weight_elements] as the pass has them: states move in forward
    Real *gradients; // [graph_learned]
    Real *
        picked; // [2, rows, width] of the loss, where some nodes count: their outputs, and the gradients of these
    Tensor **contributions; // [layers][inputs] what each layer sends back
    int *order;             // [layers] those with an entry, by the time of their output
    int count;              // of them
    double pass_flops;      // of a forward pass
} Cycle;

// ---- the passes ----

// Which of the layer's inputs the node's input j is; −1: none. Where a layer reads one node twice, the places agree.
static int input_of(const ModelLayer *layer, const GraphNode *node, int j) {
    if (j < layer->inputs && layer->input[j] == node->input[j])
        return j;
    for (int k = 0; k < layer->inputs; k++)
        if (layer->input[k] == node->input[j])
            return k;
    return -1;
}

// After a node's backward: its part of the gradient of what its layer, and those around it, read.
static void catch_contributions(void *context, int index) {
    Cycle *cycle = context;
    const GraphNode *node = graph_node(cycle->graph, index);
    for (int at = node->layer; at >= 0; at = model_layer(cycle->model, at)->parent)
        for (int j = 0; j < node->inputs; j++) {
            int k = input_of(model_layer(cycle->model, at), node, j);
            Tensor part = plan_input_gradient(cycle->plan, index, j);
            Real *whole = k < 0 ? NULL : cycle->contributions[at][k].data;
            if (whole != NULL && part.data != NULL)
                kernel_add(whole, part.data, (size_t)shape_elements(&part.shape));
        }
}

// The loss of the nodes that count, and its gradient by all nodes' outputs.
static double counted_loss(Cycle *cycle, const Real *outputs, Real *gradients) {
    LossCall *call = &cycle->trace->loss_call;
    const int32_t *counted = cycle->trace->counted;
    size_t width = (size_t)call->width, bytes = width * sizeof(Real);
    Real *picked = cycle->picked, *picked_gradients = picked + (size_t)call->rows * width;
    for (int64_t i = 0; i < call->rows; i++)
        memcpy(picked + (size_t)i * width, outputs + (size_t)counted[i] * width, bytes);
    call->outputs = picked;
    call->gradients = gradients == NULL ? NULL : picked_gradients;
    double loss = trace_loss(cycle->trace)->value(call);
    if (gradients == NULL)
        return loss;
    memset(gradients, 0, (size_t)cycle->trace->inputs.shape.dim[0] * bytes);
    for (int64_t i = 0; i < call->rows; i++)
        memcpy(gradients + (size_t)counted[i] * width, picked_gradients + (size_t)i * width, bytes);
    return loss;
}

static double forward(Cycle *cycle, Real *gradients) {
    LossCall *call = &cycle->trace->loss_call;
    Tensor output;
    plan_forward(cycle->plan, &cycle->context, NULL, &cycle->trace->inputs, cycle->weights,
                 &output);
    if (cycle->trace->counted != NULL)
        return counted_loss(cycle, output.data, gradients);
    call->outputs = output.data;
    call->gradients = gradients;
    return trace_loss(cycle->trace)->value(call);
}

static double objective(void *context) {
    return forward(context, NULL);
}

static int compare_outputs(const void *a, const void *b, void *context) {
    const Model *model = context;
    int first = *(const int *)a, second = *(const int *)b;
    int before = model_layer(model, first)->output, after = model_layer(model, second)->output;
    return before != after ? (before > after) - (before < after)
                           : (first > second) - (first < second);
}

// The layers that the output depends on, in order, and room for what they send back.
static int make_entries(Cycle *cycle) {
    Arena *arena = &cycle->trace->arena;
    size_t layers = (size_t)model_layers(cycle->model);
    cycle->order = arena_array(arena, layers, sizeof(int));
    cycle->contributions = arena_array(arena, layers, sizeof(*cycle->contributions));
    if (cycle->order == NULL || cycle->contributions == NULL)
        return ERR_NO_MEMORY;
    for (int i = 0; i < (int)layers; i++) {
        const ModelLayer *layer = model_layer(cycle->model, i);
        Tensor *inputs = arena_array(arena, (size_t)layer->inputs, sizeof(*inputs));
        cycle->contributions[i] = inputs;
        if (inputs == NULL)
            return ERR_NO_MEMORY;
        if (plan_gradient(cycle->plan, layer->output).data == NULL)
            continue;
        cycle->order[cycle->count++] = i;
        for (int k = 0; k < layer->inputs; k++) {
            inputs[k].shape = plan_value(cycle->plan, layer->input[k]).shape;
            inputs[k].data =
                arena_array(arena, (size_t)shape_elements(&inputs[k].shape), sizeof(Real));
            if (inputs[k].data == NULL)
                return ERR_NO_MEMORY;
        }
    }
    qsort_r(cycle->order, (size_t)cycle->count, sizeof(int), compare_outputs, (void *)cycle->model);
    return OK;
}

static int prepare(Cycle *cycle) {
    Trace *trace = cycle->trace;
    cycle->model = trace->model;
    cycle->graph = model_graph(trace->model);
    cycle->context = (OpContext){.training = true,
                                 .lengths = trace->lengths,
                                 .without_dropout = !trace->params.dropout,
                                 .seed = (uint64_t)trace->params.seed,
                                 .step = 1};
    size_t elements = graph_weight_elements(cycle->graph);
    cycle->weights = arena_array(&trace->arena, elements, sizeof(Real));
    cycle->gradients = arena_array(&trace->arena, graph_learned(cycle->graph), sizeof(Real));
    cycle->picked = arena_array(
        &trace->arena, 2 * (size_t)(trace->loss_call.rows * trace->loss_call.width), sizeof(Real));
    if (cycle->weights == NULL || cycle->gradients == NULL || cycle->picked == NULL)
        return ERR_NO_MEMORY;
    memcpy(cycle->weights, trace->weights, elements * sizeof(Real));
    PlanOptions options = {.max_rows = trace->inputs.shape.dim[0],
                           .backward = true,
                           .keep_all = true,
                           .output = model_output(trace->model)};
    if (trace->graphs.memory != NULL) {
        const Adjacency *graph = cycle->context.adjacency = &trace->graphs.adjacency;
        options.max_rows = 1;
        options.max_nodes = graph->nodes;
        options.max_edges = graph->edges;
    }
    PlanCost cost;
    int error = plan_cost(cycle->graph, &options, NULL, &cost);
    if (error == OK)
        error = plan_create(cycle->graph, &options, &cycle->plan);
    if (error != OK)
        return error;
    cycle->pass_flops = cost.forward_flops;
    plan_want_input_gradients(cycle->plan);
    return make_entries(cycle);
}

// ---- forward, loss, backward ----

static void write_name(const Cycle *cycle, int layer, const ValueWriter *out) {
    write_begin_object(out, NULL);
    write_string(out, "layer", model_layer(cycle->model, layer)->name);
    write_string(out, "type", model_layer(cycle->model, layer)->desc->desc.name);
}

// A node's value or gradient, each row as far as it goes.
static void write_node(const Cycle *cycle, const char *key, int node, const Tensor *tensor,
                       const ValueWriter *out) {
    int32_t lengths[TRACE_ROWS_MAX];
    bool differ = trace_lengths(cycle->trace, node, lengths);
    nested_write_rows(out, key, tensor, differ ? lengths : NULL);
}

static void write_inputs(const Cycle *cycle, const char *key, const ModelLayer *layer,
                         const Tensor *tensors, const ValueWriter *out) {
    if (layer->inputs == 1) {
        write_node(cycle, key, layer->input[0], &tensors[0], out);
        return;
    }
    write_begin_array(out, key);
    for (int k = 0; k < layer->inputs; k++)
        write_node(cycle, NULL, layer->input[k], &tensors[k], out);
    write_end_array(out);
}

static void write_forward(const Cycle *cycle, const ValueWriter *out) {
    write_begin_array(out, "forward");
    for (int i = 0; i < cycle->count; i++) {
        const ModelLayer *layer = model_layer(cycle->model, cycle->order[i]);
        Tensor inputs[OP_INPUTS_MAX], pre = plan_value(cycle->plan, layer->pre_activation);
        Tensor output = plan_value(cycle->plan, layer->output);
        for (int k = 0; k < layer->inputs; k++)
            inputs[k] = plan_value(cycle->plan, layer->input[k]);
        write_name(cycle, cycle->order[i], out);
        write_inputs(cycle, "input", layer, inputs, out);
        write_node(cycle, "pre_activation", layer->pre_activation, &pre, out);
        write_node(cycle, "output", layer->output, &output, out);
        write_end_object(out);
    }
    write_end_array(out);
}

static void write_loss(const Cycle *cycle, double loss, const ValueWriter *out) {
    write_begin_object(out, "loss");
    write_string(out, "type", trace_loss(cycle->trace)->desc.name);
    write_number(out, "value", loss);
    if (cycle->trace->names != NULL) { // which class is which number
        write_begin_array(out, "classes");
        for (int64_t i = 0; i < cycle->trace->name_count; i++)
            write_string(out, NULL, cycle->trace->names[i]);
        write_end_array(out);
    }
    write_end_object(out);
}

static Tensor weight_tensor(Real *values, const GraphWeight *weight) {
    return (Tensor){values + weight->offset, weight->shape};
}

static bool is_learned(const Cycle *cycle, const GraphWeight *weight) {
    return !weight->state && !graph_frozen(cycle->graph, weight->layer);
}

static void write_gradients(const Cycle *cycle, int layer, const ValueWriter *out) {
    write_begin_object(out, "gradients");
    for (int w = 0; w < graph_weights(cycle->graph); w++) {
        const GraphWeight *weight = graph_weight_at(cycle->graph, w);
        if (weight->layer != layer || !is_learned(cycle, weight))
            continue;
        Tensor gradient = weight_tensor(cycle->gradients, weight);
        nested_write(out, weight->name, &gradient);
    }
    write_end_object(out);
}

static void write_backward(const Cycle *cycle, const ValueWriter *out) {
    write_begin_array(out, "backward");
    for (int i = cycle->count - 1; i >= 0; i--) {
        const ModelLayer *layer = model_layer(cycle->model, cycle->order[i]);
        Tensor output = plan_gradient(cycle->plan, layer->output);
        Tensor pre = plan_gradient(cycle->plan, layer->pre_activation);
        Tensor *inputs = cycle->contributions[cycle->order[i]];
        if (layer->output == layer->input[0]) // it does nothing: what comes goes on
            inputs[0] = output;
        write_name(cycle, cycle->order[i], out);
        write_node(cycle, "gradient_output", layer->output, &output, out);
        write_node(cycle, "gradient_pre_activation", layer->pre_activation, &pre, out);
        write_inputs(cycle, "gradient_input", layer, inputs, out);
        write_gradients(cycle, cycle->order[i], out);
        write_end_object(out);
    }
    write_end_array(out);
}

// ---- update ----

// The optimizer's first step, on `weights` [graph_weight_elements], layer by layer as a job makes it.
static int update(const Cycle *cycle, Real *weights) {
    Selection selection = cycle->trace->params.optimizer;
    const OptimizerDesc *optimizer = (const OptimizerDesc *)selection.desc;
    int slots = optimizer->slots(selection.params);
    size_t learned = graph_learned(cycle->graph);
    Real *memory = arena_array(&cycle->trace->arena, learned * (size_t)slots, sizeof(Real));
    if (memory == NULL)
        return ERR_NO_MEMORY;
    for (int i = 0; i < model_layers(cycle->model); i++) {
        size_t begin, end;
        graph_layer_range(cycle->graph, i, &begin, &end);
        if (begin == end || graph_frozen(cycle->graph, i))
            continue;
        OptimizerCall call = {.params = selection.params,
                              .learning_rate =
                                  ((const OptimizerCommon *)selection.params)->learning_rate,
                              .step = 1,
                              .gradient_scale = 1,
                              .clip_value = INFINITY,
                              .count = end - begin,
                              .weights = weights + begin,
                              .gradients = cycle->gradients + begin};
        for (int s = 0; s < slots; s++)
            call.slots[s] = memory + (size_t)s * learned + begin;
        optimizer->step(&call);
    }
    return OK;
}

// Calls write(…) for each weight, within an object for each layer that has weights.
typedef void (*WriteWeight)(const Cycle *cycle, int weight, const void *context,
                            const ValueWriter *out);

static void write_weights(const Cycle *cycle, const char *key, bool learned, WriteWeight write,
                          const void *context, const ValueWriter *out) {
    write_begin_object(out, key);
    for (int i = 0; i < model_layers(cycle->model); i++) {
        bool open = false;
        for (int w = 0; w < graph_weights(cycle->graph); w++) {
            const GraphWeight *weight = graph_weight_at(cycle->graph, w);
            if (weight->layer != i || (learned && !is_learned(cycle, weight)))
                continue;
            if (!open)
                write_begin_object(out, model_layer(cycle->model, i)->name);
            open = true;
            write_begin_object(out, weight->name);
            write(cycle, w, context, out);
            write_end_object(out);
        }
        if (open)
            write_end_object(out);
    }
    write_end_object(out);
}

static void write_change(const Cycle *cycle, int index, const void *context,
                         const ValueWriter *out) {
    const GraphWeight *weight = graph_weight_at(cycle->graph, index);
    const Tensor before = weight_tensor(cycle->trace->weights, weight);
    const Tensor after = weight_tensor((Real *)context, weight);
    nested_write(out, "before", &before);
    nested_write(out, "after", &after);
}

static int write_update(const Cycle *cycle, const ValueWriter *out) {
    size_t elements = graph_weight_elements(cycle->graph);
    Real *after = arena_array(&cycle->trace->arena, elements, sizeof(Real));
    if (after == NULL)
        return ERR_NO_MEMORY;
    memcpy(after, cycle->weights, elements * sizeof(Real));
    int error = update(cycle, after);
    if (error == OK)
        write_weights(cycle, "update", false, write_change, after, out);
    return error;
}

// ---- check ----

typedef struct Parts {
    GradcheckPart *items; // [count]
    size_t count;
} Parts;

static void write_numeric(const Cycle *cycle, int index, const void *context,
                          const ValueWriter *out) {
    const Parts *parts = context;
    for (size_t p = 0; p < parts->count; p++) {
        const GradcheckPart *part = &parts->items[p];
        if (part->weight != index)
            continue;
        const Tensor numeric = {part->numeric, graph_weight_at(cycle->graph, index)->shape};
        nested_write_known(out, "numeric", &numeric);
        write_number(out, "max_relative_error", part->error);
    }
}

static int write_check(Cycle *cycle, const ValueWriter *out) {
    Arena *arena = &cycle->trace->arena;
    size_t weights = (size_t)graph_weights(cycle->graph);
    Parts parts = {.items = arena_array(arena, weights, sizeof(GradcheckPart))};
    if (parts.items == NULL)
        return ERR_NO_MEMORY;
    parts.count = gradcheck_parts(cycle->graph, cycle->weights, cycle->gradients, parts.items);
    for (size_t p = 0; p < parts.count; p++) {
        parts.items[p].numeric = arena_array(arena, parts.items[p].count, sizeof(double));
        if (parts.items[p].numeric == NULL)
            return ERR_NO_MEMORY;
    }
    size_t elements =
        gradcheck_elements(cycle->pass_flops, graph_learned(cycle->graph), parts.count);
    const GradcheckOptions options = {.max_elements = elements,
                                      .seed = cycle->context.seed,
                                      .objective = objective,
                                      .context = cycle};
    double greatest = gradcheck_run(&options, parts.items, parts.count);
    write_begin_object(out, "check");
    write_number(out, "max_relative_error", greatest);
    write_weights(cycle, "weights", true, write_numeric, &parts, out);
    write_end_object(out);
    return OK;
}

// ---- the cycle ----

static int run(Cycle *cycle, const ValueWriter *out) {
    const PlanObserver observer = {.context = cycle, .backward = catch_contributions};
    double loss = forward(cycle, plan_output_gradient(cycle->plan));
    plan_backward(cycle->plan, &cycle->context, &observer, cycle->gradients);
    write_begin_object(out, NULL);
    write_forward(cycle, out);
    write_loss(cycle, loss, out);
    write_backward(cycle, out);
    int error = write_update(cycle, out);
    if (error == OK)
        error = write_check(cycle, out);
    write_end_object(out);
    return error;
}

int trace_run(Value body, Issues *issues, const ValueWriter *out) {
    Trace trace = {0};
    arena_init(&trace.arena, 0);
    Cycle cycle = {.trace = &trace};
    int error = trace_read(body, issues, &trace);
    if (error == OK)
        error = prepare(&cycle);
    if (error == OK)
        error = run(&cycle, out);
    plan_destroy(cycle.plan);
    trace_finish(&trace);
    return error;
}
