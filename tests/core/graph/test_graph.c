#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

Test(graph, keeps_a_layers_learned_weights_together_and_states_behind) {
    Graph *graph = graph_create();
    GraphWeight weight = {.name = "gamma", .shape = SHAPE(3), .layer = 0, .fill = 1};
    cr_assert_eq(graph_weight(graph, &weight), 0);
    weight = (GraphWeight){.name = "mean", .shape = SHAPE(3), .layer = 0, .fill = 5, .state = true};
    cr_assert_eq(graph_weight(graph, &weight), 1);
    weight = (GraphWeight){.name = "kernel", .shape = SHAPE(2, 2), .layer = 2, .fill = 2};
    cr_assert_eq(graph_weight(graph, &weight), 2);
    cr_expect_eq(graph_learned(graph), 7);
    cr_expect_eq(graph_weight_elements(graph), 10);
    cr_expect_eq(graph_weight_at(graph, 1)->offset, 7);
    cr_expect_eq(graph_weight_at(graph, 2)->offset, 3);
    size_t begin, end;
    graph_layer_range(graph, 2, &begin, &end);
    cr_expect(begin == 3 && end == 7);
    graph_layer_range(graph, 1, &begin, &end);
    cr_expect_eq(begin, end);
    graph_layer_range(graph, 9, &begin, &end);
    cr_expect_eq(begin, end);

    Real weights[10];
    cr_assert_eq(graph_initialise(graph, 1, weights), OK);
    assert_all_near(weights, ((double[]){1, 1, 1, 2, 2, 2, 2, 5, 5, 5}), 10, 0);

    weight.layer = 0; // layer 2's lie between
    cr_expect_eq(graph_weight(graph, &weight), ERR_INVALID);
    graph_destroy(graph);
}

Test(graph, starts_each_weight_from_its_own_numbers) {
    Graph *graph = graph_create();
    const InitDesc *init = init_find("glorot_uniform");
    InitParams params = {NAN, NAN};
    GraphWeight weight = {.name = "kernel",
                          .shape = SHAPE(4, 4),
                          .init = {&init->desc, &params},
                          .fan_in = 4,
                          .fan_out = 4,
                          .fill = NAN};
    cr_assert_eq(graph_weight(graph, &weight), 0);
    weight.layer = 1;
    cr_assert_eq(graph_weight(graph, &weight), 1);
    Real first[32], again[32], other[32];
    graph_initialise(graph, 3, first);
    graph_initialise(graph, 3, again);
    graph_initialise(graph, 4, other);
    cr_expect(memcmp(first, again, sizeof(first)) == 0);
    cr_expect(memcmp(first, other, sizeof(first)) != 0);
    cr_expect(memcmp(first, first + 16, sizeof(first) / 2) != 0);
    graph_destroy(graph);
}

Test(graph, refuses_what_is_beyond_its_bounds) {
    Graph *graph = graph_create();
    cr_expect_eq(
        graph_input(graph, &(Shape){.rank = SHAPE_RANK_MAX, .dim = {1, 1, 1, 1, 1, 1}}, GRAPH_ROWS),
        ERR_TOO_LARGE);
    Shape huge = SHAPE(INT64_MAX / 2, 8);
    cr_expect_eq(graph_input(graph, &huge, GRAPH_ROWS), ERR_TOO_LARGE);
    GraphWeight weight = {.name = "kernel", .shape = huge, .fill = 0};
    cr_expect_eq(graph_weight(graph, &weight), ERR_TOO_LARGE);
    weight = (GraphWeight){.name = "kernel", .shape = SHAPE(2), .fill = NAN};
    cr_expect_eq(graph_weight(graph, &weight), ERR_INVALID); // neither an initialiser nor a fill
    int x = graph_input(graph, &SHAPE(2), GRAPH_ROWS), later = x + 1;
    char why[OP_WHY];
    cr_expect_eq(graph_add(graph, 0, &op_dropout, NULL, 1, &later, 0, NULL, why), ERR_INTERNAL);
    cr_expect_eq(graph_add(graph, 0, &op_add, NULL, OP_INPUTS_MAX + 1, &x, 0, NULL, why),
                 ERR_INVALID);
    graph_destroy(graph);
}
