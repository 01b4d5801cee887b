// Every layer of the registry: each probe as a whole net against central differences, in training
// and outside it.
#include <stdio.h>
#include "tests/core/layers/probe.h"
#include "tests/support/near.h"

TestSuite(layers, .init = probe_begin, .fini = probe_end);

Test(layers, all_have_probes_and_right_gradients) {
    for (size_t i = 0; i < layer_registry.count; i++) {
        const Desc *desc = layer_registry.entries[i];
        cr_assert(desc->probes != NULL && desc->probes[0] != NULL, "%s has no probe", desc->name);
        for (const char *const *probe = desc->probes; *probe != NULL; probe++) {
            cr_assert_not_null(strstr(*probe, desc->name), "%s's probe is without it", desc->name);
            probe_check(*probe);
        }
    }
}

static void expect_issue(const char *text, const char *pointer, const char *part) {
    Issues issues;
    Model *model = probe_model(text, &issues);
    cr_assert_null(model, "%s was accepted", text);
    bool found = false;
    for (size_t i = 0; i < issues.count; i++)
        found = found || (strcmp(issues.items[i].pointer, pointer) == 0 &&
                          strstr(issues.items[i].detail, part) != NULL);
    cr_expect(found, "%s: no \"%s\" at %s, but \"%s\" at %s", text, part, pointer,
              issues.items[0].detail, issues.items[0].pointer);
    issues_finish(&issues);
}

Test(layers, say_what_is_wrong_and_where) {
    expect_issue("{\"input\": [3], \"layers\": [{\"type\": \"dense\", \"units\": 0}]}",
                 "/layers/0/units", "at least 1");
    expect_issue("{\"input\": [3], \"layers\": [{\"type\": \"dropout\", \"rate\": 1}]}",
                 "/layers/0/rate", "below 1");
    expect_issue("{\"input\": [3], \"layers\": [{\"type\": \"activation\", \"function\": \"tanh\", "
                 "\"alpha\": 2}]}",
                 "/layers/0/alpha", "tanh has no alpha");
    expect_issue("{\"input\": [4], \"layers\": [{\"type\": \"dense\", \"units\": 4}, {\"type\": "
                 "\"embedding\", \"vocabulary\": 9, \"units\": 2}]}",
                 "/layers/1", "reads token ids");
    expect_issue("{\"input\": [4], \"layers\": [{\"type\": \"embedding\", \"units\": 2}]}",
                 "/layers/0/vocabulary", "is missing");
    expect_issue("{\"input\": [4], \"vocabulary\": 9, \"layers\": [{\"type\": \"embedding\", "
                 "\"vocabulary\": 8, \"units\": 2}]}",
                 "/layers/0/vocabulary", "at least 9");
    expect_issue(
        "{\"input\": [4, 6], \"layers\": [{\"type\": \"multi_head_attention\", \"heads\": 4}]}",
        "/layers/0/heads", "must divide the 6 units");
    expect_issue("{\"input\": [6], \"layers\": [{\"type\": \"transformer_block\", \"heads\": 2}]}",
                 "/layers/0", "[time, features]");
    expect_issue("{\"input\": [4], \"layers\": [{\"type\": \"gcn_conv\", \"units\": 2}]}",
                 "/layers/0", "a row for each node of a graph");
    expect_issue("{\"input\": [4, 2], \"graph\": {\"nodes\": 1, \"edges\": []}, \"layers\": "
                 "[{\"type\": \"gat_conv\", \"units\": 2}]}",
                 "/layers/0", "one row of features each, not [4, 2]");
    expect_issue("{\"input\": [4], \"layers\": [{\"type\": \"positional_embedding\"}]}",
                 "/layers/0", "[time, units], not to [4]");
    expect_issue(
        "{\"input\": [4, 3], \"layers\": [{\"type\": \"residual\", \"layers\": [{\"type\": "
        "\"flatten\"}]}]}",
        "/layers/0/layers", "[4, 3] into [12]");
    expect_issue(
        "{\"input\": [8, 8, 3], \"layers\": [{\"type\": \"residual\", \"layers\": [{\"type\": "
        "\"conv2d\", \"filters\": 3, \"kernel_size\": 3}]}]}",
        "/layers/0/layers", "[8, 8, 3] into [6, 6, 3]");
    expect_issue("{\"input\": [3], \"layers\": [{\"type\": \"residual\", \"layers\": []}]}",
                 "/layers/0/layers", "at least one");
    expect_issue(
        "{\"input\": [3], \"layers\": [{\"type\": \"dense\", \"units\": 2, \"name\": \"a\"}, "
        "{\"type\": \"add\", \"inputs\": [\"a\", \"input\"]}]}",
        "/layers/1", "[2] and [3]");
    expect_issue(
        "{\"input\": [3], \"layers\": [{\"type\": \"dense\", \"units\": 2, \"name\": \"a\"}, "
        "{\"type\": \"concat\", \"axis\": 1, \"inputs\": [\"a\", \"input\"]}]}",
        "/layers/1/axis", "from -1 to 0");
    expect_issue("{\"input\": [4, 3], \"lengths\": [2, 4], \"layers\": [{\"type\": \"concat\", "
                 "\"axis\": -2, "
                 "\"inputs\": [\"input\", \"input\"]}]}",
                 "/layers/0/axis", "along time");
    expect_issue("{\"input\": [4, 3], \"layers\": [{\"type\": \"reshape\", \"shape\": [5, 2]}]}",
                 "/layers/0/shape", "[5, 2] does not hold the 12 elements of its input [4, 3]");
    expect_issue(
        "{\"input\": [4, 3], \"layers\": [{\"type\": \"reshape\", \"shape\": [2, 2, 3, 1, 1, 1]}]}",
        "/layers/0/shape", "1 to 5 axes");
    expect_issue("{\"input\": [4, 3], \"layers\": [{\"type\": \"group_norm\", \"groups\": 2}]}",
                 "/layers/0/groups", "divide the input's 3 channels");
    expect_issue(
        "{\"input\": [4], \"layers\": [{\"type\": \"multiply\", \"inputs\": [\"input\"]}]}",
        "/layers/0/inputs", "reads 2 to");
    expect_issue("{\"input\": [4], \"layers\": [{\"type\": \"global_avg_pool\"}]}", "/layers/0",
                 "nothing to pool over in rows of shape [4]");
}

Test(layers, with_windows_say_what_is_wrong_and_where) {
    expect_issue("{\"input\": [784], \"layers\": [{\"type\": \"conv2d\", \"filters\": 6, "
                 "\"kernel_size\": 5}]}",
                 "/layers/0", "images [height, width, channels], not [784]");
    expect_issue("{\"input\": [9], \"layers\": [{\"type\": \"conv1d\", \"filters\": 6, "
                 "\"kernel_size\": 5}]}",
                 "/layers/0", "an embedding");
    expect_issue("{\"input\": [9, 2], \"layers\": [{\"type\": \"conv1d\", \"filters\": 6, "
                 "\"kernel_size\": [5, 1]}]}",
                 "/layers/0/kernel_size", "one number");
    expect_issue("{\"input\": [9, 9, 2], \"layers\": [{\"type\": \"conv2d\", \"filters\": 6, "
                 "\"kernel_size\": 3, "
                 "\"strides\": [1, 2, 1]}]}",
                 "/layers/0/strides", "[height, width], not 3 numbers");
    expect_issue("{\"input\": [9, 9, 3], \"layers\": [{\"type\": \"conv2d\", \"filters\": 6, "
                 "\"kernel_size\": 3, "
                 "\"groups\": 2}]}",
                 "/layers/0/groups", "the input's 3 channels");
    expect_issue("{\"input\": [9, 9, 4], \"layers\": [{\"type\": \"conv2d\", \"filters\": 3, "
                 "\"kernel_size\": 3, "
                 "\"groups\": 2}]}",
                 "/layers/0/filters", "multiple of groups, 2");
    expect_issue("{\"input\": [4, 9, 1], \"layers\": [{\"type\": \"conv2d\", \"filters\": 3, "
                 "\"kernel_size\": 5}]}",
                 "/layers/0", "5 places, more than the 4 of the height");
    expect_issue("{\"input\": [9, 9, 1], \"layers\": [{\"type\": \"max_pool2d\", \"pool_size\": "
                 "[2, 2, 2]}]}",
                 "/layers/0/pool_size", "[height, width], not 3 numbers");
    expect_issue("{\"input\": [9, 1], \"layers\": [{\"type\": \"avg_pool1d\", \"pool_size\": 10}]}",
                 "/layers/0", "10 places, more than the 9 of time");
}

// ---- weights: names, shapes, initialisers ----

static const GraphWeight *find_weight(const Model *model, const char *layer, const char *name) {
    const Graph *graph = model_graph(model);
    for (int w = 0; w < graph_weights(graph); w++) {
        const GraphWeight *weight = graph_weight_at(graph, w);
        if (strcmp(model_layer(model, weight->layer)->name, layer) == 0 &&
            strcmp(weight->name, name) == 0)
            return weight;
    }
    return NULL;
}

static void expect_weight(const Model *model, const char *layer, const char *name, Shape shape,
                          const char *init, double fill, bool state) {
    const GraphWeight *weight = find_weight(model, layer, name);
    cr_assert_not_null(weight, "%s.%s is missing", layer, name);
    cr_expect(shape_equal(&weight->shape, &shape), "%s.%s", layer, name);
    cr_expect_eq(weight->state, state);
    if (init != NULL)
        cr_expect_str_eq(weight->init.desc->name, init);
    else
        cr_expect_eq(weight->fill, fill);
}

Test(layers, declare_the_weights_of_the_job_language) {
    Issues issues;
    Model *model = probe_model(
        "{\"input\": [4], \"layers\": ["
        "{\"type\": \"dense\", \"units\": 6, \"activation\": \"relu\"},"
        "{\"type\": \"dense\", \"units\": 6},"
        "{\"type\": \"activation\", \"function\": \"prelu\"},"
        "{\"type\": \"batch_norm\"},"
        "{\"type\": \"residual\", \"layers\": [{\"type\": \"dense\", \"units\": 3, \"activation\": "
        "\"tanh\", \"bias_init\": \"ones\"}]},"
        "{\"type\": \"layer_norm\"}]}",
        &issues);
    cr_assert_not_null(model);
    expect_weight(model, "dense_1", "kernel", SHAPE(4, 6), "he_normal", NAN, false);
    expect_weight(model, "dense_1", "bias", SHAPE(6), "zeros", NAN, false);
    expect_weight(model, "dense_2", "kernel", SHAPE(6, 6), "he_normal", NAN, false);
    expect_weight(model, "activation_1", "alpha", SHAPE(6), NULL, 0.25, false);
    expect_weight(model, "batch_norm_1", "gamma", SHAPE(6), NULL, 1, false);
    expect_weight(model, "batch_norm_1", "beta", SHAPE(6), NULL, 0, false);
    expect_weight(model, "batch_norm_1", "moving_mean", SHAPE(6), NULL, 0, true);
    expect_weight(model, "batch_norm_1", "moving_variance", SHAPE(6), NULL, 1, true);
    expect_weight(model, "dense_3", "kernel", SHAPE(6, 3), "glorot_uniform", NAN, false);
    expect_weight(model, "dense_3", "bias", SHAPE(3), "ones", NAN, false);
    expect_weight(model, "residual_1", "projection.kernel", SHAPE(6, 3), "glorot_uniform", NAN,
                  false);
    expect_weight(model, "layer_norm_1", "gamma", SHAPE(3), NULL, 1, false);
    expect_weight(model, "layer_norm_1", "beta", SHAPE(3), NULL, 0, false);
    cr_expect_null(find_weight(model, "residual_1", "projection.bias"));
    model_destroy(model);
    issues_finish(&issues);
}

Test(layers, declare_the_weights_of_attention) {
    Issues issues;
    Model *model = probe_model("{\"input\": [7, 6], \"layers\": ["
                               "{\"type\": \"multi_head_attention\", \"heads\": 2, \"units\": 4},"
                               "{\"type\": \"transformer_block\", \"heads\": 3}]}",
                               &issues);
    cr_assert_not_null(model);
    const struct {
        const char *layer, *name;
        Shape shape;
    } weights[] = {
        {"multi_head_attention_1", "query_kernel", SHAPE(6, 4)},
        {"multi_head_attention_1", "query_bias", SHAPE(4)},
        {"multi_head_attention_1", "key_kernel", SHAPE(6, 4)},
        {"multi_head_attention_1", "key_bias", SHAPE(4)},
        {"multi_head_attention_1", "value_kernel", SHAPE(6, 4)},
        {"multi_head_attention_1", "value_bias", SHAPE(4)},
        {"multi_head_attention_1", "output_kernel", SHAPE(4, 6)},
        {"multi_head_attention_1", "output_bias", SHAPE(6)},
        {"transformer_block_1", "norm_1.gamma", SHAPE(6)},
        {"transformer_block_1", "norm_1.beta", SHAPE(6)},
        {"transformer_block_1", "attention.query_kernel", SHAPE(6, 6)},
        {"transformer_block_1", "attention.output_bias", SHAPE(6)},
        {"transformer_block_1", "norm_2.gamma", SHAPE(6)},
        {"transformer_block_1", "norm_2.beta", SHAPE(6)},
        {"transformer_block_1", "dense_1.kernel", SHAPE(6, 24)},
        {"transformer_block_1", "dense_1.bias", SHAPE(24)},
        {"transformer_block_1", "dense_2.kernel", SHAPE(24, 6)},
        {"transformer_block_1", "dense_2.bias", SHAPE(6)},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(weights); i++) {
        const GraphWeight *weight = find_weight(model, weights[i].layer, weights[i].name);
        cr_assert_not_null(weight, "%s.%s is missing", weights[i].layer, weights[i].name);
        cr_expect(shape_equal(&weight->shape, &weights[i].shape), "%s", weights[i].name);
    }
    model_destroy(model);
    issues_finish(&issues);
}

Test(layers, declare_the_weights_of_graph_layers) {
    Issues issues;
    Model *model =
        probe_model("{\"input\": [9], \"graph\": {\"nodes\": 1, \"edges\": []}, \"layers\": ["
                    "{\"type\": \"gcn_conv\", \"units\": 8, \"activation\": \"relu\"},"
                    "{\"type\": \"sage_conv\", \"units\": 6},"
                    "{\"type\": \"gat_conv\", \"units\": 5, \"heads\": 3},"
                    "{\"type\": \"gat_conv\", \"units\": 4, \"heads\": 2, \"concat\": false},"
                    "{\"type\": \"gin_conv\", \"units\": 7}]}",
                    &issues);
    cr_assert_not_null(model);
    expect_weight(model, "gcn_conv_1", "kernel", SHAPE(9, 8), "he_normal", NAN, false);
    expect_weight(model, "gcn_conv_1", "bias", SHAPE(8), NULL, 0, false);
    expect_weight(model, "sage_conv_1", "self_kernel", SHAPE(8, 6), "glorot_uniform", NAN, false);
    expect_weight(model, "sage_conv_1", "neighbor_kernel", SHAPE(8, 6), "glorot_uniform", NAN,
                  false);
    expect_weight(model, "sage_conv_1", "bias", SHAPE(6), NULL, 0, false);
    expect_weight(model, "gat_conv_1", "kernel", SHAPE(6, 15), "glorot_uniform", NAN, false);
    expect_weight(model, "gat_conv_1", "source_attention", SHAPE(3, 5), "glorot_uniform", NAN,
                  false);
    expect_weight(model, "gat_conv_1", "target_attention", SHAPE(3, 5), "glorot_uniform", NAN,
                  false);
    expect_weight(model, "gat_conv_1", "bias", SHAPE(15), NULL, 0, false);
    expect_weight(model, "gat_conv_2", "kernel", SHAPE(15, 8), "glorot_uniform", NAN, false);
    expect_weight(model, "gat_conv_2", "bias", SHAPE(4), NULL, 0, false);
    expect_weight(model, "gin_conv_1", "epsilon", SHAPE(1), NULL, 0, false);
    expect_weight(model, "gin_conv_1", "kernel", SHAPE(4, 7), "glorot_uniform", NAN, false);
    expect_weight(model, "gin_conv_1", "bias", SHAPE(7), NULL, 0, false);
    model_destroy(model);
    issues_finish(&issues);
}

Test(layers, declare_the_weights_of_embeddings) {
    Issues issues;
    Model *model = probe_model("{\"input\": [7], \"vocabulary\": 9, \"layers\": ["
                               "{\"type\": \"embedding\", \"units\": 4},"
                               "{\"type\": \"positional_embedding\"},"
                               "{\"type\": \"positional_embedding\", \"kind\": \"sinusoidal\"}]}",
                               &issues);
    cr_assert_not_null(model);
    expect_weight(model, "embedding_1", "embeddings", SHAPE(9, 4), "normal", NAN, false);
    expect_weight(model, "positional_embedding_1", "embeddings", SHAPE(7, 4), "normal", NAN, false);
    cr_expect_null(find_weight(model, "positional_embedding_2", "embeddings"));
    model_destroy(model);
    issues_finish(&issues);
}

Test(layers, declare_the_weights_of_recurrent_layers) {
    Issues issues;
    Model *model = probe_model("{\"input\": [7, 3], \"layers\": ["
                               "{\"type\": \"rnn\", \"units\": 4, \"return_sequences\": true},"
                               "{\"type\": \"lstm\", \"units\": 5, \"return_sequences\": true, "
                               "\"bidirectional\": true},"
                               "{\"type\": \"gru\", \"units\": 6, \"return_sequences\": true},"
                               "{\"type\": \"gru\", \"units\": 2, \"reset_after\": false}]}",
                               &issues);
    cr_assert_not_null(model);
    expect_weight(model, "rnn_1", "kernel", SHAPE(3, 4), "glorot_uniform", NAN, false);
    expect_weight(model, "rnn_1", "recurrent_kernel", SHAPE(4, 4), "orthogonal", NAN, false);
    expect_weight(model, "rnn_1", "bias", SHAPE(4), NULL, 0, false);
    expect_weight(model, "lstm_1", "forward_kernel", SHAPE(4, 20), "glorot_uniform", NAN, false);
    expect_weight(model, "lstm_1", "backward_recurrent_kernel", SHAPE(5, 20), "orthogonal", NAN,
                  false);
    expect_weight(model, "lstm_1", "backward_bias", SHAPE(20), "open_forget_gate", NAN, false);
    expect_weight(model, "gru_1", "kernel", SHAPE(10, 18), "glorot_uniform", NAN, false);
    expect_weight(model, "gru_1", "bias", SHAPE(2, 18), NULL, 0, false);
    expect_weight(model, "gru_2", "recurrent_kernel", SHAPE(2, 6), "orthogonal", NAN, false);
    expect_weight(model, "gru_2", "bias", SHAPE(6), NULL, 0, false);
    cr_expect_null(find_weight(model, "lstm_1", "kernel"));
    cr_expect(shape_equal(model_output_shape(model), &SHAPE(2)));
    model_destroy(model);
    issues_finish(&issues);
}

Test(layers, start_recurrent_kernels_orthogonal_by_gate_and_forget_gates_open) {
    Issues issues;
    Model *model = probe_model(
        "{\"input\": [7, 3], \"layers\": [{\"type\": \"lstm\", \"units\": 5}]}", &issues);
    cr_assert_not_null(model);
    const Graph *graph = model_graph(model);
    Real *weights = memory_array(graph_weight_elements(graph), sizeof(Real));
    cr_assert_eq(graph_initialise(graph, 1, weights), OK);
    const Real *kernel = weights + find_weight(model, "lstm_1", "recurrent_kernel")->offset;
    const Real *bias = weights + find_weight(model, "lstm_1", "bias")->offset;
    for (size_t gate = 0; gate < 4; gate++)
        for (size_t a = 0; a < 5; a++)
            for (size_t b = 0; b < 5; b++) {
                double sum = 0;
                for (size_t u = 0; u < 5; u++)
                    sum += (double)(kernel[a * 20 + gate * 5 + u] * kernel[b * 20 + gate * 5 + u]);
                assert_near(sum, a == b ? 1 : 0, 1e-14);
            }
    for (size_t u = 0; u < 20; u++)
        cr_expect_eq((double)bias[u], u / 5 == 1 ? 1 : 0);
    memory_free(weights);
    model_destroy(model);
    issues_finish(&issues);
}

static void expect_fans(const Model *model, const char *layer, double fan_in, double fan_out) {
    const GraphWeight *kernel = find_weight(model, layer, "kernel");
    cr_expect(kernel->fan_in == fan_in && kernel->fan_out == fan_out, "%s: %g, %g", layer,
              kernel->fan_in, kernel->fan_out);
}

Test(layers, with_windows_declare_the_weights_of_the_job_language) {
    Issues issues;
    Model *model = probe_model(
        "{\"input\": [12, 8, 4], \"layers\": ["
        "{\"type\": \"conv2d\", \"filters\": 6, \"kernel_size\": [5, 3], \"groups\": 2, "
        "\"activation\": \"relu\"},"
        "{\"type\": \"group_norm\", \"groups\": 3},"
        "{\"type\": \"residual\", \"layers\": [{\"type\": \"max_pool2d\"}, {\"type\": \"conv2d\", "
        "\"filters\": 4, "
        "\"kernel_size\": 1, \"use_bias\": false}]},"
        "{\"type\": \"reshape\", \"shape\": [12, 4]},"
        "{\"type\": \"rms_norm\"},"
        "{\"type\": \"conv1d\", \"filters\": 2, \"kernel_size\": 3, \"bias_init\": \"ones\"}]}",
        &issues);
    cr_assert_not_null(model);
    expect_weight(model, "conv2d_1", "kernel", SHAPE(5, 3, 2, 6), "he_normal", NAN, false);
    expect_weight(model, "conv2d_1", "bias", SHAPE(6), "zeros", NAN, false);
    expect_fans(model, "conv2d_1", 5 * 3 * 2, 5 * 3 * 3);
    expect_weight(model, "group_norm_1", "gamma", SHAPE(6), NULL, 1, false);
    expect_weight(model, "group_norm_1", "beta", SHAPE(6), NULL, 0, false);
    expect_weight(model, "conv2d_2", "kernel", SHAPE(1, 1, 6, 4), "glorot_uniform", NAN, false);
    cr_expect_null(find_weight(model, "conv2d_2", "bias"));
    expect_weight(model, "residual_1", "projection.kernel", SHAPE(6, 4), "glorot_uniform", NAN,
                  false);
    expect_weight(model, "rms_norm_1", "gamma", SHAPE(4), NULL, 1, false);
    cr_expect_null(find_weight(model, "rms_norm_1", "beta"));
    expect_weight(model, "conv1d_1", "kernel", SHAPE(3, 4, 2), "glorot_uniform", NAN, false);
    expect_weight(model, "conv1d_1", "bias", SHAPE(2), "ones", NAN, false);
    expect_fans(model, "conv1d_1", 12, 6);
    model_destroy(model);
    issues_finish(&issues);
}
