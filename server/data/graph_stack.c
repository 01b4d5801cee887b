// Reading a graph: its nodes, sparse or whole, then its edges.
#include "server/data/graph_stack.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/data/row_text.h"

void graph_stack_finish(GraphStack *stack) {
    GrowingArray *const arrays[] = {&stack->value, &stack->first,      &stack->column,
                                    &stack->pairs, &stack->first_node, &stack->first_edge,
                                    &stack->seen};
    for (size_t i = 0; i < ARRAY_LENGTH(arrays); i++) {
        memory_free(arrays[i]->items);
    }
    pairs_finish(&stack->reading);
    *stack = (GraphStack){0};
}

// Where a part of the graph stands: its Place, with the pointer that this needs.
typedef struct PartPlace {
    char before[GRAPH_POINTER + 32];
    Place place;
} PartPlace;

static void place_part(const GraphText *text, const char *part, PartPlace *ret_place) {
    snprintf(ret_place->before, sizeof ret_place->before, "%s/%s", text->pointer, part);
    ret_place->place = (Place){.before = ret_place->before, .after = ""};
}

// ---- edges ----

// Drops those from a node to itself, adds the way back, sorts, and keeps one of each.
static int append_edges(GraphStack *stack, int64_t count, int64_t nodes, bool directed) {
    PairEntry *entries = stack->reading.entries;
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++) {
        if (entries[i].row != entries[i].column) {
            entries[kept++] = entries[i];
        }
    }
    stack->loops += count - kept;
    if (!directed) {
        for (int64_t i = 0; i < kept; i++) {
            entries[kept + i] = (PairEntry){.row = entries[i].column, .column = entries[i].row};
        }
        kept *= 2;
    }
    int result = pairs_sort(&stack->reading, kept, nodes, nodes);
    if (result == OK) {
        result = growing_reserve(&stack->pairs, 2 * stack->edges, 2 * (stack->edges + kept),
                                 sizeof(int32_t));
    }
    if (result != OK) {
        return result;
    }
    entries = stack->reading.entries; // sorting changed places
    int32_t *pairs = (int32_t *)stack->pairs.items + 2 * stack->edges;
    int64_t edges = 0;
    for (int64_t i = 0; i < kept; i++) {
        if (i == 0 || !pairs_equal(&entries[i], &entries[i - 1])) {
            pairs[2 * edges] = entries[i].row;
            pairs[2 * edges++ + 1] = entries[i].column;
        }
    }
    stack->repeated += (kept - edges) / (directed ? 1 : 2);
    stack->edges += edges;
    return OK;
}

static int count_isolated(GraphStack *stack, int64_t nodes, int64_t first_edge) {
    int result = growing_reserve(&stack->seen, 0, nodes, sizeof(int32_t));
    if (result != OK) {
        return result;
    }
    int32_t *seen = stack->seen.items;
    memset(seen, 0, (size_t)nodes * sizeof *seen);
    const int32_t *pairs = stack->pairs.items;
    for (int64_t i = 2 * first_edge; i < 2 * stack->edges; i++) {
        seen[pairs[i]] = 1;
    }
    for (int64_t v = 0; v < nodes; v++) {
        stack->isolated += seen[v] == 0;
    }
    return OK;
}

static int take_edges(GraphStack *stack, const GraphText *text, int64_t nodes, Issues *issues) {
    static const char *const names[] = {"node", "node"};
    PartPlace part;
    place_part(text, "edges", &part);
    int64_t count = 0, first_edge = stack->edges;
    size_t before = issues->count;
    int result =
        pairs_read(&stack->reading, text->edges, (int64_t[]){nodes, nodes}, names, part.place,
                   "an edge [source, target], two numbers of nodes", issues, &count);
    if (result == OK && stack->edges + 2 * count >= INT32_MAX) {
        issues_add_at(issues, part.before, "there are too many edges in all: at most %d",
                      INT32_MAX / 2);
    }
    if (result != OK || issues->count > before) {
        return result;
    }
    stack->directed |= text->directed;
    result = append_edges(stack, count, nodes, text->directed);
    return result == OK ? count_isolated(stack, nodes, first_edge) : result;
}

// ---- features of mostly zeros ----

static int read_values(GraphStack *stack, const GraphText *text, int64_t count, Issues *issues) {
    PartPlace part;
    place_part(text, "nodes/values", &part);
    int64_t given = span_items(text->values);
    if (given != count) {
        issues_add_at(issues, part.before,
                      "must have one item for each of the %lld indices, not %lld", (long long)count,
                      (long long)given);
        return OK;
    }
    Span span = text->values;
    for (span_enter(&span); span_next(&span); part.place.row++) {
        double number = 0;
        if (span_kind(&span) != VALUE_NUMBER) {
            place_issue(&part.place, NULL, 0, issues, "must be a number, not %s",
                        value_kind_name(span_kind(&span)));
            span_skip(&span);
            continue;
        }
        if (span_number(&span, &number) == ERR_NO_MEMORY) {
            return ERR_NO_MEMORY;
        }
        row_float(number, &part.place, NULL, 0, issues,
                  &stack->reading.entries[part.place.row].value);
    }
    return OK;
}

static int append_entries(GraphStack *stack, const GraphText *text, int64_t count, Issues *issues) {
    PartPlace part;
    place_part(text, "nodes/indices", &part);
    int64_t nodes = text->shape[0], columns = text->shape[1];
    int result = pairs_sort(&stack->reading, count, nodes, columns);
    if (result == OK) {
        result = growing_reserve(&stack->first, stack->nodes + 1, stack->nodes + nodes + 1,
                                 sizeof(int32_t));
    }
    if (result == OK) {
        result = growing_reserve(&stack->column, stack->numbers, stack->numbers + count,
                                 sizeof(int32_t));
    }
    if (result == OK) {
        result =
            growing_reserve(&stack->value, stack->numbers, stack->numbers + count, sizeof(float));
    }
    if (result != OK) {
        return result;
    }
    const PairEntry *entries = stack->reading.entries;
    int32_t *first = (int32_t *)stack->first.items + stack->nodes;
    int32_t *column = (int32_t *)stack->column.items + stack->numbers;
    float *value = (float *)stack->value.items + stack->numbers;
    memset(first + 1, 0, (size_t)nodes * sizeof *first);
    for (int64_t i = 0; i < count; i++) {
        if (i > 0 && pairs_equal(&entries[i], &entries[i - 1])) {
            part.place.row = entries[i].index;
            place_issue(&part.place, NULL, 0, issues, "row %d, column %d stands twice",
                        (int)entries[i].row, (int)entries[i].column);
        }
        first[entries[i].row + 1]++;
        column[i] = entries[i].column;
        value[i] = entries[i].value;
    }
    first[0] = (int32_t)stack->numbers;
    for (int64_t v = 0; v < nodes; v++) {
        first[v + 1] += first[v];
    }
    stack->numbers += count;
    return OK;
}

static int take_sparse(GraphStack *stack, const GraphText *text, Issues *issues) {
    static const char *const names[] = {"row", "column"};
    PartPlace part;
    place_part(text, "nodes/indices", &part);
    int64_t count = 0;
    size_t before = issues->count;
    int result = pairs_read(&stack->reading, text->indices, text->shape, names, part.place,
                            "a place [row, column], two whole numbers", issues, &count);
    if (result == OK && stack->numbers + count >= INT32_MAX) {
        issues_add_at(issues, part.before, "there are too many numbers in all: at most %d",
                      INT32_MAX - 1);
    }
    if (result == OK && issues->count == before) {
        result = read_values(stack, text, count, issues);
    }
    return result == OK && issues->count == before ? append_entries(stack, text, count, issues)
                                                   : result;
}

// ---- whole features ----

static int next_row(GraphStack *stack, int64_t row, float **ret_numbers) {
    if (stack->sink != NULL) {
        return stack->sink->next(stack->sink->context, stack->features, ret_numbers);
    }
    int64_t used = row * stack->features;
    int result = growing_reserve(&stack->value, used, used + stack->features, sizeof(float));
    if (result == OK) {
        *ret_numbers = (float *)stack->value.items + used;
    }
    return result;
}

// The first row's width is that of all.
static void fix_features(GraphStack *stack, const Span *row, const Place *place, Issues *issues) {
    Shape shape;
    if (!row_shape(*row, place, issues, &shape)) {
        return;
    }
    if (shape.rank != 1) {
        char text[SHAPE_TEXT];
        place_issue(place, NULL, 0, issues, "must be one row of numbers, not of shape %s",
                    shape_text(&shape, text));
        return;
    }
    stack->features = shape.dim[0];
}

static int take_rows(GraphStack *stack, const GraphText *text, Issues *issues, int64_t *ret_nodes) {
    PartPlace part;
    place_part(text, "nodes", &part);
    Span span = text->nodes;
    int result = OK;
    for (span_enter(&span); result == OK && span_next(&span); part.place.row++) {
        float *numbers;
        if (stack->features == 0) {
            fix_features(stack, &span, &part.place, issues);
        }
        if (stack->features == 0) {
            span_skip(&span);
            continue;
        }
        result = next_row(stack, stack->nodes + part.place.row, &numbers);
        if (result == OK) {
            row_text_read(&span, &SHAPE(stack->features), &part.place, issues, numbers);
        }
    }
    *ret_nodes = part.place.row;
    stack->numbers += part.place.row * stack->features;
    if (part.place.row == 0) {
        issues_add_at(issues, part.before, "must have at least one node");
    }
    return result;
}

// ---- a graph ----

// Whether it has features as the graphs before it had.
static bool fits(const GraphStack *stack, const GraphText *text, Issues *issues) {
    PartPlace part;
    place_part(text, "nodes", &part);
    if (stack->graphs > 0 && text->sparse != stack->sparse) {
        issues_add_at(issues, part.before, "must be %s, as the first graph's are",
                      stack->sparse ? "sparse" : "rows of numbers");
    } else if (text->sparse && stack->features > 0 && text->shape[1] != stack->features) {
        issues_add_at(issues, part.before, "must have %lld features, not %lld",
                      (long long)stack->features, (long long)text->shape[1]);
    } else {
        return true;
    }
    return false;
}

static int close_graph(GraphStack *stack, int64_t nodes) {
    int result =
        growing_reserve(&stack->first_node, stack->graphs + 1, stack->graphs + 2, sizeof(int32_t));
    if (result == OK) {
        result = growing_reserve(&stack->first_edge, stack->graphs + 1, stack->graphs + 2,
                                 sizeof(int32_t));
    }
    if (result != OK) {
        return result;
    }
    stack->nodes += nodes;
    stack->graphs++;
    ((int32_t *)stack->first_node.items)[stack->graphs] = (int32_t)stack->nodes;
    ((int32_t *)stack->first_edge.items)[stack->graphs] = (int32_t)stack->edges;
    return OK;
}

int graph_stack_add(GraphStack *stack, const GraphText *text, Issues *issues) {
    if (!fits(stack, text, issues)) {
        return OK;
    }
    int64_t nodes = text->shape[0];
    int result;
    if (text->sparse) {
        stack->features = text->shape[1];
        result = take_sparse(stack, text, issues);
    } else {
        result = take_rows(stack, text, issues, &nodes);
    }
    stack->sparse = text->sparse;
    if (stack->nodes + nodes > GRAPH_SIDE_MAX) {
        issues_add_at(issues, text->pointer, "there are more than %d nodes", GRAPH_SIDE_MAX);
        return result;
    }
    if (result == OK && nodes > 0) {
        result = take_edges(stack, text, nodes, issues);
    }
    return result == OK ? close_graph(stack, nodes) : result;
}

GraphData graph_stack_data(const GraphStack *stack, bool several) {
    return (GraphData){.nodes = stack->nodes,
                       .features = stack->features,
                       .graphs = stack->graphs,
                       .edges = stack->edges,
                       .numbers = stack->numbers,
                       .value = stack->value.items,
                       .first = stack->sparse ? stack->first.items : NULL,
                       .column = stack->sparse ? stack->column.items : NULL,
                       .pairs = stack->pairs.items,
                       .first_node = several ? stack->first_node.items : NULL,
                       .first_edge = several ? stack->first_edge.items : NULL};
}
