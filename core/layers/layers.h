// The layer registry: layers compose operators, so most have no backward of their own.
//
// A probe is {"input": [row shape], "layers": [layer, …]} (with "inputs" wiring as in a job); each is gradient-checked
// as a whole net. Before its "layers" it may have "lengths": [3, 1, …]: then the rows are as many sequences, [time, …],
// of so many steps; "vocabulary": n, then the input is token ids below n; or "graph": {"nodes": n, "edges": [[0, 1], …]}
// or "graphs": [graph, …], then the rows are their nodes (edges go both ways unless "directed" is true).
#pragma once
#include "core/base/descriptor.h"
#include "core/graph/graph.h"

// What a layer's build is given.
typedef struct LayerBuild {
    Graph *graph;
    Issues *issues;
    const Path *path; // of this layer in the document
    int layer;        // its index
    const char *name;
    const char *
        next_activation; // of an `activation` layer right behind it, else NULL: He or Glorot follows
    Arena *arena;        // lives as long as the graph
    int64_t vocabulary;  // of the dataset's tokens; 0: its inputs are numbers
    // Builds a nested list of layers (residual); gives the node of its last. Set by core/model.
    int (*build_nested)(struct LayerBuild *build, Value layers, const Path *path, int input,
                        int *ret_output);
    void *model; // build_nested's own
    // Results beside the output, for traces and statistics:
    int pre_activation; // the node before the activation; the output where there is none
    const ActivationDesc *activation; // what the layer ends with; NULL: none
} LayerBuild;

typedef struct LayerDesc {
    Desc desc;
    int min_inputs, max_inputs;
    // Adds its nodes; ret_output is the node that the next layer reads. On ERR_INVALID the issues say what is wrong.
    int (*build)(LayerBuild *build, const void *params, int inputs, const int *input,
                 int *ret_output);
} LayerDesc;

extern const Registry layer_registry; // "layer"
const LayerDesc *layer_find(const char *name);

// ---- for the layers' own files ----

// Row shape of a node.
const Shape *layer_shape(const LayerBuild *build, int node);
// Reports an error at a parameter of this layer (NULL: at the layer); returns ERR_INVALID.
int layer_fail(LayerBuild *build, const char *param, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// Declares a weight; init.desc NULL with `fill` given: constant. Returns its index or a negative error.
int layer_weight(LayerBuild *build, const char *name, Shape shape, Selection init, double fan_in,
                 double fan_out, double fill, bool state);
// graph_add with errors reported at the layer; the node becomes the pre_activation.
int layer_append(LayerBuild *build, const OpDesc *op, const void *params, int inputs,
                 const int *input, int weights, const int *weight);
// Adds the product with `kernel` [in, units], and `bias` [units] unless that is negative; returns its node.
int layer_linear(LayerBuild *build, int input, int64_t units, int kernel, int bias);
// Adds the activation (nothing for linear or none), declares prelu's alpha, and records pre_activation and activation.
int layer_activate(LayerBuild *build, Selection activation, int input, int *ret_output);
// The kernel initialiser chosen by the user, or He's for the ReLU family, GELU and Swish, Glorot's otherwise.
Selection layer_kernel_init(const LayerBuild *build, Selection chosen, Selection activation);
// How tables of vectors start: normal with deviation 0.02 (GPT-2's; docs/decisions).
Selection layer_embedding_init(void);
// Pools a whole row's places with `rows`, or, of rows [features] for each node, the nodes of each graph with `nodes`.
int layer_pool_all(LayerBuild *build, int input, const OpDesc *rows, const OpDesc *nodes,
                   int *ret_output);
