// Walks every registry that a job can name.
#pragma once
#include "core/base/descriptor.h"

typedef struct CatalogPart {
    const char
        *key; // "layers", "activations", "initializers", "losses", "optimizers", "schedules",
              // "augmentations"
    const Registry *registry;
} CatalogPart;

size_t catalog_parts(void);
const CatalogPart *catalog_part(size_t index);
// The body of GET /v1/layers: {"layers": [{"name", "aliases", "summary", "reference", "parameters":
// […]}], …}, and "training", its "early_stopping" and a "phase" of it: the tables of their keys, as entries of their
// own.
void catalog_write(const ValueWriter *out);
