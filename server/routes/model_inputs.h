// What a request asks a model about: rows, texts, nodes or graphs, as the model takes them.
#pragma once
#include "server/data/graph_request.h"
#include "server/routes/predictors.h"

extern const char *const model_inputs_lifted[]; // pointers to lift when parsing the body

typedef struct ModelInputs { // a zeroed one is ready to use
    int64_t rows;
    float *values;       // [rows, input width], owned
    int32_t *lengths;    // [rows] of texts, owned; else NULL
    GraphRequest graphs; // where the model reads graphs: these, and nothing of the above
} ModelInputs;

// more: members that the body may have beside, NULL-terminated; or NULL. ERR_INVALID with issues; what graph_request_read says.
int model_inputs_read(const Document *document, const LoadedModel *model, const char *const *more,
                      Issues *issues, ModelInputs *inputs);
// The rows alone, where the model reads none of graphs: `text` is the JSON array of them. As above.
int model_rows_read(const LoadedModel *model, const char *text, size_t length, Issues *issues,
                    ModelInputs *inputs);
void model_inputs_finish(ModelInputs *inputs);
