// Graphs: nodes and weights in order of their declaration. Refuses what breaks that order (a node
// that reads a later one, a layer whose weights do not lie together) and shapes beyond the bounds;
// nothing is ever removed.
#include "core/graph/graph.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/tensor/kernels.h"

typedef struct LayerRange {
    size_t begin, end; // of the learned weights
    bool frozen;
} LayerRange;

struct Graph {
    Arena arena; // operators' parameters, names
    GraphLengths *lengths;
    int lengths_count;
    GraphNode *nodes;
    int node_count;
    GraphWeight *weights;
    int weight_count;
    LayerRange *layers;
    int layer_count;
    size_t learned, states; // elements
};

Graph *graph_create(void) {
    Graph *graph = memory_new(Graph);
    if (graph != NULL)
        arena_init(&graph->arena, 0);
    return graph;
}

void graph_destroy(Graph *graph) {
    if (graph == NULL)
        return;
    memory_free(graph->nodes);
    memory_free(graph->lengths);
    memory_free(graph->weights);
    memory_free(graph->layers);
    arena_finish(&graph->arena);
    memory_free(graph);
}

Arena *graph_arena(Graph *graph) {
    return &graph->arena;
}

// Room for one more of `count` items: memory grows in powers of two, and only there.
static int grow(void **items, int count, size_t size) {
    if ((count & (count - 1)) != 0 && count > 0)
        return OK;
    size_t old = (size_t)count, new = old == 0 ? 1 : 2 * old;
    void *grown = memory_resize(*items, old, new, size);
    if (grown == NULL)
        return ERR_NO_MEMORY;
    *items = grown;
    return OK;
}

static int add_lengths(Graph *graph, const GraphLengths *lengths) {
    int err = grow((void **)&graph->lengths, graph->lengths_count, sizeof(GraphLengths));
    if (err != OK)
        return err;
    graph->lengths[graph->lengths_count] = *lengths;
    return graph->lengths_count++;
}

static int append_node(Graph *graph, const GraphNode *node) {
    // A plan's tensors have the batch as one more axis.
    if (node->shape.rank >= SHAPE_RANK_MAX || shape_elements(&node->shape) == 0)
        return ERR_TOO_LARGE;
    int err = grow((void **)&graph->nodes, graph->node_count, sizeof(GraphNode));
    if (err != OK)
        return err;
    graph->nodes[graph->node_count] = *node;
    return graph->node_count++;
}

int graph_input(Graph *graph, const Shape *row_shape, GraphRows rows) {
    GraphNode node = {
        .shape = *row_shape, .layer = -1, .per_node = rows == GRAPH_NODES, .lengths = LENGTHS_NONE};
    if (rows == GRAPH_SEQUENCES && row_shape->rank > 0) {
        node.lengths = add_lengths(graph, &(GraphLengths){.from = LENGTHS_NONE});
        if (node.lengths < 0)
            return node.lengths;
    }
    return append_node(graph, &node);
}

// What the operator makes of its input's rows: a row a node or one a graph, and how many steps of it count.
static int follow_rows(Graph *graph, const Shape *shapes, GraphNode *node, char why[OP_WHY]) {
    const GraphNode *input = &graph->nodes[node->input[0]];
    const OpDesc *op = node->op;
    node->per_node = input->per_node && !op->pools_nodes;
    node->lengths = input->lengths;
    for (int k = 1; k < node->inputs; k++)
        if (graph->nodes[node->input[k]].per_node != input->per_node) {
            snprintf(why, OP_WHY,
                     "one of its inputs has a row for each node, another one for each graph");
            return ERR_INVALID;
        }
    if ((op->reads_adjacency || op->pools_nodes) && !input->per_node) {
        snprintf(why, OP_WHY,
                 "it needs a row for each node of a graph, which its input does not have");
        return ERR_INVALID;
    }
    if (input->lengths == LENGTHS_NONE || op->length == NULL)
        return OK;
    if (op->length(node->params, shapes, shapes[0].dim[0]) < 0) {
        node->lengths = LENGTHS_NONE;
        return OK;
    }
    node->lengths =
        add_lengths(graph, &(GraphLengths){input->lengths, op, node->params, shapes[0]});
    return node->lengths < 0 ? node->lengths : OK;
}

// Makes sure that layers 0…layer have their ranges.
static int reach_layer(Graph *graph, int layer) {
    while (graph->layer_count <= layer) {
        int err = grow((void **)&graph->layers, graph->layer_count, sizeof(LayerRange));
        if (err != OK)
            return err;
        graph->layers[graph->layer_count++] = (LayerRange){graph->learned, graph->learned, false};
    }
    return OK;
}

int graph_weight(Graph *graph, const GraphWeight *weight) {
    int64_t elements = shape_elements(&weight->shape);
    size_t total;
    if (weight->layer < 0 || (isnan(weight->fill) && weight->init.desc == NULL))
        return ERR_INVALID;
    if (elements == 0 || !size_add(graph->learned + graph->states, (size_t)elements, &total) ||
        total > (size_t)SHAPE_ELEMENTS_MAX)
        return ERR_TOO_LARGE;
    int err = reach_layer(graph, weight->layer);
    if (err == OK)
        err = grow((void **)&graph->weights, graph->weight_count, sizeof(GraphWeight));
    if (err != OK)
        return err;
    const char *name = arena_string(&graph->arena, weight->name);
    if (name == NULL)
        return ERR_NO_MEMORY;

    LayerRange *range = &graph->layers[weight->layer];
    GraphWeight *added = &graph->weights[graph->weight_count];
    if (weight->state) {
        *added = *weight;
        added->offset = graph->learned + graph->states;
        graph->states += (size_t)elements;
    } else {
        if (range->begin == range->end)
            range->begin = range->end = graph->learned;
        if (range->end != graph->learned) // another layer's came between
            return ERR_INVALID;
        for (int w = 0; w < graph->weight_count; w++) // the states move up behind it
            if (graph->weights[w].state)
                graph->weights[w].offset += (size_t)elements;
        *added = *weight;
        added->offset = graph->learned;
        graph->learned += (size_t)elements;
        range->end = graph->learned;
    }
    added->name = name;
    return graph->weight_count++;
}

int graph_add(Graph *graph, int layer, const OpDesc *op, const void *params, int inputs,
              const int *input, int weights, const int *weight, char why[OP_WHY]) {
    why[0] = '\0';
    if (inputs < 1 || inputs > OP_INPUTS_MAX || weights < 0 || weights > OP_WEIGHTS_MAX) {
        snprintf(why, OP_WHY, "it has %d inputs; from 1 to %d are possible", inputs, OP_INPUTS_MAX);
        return ERR_INVALID;
    }
    GraphNode node = {
        .op = op, .params = params, .inputs = inputs, .weights = weights, .layer = layer};
    Shape shapes[OP_INPUTS_MAX];
    for (int k = 0; k < inputs; k++) {
        if (input[k] < 0 || input[k] >= graph->node_count)
            return ERR_INTERNAL;
        node.input[k] = input[k];
        shapes[k] = graph->nodes[input[k]].shape;
    }
    for (int k = 0; k < weights; k++) {
        if (weight[k] < 0 || weight[k] >= graph->weight_count)
            return ERR_INTERNAL;
        node.weight[k] = weight[k];
    }
    int err = op->shape(params, inputs, shapes, &node.shape, why);
    if (err == OK)
        err = follow_rows(graph, shapes, &node, why);
    if (err != OK)
        return err;
    int index = append_node(graph, &node);
    if (index == ERR_TOO_LARGE) {
        char text[SHAPE_TEXT];
        snprintf(why, OP_WHY, "its output would have shape %s, which is beyond the bounds",
                 shape_text(&node.shape, text));
        return ERR_INVALID;
    }
    return index;
}

int graph_lengths(const Graph *graph) {
    return graph->lengths_count;
}

const GraphLengths *graph_lengths_at(const Graph *graph, int lengths) {
    return &graph->lengths[lengths];
}

static int64_t follow_length(const Graph *graph, int lengths, int64_t given) {
    const GraphLengths *kind = &graph->lengths[lengths];
    if (kind->from == LENGTHS_NONE)
        return given;
    return kind->op->length(kind->params, &kind->input, follow_length(graph, kind->from, given));
}

int64_t graph_length(const Graph *graph, int node, int64_t given) {
    int lengths = graph->nodes[node].lengths;
    return lengths == LENGTHS_NONE ? -1 : follow_length(graph, lengths, given);
}

int graph_nodes(const Graph *graph) {
    return graph->node_count;
}

const GraphNode *graph_node(const Graph *graph, int node) {
    return &graph->nodes[node];
}

int graph_weights(const Graph *graph) {
    return graph->weight_count;
}

const GraphWeight *graph_weight_at(const Graph *graph, int weight) {
    return &graph->weights[weight];
}

size_t graph_learned(const Graph *graph) {
    return graph->learned;
}

size_t graph_weight_elements(const Graph *graph) {
    return graph->learned + graph->states;
}

void graph_layer_range(const Graph *graph, int layer, size_t *ret_begin, size_t *ret_end) {
    bool known = layer >= 0 && layer < graph->layer_count;
    *ret_begin = known ? graph->layers[layer].begin : 0;
    *ret_end = known ? graph->layers[layer].end : 0;
}

int graph_freeze(Graph *graph, int layer) {
    if (layer < 0)
        return ERR_INVALID;
    int err = reach_layer(graph, layer);
    if (err == OK)
        graph->layers[layer].frozen = true;
    return err;
}

bool graph_frozen(const Graph *graph, int layer) {
    return layer >= 0 && layer < graph->layer_count && graph->layers[layer].frozen;
}

int graph_initialise(const Graph *graph, uint64_t seed, Real *weights) {
    for (int w = 0; w < graph->weight_count; w++) {
        const GraphWeight *weight = &graph->weights[w];
        size_t elements = (size_t)shape_elements(&weight->shape);
        Real *values = weights + weight->offset;
        if (!isnan(weight->fill)) {
            kernel_fill(values, elements, (Real)weight->fill);
            continue;
        }
        Rng rng = rng_make(seed, RNG_WEIGHTS, (uint64_t)w, 0);
        size_t columns = (size_t)shape_last(&weight->shape);
        InitCall call = {.params = weight->init.params,
                         .fan_in = weight->fan_in,
                         .fan_out = weight->fan_out,
                         .rows = elements / columns,
                         .columns = columns,
                         .stride = columns,
                         .rng = &rng};
        ((const InitDesc *)weight->init.desc)->fill(&call, values);
    }
    return OK;
}
