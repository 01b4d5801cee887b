// What the files of a trace share: the body, read.
#pragma once
#include "core/losses/losses.h"
#include "core/model/model.h"
#include "core/optimizers/optimizers.h"
#include "core/train/trace.h"

typedef struct TraceParams {
    Value model, inputs, targets, weights, class_weight;
    Selection loss, optimizer;
    int64_t seed;
    bool dropout;
} TraceParams;

typedef struct Trace {
    Arena arena; // all below but model and plan
    TraceParams params;
    Model *model;
    Tensor inputs;      // [rows, row shape]
    LossCall loss_call; // outputs and gradients are the pass's
    const char **
        names; // [name_count] of the classes in the order of their numbers, where targets are names
    int64_t name_count;
    Real *weights; // [graph_weight_elements] before the step
} Trace;

// Reads the whole body. ERR_INVALID: the issues name every mistake.
int trace_read(Value body, Issues *issues, Trace *trace);
// Its targets, once the model is built: loss, loss_call and names.
int trace_read_targets(Trace *trace, Issues *issues);
const LossDesc *trace_loss(const Trace *trace);
