// Rows that come a step a pass: what the layers say of themselves, held against rows that come whole.
#include <stdio.h>
#include "tests/core/layers/probe.h"
#include "tests/support/near.h"

TestSuite(steps, .init = probe_begin, .fini = probe_end);

// The probe's net for rows of one step.
static Model *one_step(const char *text) {
    static const char key[] = "\"input\": [";
    const char *first = strstr(text, key);
    cr_assert_not_null(first, "%s", text);
    first += strlen(key);
    AUTO_FREE char *changed = NULL;
    cr_assert(asprintf(&changed, "%.*s1%s", (int)(first - text), text,
                       first + strspn(first, "0123456789")) > 0);
    Issues issues;
    Model *model = probe_model(changed, &issues);
    cr_assert_not_null(model, "%s", changed);
    issues_finish(&issues);
    return model;
}

static void compare_steps(ProbeRun *run) {
    const Shape *row = model_input_shape(run->model);
    size_t rows = (size_t)run->options.max_rows, times = (size_t)row->dim[0];
    size_t in = (size_t)shape_elements(row) / times, out = run->outputs / rows / times;
    Model *one = one_step(run->text);
    Tensor part = {memory_array(rows * in, sizeof(Real)), run->input.shape}, wanted, seen;
    Plan *steps;
    part.shape.dim[1] = 1;
    run->options.backward = run->options.carry = false;
    cr_assert_eq(plan_create(run->graph, &run->options, &run->plan), OK);
    run->options.carry = true;
    cr_assert_eq(plan_create(model_graph(one), &run->options, &steps), OK);
    plan_forward(run->plan, &(OpContext){0}, NULL, &run->input, run->weights, &wanted);
    for (size_t pass = 0; pass < 2 * times; pass++) {
        size_t t = pass % times;
        if (t == 0) // the second time begins anew
            plan_restart(steps);
        for (size_t r = 0; r < rows; r++)
            memcpy(part.data + r * in, run->input.data + (r * times + t) * in, in * sizeof(Real));
        plan_forward(steps, &(OpContext){0}, NULL, &part, run->weights, &seen);
        for (size_t r = 0; r < rows; r++)
            assert_all_near(seen.data + r * out, wanted.data + (r * times + t) * out, out, 1e-12);
    }
    plan_destroy(run->plan);
    plan_destroy(steps);
    model_destroy(one);
    memory_free(part.data);
}

// False where the probe's rows have to come whole.
static bool comes_in_steps(const char *text) {
    ProbeRun run;
    probe_start(&run, text);
    bool carries = graph_carries(run.graph, run.options.output);
    if (carries) {
        compare_steps(&run);
    } else if (run.context.adjacency == NULL) {
        run.options.backward = false;
        run.options.carry = true;
        cr_assert_eq(plan_create(run.graph, &run.options, &run.plan), ERR_INVALID);
    }
    probe_finish(&run);
    return carries;
}

Test(steps, give_the_same_as_whole_rows_wherever_a_layer_says_so) {
    size_t count = 0;
    for (size_t i = 0; i < layer_registry.count; i++)
        for (const char *const *probe = layer_registry.entries[i]->probes; *probe != NULL; probe++)
            count += comes_in_steps(*probe);
    cr_assert_gt(count, 8);
}

Test(steps, are_what_these_nets_can_be_cut_into) {
    static const char *const nets[] = {
        "{\"input\": [6, 4], \"layers\": [{\"type\": \"rnn\", \"units\": 3, \"return_sequences\":"
        " true}, {\"type\": \"gru\", \"units\": 4, \"return_sequences\": true}]}",
        "{\"input\": [6, 4], \"layers\": [{\"type\": \"gru\", \"units\": 3, \"reset_after\": false,"
        " \"return_sequences\": true}, {\"type\": \"dropout\", \"rate\": 0.5}, {\"type\": "
        "\"rms_norm\"},"
        " {\"type\": \"batch_norm\"}, {\"type\": \"activation\", \"function\": \"softmax\"}]}",
        "{\"input\": [6, 4], \"layers\": [{\"type\": \"residual\", \"layers\": [{\"type\":"
        " \"lstm\", \"units\": 5, \"return_sequences\": true}, {\"type\": \"layer_norm\"}]},"
        " {\"type\": \"concat\", \"inputs\": [\"input\", \"residual_1\"]}]}",
        "{\"input\": [6], \"vocabulary\": 9, \"layers\": [{\"type\": \"embedding\", \"units\": 4},"
        " {\"type\": \"dense\", \"units\": 4, \"activation\": \"prelu\"},"
        " {\"type\": \"multiply\", \"inputs\": [\"dense_1\", \"embedding_1\"]}]}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(nets); i++)
        cr_expect(comes_in_steps(nets[i]), "%s", nets[i]);
}

Test(steps, are_refused_where_a_layer_sees_several) {
    static const char *const types[] = {"multi_head_attention", "conv1d",     "flatten",
                                        "positional_embedding", "group_norm", "global_avg_pool"};
    static const char *const nets[] = {
        "{\"input\": [4], \"layers\": [{\"type\": \"dense\", \"units\": 3}]}",
        "{\"input\": [6, 4], \"layers\": [{\"type\": \"lstm\", \"units\": 3}]}",
        "{\"input\": [6, 4], \"layers\": [{\"type\": \"lstm\", \"units\": 3, \"return_sequences\":"
        " true, \"bidirectional\": true}]}",
        "{\"input\": [6, 4], \"layers\": [{\"type\": \"dense\", \"units\": 4}, {\"type\": "
        "\"concat\","
        " \"axis\": -2, \"inputs\": [\"input\", \"dense_1\"]}]}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
        cr_expect_not(comes_in_steps(layer_find(types[i])->desc.probes[0]), "%s", types[i]);
    for (size_t i = 0; i < ARRAY_LENGTH(nets); i++)
        cr_expect_not(comes_in_steps(nets[i]), "%s", nets[i]);
}
