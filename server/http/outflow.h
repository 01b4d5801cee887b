// Whether a client takes what it is sent. What MHD has handed to the kernel is out of its hands: a whole answer lies there while the
// client reads a byte now and then. So the kernel is asked what the client has acknowledged.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { OUTFLOW_MS = 10000, OUTFLOW_BYTES = 40 << 10 };

typedef struct Outflow {
    int64_t since;   // 0: nothing waited for the client
    uint64_t target; // acknowledged bytes that end this look at it
} Outflow;

// Asked every second or so. True: of what waited OUTFLOW_MS ago the client has not taken all, nor OUTFLOW_BYTES of it.
bool outflow_stalls(Outflow *outflow, int descriptor, int64_t now);
