// What the convolution's files share: one call, worked out.
#pragma once
#include "core/ops/ops.h"
#include "core/ops/patches.h"

typedef struct Conv {
    const OpCall *call;
    WindowGrid grid;
    size_t positions;           // outputs of a row
    size_t taps;                // of a window
    size_t filters;             // in all
    size_t group_in, group_out; // channels and filters of a group
    size_t groups;
} Conv;

// The direct loops of a depthwise convolution: a filter for each channel.
bool conv_is_depthwise(const ConvParams *params, int64_t channels);
size_t conv_depthwise_scratch(const ConvParams *params, int64_t channels); // bytes
// Rows [begin, end) of the output.
void conv_depthwise_forward(const Conv *conv, size_t begin, size_t end);
// Rows [begin, end) of the input's gradient.
void conv_depthwise_input(const Conv *conv, size_t begin, size_t end);
// The kernel's gradient of taps [begin, end).
void conv_depthwise_kernel(const Conv *conv, size_t begin, size_t end);
