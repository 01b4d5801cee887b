// What a model is for: the part of a dataset that shapes and losses depend on.
#pragma once
#include "core/graph/graph.h"

typedef enum TaskKind { TASK_CLASSIFICATION, TASK_REGRESSION, TASK_LANGUAGE_MODEL } TaskKind;

typedef struct Task {
    TaskKind kind;
    GraphRows rows;  // what the input's rows are
    Shape input;     // of one row
    int64_t outputs; // classes, or numbers a target has
} Task;

const char *task_name(TaskKind kind); // "classification", …
int task_parse(const char *name, TaskKind *ret_kind);
