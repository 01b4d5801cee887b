// What the layers with sliding windows share: their parameters, where a user writes n or [height,
// width], and how they are built.
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

typedef struct PoolLayerParams {
    IntegerList pool_size, strides; // no strides: as pool_size
    const char *padding;
} PoolLayerParams;

enum { POOL_PARAMS = 3 };
extern const ParamSpec pool_params[POOL_PARAMS];

// Over so many axes before the channels, with one operator of the two.
int pool_build(LayerBuild *build, const PoolLayerParams *params, int axes, const OpDesc *op,
               int input, int *ret_output);
int conv_build(LayerBuild *build, const ConvLayerParams *params, int axes, int input,
               int *ret_output);
