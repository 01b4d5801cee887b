// What POST /v1/models/{id}/explain is asked and what comes of it, for the files of the route.
#pragma once
#include "core/model/explainer.h"
#include "server/routes/model_inputs.h"

typedef struct Explaining {
    LoadedModel *model; // shared
    ModelInputs inputs;
    ExplainOptions options;
    int32_t target;       // that all rows have; EXPLAIN_PREDICTED: each its own
    int64_t asked;        // rows, graphs or nodes
    int64_t rows;         // of attributions that each of them has: 1; of a node asked, all nodes
    int64_t width;        // of a row of attributions
    int32_t *targets;     // [asked]
    double *attributions; // [rows in all, width]; of nodes [asked, nodes, width]
    double *outputs;      // [asked]
    double *baselines;    // [asked]; NULL unless it integrates
} Explaining;

extern const char *const explain_methods[];   // by ExplainMethod; NULL-terminated
extern const char *const explain_baselines[]; // by ExplainBaseline; NULL-terminated

// The answer, as an object.
void explaining_write(const Explaining *explaining, JsonOut *out);
