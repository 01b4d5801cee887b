// What the files of a trace share: the body, read.
#pragma once
#include "core/losses/losses.h"
#include "core/model/model.h"
#include "core/optimizers/optimizers.h"
#include "core/train/trace.h"

typedef struct TraceParams {
    Value model, inputs, graph, targets, weights, class_weight;
    Selection loss, optimizer;
    int64_t seed;
    bool dropout;
} TraceParams;

typedef struct Trace {
    Arena arena; // all below but model and plan
    TraceParams params;
    Model *model;
    Task task;              // as far as the rows tell it
    Tensor inputs;          // [rows, row shape], as the model reads them
    int32_t *lengths;       // [rows] steps of each, where they differ; else NULL
    AdjacencyBuffer graphs; // memory NULL: the rows are no nodes
    bool *trains;           // [nodes] whether the graph's splits let each train; NULL: all
    int32_t *counted;   // [loss_call.rows] of a graph, the nodes that have a target; NULL: all rows
    LossCall loss_call; // outputs and gradients are the pass's
    const char **
        names; // [name_count] of the classes in the order of their numbers, where targets are names
    int64_t name_count;
    Real *weights; // [graph_weight_elements] before the step
} Trace;

void trace_finish(Trace *trace);

enum { TRACE_NUMBERS_MAX = 4000000 }; // of an answer: about 80 MB of text

// Reads the whole body. ERR_INVALID: the issues name every mistake.
int trace_read(Value body, Issues *issues, Trace *trace);
// Its rows, before there is a model: task, inputs and lengths. Sets inputs.data once the shape is known.
int trace_read_rows(Trace *trace, Issues *issues);
// The same of a graph.
int trace_read_graph(Trace *trace, Issues *issues);
// How many rows the output has: one of the whole graph, where its nodes are pooled.
int64_t trace_output_rows(const Trace *trace);
// How many steps of the node's rows are data; false: none of them is padding.
bool trace_lengths(const Trace *trace, int node, int32_t lengths[TRACE_ROWS_MAX]);
// What the model asks of them.
void trace_check_rows(const Trace *trace, Issues *issues);
// Its targets, once the model is built: loss, loss_call and names.
int trace_read_targets(Trace *trace, Issues *issues);
const LossDesc *trace_loss(const Trace *trace);
