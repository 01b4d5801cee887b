// The registry of initialisers.
//
// Probes hold parameters: {} or {"scale": 0.1}.
#pragma once
#include "core/base/descriptor.h"
#include "core/base/rng.h"

typedef struct InitParams {
    double scale; // normal: standard deviation; uniform: half width
    double value; // constant
} InitParams;

// What an initialiser knows of the weight: fan_in and fan_out are a unit's inputs and outputs (for
// a convolution: times the kernel's area); the weight is seen as a matrix [rows, columns], which may
// be some columns of another: its rows are `stride` elements apart.
typedef struct InitCall {
    const InitParams *params;
    double fan_in, fan_out;
    size_t rows, columns, stride;
    Rng *rng;
} InitCall;

typedef struct InitDesc {
    Desc desc;
    void (*fill)(const InitCall *call, Real *weight); // weight [rows, columns]
} InitDesc;

extern const Registry init_registry; // "initializer"
const InitDesc *init_find(const char *name);
