// Plans: a graph made ready to run. All memory is one arena, laid out when the plan is made (see
// scheme.h); a pass only sets the pointers that the caller brings (inputs, weights, gradients) and
// calls the operators in order.
#include "core/graph/graph.h"
#include <string.h>
#include "core/base/error.h"
#include "core/graph/scheme.h"
#include "core/tensor/kernels.h"

typedef struct PlanNode {
    const GraphNode *node;
    OpCall call;
    Tensor *input, *input_gradient;   // [inputs]
    Tensor *weight, *weight_gradient; // [weights]
    Real **extra; // [inputs] memory to be summed into the gradient; NULL: written directly
    Tensor value; // [rows, row shape]
    Tensor gradient;
    void *forward_scratch, *backward_scratch;
    bool reads_pattern, has_pattern; // input 0, and the value, lie as a pattern's numbers
    bool stands_still;               // frozen, with states: runs as outside training
} PlanNode;

struct Plan {
    const Graph *graph;
    PlanOptions options;
    Scheme scheme; // its `needs` follow plan_want_input_gradients
    Arena arena;   // the nodes' small arrays
    int count;
    PlanNode *nodes;           // [count]
    char *memory;              // [scheme.bytes]
    int64_t rows, graph_nodes; // of the pass under way
    int32_t **lengths;         // [graph_lengths] arrays [max_rows]
};

static void *buffer_memory(const Plan *plan, int buffer) {
    return buffer == SCHEME_NONE ? NULL : plan->memory + plan->scheme.buffers[buffer].ret_offset;
}

int plan_cost(const Graph *graph, const PlanOptions *options, OpCost *ret_nodes,
              PlanCost *ret_cost) {
    Scheme scheme;
    int err = scheme_make(graph, options, &scheme);
    if (err != OK)
        return err;
    for (int i = 0; ret_nodes != NULL && i < graph_nodes(graph); i++)
        ret_nodes[i] = i < scheme.count ? scheme.nodes[i].cost : (OpCost){0};
    *ret_cost = (PlanCost){scheme.bytes, scheme.forward_flops, scheme.backward_flops};
    scheme_finish(&scheme);
    return OK;
}

// ---- making ----

static Shape with_rows(const Shape *row, int64_t rows) {
    Shape shape = {.rank = row->rank + 1, .dim = {rows}};
    memcpy(shape.dim + 1, row->dim, (size_t)row->rank * sizeof(row->dim[0]));
    return shape;
}

// Input k's gradient goes straight to its node, or to memory of its own, or nowhere.
static void wire_gradients(Plan *plan) {
    for (int i = 0; plan->options.backward && i < plan->count; i++) {
        PlanNode *at = &plan->nodes[i];
        const SchemeNode *scheme = &plan->scheme.nodes[i];
        for (int k = 0; scheme->active && k < at->node->inputs; k++) {
            int below = at->node->input[k];
            bool needs = scheme->needs && plan->scheme.nodes[below].needs;
            Real *extra = needs ? buffer_memory(plan, scheme->extra[k]) : NULL;
            at->extra[k] = extra;
            at->input_gradient[k].data = extra != NULL ? extra
                                         : needs       ? plan->nodes[below].gradient.data
                                                       : NULL;
        }
    }
}

static int wire_node(Plan *plan, int i) {
    PlanNode *at = &plan->nodes[i];
    const SchemeNode *scheme = &plan->scheme.nodes[i];
    const GraphNode *node = at->node = graph_node(plan->graph, i);
    Shape shape = with_rows(&node->shape, plan_rows(plan->graph, &plan->options, i));
    at->value = (Tensor){buffer_memory(plan, scheme->value), shape};
    at->gradient = (Tensor){buffer_memory(plan, scheme->gradient), shape};
    at->has_pattern = plan_has_pattern(plan->graph, &plan->options, i);
    if (node->op == NULL || !scheme->active)
        return OK;
    at->reads_pattern = plan_has_pattern(plan->graph, &plan->options, node->input[0]);
    size_t inputs = (size_t)node->inputs, weights = (size_t)node->weights;
    at->input = arena_array(&plan->arena, inputs, sizeof(Tensor));
    at->input_gradient = arena_array(&plan->arena, inputs, sizeof(Tensor));
    at->extra = arena_array(&plan->arena, inputs, sizeof(Real *));
    at->weight = arena_array(&plan->arena, weights, sizeof(Tensor));
    at->weight_gradient = arena_array(&plan->arena, weights, sizeof(Tensor));
    if (at->input == NULL || at->input_gradient == NULL || at->extra == NULL ||
        at->weight == NULL || at->weight_gradient == NULL)
        return ERR_NO_MEMORY;
    for (int k = 0; k < node->inputs; k++) {
        at->input[k] = plan->nodes[node->input[k]].value;
        at->input_gradient[k].shape = at->input[k].shape;
    }
    for (int k = 0; k < node->weights; k++) {
        const GraphWeight *weight = graph_weight_at(plan->graph, node->weight[k]);
        at->weight[k].shape = at->weight_gradient[k].shape = weight->shape;
        if (weight->state && graph_frozen(plan->graph, weight->layer))
            at->stands_still = true;
    }
    at->forward_scratch = buffer_memory(plan, scheme->forward_scratch);
    at->backward_scratch = buffer_memory(plan, scheme->backward_scratch);
    at->call = (OpCall){.params = node->params,
                        .node = i,
                        .inputs = node->inputs,
                        .weights = node->weights,
                        .input = at->input,
                        .input_gradient = at->input_gradient,
                        .output = at->value,
                        .output_gradient = at->gradient,
                        .weight = at->weight,
                        .weight_gradient = at->weight_gradient,
                        .saved = buffer_memory(plan, scheme->saved),
                        .carried = buffer_memory(plan, scheme->carried)};
    return OK;
}

static int make_lengths(Plan *plan) {
    int count = graph_lengths(plan->graph);
    plan->lengths = arena_array(&plan->arena, (size_t)count, sizeof(*plan->lengths));
    for (int i = 0; plan->lengths != NULL && i < count; i++) {
        plan->lengths[i] =
            arena_array(&plan->arena, (size_t)plan->options.max_rows, sizeof(int32_t));
        if (plan->lengths[i] == NULL)
            return ERR_NO_MEMORY;
    }
    return plan->lengths == NULL ? ERR_NO_MEMORY : OK;
}

int plan_create(const Graph *graph, const PlanOptions *options, Plan **ret_plan) {
    Plan *plan = memory_new(Plan);
    if (plan == NULL)
        return ERR_NO_MEMORY;
    plan->graph = graph;
    plan->options = *options;
    plan->rows = options->max_rows;
    plan->graph_nodes = options->max_nodes;
    arena_init(&plan->arena, 0);
    int err = scheme_make(graph, options, &plan->scheme);
    if (err != OK)
        goto fail;
    plan->count = plan->scheme.count;
    plan->nodes = memory_array((size_t)plan->count, sizeof(PlanNode));
    plan->memory = memory_array(plan->scheme.bytes, 1);
    err = plan->nodes == NULL || plan->memory == NULL ? ERR_NO_MEMORY : make_lengths(plan);
    for (int i = 0; err == OK && i < plan->count; i++)
        err = wire_node(plan, i);
    if (err != OK)
        goto fail;
    scheme_needs(graph, false, plan->scheme.nodes, plan->count);
    wire_gradients(plan);
    *ret_plan = plan;
    return OK;
fail:
    plan_destroy(plan);
    return err;
}

void plan_restart(Plan *plan) {
    for (int i = 0; i < plan->count; i++) {
        int carried = plan->scheme.nodes[i].carried;
        if (carried != SCHEME_NONE)
            memset(buffer_memory(plan, carried), 0, plan->scheme.buffers[carried].bytes);
    }
}

void plan_destroy(Plan *plan) {
    if (plan == NULL)
        return;
    scheme_finish(&plan->scheme);
    arena_finish(&plan->arena);
    memory_free(plan->nodes);
    memory_free(plan->memory);
    memory_free(plan);
}

void plan_want_input_gradients(Plan *plan) {
    scheme_needs(plan->graph, plan->options.keep_all, plan->scheme.nodes, plan->count);
    wire_gradients(plan);
}

// ---- running ----

static void set_rows(Plan *plan, int64_t rows, int64_t graph_nodes) {
    if (plan->rows == rows && plan->graph_nodes == graph_nodes)
        return;
    plan->rows = rows;
    plan->graph_nodes = graph_nodes;
    for (int i = 0; i < plan->count; i++) {
        PlanNode *at = &plan->nodes[i];
        int64_t own = at->node->per_node ? graph_nodes : rows;
        at->value.shape.dim[0] = at->gradient.shape.dim[0] = own;
        at->call.output.shape.dim[0] = at->call.output_gradient.shape.dim[0] = own;
        for (int k = 0; at->input != NULL && k < at->node->inputs; k++) {
            bool per_node = plan->nodes[at->node->input[k]].node->per_node;
            at->input[k].shape.dim[0] = at->input_gradient[k].shape.dim[0] =
                per_node ? graph_nodes : rows;
        }
    }
}

// Every kind of length from the one before it, and to each node that of its input 0.
static void set_lengths(Plan *plan, const int32_t *given) {
    for (int i = 0; given != NULL && i < graph_lengths(plan->graph); i++) {
        const GraphLengths *kind = graph_lengths_at(plan->graph, i);
        for (int64_t r = 0; r < plan->rows; r++)
            plan->lengths[i][r] = kind->from == LENGTHS_NONE
                                      ? given[r]
                                      : (int32_t)kind->op->length(kind->params, &kind->input,
                                                                  plan->lengths[kind->from][r]);
    }
    for (int i = 0; i < plan->count; i++) {
        PlanNode *at = &plan->nodes[i];
        if (at->node->op == NULL)
            continue;
        int kind = plan->nodes[at->node->input[0]].node->lengths;
        at->call.lengths = given != NULL && kind != LENGTHS_NONE ? plan->lengths[kind] : NULL;
    }
}

// The caller's arrays: the graph's inputs and the weights.
static void bind(Plan *plan, const Tensor *inputs, Real *weights) {
    for (int i = 0, next_input = 0; i < plan->count; i++) {
        PlanNode *at = &plan->nodes[i];
        if (at->node->op == NULL)
            at->value.data = inputs[next_input++].data;
        for (int k = 0; at->input != NULL && k < at->node->inputs; k++)
            at->input[k].data = plan->nodes[at->node->input[k]].value.data;
        for (int k = 0; at->weight != NULL && k < at->node->weights; k++)
            at->weight[k].data =
                weights + graph_weight_at(plan->graph, at->node->weight[k])->offset;
    }
}

void plan_forward(Plan *plan, const OpContext *context, const PlanObserver *observer,
                  const Tensor *inputs, Real *weights, Tensor *ret_output) {
    OpContext still = *context;
    still.training = false;
    const Adjacency *graphs = context->adjacency;
    if (graphs != NULL)
        set_rows(plan, graphs->graphs, graphs->nodes);
    else
        set_rows(plan, inputs[0].shape.dim[0], 0);
    set_lengths(plan, context->lengths);
    bind(plan, inputs, weights);
    for (int i = 0; i < plan->count; i++) {
        PlanNode *at = &plan->nodes[i];
        if (!plan->scheme.nodes[i].active || at->node->op == NULL)
            continue;
        at->call.context = at->stands_still ? &still : context;
        at->call.scratch = at->forward_scratch;
        at->call.pattern = at->reads_pattern ? context->pattern : NULL;
        at->node->op->forward(&at->call);
        if (observer != NULL && observer->forward != NULL)
            observer->forward(observer->context, i, &at->value,
                              at->has_pattern ? (size_t)context->pattern->entries
                                              : (size_t)shape_elements(&at->value.shape));
    }
    *ret_output = plan->nodes[plan->count - 1].value;
}

Real *plan_output_gradient(Plan *plan) {
    return plan->nodes[plan->count - 1].gradient.data;
}

typedef struct GradientSum {
    Real *sum;
    const Real *part;
} GradientSum;

static void add_some(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const GradientSum *of = context;
    kernel_add(of->sum + begin, of->part + begin, end - begin);
}

static void add_gradient(Parallel *parallel, const Tensor *sum, const Real *part) {
    GradientSum of = {sum->data, part};
    parallel_for(parallel, (size_t)shape_elements(&sum->shape), parallel_grain(2), add_some, &of);
}

// Before node `reader`'s backward the values that it wants and that have left.
static void make_again(Plan *plan, const OpContext *context, const OpContext *still, int reader) {
    for (int i = 0; plan->scheme.nodes[reader].asks_again && i <= reader; i++) {
        PlanNode *at = &plan->nodes[i];
        if (plan->scheme.nodes[i].again_before != reader)
            continue;
        at->call.context = at->stands_still ? still : context;
        at->call.scratch = at->backward_scratch;
        at->node->op->again(&at->call);
    }
}

void plan_backward(Plan *plan, const OpContext *context, const PlanObserver *observer,
                   Real *gradients) {
    OpContext still = *context;
    still.training = false;
    for (int i = plan->count - 1; i >= 0; i--) {
        PlanNode *at = &plan->nodes[i];
        const GraphNode *node = at->node;
        if (!plan->scheme.nodes[i].needs || node->op == NULL)
            continue;
        for (int k = 0; k < node->weights; k++) {
            const GraphWeight *weight = graph_weight_at(plan->graph, node->weight[k]);
            bool learned = !weight->state && !graph_frozen(plan->graph, weight->layer);
            at->weight_gradient[k].data = learned ? gradients + weight->offset : NULL;
        }
        make_again(plan, context, &still, i);
        at->call.context = at->stands_still ? &still : context;
        at->call.scratch = at->backward_scratch;
        node->op->backward(&at->call);
        if (observer != NULL && observer->backward != NULL)
            observer->backward(observer->context, i);
        for (int k = 0; k < node->inputs; k++) {
            const Tensor *below = &plan->nodes[node->input[k]].gradient;
            if (at->extra[k] != NULL)
                add_gradient(context->parallel, below, at->extra[k]);
        }
    }
}

Tensor plan_value(const Plan *plan, int node) {
    if (node < 0 || node >= plan->count || !plan->scheme.nodes[node].active)
        return (Tensor){0};
    Tensor value = plan->nodes[node].value;
    bool kept =
        plan->options.keep_all || node == plan->count - 1 || plan->nodes[node].node->op == NULL;
    return (Tensor){kept ? value.data : NULL, value.shape};
}

Tensor plan_gradient(const Plan *plan, int node) {
    if (node < 0 || node >= plan->count || !plan->scheme.nodes[node].active)
        return (Tensor){0};
    Tensor gradient = plan->nodes[node].gradient;
    bool kept =
        plan->options.keep_all && (plan->scheme.nodes[node].needs || node == plan->count - 1);
    return (Tensor){kept ? gradient.data : NULL, gradient.shape};
}

Tensor plan_input_gradient(const Plan *plan, int node, int k) {
    return plan->nodes[node].input_gradient[k];
}
