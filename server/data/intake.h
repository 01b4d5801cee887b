// From what users send to a dataset archive (core/train/dataset.h), its profile and its row.
//
// Memory stays bounded by the stored dataset: numbers go from the text straight into the archive's arrays.
// Every error of the data comes with its pointer (JSON) or line and column (CSV).
#pragma once
#include "core/base/issues.h"
#include "server/json/document.h"
#include "server/store/tables.h"

// The pointers to lift when parsing a body that may hold a dataset: at the top, and under /dataset for inline ones.
extern const char *const intake_lifted_top[];    // "/inputs", "/targets", …, NULL
extern const char *const intake_lifted_inline[]; // "/dataset/inputs", …

// A dataset object `value`, found at `prefix` ("" or "/dataset") of `document`. Writes DIR/datasets/ID.bpa with the id made
// here and fills the row (not stored yet). ERR_INVALID with issues; ERR_IO; ERR_NO_MEMORY.
int intake_json(int directory, const Document *document, Value value, const char *prefix,
                Issues *issues, DatasetRow *ret_row);
// text/csv with a header; `target`: column names, comma-separated (NULL: the last column).
int intake_csv(int directory, const char *text, size_t length, const char *name, const char *target,
               Issues *issues, DatasetRow *ret_row);
// a line a row: {"input": …, "target": …}
int intake_ndjson(int directory, const char *text, size_t length, const char *name, Issues *issues,
                  DatasetRow *ret_row);
