// The graphs that the probes of the graph layers run on: one of a ring with a tail and a lonely node; and
// several, with directed edges, a node that nothing reaches and one that stands alone.
#pragma once

#define PROBE_GRAPH "\"graph\": {\"nodes\": 6, \"edges\": [[0, 1], [1, 2], [2, 0], [2, 3], [3, 4]]}"
#define PROBE_GRAPHS                                                                               \
    "\"graphs\": [{\"nodes\": 4, \"directed\": true, \"edges\": [[0, 1], [2, 1], [1, 3], [3, "     \
    "1]]}, {\"nodes\": 1, \"edges\": []}, {\"nodes\": 2, \"edges\": [[0, 1]]}]"
