// From what users send to a dataset archive (core/train/dataset.h), its profile and its row.
//
// Memory does not grow with the data: numbers go from the text straight into the archive's arrays, and the pages of a mapped
// text are given back as it is read.
// Every error of the data comes with its pointer (JSON) or line and column (CSV).
#pragma once
#include "core/base/issues.h"
#include "server/base/source.h"
#include "server/json/document.h"
#include "server/store/tables.h"

// The pointers to lift when parsing a body that may hold a dataset: at the top, and under /dataset for inline ones.
extern const char *const intake_lifted_top[];    // "/inputs", "/targets", …, NULL
extern const char *const intake_lifted_inline[]; // "/dataset/inputs", …

// A dataset object `value`, found at `prefix` ("" or "/dataset") of `document`. Writes DIR/datasets/ID.bpa with the id made
// here and fills the row (not stored yet). ERR_INVALID with issues; ERR_IO; ERR_NO_MEMORY.
int intake_json(int directory, const Document *document, Value value, const char *prefix,
                Issues *issues, DatasetRow *ret_row);

// multipart/form-data: parts `inputs`, `targets`, `test_inputs` and `test_targets` as IDX or NPY files, gzip or not, and `name`,
// `task`, `class_names`, `feature_names`, `splits` as in JSON. content_type: with its boundary. unpacked_max: bytes that the files
// may unpack to in all. ERR_DAMAGED: the body is no multipart/form-data; ERR_TOO_LARGE; both with issues, as ERR_INVALID.
int intake_multipart(int directory, const Source *source, const char *content_type,
                     uint64_t unpacked_max, Issues *issues, DatasetRow *ret_row);

// What forms without room for it are told beside their text; NULL: nothing.
typedef struct IntakeWish {
    const char *name;
    const char *task;   // "classification" or "regression"; NULL: inferred
    const char *target; // of CSV: column names, comma-separated; NULL: the last column
} IntakeWish;
// text/csv with a header
int intake_csv(int directory, const Source *source, const IntakeWish *wish, Issues *issues,
               DatasetRow *ret_row);
// a line a row: {"input": …, "target": …}
int intake_ndjson(int directory, const Source *source, const IntakeWish *wish, Issues *issues,
                  DatasetRow *ret_row);
