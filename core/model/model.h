// A model: the layers of a spec as a graph, and what is known of each layer.
//
// The spec is model.md's `model` object. Weights are apart: one flat array (see graph.h) that a
// trainer, a predictor or a check owns.
#pragma once
#include "core/base/archive.h"
#include "core/graph/graph.h"
#include "core/layers/layers.h"
#include "core/model/task.h"

typedef struct ModelLayer {
    const char *name; // "dense_1"
    const LayerDesc *desc;
    const void *params;
    int inputs, input[OP_INPUTS_MAX]; // nodes it reads
    int output;                       // node the next layer reads
    int pre_activation;               // node before its activation (output where there is none)
    const ActivationDesc *activation; // NULL: none
    int parent;                       // index of the residual around it; −1 at the top
    bool trainable;
    int first_weight, weights; // its weights in the graph: [first_weight, first_weight + weights)
    int64_t parameters;        // learned elements
} ModelLayer;

typedef struct Model Model;

// Reads and checks the whole spec, collecting every error with its place under `path`; ERR_INVALID
// then. The nesting, the number of layers and every product of sizes are bounded.
int model_create(Value spec, const Path *path, const Task *task, Issues *issues, Model **ret_model);
// What can be told of a spec without knowing the dataset: keys, types, names and parameters, but no shapes. Every error is
// an issue. ERR_NO_MEMORY.
int model_check_words(Value spec, const Path *path, Issues *issues);
// Of a model whose inputs are tokens: an issue for each layer that takes their ids for quantities. `path` is that of "layers".
void model_check_tokens(const Model *model, const Path *path, Issues *issues);
void model_destroy(Model *model); // takes NULL

const Graph *model_graph(const Model *model);
const Task *model_task(const Model *model);
const Shape *model_input_shape(const Model *model); // as the model reads it (input.shape)
int model_output(const Model *model);               // node
const Shape *model_output_shape(const Model *model);
int model_layers(
    const Model *model); // in reading order, nested ones included (residual before what it holds)
const ModelLayer *model_layer(const Model *model, int index);
int model_find_layer(const Model *model, const char *name); // −1
int64_t model_parameters(const Model *model);               // learned
const char *model_initial(const Model *model);              // id of `model.initial`, or NULL

// Writes the spec with every default filled in, as an object under `key`.
void model_write(const Model *model, const char *key, const ValueWriter *out);

// ---- weights in files ----

// "layer.weight", of a weight of the graph.
void model_weight_name(const Model *model, int index, char name[ARCHIVE_NAME_MAX + 1]);

// Adds a section "layer.weight" (f32) for each weight. `weights` is flat, as the graph has it.
int model_save_weights(const Model *model, const Real *weights, ArchiveWriter *writer);
// Reads them back; a missing section or a wrong shape is ERR_DAMAGED.
int model_load_weights(const Model *model, const Archive *archive, Real *weights);
// Copies those that are there in the weight's shape, and leaves the others; returns how many it copied, or with `weights` NULL
// would.
int model_copy_weights(const Model *model, const Archive *archive, Real *weights);
bool model_copies_weight(const Model *model, int index, const Archive *archive);
// SHA-256 over names, shapes and float32 values in order: the `sha256` of a model that users see.
void model_hash_weights(const Model *model, const Real *weights, char ret_sha256[65]);
// safetensors (https://github.com/huggingface/safetensors): header JSON, then the arrays. Written
// aside, fsynced, renamed.
int model_export_safetensors(const Model *model, const Real *weights, const char *path);
