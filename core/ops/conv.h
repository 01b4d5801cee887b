// What the convolution's files share: one call, worked out.
#pragma once
#include "core/ops/ops.h"

typedef struct Conv {
    const OpCall *call; // NULL where only its sizes are asked for
    WindowGrid grid;
    size_t positions;           // outputs of a row
    size_t taps;                // of a window
    size_t filters, groups;     // in all
    size_t group_in, group_out; // channels and filters of a group
} Conv;

// A filter for each channel: direct loops.
bool conv_is_depthwise(const Conv *conv);
size_t conv_depthwise_scratch(const Conv *conv); // bytes
void conv_depthwise_forward(const Conv *conv);
void conv_depthwise_input(const Conv *conv);  // the input's gradient
void conv_depthwise_kernel(const Conv *conv); // the kernel's gradient

// Any other: sliding products.
size_t conv_slide_scratch(const Conv *conv);
void conv_slide_forward(const Conv *conv);
void conv_slide_input(const Conv *conv);
void conv_slide_kernel(const Conv *conv);
