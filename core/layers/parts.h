// Parts that several layers are made of. Each adds its nodes and declares its weights under the names
// of the job language, behind a prefix: "" for a layer of its own, "attention." within another.
// Returns the node that is read next, or a negative error whose reason the issues have.
#pragma once
#include "core/layers/layers.h"

// x · kernel + bias on the last axis.
int part_linear(LayerBuild *build, const char *prefix, int64_t units, Selection kernel_init,
                int input);
// Layer normalisation of the last axis with the usual epsilon.
int part_layer_norm(LayerBuild *build, const char *prefix, int input);
// The input itself where rate is 0.
int part_dropout(LayerBuild *build, double rate, int input);
// Self-attention over [time, width] with projections: three into `units` and one back to width.
typedef struct PartAttention {
    int64_t heads, units;
    bool causal;
    double dropout; // of the attention probabilities
} PartAttention;
int part_attention(LayerBuild *build, const char *prefix, const PartAttention *attention,
                   int input);
