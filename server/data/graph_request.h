// What a prediction is asked of a model of graphs: {"nodes": [ids]} of the graph that it learned on, or new ones, {"graph"} or
// {"graphs"}.
#pragma once
#include "core/model/task.h"
#include "server/data/graph_stack.h"

extern const char
    *const graph_request_lifted[]; // pointers to lift when parsing the body; NULL-terminated

typedef struct GraphRequest { // a zeroed one is ready to use
    GraphStack stack;
    GraphData data; // to be run; borrowed from the stack, or from the model's archive
    int32_t *nodes; // [node_count] whose outputs are asked for, owned; NULL: all of them
    int64_t node_count;
} GraphRequest;

// ERR_INVALID with issues; ERR_DAMAGED (the model); ERR_NO_MEMORY. Finish it in any case.
int graph_request_read(const Document *document, const Archive *model, const Task *task,
                       Issues *issues, GraphRequest *request);
void graph_request_finish(GraphRequest *request);
