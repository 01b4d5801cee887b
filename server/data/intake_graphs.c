// Many graphs: {"graphs": [{"nodes", "edges"}, …], "targets": […]}, read one after the other out of the lifted text.
#include <stdio.h>
#include "core/base/error.h"
#include "server/data/graph_draft.h"
#include "server/data/intake_form.h"

static int take_graphs(GraphDraft *graphs, const Body *body, Span span) {
    char pointer[GRAPH_POINTER];
    int64_t index = 0;
    int result = OK;
    for (span_enter(&span); result == OK && span_next(&span); index++) {
        const char *start = span.at;
        GraphText text;
        span_skip(&span);
        snprintf(pointer, sizeof pointer, "%s/graphs/%lld", body->prefix, (long long)index);
        if (graph_text_of_span((Span){start, span.at}, pointer, body->issues, &text)) {
            result = graph_stack_add(&graphs->stack, &text, body->issues);
        }
    }
    graphs->draft.rows = index;
    if (index == 0) {
        BODY_ISSUE(body, "graphs", "must have at least one graph");
    }
    return body->issues->failed ? ERR_NO_MEMORY : result;
}

static int take_all(GraphDraft *graphs, const Body *body, Names *class_names) {
    Draft *draft = &graphs->draft;
    size_t issues_before = body->issues->count;
    Span span;
    int result = body_class_names(body, class_names);
    if (result == OK && body_span(body, "graphs", "graph", &span)) {
        result = take_graphs(graphs, body, span);
    }
    if (result == OK) {
        result = body_targets(body, "targets", "graph", &draft->targets);
    }
    if (result == OK) {
        body_match(body, "targets", draft->targets.rows, "graphs", draft->rows, issues_before);
        result = graph_draft_names(graphs, body);
    }
    return result == OK && !issues_any(body->issues)
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

static const char *const others[] = {"targets", "splits", "class_names", "feature_names", NULL};

const IntakeForm intake_form_graphs = {.key = "graphs", .others = others, .take = graphs_take};
