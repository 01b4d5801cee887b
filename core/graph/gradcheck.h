// Gradient check: backpropagation against central differences, (f(w + h) − f(w − h)) / 2h. Meant
// for the double build.
//
// Relative error of a part (a weight tensor, an input) is max|a − n| / max(max|a|, max|n|, 10⁻³ ·
// largest), a the backward pass's gradients, n the differences, `largest` the greatest gradient of
// all parts: a true zero counts as equal.
//
// Near a kink (ReLU's at 0) a difference means nothing if a step of h crosses it, and of a large f a
// short step's is rounding alone. Where a and n disagree, other steps are tried, then differences to
// one side alone, and the nearest n counts: that mends a kink that is crossed or stood upon, but no
// wrong gradient.
#pragma once
#include "core/graph/graph.h"

typedef struct GradcheckPart {
    const char *name;      // for the caller
    int weight;            // index in the graph; −1: not a weight
    Real *values;          // [count] moved and put back
    const Real *gradients; // [count] analytic
    size_t count;
    double *numeric; // [count] gets the differences, NAN where not sampled; or NULL
    double error;    // result
} GradcheckPart;

typedef struct GradcheckOptions {
    // Of a part that are checked: all, or beyond it the one with the largest gradient and a seeded sample; 0: unbounded. Each is
    // measured by the largest gradient of the whole part.
    size_t max_elements;
    uint64_t seed;
    // f of the values as they stand. Must be a function: the same values give the same number
    // (dropout: the same step).
    double (*objective)(void *context);
    void *context;
} GradcheckOptions;

// max_elements for parts of so many elements together, where a forward pass takes so much arithmetic: as many as are checked
// in seconds. 0 (all) where they are; never so few that a part is hardly looked at.
size_t gradcheck_elements(double pass_flops, size_t elements, size_t parts);
// Fills one part for each learned weight of layers that are not frozen; returns how many. parts
// [graph_weights].
size_t gradcheck_parts(const Graph *graph, Real *weights, const Real *gradients,
                       GradcheckPart *parts);
// Checks the parts, sets their errors, and returns the largest; INFINITY where anything was not
// finite.
double gradcheck_run(const GradcheckOptions *options, GradcheckPart *parts, size_t count);
