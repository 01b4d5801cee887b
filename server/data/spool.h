// Bytes that are added one piece after the other and then read from the start, as often as wanted: in memory up to 64 KiB,
// beyond that in an unlinked file, so that memory does not grow with them. For the files of server/data.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "core/base/archive.h"

typedef struct Spool {
    int directory; // the data directory; the file lies among its datasets, without a name
    int file;      // −1: all is in the buffer
    char *buffer;  // [64 KiB] once something was added
    size_t used;   // of the buffer: not yet in the file, or once it is read, out of it
    size_t at;     // reading: what was taken of the buffer
    uint64_t length;
    uint64_t ahead; // reading: what was taken of the file
} Spool;

void spool_init(Spool *spool, int directory);
void spool_finish(Spool *spool);
// ERR_NO_MEMORY; ERR_UNAVAILABLE: no room on disk; ERR_IO. Nothing is added once it was rewound.
int spool_add(Spool *spool, const void *data, size_t bytes);
int spool_rewind(Spool *spool);
// The next bytes, of which there are as many. ERR_IO.
int spool_take(Spool *spool, void *ret_data, size_t bytes);
// All of it into the archive's section under way. Rewinds.
int spool_append(Spool *spool, ArchiveWriter *writer);
