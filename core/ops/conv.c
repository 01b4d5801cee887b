// Convolution over one or two axes (strictly: cross-correlation), channels last.
//
//   y [n, o, f] = b[f] + Σ_t Σ_c x [n, input of tap t at o, c] · K [t, c, f]
//   dx[n, i, c] = Σ over the o and t that read i, and f, of dy [n, o, f] · K [t, c, f]
//   dK[t, c, f] = Σ_n Σ_o x [n, input of tap t at o, c] · dy [n, o, f]        db = Σ_n Σ_o dy
//
// With groups, filter f reads the channels of its own group alone: c counts within it.
//
// A kernel of one tap without stride is a plain product at every place. A filter for each channel
// (depthwise) is a direct loop over channels; everything else slides (conv_slide.c).
#include "core/ops/conv.h"
#include <stdio.h>
#include "core/base/error.h"
#include "core/tensor/kernels.h"
#include "core/tensor/product.h"

static int conv_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                      char why[OP_WHY]) {
    const ConvParams *conv = params;
    if (inputs != 1) {
        snprintf(why, OP_WHY, "a convolution has one input");
        return ERR_INVALID;
    }
    int err = window_shape(&conv->window, &input[0], conv->filters, ret_output, why);
    if (err == OK &&
        (shape_last(&input[0]) % conv->groups != 0 || conv->filters % conv->groups != 0)) {
        snprintf(why, OP_WHY, "%lld channels and %lld filters do not fall into %lld groups",
                 (long long)shape_last(&input[0]), (long long)conv->filters,
                 (long long)conv->groups);
        return ERR_INVALID;
    }
    return err;
}

static Conv conv_of(const ConvParams *params, const Tensor *input, const OpCall *call) {
    const Window *window = &params->window;
    Conv conv = {.call = call,
                 .grid = window_grid(window, input, call == NULL ? NULL : call->lengths),
                 .taps = (size_t)(window->size[0] * window->size[1]),
                 .filters = (size_t)params->filters,
                 .groups = (size_t)params->groups};
    conv.positions = (size_t)(conv.grid.out[0] * conv.grid.out[1]);
    conv.group_in = (size_t)conv.grid.channels / conv.groups;
    conv.group_out = conv.filters / conv.groups;
    return conv;
}

static bool is_pointwise(const Conv *conv) {
    const Window *window = conv->grid.window;
    return conv->taps == 1 && conv->groups == 1 && window->stride[0] == 1 && window->stride[1] == 1;
}

static OpCost conv_cost(const void *params, const OpExtent *extent, int inputs, const Shape *input,
                        const Shape *output) {
    (void)inputs;
    Tensor row = {.shape = {.rank = input[0].rank + 1, .dim = {1}}};
    for (int d = 0; d < input[0].rank; d++)
        row.shape.dim[d + 1] = input[0].dim[d];
    Conv conv = conv_of(params, &row, NULL);
    double products =
        (double)extent->rows * (double)shape_elements(output) * (double)(conv.taps * conv.group_in);
    OpCost cost = {.forward_flops = 2 * products,
                   .backward_flops = 2 * products * op_halves(extent)};
    if (conv_is_depthwise(&conv))
        cost.scratch_bytes = conv_depthwise_scratch(&conv);
    else if (!is_pointwise(&conv))
        cost.scratch_bytes = conv_slide_scratch(&conv);
    return cost;
}

static void pointwise_forward(const Conv *conv) {
    const OpCall *call = conv->call;
    product_run(call->context->parallel,
                &(Product){.m = (int)op_rows(&call->output),
                           .n = (int)conv->filters,
                           .k = (int)conv->group_in,
                           .a = call->input[0].data,
                           .lda = (int)conv->group_in,
                           .b = call->weight[0].data,
                           .ldb = (int)conv->filters,
                           .c = call->output.data,
                           .ldc = (int)conv->filters,
                           .bias = call->weights > 1 ? call->weight[1].data : NULL});
}

static void pointwise_input(const Conv *conv) {
    const OpCall *call = conv->call;
    product_run(call->context->parallel, &(Product){.m = (int)op_rows(&call->output),
                                                    .n = (int)conv->group_in,
                                                    .k = (int)conv->filters,
                                                    .a = call->output_gradient.data,
                                                    .lda = (int)conv->filters,
                                                    .b = call->weight[0].data,
                                                    .ldb = (int)conv->filters,
                                                    .transpose_b = true,
                                                    .c = call->input_gradient[0].data,
                                                    .ldc = (int)conv->group_in});
}

static void pointwise_kernel(const Conv *conv) {
    const OpCall *call = conv->call;
    product_run(call->context->parallel, &(Product){.m = (int)conv->group_in,
                                                    .n = (int)conv->filters,
                                                    .k = (int)op_rows(&call->output),
                                                    .a = call->input[0].data,
                                                    .lda = (int)conv->group_in,
                                                    .transpose_a = true,
                                                    .b = call->output_gradient.data,
                                                    .ldb = (int)conv->filters,
                                                    .c = call->weight_gradient[0].data,
                                                    .ldc = (int)conv->filters});
}

typedef struct ConvForm {
    void (*forward)(const Conv *conv);
    void (*input)(const Conv *conv);
    void (*kernel)(const Conv *conv);
} ConvForm;

static const ConvForm *form_of(const Conv *conv) {
    static const ConvForm depthwise = {conv_depthwise_forward, conv_depthwise_input,
                                       conv_depthwise_kernel};
    static const ConvForm pointwise = {pointwise_forward, pointwise_input, pointwise_kernel};
    static const ConvForm slide = {conv_slide_forward, conv_slide_input, conv_slide_kernel};
    return conv_is_depthwise(conv) ? &depthwise : is_pointwise(conv) ? &pointwise : &slide;
}

static void conv_forward(const OpCall *call) {
    Conv conv = conv_of(call->params, &call->input[0], call);
    form_of(&conv)->forward(&conv);
}

static void conv_backward(const OpCall *call) {
    Conv conv = conv_of(call->params, &call->input[0], call);
    const ConvForm *form = form_of(&conv);
    if (call->weights > 1 && call->weight_gradient[1].data != NULL)
        kernel_sum_rows_parallel(call->context->parallel, call->output_gradient.data,
                                 call->weight_gradient[1].data, op_rows(&call->output),
                                 conv.filters);
    if (call->weight_gradient[0].data != NULL)
        form->kernel(&conv);
    if (call->input_gradient[0].data != NULL)
        form->input(&conv);
}

const OpDesc op_conv = {
    .name = "conv",
    .reference = "Goodfellow, Bengio, Courville: Deep Learning (2016), eq. 9.6",
    .backward_reads_inputs = true,
    .shape = conv_shape,
    .length = window_length,
    .cost = conv_cost,
    .forward = conv_forward,
    .backward = conv_backward,
};
