// What is to be learned, row by row, and what it means: classes or numbers. For the files of server/data.
//
// Strings are classes, in code-point order. Whole numbers of at most 50 distinct values are classes, in the order of numbers; beyond
// that they are numbers, with an `info` finding. Other numbers, and arrays, are numbers. An explicit task decides otherwise.
// With class names given, strings must be among them and numbers are their indices.
#pragma once
#include "core/base/archive.h"
#include "core/model/task.h"
#include "server/data/findings.h"
#include "core/base/names.h"
#include "server/data/row_text.h"
#include "server/data/spool.h"

enum {
    TARGETS_INFERRED_MAX = 50, // distinct whole numbers that are classes unasked
    TARGETS_CLASSES_MAX = 10000,
    TARGETS_NAME_MAX = 256, // bytes of a class's name
};

typedef enum TargetsForm {
    TARGETS_NONE,
    TARGETS_NAMES,
    TARGETS_NUMBERS,
    TARGETS_ARRAYS
} TargetsForm;

typedef struct Targets {
    TargetsForm form;
    int64_t rows;
    Shape shape;   // of one, where they are arrays
    int64_t width; // numbers of one
    Spool
        cells; // of each row: its number in `names` (int32_t), its number (double), or its array (float [width])
    float *array;     // [width] the one under way
    bool gaps;        // null is no target at all: a class of −1, or NaN
    uint8_t *missing; // [rows] whether a row has none, where there are gaps
    int64_t missing_capacity, missing_count;
    Names names;
    Text scratch;
    // once settled:
    TaskKind task;
    char **class_names;  // [class_count], classification
    int64_t *class_rows; // [class_count] how many rows have it
    int64_t class_count;
    int32_t *moved;   // [names.count] the class of a name
    double *distinct; // [class_count] the number of a class; NULL: its index
} Targets;

void targets_init(Targets *targets, int directory); // the data directory
void targets_finish(Targets *targets);
// The next row's target. What is wrong with it is an issue (and the row is counted); else ERR_NO_MEMORY.
int targets_take(Targets *targets, Span *span, const Place *place, Issues *issues);
int targets_take_name(Targets *targets, const char *text, size_t length, const Place *place,
                      Issues *issues);
int targets_take_number(Targets *targets, double number, const Place *place, Issues *issues);
// values [shape], of which all are
int targets_take_array(Targets *targets, const float *values, const Shape *shape);

typedef struct TargetsWish {
    const char *task;         // NULL: inferred
    const Names *class_names; // NULL or empty: from the data
    const char *pointer;      // of the targets, for issues
    const char *task_pointer;
} TargetsWish;
// Decides what the targets are. Issues, or ERR_NO_MEMORY.
int targets_settle(Targets *targets, const TargetsWish *wish, Issues *issues, Findings *findings);
// Sections "task", "targets", "class_names".
int targets_write(Targets *targets, ArchiveWriter *writer);
