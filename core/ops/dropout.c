// Inverted dropout: in training y = x · m / (1 − rate) with m drawn 0 or 1; otherwise y = x.
//
// The mask is a function of (seed, step, node) alone, so a resumed run drops the same units; each
// block of elements draws from a generator of its own, so that threads need not wait for each other.
// It is kept as one byte an element from forward to backward, which is cheaper than drawing it twice.
#include "core/ops/ops.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/base/vector.h"

enum { BLOCK = 4096 };
enum { FORWARD_FLOPS = 4, BACKWARD_FLOPS = 1 }; // an element

static int dropout_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                         char why[OP_WHY]) {
    (void)params;
    if (inputs != 1) {
        snprintf(why, OP_WHY, "dropout has one input");
        return ERR_INVALID;
    }
    *ret_output = input[0];
    return OK;
}

static OpCost dropout_cost(const void *params, const OpExtent *extent, int inputs,
                           const Shape *input, const Shape *output) {
    (void)params;
    (void)inputs;
    (void)input;
    double elements = extent->entries > 0 ? (double)extent->entries
                                          : (double)extent->rows * (double)shape_elements(output);
    return (OpCost){.forward_flops = FORWARD_FLOPS * elements,
                    .backward_flops = BACKWARD_FLOPS * elements,
                    .saved_bytes = (size_t)elements};
}

static bool is_active(const OpCall *call) {
    return op_drops(call->context, ((const DropoutParams *)call->params)->rate);
}

// Of mostly zeros only the others are there to be dropped.
static size_t stored_elements(const OpCall *call) {
    return call->pattern != NULL ? (size_t)call->pattern->entries : op_elements(&call->output);
}

// Two elements to a random number: 32 bits each against the threshold.
static void draw_mask(const OpCall *call, double rate, size_t block, uint8_t *mask, size_t n) {
    Rng rng = rng_make(call->context->seed, RNG_DROPOUT, (uint64_t)call->context->step,
                       (uint64_t)block << 32 | (uint64_t)call->node);
    uint64_t threshold = (uint64_t)(rate * 0x1p32);
    size_t i = 0;
    for (; i + 1 < n; i += 2) {
        uint64_t bits = rng_next(&rng);
        mask[i] = (bits & UINT32_MAX) >= threshold;
        mask[i + 1] = (bits >> 32) >= threshold;
    }
    if (i < n)
        mask[i] = (rng_next(&rng) & UINT32_MAX) >= threshold;
}

// to = from · mask · scale; to may be from.
VECTOR_LOOPS static void apply_mask(const Real *from, const uint8_t *restrict mask, Real scale,
                                    Real *to, size_t n) {
    for (size_t i = 0; i < n; i++)
        to[i] = from[i] * (scale * (Real)mask[i]);
}

// Blocks begin … end − 1 of what is passed on, forward or backward.
static void drop_blocks(const OpCall *call, bool forward, size_t begin, size_t end) {
    double rate = ((const DropoutParams *)call->params)->rate;
    const Real *from = forward ? call->input[0].data : call->output_gradient.data;
    Real *to = forward ? call->output.data : call->input_gradient[0].data;
    uint8_t *mask = call->saved;
    for (size_t block = begin, all = stored_elements(call); block < end; block++) {
        size_t at = block * BLOCK, n = all - at < BLOCK ? all - at : BLOCK;
        if (forward)
            draw_mask(call, rate, block, mask + at, n);
        apply_mask(from + at, mask + at, (Real)(1 / (1 - rate)), to + at, n);
    }
}

static void forward_blocks(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    drop_blocks(context, true, begin, end);
}

static void backward_blocks(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    drop_blocks(context, false, begin, end);
}

static void for_blocks(const OpCall *call, size_t flops,
                       void (*body)(void *call, size_t begin, size_t end, int thread)) {
    parallel_for(call->context->parallel, (stored_elements(call) + BLOCK - 1) / BLOCK,
                 parallel_grain(flops * BLOCK), body, (void *)call);
}

static void dropout_forward(const OpCall *call) {
    const Real *x = call->input[0].data;
    Real *y = call->output.data;
    if (is_active(call))
        for_blocks(call, FORWARD_FLOPS, forward_blocks);
    else if (y != x)
        memcpy(y, x, stored_elements(call) * sizeof(Real));
}

static void dropout_backward(const OpCall *call) {
    const Real *dy = call->output_gradient.data;
    Real *dx = call->input_gradient[0].data;
    if (dx == NULL)
        return;
    if (is_active(call))
        for_blocks(call, BACKWARD_FLOPS, backward_blocks);
    else if (dx != dy)
        memcpy(dx, dy, op_elements(&call->output) * sizeof(Real));
}

const OpDesc op_dropout = {
    .name = "dropout",
    .reference = "Srivastava et al. 2014: Dropout; scaled in training",
    .in_place = true,
    .reads_pattern = true,
    .keeps_pattern = true,
    .shape = dropout_shape,
    .carries = op_carries_nothing,
    .cost = dropout_cost,
    .forward = dropout_forward,
    .backward = dropout_backward,
};
