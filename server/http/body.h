// A request's body as it comes: in memory up to 256 KiB, beyond that in an unlinked file of the
// data directory's tmp/, mapped read-only at the end. So memory does not grow with it, and a crash
// leaves nothing behind.
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { BODY_IN_MEMORY = 256 << 10 };

typedef struct Body {
    size_t limit;
    size_t length;
    char *memory; // [capacity] until it spills
    size_t capacity;
    int descriptor;  // −1 while in memory
    const char *map; // [length] once ended, if it spilled
} Body;

void body_init(Body *body, size_t limit);
void body_finish(Body *body);
// `directory`: the data directory. ERR_TOO_LARGE beyond the limit; ERR_NO_MEMORY; ERR_UNAVAILABLE:
// no room on disk; ERR_IO.
int body_add(Body *body, int directory, const char *data, size_t length);
int body_end(Body *body);                // after the last piece: body_data is whole
const char *body_data(const Body *body); // never NULL
