// What the layers with sliding windows share: their parameters as a user writes them (n, or
// [height, width]) and the convolutions' build.
#pragma once
#include "core/layers/layers.h"
#include "core/ops/ops.h"

typedef struct ConvLayerParams {
    int64_t filters, groups;
    IntegerList kernel_size, strides, dilation;
    const char *padding;
    Selection activation, kernel_init, bias_init;
    bool use_bias;
} ConvLayerParams;

enum { CONV_PARAMS = 10 };
extern const ParamSpec conv_params[CONV_PARAMS];

extern const char *const window_paddings[]; // "valid", "same"

// `param` as [h, w]; with one axis, h is 1. Refuses a list that does not fit the axes.
int window_pair(LayerBuild *build, const char *param, const IntegerList *list, int axes,
                int64_t ret_pair[2]);
// Refuses an input whose rank is not `axes` and the channels.
int window_input(LayerBuild *build, int input, int axes);

int conv_build(LayerBuild *build, const ConvLayerParams *params, int axes, int input,
               int *ret_output);
