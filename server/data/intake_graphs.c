// Many graphs: {"graphs": [{"nodes", "edges"}, …], "targets": […]}, read one after the other out of the lifted text, those for
// testing ("test_inputs") behind the others.
#include <stdio.h>
#include "core/base/error.h"
#include "server/data/graph_draft.h"
#include "server/data/intake_form.h"

static int take_graphs(GraphDraft *graphs, const Body *body, const char *key) {
    Span span;
    if (!body_span(body, key, "graph", &span)) {
        return OK;
    }
    char pointer[GRAPH_POINTER];
    int64_t index = 0, rows_before = graphs->draft.rows;
    int result = OK;
    for (span_enter(&span); result == OK && span_next(&span); index++) {
        const char *start = span.at;
        GraphText text;
        span_skip(&span);
        snprintf(pointer, sizeof pointer, "%s/%s/%lld", body->prefix, key, (long long)index);
        Span graph = {.at = start, .end = span.at, .passed = span.passed};
        if (graph_text_of_span(graph, pointer, body->issues, &text)) {
            result = graph_stack_add(&graphs->stack, &text, body->issues);
        }
    }
    graphs->draft.rows = rows_before + index; // nodes came in as rows
    if (index == 0) {
        BODY_ISSUE(body, key, "must have at least one graph");
    }
    return body->issues->failed ? ERR_NO_MEMORY : result;
}

// Graphs and their targets, behind what the draft has already.
static int take_pair(GraphDraft *graphs, const Body *body, const char *key, const char *targets) {
    Draft *draft = &graphs->draft;
    int64_t rows_before = draft->rows, targets_before = draft->targets.rows;
    size_t issues_before = body->issues->count;
    int result = take_graphs(graphs, body, key);
    if (result == OK) {
        result = body_targets(body, targets, "graph", &draft->targets);
    }
    if (result == OK) {
        body_match(body, targets, draft->targets.rows - targets_before, key,
                   draft->rows - rows_before, issues_before);
    }
    return result;
}

static int take_all(GraphDraft *graphs, const Body *body, Names *class_names) {
    Draft *draft = &graphs->draft;
    bool has_test = body_has_test(body);
    int result = body_class_names(body, class_names);
    if (result == OK) {
        result = take_pair(graphs, body, "graphs", "targets");
    }
    draft->test_from = draft->rows;
    if (result == OK && has_test) {
        result = take_pair(graphs, body, "test_inputs", "test_targets");
    }
    if (result == OK) {
        result = graph_draft_names(graphs, body);
    }
    return result == OK && !has_test && !issues_any(body->issues)
               ? body_splits(body, draft->rows, &draft->splits)
               : result;
}

static int graphs_take(const Body *body, DatasetRow *ret_row) {
    GraphDraft graphs;
    Names class_names = {0};
    graph_draft_init(&graphs, body, true);
    int result = take_all(&graphs, body, &class_names);
    if (result == OK) {
        result = graph_draft_seal(&graphs, body, body, &class_names, ret_row);
    }
    names_finish(&class_names);
    graph_draft_finish(&graphs);
    return result;
}

static const char *const others[] = {
    "targets", "test_inputs", "test_targets", "splits", "class_names", "feature_names", NULL};

const IntakeForm intake_form_graphs = {.key = "graphs", .others = others, .take = graphs_take};
