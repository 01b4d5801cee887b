// Convolutions against their definition as six plain loops, and their gradients.
#include <string.h>
#include "core/base/parallel.h"
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

static int conv(Net *net, int layer, int input, ConvParams params, bool bias) {
    ConvParams *kept = arena_new(graph_arena(net->graph), ConvParams);
    *kept = params;
    int64_t in = shape_last(&graph_node(net->graph, input)->shape) / params.groups;
    const int64_t *size = params.window.size;
    int weight[2] = {
        net_weight(net, layer, SHAPE(size[0], size[1], in, params.filters), NAN, false)};
    if (bias)
        weight[1] = net_weight(net, layer, SHAPE(params.filters), NAN, false);
    return net_op(net, layer, &op_conv, kept, 1, &input, bias ? 2 : 1, weight);
}

static ConvParams params_2d(bool same, int64_t height, int64_t width, int64_t stride,
                            int64_t dilation, int64_t groups, int64_t filters) {
    return (ConvParams){.window = {.axes = 2,
                                   .same = same,
                                   .size = {height, width},
                                   .stride = {stride, stride},
                                   .dilation = {dilation, dilation}},
                        .filters = filters,
                        .groups = groups};
}

static ConvParams params_1d(bool same, int64_t size, int64_t stride, int64_t dilation,
                            int64_t groups, int64_t filters) {
    ConvParams params = params_2d(same, 1, size, stride, dilation, groups, filters);
    params.window.axes = 1;
    params.window.stride[0] = params.window.dilation[0] = 1;
    return params;
}

// y of one row by the definition; x [in_h, in_w, channels], kernel [h, w, channels / groups,
// filters], y [out_h, out_w, filters].
static void define(const ConvParams *params, const Tensor *input, const Tensor *output, int64_t row,
                   int64_t length, const Real *kernel, const Real *bias, double *y) {
    const Window *window = &params->window;
    const int64_t *in = &input->shape.dim[1], *out = &output->shape.dim[1];
    int64_t channels = shape_last(&input->shape), filters = params->filters;
    int64_t height = window->axes == 2 ? in[0] : 1, width = window->axes == 2 ? in[1] : in[0];
    int64_t out_h = window->axes == 2 ? out[0] : 1, out_w = window->axes == 2 ? out[1] : out[0];
    int64_t group_in = channels / params->groups, group_out = filters / params->groups;
    int64_t down =
        (out_h - 1) * window->stride[0] + (window->size[0] - 1) * window->dilation[0] + 1 - height;
    int64_t across =
        (out_w - 1) * window->stride[1] + (window->size[1] - 1) * window->dilation[1] + 1 - width;
    int64_t top = window->same && down > 0 ? down / 2 : 0;
    int64_t left = window->same && across > 0 ? across / 2 : 0;
    int64_t inside = window->axes == 1 ? length : width;
    const Real *x = input->data + row * height * width * channels;
    for (int64_t o = 0; o < out_h * out_w * filters; o++) {
        int64_t oy = o / filters / out_w, ox = o / filters % out_w, f = o % filters;
        y[o] = bias != NULL ? (double)bias[f] : 0;
        for (int64_t ky = 0; ky < window->size[0]; ky++)
            for (int64_t kx = 0; kx < window->size[1]; kx++)
                for (int64_t c = 0; c < group_in; c++) {
                    int64_t iy = oy * window->stride[0] - top + ky * window->dilation[0];
                    int64_t ix = ox * window->stride[1] - left + kx * window->dilation[1];
                    if (iy < 0 || iy >= height || ix < 0 || ix >= inside)
                        continue;
                    int64_t channel = f / group_out * group_in + c;
                    int64_t tap = ky * window->size[1] + kx;
                    y[o] += (double)x[(iy * width + ix) * channels + channel] *
                            (double)kernel[(tap * group_in + c) * filters + f];
                }
    }
}

// Forward equals the definition, on one thread and on three.
static void check_forward(Shape row, ConvParams params, bool bias, int64_t rows,
                          const int32_t *lengths) {
    Net net = net_make();
    int x = net_input_of(&net, row, lengths != NULL ? GRAPH_SEQUENCES : GRAPH_ROWS);
    int y = conv(&net, 0, x, params, bias);
    net_prepare(&net, y, rows, &(PlanOptions){.max_rows = rows, .output = y});
    net.context.lengths = lengths;
    size_t each = net.outputs / (size_t)rows;
    double *expected = memory_array(net.outputs, sizeof(double));
    const Real *kernel = net.weights + graph_weight_at(net.graph, 0)->offset;
    const Real *added = bias ? net.weights + graph_weight_at(net.graph, 1)->offset : NULL;
    Tensor output;
    for (int threads = 1; threads <= 3; threads += 2) {
        cr_assert_eq(parallel_create(threads, &net.context.parallel), OK);
        plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
        parallel_destroy(net.context.parallel);
        for (int64_t r = 0; r < rows; r++)
            define(&params, &net.input[0], &output, r, lengths != NULL ? lengths[r] : row.dim[0],
                   kernel, added, expected + (size_t)r * each);
        assert_all_near(output.data, expected, net.outputs, 1e-10);
    }
    memory_free(expected);
    net_finish(&net);
}

Test(conv, is_what_its_definition_says) {
    for (int same = 0; same <= 1; same++)
        for (int64_t stride = 1; stride <= 3; stride++)
            for (int64_t dilation = 1; dilation <= 2; dilation++)
                for (int64_t groups = 1; groups <= 4; groups *= 2) {
                    check_forward(SHAPE(7, 6, 4),
                                  params_2d(same, 3, 2, stride, dilation, groups, 4), groups != 2,
                                  3, NULL);
                    check_forward(SHAPE(9, 4), params_1d(same, 3, stride, dilation, groups, 8),
                                  groups != 2, 3, NULL);
                }
    check_forward(SHAPE(2, 3, 2), params_2d(true, 5, 7, 1, 1, 1, 3), true, 2, NULL);
    check_forward(SHAPE(3, 3, 2), params_2d(false, 1, 1, 1, 1, 1, 3), true, 2, NULL);
    check_forward(SHAPE(3, 3, 4), params_2d(false, 1, 1, 1, 1, 2, 6), true, 2, NULL);
}

// Wide enough for many blocks, whole vectors of channels and a rest, and runs that are not short.
Test(conv, is_what_its_definition_says_for_many_blocks) {
    check_forward(SHAPE(28, 28, 3), params_2d(true, 5, 5, 1, 1, 1, 6), true, 19, NULL);
    check_forward(SHAPE(12, 11, 35), params_2d(true, 3, 3, 1, 1, 1, 40), true, 9, NULL);
    check_forward(SHAPE(12, 11, 35), params_2d(true, 3, 3, 2, 1, 35, 35), false, 9, NULL);
    check_forward(SHAPE(300, 7), params_1d(false, 9, 1, 2, 1, 11), true, 9, NULL);
}

Test(conv, takes_steps_behind_a_rows_length_for_zeros) {
    const int32_t lengths[] = {9, 4, 0, 1, 7};
    for (int same = 0; same <= 1; same++)
        for (int64_t groups = 1; groups <= 4; groups *= 2)
            check_forward(SHAPE(9, 4), params_1d(same, 3, 2, 1, groups, 4), true, 5, lengths);
}

static void check_gradients(Shape row, ConvParams params, bool bias, const int32_t *lengths,
                            Parallel *parallel) {
    Net net = net_make();
    int x = net_input_of(&net, row, lengths != NULL ? GRAPH_SEQUENCES : GRAPH_ROWS);
    net.context.lengths = lengths;
    net.context.parallel = parallel;
    net_check(net, conv(&net, 0, x, params, bias), 4);
}

Test(conv, has_the_right_gradients) {
    for (int same = 0; same <= 1; same++)
        for (int64_t stride = 1; stride <= 2; stride++)
            for (int64_t dilation = 1; dilation <= 2; dilation++)
                for (int64_t groups = 1; groups <= 4; groups *= 2) {
                    bool bias = groups != 2;
                    check_gradients(SHAPE(5, 6, 4),
                                    params_2d(same, 2, 3, stride, dilation, groups, 4), bias, NULL,
                                    NULL);
                    check_gradients(SHAPE(7, 4), params_1d(same, 3, stride, dilation, groups, 8),
                                    bias, NULL, NULL);
                }
    check_gradients(SHAPE(3, 2, 4), params_2d(false, 1, 1, 1, 1, 2, 6), true, NULL, NULL);
}

Test(conv, has_the_right_gradients_beside_padding) {
    const int32_t lengths[] = {8, 3, 0, 1};
    for (int same = 0; same <= 1; same++)
        for (int64_t groups = 1; groups <= 4; groups *= 2)
            check_gradients(SHAPE(8, 4), params_1d(same, 3, 2, 1, groups, 4), true, lengths, NULL);
}

// Enough work that every loop is divided.
Test(conv, has_the_right_gradients_on_several_threads) {
    Parallel *parallel;
    cr_assert_eq(parallel_create(3, &parallel), OK);
    for (int64_t groups = 1; groups <= 12; groups += 11) {
        Net nets[2];
        for (int i = 0; i < 2; i++) {
            Net *net = &nets[i];
            *net = net_make();
            int x = net_linear(net, 0, net_input(net, SHAPE(20, 20, 2)), 12, true);
            int y = conv(net, 1, x, params_2d(true, 5, 5, 1, 1, groups, 12), true);
            net->context.parallel = i == 0 ? NULL : parallel;
            net_prepare(net, y, 12, &(PlanOptions){.max_rows = 12, .backward = true, .output = y});
            net_pass(net);
        }
        assert_all_near(nets[1].gradients, nets[0].gradients, graph_learned(nets[0].graph), 1e-9);
        Real *first = memory_array(graph_learned(nets[1].graph), sizeof(Real));
        memcpy(first, nets[1].gradients, graph_learned(nets[1].graph) * sizeof(Real));
        net_pass(&nets[1]);
        cr_expect(memcmp(first, nets[1].gradients, graph_learned(nets[1].graph) * sizeof(Real)) ==
                  0);
        memory_free(first);
        net_finish(&nets[0]);
        net_finish(&nets[1]);
    }
    parallel_destroy(parallel);
}

static int refuse(Shape row, ConvParams params, char why[OP_WHY]) {
    Shape output;
    return op_conv.shape(&params, 1, &row, &output, why);
}

Test(conv, refuses_what_does_not_fit) {
    char why[OP_WHY];
    cr_expect_eq(refuse(SHAPE(4, 9, 1), params_2d(false, 3, 3, 1, 2, 1, 2), why), ERR_INVALID);
    cr_expect_not_null(strstr(why, "over 5 places, more than the 4 of the height"), "%s", why);
    cr_expect_eq(refuse(SHAPE(4, 9, 1), params_2d(true, 3, 3, 1, 2, 1, 2), why), OK);
    cr_expect_eq(refuse(SHAPE(2, 1), params_1d(false, 3, 1, 1, 1, 2), why), ERR_INVALID);
    cr_expect_not_null(strstr(why, "more than the 2 of time"), "%s", why);
    cr_expect_eq(refuse(SHAPE(9), params_1d(false, 3, 1, 1, 1, 2), why), ERR_INVALID);
    cr_expect_eq(refuse(SHAPE(9, 4), params_1d(false, 3, 1, 1, 3, 6), why), ERR_INVALID);
}
