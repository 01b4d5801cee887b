// Where the members of a graph stand in JSON: {"nodes", "edges", "directed"}, nodes as rows of numbers or sparse,
// {"shape", "indices", "values"}. For the files of server/data, and for requests that bring graphs.
#pragma once
#include "core/base/issues.h"
#include "server/json/document.h"
#include "server/json/span.h"

enum {
    GRAPH_POINTER = 96,
    GRAPH_SIDE_MAX =
        1 << 24, // nodes of all graphs, features: some words of a request must not take all memory
};

typedef struct GraphText {
    char pointer[GRAPH_POINTER]; // of the graph, for issues
    bool sparse, directed;
    Span nodes;           // the rows; of sparse features nothing
    int64_t shape[2];     // of sparse ones: nodes, features
    Span indices, values; // likewise
    Span edges;
} GraphText;

// Of the graph's object in the document, whose arrays "nodes", "nodes/indices", "nodes/values" and "edges" were lifted. False, with issues, where anything lacks or is of another
// kind. Other keys of the graph are the caller's to check.
bool graph_text_of_value(const Document *document, Value graph, const char *pointer, Issues *issues,
                         GraphText *ret_text);
// Of an object as text (an item of an array that was lifted); it may have no other keys.
bool graph_text_of_span(Span graph, const char *pointer, Issues *issues, GraphText *ret_text);
