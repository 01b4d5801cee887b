// The activation registry.
//
// Probes hold parameters: {} or {"alpha": 0.2}. Each is checked against central differences.
#pragma once
#include "core/base/descriptor.h"
#include "core/base/real.h"

// Parameters of every activation that has any.
typedef struct ActivationParams {
    double alpha; // slope or scale; NAN: the entry has none
} ActivationParams;

typedef struct ActivationDesc {
    Desc desc;
    double gain; // of He's and Glorot's initialisers: √2 for the ReLU family, 5/3 for tanh, else 1
    bool he;     // weights before it start by He's rule, not Glorot's
    bool dies;   // a unit whose output is 0 for a whole batch is dead (ReLU)
    double lower,
        upper;    // saturation: an output within 1 % of the range's width of a bound; NAN: none
    bool learned; // alpha is a weight per channel (prelu), not a parameter
    bool by_row;  // reads a whole row at once (softmax); else element by element
    bool backward_reads_input; // df needs x; else y is enough, and the plan may write y over x

    // y = f(x). x, y [rows, width]; y may be x. alpha [width] if learned, else [1].
    void (*f)(const Real *x, Real *y, size_t rows, size_t width, const Real *alpha);
    // dx = dy · f'(x). x (NULL unless backward_reads_input), y, dy, dx [rows, width]; dx may be dy.
    // d_alpha [width] is overwritten if learned and not NULL.
    void (*df)(const Real *x, const Real *y, const Real *dy, Real *dx, size_t rows, size_t width,
               const Real *alpha, Real *d_alpha);
} ActivationDesc;

extern const Registry activation_registry; // "activation"
const ActivationDesc *activation_find(const char *name);
