// A tensor is a view: a pointer and a shape; memory belongs to a plan, a model or the caller.
#pragma once
#include "core/base/real.h"
#include "core/tensor/shape.h"

typedef struct Tensor {
    Real *data; // [shape]; NULL where nobody needs it
    Shape shape;
} Tensor;
