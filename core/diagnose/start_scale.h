// How large the weights start: each kernel's root mean square against what its default initialiser (He, Glorot) would have
// given, so that 1 is just right in any shape. Over a stack the factors multiply.
#pragma once
#include "core/diagnose/rule.h"

typedef struct StartScale {
    double typical, least,
        greatest; // over the layers: the geometric mean, and the ends of those below and above 1
    int least_layer, greatest_layer; // of the view's net; −1: none is
} StartScale;

// False where there is none to judge: before the run, or where it starts from a trained model.
bool start_scale_measure(const RuleView *view, StartScale *ret_scale);
// The finding of a scale that is off in `layer`, or false where it hurts nothing and the run is not over. hurts: off so far
// that it counts against a fair run too.
bool start_scale_find(const RuleView *view, const StartScale *scale, const char *code, int layer,
                      double threshold, bool hurts, Finding *ret_finding);
