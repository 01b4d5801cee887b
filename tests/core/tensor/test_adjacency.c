#include <criterion/criterion.h>
#include "core/base/error.h"
#include "core/tensor/adjacency.h"

static void expect(const char *what, const int32_t *actual, const int32_t *wanted, int count) {
    for (int i = 0; i < count; i++)
        cr_expect_eq(actual[i], wanted[i], "%s[%d] is %d, not %d", what, i, actual[i], wanted[i]);
}

Test(adjacency, joins_graphs_and_lists_each_edge_both_ways) {
    AdjacencyBuffer buffer;
    cr_assert_eq(adjacency_init(&buffer, 8, 3, 8), OK);
    for (int again = 0; again < 2; again++) { // a buffer is filled again for every batch
        adjacency_clear(&buffer);
        adjacency_add(&buffer, 3, (const int32_t[]){2, 1, 0, 1, 0, 2}, 3);
        adjacency_add(&buffer, 1, NULL, 0); // a node without edges
        adjacency_add(&buffer, 2, (const int32_t[]){1, 0}, 1);
        adjacency_close(&buffer);
        const Adjacency *graph = &buffer.adjacency;
        cr_assert_eq(graph->nodes, 6);
        cr_assert_eq(graph->graphs, 3);
        cr_assert_eq(graph->edges, 4);
        expect("first_node", graph->first_node, (const int32_t[]){0, 3, 4, 6}, 4);
        expect("first_in", graph->first_in, (const int32_t[]){0, 0, 2, 3, 3, 4, 4}, 7);
        expect("source", graph->source, (const int32_t[]){0, 2, 0, 5}, 4);
        expect("first_out", graph->first_out, (const int32_t[]){0, 2, 2, 3, 3, 3, 4}, 7);
        expect("target", graph->target, (const int32_t[]){1, 2, 1, 4}, 4);
        expect("place", graph->place, (const int32_t[]){0, 2, 1, 3}, 4);
    }
    adjacency_finish(&buffer);
}
