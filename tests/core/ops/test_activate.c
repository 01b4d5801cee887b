// Every activation of the registry, through the operator, with every one of its probes.
#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/json.h"

static int add_activation(Net *net, const ActivationDesc *activation, const char *probe,
                          int input) {
    Arena *arena = graph_arena(net->graph);
    Issues issues;
    issues_init(&issues);
    const void *read = NULL;
    cr_assert_eq(
        params_read(&activation->desc, json_value(arena, probe), NULL, NULL, arena, &issues, &read),
        OK);
    issues_finish(&issues);
    double alpha = activation->desc.params_size > 0 ? ((const ActivationParams *)read)->alpha : 0;
    ActivateParams *params = arena_new(arena, ActivateParams);
    *params = (ActivateParams){activation, (Real)alpha};
    int weight = -1;
    if (activation->learned)
        weight = net_weight(net, 0, SHAPE(shape_last(&graph_node(net->graph, input)->shape)), alpha,
                            false);
    return net_op(net, 0, activate_op(activation), params, 1, &input, activation->learned, &weight);
}

static void check_all(Shape row) {
    for (size_t i = 0; i < activation_registry.count; i++) {
        const ActivationDesc *activation = (const ActivationDesc *)activation_registry.entries[i];
        cr_assert(activation->desc.probes != NULL && activation->desc.probes[0] != NULL,
                  "%s has no probe", activation->desc.name);
        for (const char *const *probe = activation->desc.probes; *probe != NULL; probe++) {
            Net net = net_make();
            int x = net_input(&net, row);
            net_check(net, add_activation(&net, activation, *probe, x), 7);
        }
    }
}

Test(activate, has_the_right_gradients_for_every_activation_on_vectors) {
    check_all(SHAPE(5));
}

Test(activate, has_the_right_gradients_for_every_activation_on_sequences) {
    check_all(SHAPE(3, 4));
}

// In place, between other nodes, as a training plan without keep_all runs it.
Test(activate, gives_the_same_gradients_in_place) {
    for (size_t i = 0; i < activation_registry.count; i++) {
        const ActivationDesc *activation = (const ActivationDesc *)activation_registry.entries[i];
        Real *gradients[2];
        size_t learned = 0;
        for (int keep_all = 0; keep_all < 2; keep_all++) {
            Net net = net_make();
            int x = net_input(&net, SHAPE(5));
            int y = add_activation(&net, activation, "{}", net_linear(&net, 0, x, 6, true));
            int z = net_linear(&net, 1, y, 3, true);
            net_prepare(
                &net, z, 4,
                &(PlanOptions){
                    .max_rows = 4, .backward = true, .keep_all = keep_all != 0, .output = z});
            net_pass(&net);
            learned = graph_learned(net.graph);
            gradients[keep_all] = net.gradients;
            net.gradients = NULL;
            net_finish(&net);
        }
        cr_expect(memcmp(gradients[0], gradients[1], learned * sizeof(Real)) == 0,
                  "%s differs in place", activation->desc.name);
        memory_free(gradients[0]);
        memory_free(gradients[1]);
    }
}

Test(activate, gives_the_same_on_two_threads) {
    for (size_t i = 0; i < activation_registry.count; i++) {
        const ActivationDesc *activation = (const ActivationDesc *)activation_registry.entries[i];
        Net net = net_make();
        int x = net_linear(&net, 1, net_input(&net, SHAPE(50, 2)), 50, true);
        net_check_threads(net, add_activation(&net, activation, "{}", x), 5);
    }
}
