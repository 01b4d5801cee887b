// What the files of this folder share: a model from the inside.
#pragma once
#include "core/model/model.h"

enum {
    MODEL_LAYERS_MAX = 1000, // nested ones included
    MODEL_NESTING_MAX = 16,
    MODEL_NAME_MAX = 64,
};

enum { SOURCE_INPUT = -1 }; // the model's input, among the indices of layers

typedef struct ModelEntry {
    ModelLayer layer;
    int *sources;     // [source_count] indices of the layers named by `inputs`, or SOURCE_INPUT
    int source_count; // 0: it reads the layer before it
    int end;          // the index behind the last layer that it holds
    bool broken; // an error was reported: its output is not known, so what reads it is not judged
} ModelEntry;

struct Model {
    Graph *graph; // owns, in its arena, every name and parameter here
    Task task;
    Shape input;
    bool input_given;
    const char *initial;
    ModelEntry *entries; // [count] in reading order
    int count, capacity;
    int output; // node
    int64_t parameters;
};

// Reads the spec into an empty model: entries, graph and output. ERR_INVALID: the issues say what
// is wrong.
int spec_read(Model *model, Value spec, const Path *path, Issues *issues);
// As far as no task is needed for it. OK also where there are issues, but for what is no object.
int spec_check_words(Model *model, Value spec, const Path *path, Issues *issues);
// Of a model whose layers are all built: issues where the list of them is at `path`. ERR_NO_MEMORY.
int wiring_check(const Model *model, const Path *path, Issues *issues);
