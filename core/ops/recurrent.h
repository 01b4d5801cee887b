// What the recurrent operators share: `rnn`, `lstm` and `gru` differ in their cell alone.
//
//   states ← cell(x_t W + bias, states)       from step to step; y_t = the cell's first state
//
// A cell works on one step of some rows. The states stand beside the steps in arrays that it moves on in place, so one
// step from states that are given is the same call (`first` false).
//
// Its kernels have a block of `units` columns for each gate. `values` are blocks of `units` numbers for each row and
// step: before the cell's forward the gates' blocks hold x W (no bias, no state); after it they hold whatever its
// backward wants. Backward writes as many blocks of gradients: those at the gates' inputs stand first, since they are
// dL/d(x W). The recurrent kernel is cut by columns into the cell's products, each packed for its steps (panels.h).
#pragma once
#include "core/ops/ops.h"
#include "core/tensor/panels.h"

enum { RECURRENT_STATES_MAX = 2, RECURRENT_PRODUCTS_MAX = 2, RECURRENT_BEFORE = -1 };

typedef struct RecurrentStep {
    size_t rows, units;
    bool first; // the states are 0 (and no one wants their gradients): no step comes before
    const PanelKernel *kernel;
    // Of each product forward [units, blocks · units], the recurrent kernel's columns; backward their transpose.
    const Real *panels[RECURRENT_PRODUCTS_MAX];
    const Real *bias; // [gates · units], or [2, gates · units]
    Real *values;     // [rows, values · units]
    // [rows, units] each. Forward: what the states are before the step, read; backward: the same.
    const Real *before[RECURRENT_STATES_MAX];
    // [rows, units] each. Forward: the states, in: as `before`, out: after the step.
    Real *state[RECURRENT_STATES_MAX];
    // [rows, units] each. Backward: dL/d(states after the step) becomes dL/d(states before it).
    Real *state_gradient[RECURRENT_STATES_MAX];
    Real *value_gradients; // [rows, values · units] written by backward
} RecurrentStep;

// Columns of the recurrent kernel that are multiplied by the same thing. Their gradient is leftᵀ · right, over all steps.
typedef struct RecurrentProduct {
    int blocks; // of columns, one product's behind the other's
    int left;   // RECURRENT_BEFORE: the first state before the step; else a block of the values
    int right;  // first block of the value gradients
} RecurrentProduct;

typedef struct RecurrentCell {
    int gates;  // blocks of columns in the kernels
    int values; // blocks a row keeps of each step
    int states;
    RecurrentProduct products[RECURRENT_PRODUCTS_MAX]; // unused ones have 0 blocks
    double flops; // of a unit's gates in one step, beside the products; an estimate
    void (*forward)(const RecurrentStep *step);
    void (*backward)(const RecurrentStep *step);
} RecurrentCell;

// The operators' callbacks but for the choice of the cell.
int recurrent_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                    char why[OP_WHY]);
int64_t recurrent_length(const void *params, const Shape *input, int64_t length);
// The states [rows, states, units].
bool recurrent_carries(const RecurrentCell *cell, const RecurrentParams *params, size_t *ret_bytes);
OpCost recurrent_cost(const RecurrentCell *cell, const RecurrentParams *params,
                      const OpExtent *extent, const Shape *input);
void recurrent_forward(const RecurrentCell *cell, const OpCall *call);
void recurrent_backward(const RecurrentCell *cell, const OpCall *call);
