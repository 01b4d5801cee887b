// Nodes and graphs of a dataset as rows for people: as they were given. For the files of server/data.
#pragma once
#include "core/train/dataset.h"
#include "server/base/json_out.h"

// Members of the row's object: of one graph the node's "input", the nodes that its edges lead to ("neighbors"), its target and its
// split; of many graphs the graph's "input" {"nodes", "edges"} and its target. values [outputs] is for its use.
void graph_row_write(const Dataset *dataset, int64_t row, double *values, JsonOut *out);
