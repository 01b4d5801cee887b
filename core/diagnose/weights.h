// What weights themselves tell: how far they are from a sensible start, and whether units are copies of each other.
#pragma once
#include "core/model/model.h"

// Root mean square of the layer's first kernel against what its default initialiser would have given; NAN: it has no kernel.
double weights_scale(const Model *model, const Real *weights, int layer);
// Share of the kernel's columns (units) that equal another one; NAN: no kernel, or one unit.
double weights_duplicates(const Model *model, const Real *weights, int layer);
double weights_norm(const Model *model, const Real *weights,
                    int layer); // of all its learned weights
