// From a graph to buffers with lifetimes.
//
// In three walks: what the output depends on and what wants a gradient; until when each value is
// read; and one buffer for each value, gradient, saved and scratch area. An operator that allows it
// writes over its input where that is not read again, and likewise its input's gradient over its
// output's; then both nodes have the same buffer, with both lives. Large values that cost little
// leave between the passes.
#include "core/graph/scheme.h"
#include <string.h>
#include "core/base/error.h"

// What one node may add: value, gradient, saved, carried, two scratches, and a sum for each input.
enum { BUFFERS_A_NODE = 6 + OP_INPUTS_MAX };
// Bytes of a value that are worth making it again: less does not count beside the program itself.
enum { LARGE = 2 << 20 };

int64_t plan_rows(const Graph *graph, const PlanOptions *options, int node) {
    return graph_node(graph, node)->per_node ? options->max_nodes : options->max_rows;
}

// The most elements of its value that lie in memory; −1 where that overflows.
static int64_t most_elements(const Graph *graph, const PlanOptions *options, int node) {
    int64_t elements;
    if (plan_has_pattern(graph, options, node))
        return options->max_entries;
    if (__builtin_mul_overflow(plan_rows(graph, options, node),
                               shape_elements(&graph_node(graph, node)->shape), &elements))
        return -1;
    return elements;
}

bool plan_has_pattern(const Graph *graph, const PlanOptions *options, int node) {
    const GraphNode *at = graph_node(graph, node);
    if (options->max_entries == 0)
        return false;
    return at->op == NULL ||
           (at->op->keeps_pattern && plan_has_pattern(graph, options, at->input[0]));
}

bool graph_takes_pattern(const Graph *graph, int output) {
    const PlanOptions options = {.max_entries = 1};
    for (int i = 0; i <= output; i++) {
        const GraphNode *node = graph_node(graph, i);
        for (int k = 0; k < node->inputs; k++)
            if (plan_has_pattern(graph, &options, node->input[k]) && !node->op->reads_pattern)
                return false;
    }
    return !plan_has_pattern(graph, &options, output);
}

// Whether rows of the node may come in several passes; ret_bytes: what it keeps of a row from each to the next.
static bool node_carries(const Graph *graph, const GraphNode *node, size_t *ret_bytes) {
    *ret_bytes = 0;
    return node->op == NULL ||
           (node->op->carries != NULL &&
            node->op->carries(node->params, &graph_node(graph, node->input[0])->shape, ret_bytes));
}

bool graph_carries(const Graph *graph, int output) {
    size_t bytes;
    for (int i = 0; i <= output; i++)
        if (!node_carries(graph, graph_node(graph, i), &bytes))
            return false;
    return true;
}

typedef struct Maker {
    const Graph *graph;
    const PlanOptions *options;
    Scheme *scheme;
    int *value_end;   // [count] time of a value's last reader
    int *forward_end; // [count] … of the last in the forward pass
    int *back_reader; // [count] first node whose backward reads it, SCHEME_NONE: nobody's does
} Maker;

static int backward_time(const Scheme *scheme, int node) {
    return 2 * scheme->count - 1 - node;
}

static int buffer_add(Scheme *scheme, size_t bytes, int begin, int end) {
    scheme->buffers[scheme->buffer_count] =
        (LayoutBuffer){.bytes = bytes, .begin = begin, .end = end};
    return (int)scheme->buffer_count++;
}

static size_t value_bytes(const Maker *maker, int node) {
    return (size_t)most_elements(maker->graph, maker->options, node) * sizeof(Real);
}

static bool learns(const Graph *graph, const GraphNode *node) {
    for (int k = 0; k < node->weights; k++) {
        const GraphWeight *weight = graph_weight_at(graph, node->weight[k]);
        if (!weight->state && !graph_frozen(graph, weight->layer))
            return true;
    }
    return false;
}

void scheme_needs(const Graph *graph, bool want_inputs, SchemeNode *nodes, int count) {
    for (int i = 0; i < count; i++) {
        const GraphNode *node = graph_node(graph, i);
        bool needs = node->op == NULL ? want_inputs : learns(graph, node);
        for (int k = 0; k < node->inputs; k++)
            needs = needs || nodes[node->input[k]].needs;
        nodes[i].needs = nodes[i].active && needs;
    }
}

static void mark_active(const Graph *graph, Scheme *scheme) {
    scheme->nodes[scheme->count - 1].active = true;
    for (int i = scheme->count - 1; i >= 0; i--) {
        const GraphNode *node = graph_node(graph, i);
        for (int k = 0; scheme->nodes[i].active && k < node->inputs; k++)
            scheme->nodes[node->input[k]].active = true;
    }
}

static void later(int *time, int candidate) {
    if (candidate > *time)
        *time = candidate;
}

static void read_back(const Maker *maker, int value, int reader) {
    later(&maker->value_end[value], backward_time(maker->scheme, reader));
    later(&maker->back_reader[value], reader); // backward runs from the last node to the first
}

static void find_value_ends(const Maker *maker) {
    const Scheme *scheme = maker->scheme;
    for (int i = 0; i < scheme->count; i++) {
        const GraphNode *node = graph_node(maker->graph, i);
        const SchemeNode *of = &scheme->nodes[i];
        maker->value_end[i] = maker->forward_end[i] = i;
        maker->back_reader[i] = SCHEME_NONE;
        if (!of->active || node->op == NULL)
            continue;
        bool runs_back = maker->options->backward && of->needs;
        if (runs_back && node->op->backward_reads_output)
            read_back(maker, i, i);
        for (int k = 0; k < node->inputs; k++) {
            later(&maker->value_end[node->input[k]], i);
            later(&maker->forward_end[node->input[k]], i);
            if (runs_back && node->op->backward_reads_inputs)
                read_back(maker, node->input[k], i);
        }
    }
    maker->value_end[scheme->count - 1] = 2 * scheme->count;
}

// The node whose buffer node i may share, writing in place: its input 0, or SCHEME_NONE.
static int place_of(const Maker *maker, int i) {
    const GraphNode *node = graph_node(maker->graph, i);
    if (maker->options->keep_all || !node->op->in_place)
        return SCHEME_NONE;
    for (int k = 1; k < node->inputs; k++)
        if (node->input[k] == node->input[0]) // would read what it has overwritten
            return SCHEME_NONE;
    int below = node->input[0];
    bool same_size = value_bytes(maker, below) == value_bytes(maker, i);
    return same_size && graph_node(maker->graph, below)->op != NULL ? below : SCHEME_NONE;
}

static int first_input(const Maker *maker, int node) {
    return graph_node(maker->graph, node)->input[0];
}

static bool has_again(const Maker *maker, int node) {
    return graph_node(maker->graph, node)->op->again != NULL;
}

static void add_values(const Maker *maker) {
    Scheme *scheme = maker->scheme;
    for (int i = 0; i < scheme->count; i++) {
        SchemeNode *of = &scheme->nodes[i];
        if (!of->active || graph_node(maker->graph, i)->op == NULL)
            continue;
        int below = place_of(maker, i), end = maker->value_end[i];
        if (below != SCHEME_NONE && maker->value_end[below] == i) {
            of->value = scheme->nodes[below].value;
            later(&scheme->buffers[of->value].end, end);
        } else if (maker->options->keep_all) {
            of->value = buffer_add(scheme, value_bytes(maker, i), 0, 2 * scheme->count);
        } else {
            of->value = buffer_add(scheme, value_bytes(maker, i), i, end);
        }
    }
}

// Large values that are cheaply made from what lives anyhow leave between the passes, when the most lives.
static void drop_values(const Maker *maker) {
    Scheme *scheme = maker->scheme;
    for (int i = 0; i < scheme->count - 1 && !maker->options->keep_all; i++) {
        SchemeNode *of = &scheme->nodes[i];
        int reader = maker->back_reader[i], from = i;
        if (of->value == SCHEME_NONE || reader == SCHEME_NONE || value_bytes(maker, i) < LARGE)
            continue;
        int below = first_input(maker, from);
        while (has_again(maker, from) && scheme->nodes[below].value == of->value) {
            from = below;
            below = first_input(maker, from);
        }
        int back = backward_time(scheme, reader);
        bool lives = scheme->nodes[below].value != SCHEME_NONE &&
                     scheme->nodes[below].again_before == SCHEME_NONE &&
                     maker->value_end[below] >= back;
        if (!has_again(maker, from) || !scheme->nodes[from].needs || !lives)
            continue;
        for (int j = from; j <= i; j++)
            if (scheme->nodes[j].value == of->value)
                scheme->nodes[j].again_before = reader;
        scheme->nodes[reader].asks_again = true;
        scheme->buffers[of->value].leave = maker->forward_end[i];
        scheme->buffers[of->value].back = back;
    }
}

// Readers run backward from the last to the first: the first of them to run writes the gradient
// itself, and it lives from there; what the others add has its place only while they run.
static void add_gradients(const Maker *maker) {
    Scheme *scheme = maker->scheme;
    bool keep_all = maker->options->keep_all;
    int output = scheme->count - 1;
    scheme->nodes[output].gradient =
        buffer_add(scheme, value_bytes(maker, output), keep_all ? 0 : scheme->count,
                   keep_all ? 2 * scheme->count : scheme->count);
    for (int i = output; i >= 0; i--) {
        const GraphNode *node = graph_node(maker->graph, i);
        SchemeNode *of = &scheme->nodes[i];
        if (!of->needs || node->op == NULL)
            continue;
        int now = backward_time(scheme, i), in_place = place_of(maker, i);
        for (int k = 0; k < node->inputs; k++) {
            int below = node->input[k];
            SchemeNode *input = &scheme->nodes[below];
            if (!input->needs)
                continue;
            if (input->gradient != SCHEME_NONE) {
                of->extra[k] = buffer_add(scheme, value_bytes(maker, below), now, now);
            } else if (k == 0 && below == in_place) {
                input->gradient = of->gradient;
                later(&scheme->buffers[of->gradient].end, backward_time(scheme, below));
            } else {
                input->gradient =
                    buffer_add(scheme, value_bytes(maker, below), keep_all ? 0 : now,
                               keep_all ? 2 * scheme->count : backward_time(scheme, below));
            }
        }
    }
}

static bool wants_inputs(const Scheme *scheme, const GraphNode *node) {
    for (int k = 0; k < node->inputs; k++)
        if (scheme->nodes[node->input[k]].needs)
            return true;
    return false;
}

static OpCost node_cost(const Maker *maker, int node) {
    const Graph *graph = maker->graph;
    const GraphNode *at = graph_node(graph, node);
    Shape shapes[OP_INPUTS_MAX];
    for (int k = 0; k < at->inputs; k++)
        shapes[k] = graph_node(graph, at->input[k])->shape;
    bool pattern = plan_has_pattern(graph, maker->options, at->input[0]);
    return at->op->cost(at->params,
                        &(OpExtent){.rows = plan_rows(graph, maker->options, at->input[0]),
                                    .edges = maker->options->max_edges,
                                    .entries = pattern ? maker->options->max_entries : 0,
                                    .output_rows = plan_rows(graph, maker->options, node),
                                    .wants_inputs = wants_inputs(maker->scheme, at),
                                    .wants_weights = learns(graph, at)},
                        at->inputs, shapes, &at->shape);
}

// What lives from pass to pass has its bytes for itself.
static void add_carried(const Maker *maker, int node) {
    size_t bytes;
    node_carries(maker->graph, graph_node(maker->graph, node), &bytes);
    if (bytes > 0)
        maker->scheme->nodes[node].carried = buffer_add(
            maker->scheme, bytes * (size_t)maker->options->max_rows, 0, 2 * maker->scheme->count);
}

static void add_areas(const Maker *maker) {
    Scheme *scheme = maker->scheme;
    for (int i = 0; i < scheme->count; i++) {
        const GraphNode *node = graph_node(maker->graph, i);
        SchemeNode *of = &scheme->nodes[i];
        if (!of->active || node->op == NULL)
            continue;
        OpCost cost = node_cost(maker, i);
        bool runs_back = maker->options->backward && of->needs;
        int back = backward_time(scheme, i);
        if (!runs_back)
            cost.backward_flops = 0;
        of->cost = cost;
        scheme->forward_flops += cost.forward_flops;
        scheme->backward_flops += cost.backward_flops;
        if (cost.saved_bytes > 0)
            of->saved = buffer_add(scheme, cost.saved_bytes, i, runs_back ? back : i);
        if (cost.scratch_bytes > 0)
            of->forward_scratch = buffer_add(scheme, cost.scratch_bytes, i, i);
        int again =
            of->again_before == SCHEME_NONE ? back : backward_time(scheme, of->again_before);
        if (runs_back && cost.scratch_bytes > 0)
            of->backward_scratch = buffer_add(scheme, cost.scratch_bytes, again, back);
        if (maker->options->carry)
            add_carried(maker, i);
    }
}

static int check_sizes(const Graph *graph, const PlanOptions *options) {
    if (options->output < 0 || options->output >= graph_nodes(graph) || options->max_rows < 1)
        return ERR_INVALID;
    for (int i = 0; i <= options->output; i++) {
        if (plan_rows(graph, options, i) < 1)
            return ERR_INVALID;
        int64_t elements = most_elements(graph, options, i);
        if (elements < 0 || elements > INT32_MAX) // BLAS counts in int
            return ERR_TOO_LARGE;
    }
    if (options->carry && (options->backward || !graph_carries(graph, options->output)))
        return ERR_INVALID;
    bool pattern = options->max_entries > 0;
    return pattern && (options->keep_all || !graph_takes_pattern(graph, options->output))
               ? ERR_INVALID
               : OK;
}

int scheme_make(const Graph *graph, const PlanOptions *options, Scheme *ret_scheme) {
    int err = check_sizes(graph, options);
    if (err != OK)
        return err;
    Scheme scheme = {.count = options->output + 1};
    size_t count = (size_t)scheme.count;
    scheme.nodes = memory_array(count, sizeof(SchemeNode));
    scheme.buffers = memory_array(count * BUFFERS_A_NODE, sizeof(LayoutBuffer));
    AUTO_FREE int *times = memory_array(3 * count, sizeof(int));
    if (scheme.nodes == NULL || scheme.buffers == NULL || times == NULL) {
        scheme_finish(&scheme);
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        SchemeNode *node = &scheme.nodes[i];
        node->value = node->gradient = node->saved = node->carried = SCHEME_NONE;
        node->again_before = SCHEME_NONE;
        node->forward_scratch = node->backward_scratch = SCHEME_NONE;
        for (int k = 0; k < OP_INPUTS_MAX; k++)
            node->extra[k] = SCHEME_NONE;
    }
    Maker maker = {graph, options, &scheme, times, times + count, times + 2 * count};
    mark_active(graph, &scheme);
    scheme_needs(graph, options->keep_all, scheme.nodes, scheme.count);
    find_value_ends(&maker);
    add_values(&maker);
    drop_values(&maker);
    if (options->backward)
        add_gradients(&maker);
    add_areas(&maker);
    err = layout_place(scheme.buffers, scheme.buffer_count, &scheme.bytes);
    if (err != OK) {
        scheme_finish(&scheme);
        return err;
    }
    *ret_scheme = scheme;
    return OK;
}

void scheme_finish(Scheme *scheme) {
    memory_free(scheme->nodes);
    memory_free(scheme->buffers);
    *scheme = (Scheme){0};
}
