// The sections of graphs, their profile, and what one should be wary of in their edges.
#include "server/data/graph_draft.h"
#include <string.h>
#include "core/base/error.h"
#include "server/data/profile.h"

static int next_row(void *context, int64_t features, float **ret_numbers) {
    Draft *draft = context;
    int result = OK;
    if (draft->writer == NULL) {
        result = draft_open(draft, &SHAPE(features));
    }
    return result == OK ? draft_row(draft, ret_numbers) : result;
}

int graph_draft_names(GraphDraft *graphs, const Body *body) {
    Names names = {0};
    int result = body_names(body, "feature_names", &names);
    int64_t features = graphs->stack.features;
    if (result == OK && names.count > 0 && features > 0 && (int64_t)names.count != features) {
        BODY_ISSUE(body, "feature_names", "has %zu names for nodes of %lld features", names.count,
                   (long long)features);
    } else if (result == OK && names.count > 0 && features > 0) {
        result = columns_create(&names, &graphs->draft.columns);
    }
    names_finish(&names);
    return result;
}

// ---- sections ----

static int add_numbers(ArchiveWriter *writer, const char *name, ArchiveType type, int64_t count,
                       const void *numbers) {
    return archive_add(writer, name, type, 1, &count, numbers);
}

static int write_sparse(Draft *draft, const GraphData *data) {
    int result = draft_begin(draft);
    if (result == OK) {
        result = add_numbers(draft->writer, "features.width", ARCHIVE_I64, 1, &data->features);
    }
    if (result == OK) {
        result =
            add_numbers(draft->writer, "features.first", ARCHIVE_I32, data->nodes + 1, data->first);
    }
    if (result == OK) {
        result =
            add_numbers(draft->writer, "features.column", ARCHIVE_I32, data->numbers, data->column);
    }
    return result == OK ? add_numbers(draft->writer, "features.value", ARCHIVE_F32, data->numbers,
                                      data->value)
                        : result;
}

// The rows of "inputs" are nodes, whatever the dataset's rows are.
static int end_rows(Draft *draft, const GraphData *data) {
    int64_t rows = draft->rows;
    draft->rows = data->nodes;
    int result = draft_end_rows(draft);
    draft->rows = rows;
    return result;
}

static int write_graphs(Draft *draft) {
    const GraphDraft *graphs = draft->inputs;
    GraphData data = graph_stack_data(&graphs->stack, graphs->several);
    int result = data.first != NULL ? write_sparse(draft, &data) : end_rows(draft, &data);
    if (result == OK) {
        result = archive_add(draft->writer, "edges", ARCHIVE_I32, 2, (int64_t[]){data.edges, 2},
                             data.pairs);
    }
    if (result == OK && graphs->several) {
        result = add_numbers(draft->writer, "graphs.first_node", ARCHIVE_I32, data.graphs + 1,
                             data.first_node);
    }
    if (result == OK && graphs->several) {
        result = add_numbers(draft->writer, "graphs.first_edge", ARCHIVE_I32, data.graphs + 1,
                             data.first_edge);
    }
    return result == OK ? draft_write_columns(draft) : result;
}

// ---- profile ----

static void find_count(Findings *findings, const char *code, const char *name, int64_t count) {
    if (count == 0) {
        return;
    }
    JsonOut evidence;
    json_init(&evidence);
    json_begin_object(&evidence, NULL);
    json_integer(&evidence, name, count);
    json_end_object(&evidence);
    findings_add(findings, code, "info", text_string(&evidence.text));
    findings->out.text.failed |= evidence.text.failed;
    json_finish(&evidence);
}

static void profile_edges(const GraphStack *stack, JsonOut *out, Findings *findings) {
    int64_t ways = stack->directed ? 1 : 2;
    json_begin_object(out, "edges");
    json_integer(out, "nodes", stack->nodes);
    json_integer(out, "edges", stack->edges / ways);
    json_boolean(out, "directed", stack->directed);
    json_number(out, "mean_neighbors", (double)stack->edges / (double)stack->nodes);
    json_integer(out, "isolated_nodes", stack->isolated);
    json_end_object(out);
    find_count(findings, "repeated_edges", "edges", stack->repeated);
    find_count(findings, "self_loops", "edges", stack->loops);
    find_count(findings, "isolated_nodes", "nodes", stack->isolated);
}

static int profile_graphs(Draft *draft, const Archive *archive, JsonOut *out) {
    const GraphDraft *graphs = draft->inputs;
    GraphData data;
    int result = graph_data_load(archive, graphs->several, &data);
    if (result == OK && data.first != NULL) {
        result =
            profile_write_sparse(&data, draft->columns, &draft->targets, out, &draft->findings);
    } else if (result == OK) {
        ProfileInputs inputs = {.numbers = data.value,
                                .rows = data.nodes,
                                .shape = SHAPE(data.features),
                                .mapped = true};
        result = profile_write(&inputs, draft->columns, &draft->targets, out, &draft->findings);
    }
    if (result == OK) {
        profile_edges(&graphs->stack, out, &draft->findings);
    }
    return result == OK && (out->text.failed || draft->findings.out.text.failed) ? ERR_NO_MEMORY
                                                                                 : result;
}

// ---- the draft ----

static const DraftForm draft_graph = {
    .name = "graph", .write = write_graphs, .profile = profile_graphs};
static const DraftForm draft_graphs = {
    .name = "graphs", .write = write_graphs, .profile = profile_graphs};

void graph_draft_init(GraphDraft *graphs, const Body *body, bool several) {
    *graphs = (GraphDraft){.several = several};
    draft_init(&graphs->draft, body->directory, body->issues);
    graphs->draft.form = several ? &draft_graphs : &draft_graph;
    graphs->draft.inputs = graphs;
    graphs->sink = (GraphRowSink){.context = &graphs->draft, .next = next_row};
    graphs->stack.sink = &graphs->sink;
}

void graph_draft_finish(GraphDraft *graphs) {
    draft_finish(&graphs->draft);
    graph_stack_finish(&graphs->stack);
}

int graph_draft_seal(GraphDraft *graphs, const Body *body, const Body *target_body,
                     const Names *class_names, DatasetRow *ret_row) {
    if (body->task != NULL && strcmp(body->task, "language_model") == 0) {
        BODY_ISSUE(body, "task", "a language model needs a \"text\", not graphs");
    }
    Pointer targets = body_pointer(target_body, "targets"), task = body_pointer(body, "task");
    TargetsWish wish = {.task = body->task,
                        .class_names = class_names,
                        .pointer = targets.text,
                        .task_pointer = task.text};
    graphs->draft.shape = SHAPE(graphs->stack.features);
    return draft_seal(&graphs->draft, body->name, &wish, ret_row);
}
