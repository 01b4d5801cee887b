// The bytes of a file that lies in a source, unpacked where it is gzip: told by its first two bytes, several members one after
// the other as gzip has it, and never more than a bound. For the files of server/data.
#pragma once
#include <stdint.h>
#include <zlib.h>
#include "server/base/source.h"

typedef struct Unpack {
    const char *at, *end;
    const char *passed; // for source_pass
    uint64_t *left;     // bytes that may still come out; shared by the files of a body
    bool gzip, open;    // open: the stream is
    bool over;          // of gzip: its last member has ended
    z_stream stream;
    const char *error; // why a call failed
} Unpack;

int unpack_open(Unpack *unpack, const Source *source, uint64_t *left); // ERR_NO_MEMORY
void unpack_close(Unpack *unpack);
// As many bytes as there are, up to `bytes`. ERR_INVALID: `error` says why; ERR_TOO_LARGE: beyond the bound.
int unpack_read(Unpack *unpack, void *ret_data, size_t bytes, size_t *ret_count);
