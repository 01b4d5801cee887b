// A dataset of graphs in the making: a draft whose inputs are a stack of graphs. For the files of server/data.
#pragma once
#include "server/data/draft.h"
#include "server/data/graph_stack.h"
#include "server/data/intake_form.h"

typedef struct GraphDraft {
    Draft draft;
    GraphStack stack;
    GraphRowSink sink; // whole rows go into the archive
    bool several;
} GraphDraft;

// It must not be moved from here to graph_draft_finish. several: many graphs with a target each.
void graph_draft_init(GraphDraft *graphs, const Body *body, bool several);
void graph_draft_finish(GraphDraft *graphs);
// "feature_names" of the body. ERR_NO_MEMORY.
int graph_draft_names(GraphDraft *graphs, const Body *body);
// draft_seal, with the targets of `target_body`; draft.rows is set by then.
int graph_draft_seal(GraphDraft *graphs, const Body *body, const Body *target_body,
                     const Names *class_names, DatasetRow *ret_row);
