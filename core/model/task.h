// What a model is for: the part of a dataset that shapes and losses depend on.
#pragma once
#include "core/base/archive.h"
#include "core/graph/graph.h"
#include "core/tensor/shape.h"

typedef enum TaskKind { TASK_CLASSIFICATION, TASK_REGRESSION, TASK_LANGUAGE_MODEL } TaskKind;

typedef enum TaskRows {
    ROWS_ALIKE,     // rows of one shape
    ROWS_SEQUENCES, // [time, …], each as long as it is, padded to the shape
    ROWS_NODES,     // the nodes of one graph, a target each
    ROWS_GRAPHS,    // graphs, a target each; the shape is a node's
} TaskRows;

typedef struct Task {
    TaskKind kind;
    TaskRows rows;
    Shape input;     // of one row
    int64_t outputs; // classes, or numbers a target has
    int64_t steps;   // targets a row has, one for each step (language models); 0: one for the row
    int64_t vocabulary; // inputs are token ids below this; 0: they are numbers
} Task;

const char *task_name(TaskKind kind); // "classification", …
int task_parse(const char *name, TaskKind *ret_kind);
GraphRows task_graph_rows(const Task *task);

// Sections "task" (text), "task.rows" (text; absent: alike), "task.input" i64 [rank] and "task.outputs", "task.steps",
// "task.vocabulary" i64 [1], the latter two where they are not 0. ERR_DAMAGED for what does not make a task.
int task_save(const Task *task, ArchiveWriter *writer);
int task_load(const Archive *archive, Task *ret_task);
