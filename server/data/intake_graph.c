// One graph: {"graph": {"nodes", "edges", "targets", "splits"}}. Rows of features stream into the archive; edges, and features
// of mostly zeros, are sorted first. What stands beside them may stand beside "graph" too, as with other forms.
#include <string.h>
#include "core/base/descriptor.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/dataset.h"
#include "server/data/graph_draft.h"
#include "server/data/intake_form.h"

typedef struct GraphIntake {
    const Body *body;  // of the dataset
    const Body *graph; // of the object "graph" in it
    GraphDraft graphs;
    Names class_names;
} GraphIntake;

static const char *const graph_keys[] = {"nodes",  "edges",       "directed",     "targets",
                                         "splits", "class_names", "feature_names"};

static void check_keys(const Body *graph) {
    VALUE_FOREACH(member, graph->value) {
        const char *key = value_key(member), *nearest;
        size_t i = 0;
        while (i < ARRAY_LENGTH(graph_keys) && strcmp(key, graph_keys[i]) != 0) {
            i++;
        }
        if (i < ARRAY_LENGTH(graph_keys)) {
            continue;
        }
        nearest = nearest_name(key, graph_keys, ARRAY_LENGTH(graph_keys));
        issues_add(graph->issues, PATH_KEY(graph->path, key), "unknown key%s%s%s",
                   nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "\"?" : "");
    }
}

// Where the member stands: in the graph, or beside it; both is one too many.
static const Body *holder(const GraphIntake *intake, const char *key) {
    if (body_given(intake->graph, key) && body_given(intake->body, key)) {
        BODY_ISSUE(intake->body, key, "stands in the graph already");
    }
    return body_given(intake->graph, key) ? intake->graph : intake->body;
}

static int take_targets(GraphIntake *intake, size_t issues_before) {
    Draft *draft = &intake->graphs.draft;
    draft->targets.gaps = true;
    int result = body_targets(intake->graph, "targets", "node", &draft->targets);
    if (result == OK) {
        body_match(intake->graph, "targets", draft->targets.rows, "nodes",
                   intake->graphs.stack.nodes, issues_before);
    }
    return result;
}

// As the lists say; without any, every node with a target is the job's to split.
static int take_splits(GraphIntake *intake) {
    Draft *draft = &intake->graphs.draft;
    const Targets *targets = &draft->targets;
    const Body *body = holder(intake, "splits");
    if (body_given(body, "splits") || targets->missing_count == 0) {
        return body_node_splits(body, targets->rows, targets->missing, &draft->splits);
    }
    draft->splits = memory_array((size_t)targets->rows, 1);
    if (draft->splits == NULL) {
        return ERR_NO_MEMORY;
    }
    for (int64_t v = 0; v < targets->rows; v++) {
        draft->splits[v] = targets->missing[v] ? SPLIT_NONE : SPLIT_TRAIN;
    }
    return OK;
}

static int take_all(GraphIntake *intake) {
    const Body *graph = intake->graph;
    GraphText text;
    size_t issues_before = graph->issues->count;
    check_keys(graph);
    int result = body_class_names(holder(intake, "class_names"), &intake->class_names);
    if (result == OK &&
        graph_text_of_value(graph->document, graph->value, graph->prefix, graph->issues, &text)) {
        result = graph_stack_add(&intake->graphs.stack, &text, graph->issues);
    }
    if (result == OK) {
        result = take_targets(intake, issues_before);
    }
    if (result == OK) {
        intake->graphs.draft.rows = intake->graphs.stack.nodes;
        result = graph_draft_names(&intake->graphs, holder(intake, "feature_names"));
    }
    return result == OK && !issues_any(graph->issues) ? take_splits(intake) : result;
}

static int graph_take(const Body *body, DatasetRow *ret_row) {
    Value value = value_member(body->value, "graph");
    Pointer pointer = body_pointer(body, "graph");
    if (value_kind(value) != VALUE_OBJECT) {
        BODY_ISSUE(body, "graph",
                   "must be an object with \"nodes\", \"edges\" and \"targets\", not %s",
                   value_kind_name(value_kind(value)));
        return OK;
    }
    Body graph = *body;
    graph.value = value;
    graph.prefix = pointer.text;
    graph.path = PATH_KEY(body->path, "graph");
    GraphIntake intake = {.body = body, .graph = &graph};
    graph_draft_init(&intake.graphs, body, false);
    int result = take_all(&intake);
    if (result == OK) {
        result = graph_draft_seal(&intake.graphs, body, &graph, &intake.class_names, ret_row);
    }
    names_finish(&intake.class_names);
    graph_draft_finish(&intake.graphs);
    return result;
}

static const char *const others[] = {"splits", "class_names", "feature_names", NULL};

const IntakeForm intake_form_graph = {.key = "graph", .others = others, .take = graph_take};
