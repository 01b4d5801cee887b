#include "server/data/unpack.h"
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

enum { PIECE = 1 << 20, GZIP_WINDOW = 15 + 16 };

static voidpf allocate(voidpf context, uInt count, uInt size) {
    (void)context;
    return memory_array(count, size);
}

static void release(voidpf context, voidpf memory) {
    (void)context;
    memory_free(memory);
}

static bool is_gzip(const char *at, const char *end) {
    return end - at >= 2 && (unsigned char)at[0] == 0x1F && (unsigned char)at[1] == 0x8B;
}

int unpack_open(Unpack *unpack, const Source *source, uint64_t *left) {
    *unpack = (Unpack){.at = source->text,
                       .end = source->text + source->length,
                       .passed = source_start(source),
                       .left = left,
                       .stream = {.zalloc = allocate, .zfree = release}};
    unpack->gzip = is_gzip(unpack->at, unpack->end);
    if (unpack->gzip && inflateInit2(&unpack->stream, GZIP_WINDOW) != Z_OK) {
        return ERR_NO_MEMORY;
    }
    unpack->open = unpack->gzip;
    return OK;
}

void unpack_close(Unpack *unpack) {
    if (unpack->open) {
        inflateEnd(&unpack->stream);
    }
    unpack->open = false;
}

static int fail(Unpack *unpack, const char *error) {
    unpack->error = error;
    return ERR_INVALID;
}

// A member has ended: another one follows, or nothing.
static int end_member(Unpack *unpack) {
    if (unpack->at == unpack->end) {
        unpack->over = true;
        return OK;
    }
    if (!is_gzip(unpack->at, unpack->end)) {
        return fail(unpack, "has bytes behind its gzip stream");
    }
    inflateReset(&unpack->stream);
    return OK;
}

// One call of inflate: from what is left of the source into the room that is left.
static int inflate_some(Unpack *unpack) {
    z_stream *stream = &unpack->stream;
    size_t left = (size_t)(unpack->end - unpack->at), piece = left < PIECE ? left : PIECE;
    stream->next_in = (z_const Bytef *)unpack->at;
    stream->avail_in = (uInt)piece;
    uInt room = stream->avail_out;
    int result = inflate(stream, Z_NO_FLUSH);
    unpack->at = (const char *)stream->next_in;
    source_pass(&unpack->passed, unpack->at);
    switch (result) {
    case Z_STREAM_END:
        return end_member(unpack);
    case Z_OK:
    case Z_BUF_ERROR:
        return unpack->at == unpack->end && stream->avail_out == room
                   ? fail(unpack, "is gzip that is cut off")
                   : OK;
    case Z_MEM_ERROR:
        return ERR_NO_MEMORY;
    default:
        return fail(unpack, "is damaged gzip: pack it again");
    }
}

static int read_gzip(Unpack *unpack, void *ret_data, size_t bytes, size_t *ret_count) {
    unpack->stream.next_out = ret_data;
    unpack->stream.avail_out = (uInt)bytes;
    int result = OK;
    while (unpack->stream.avail_out > 0 && !unpack->over && result == OK) {
        result = inflate_some(unpack);
    }
    *ret_count = bytes - unpack->stream.avail_out;
    return result;
}

int unpack_read(Unpack *unpack, void *ret_data, size_t bytes, size_t *ret_count) {
    size_t count = 0;
    bytes = bytes < PIECE ? bytes : PIECE;
    if (unpack->gzip) {
        int result = read_gzip(unpack, ret_data, bytes, &count);
        if (result != OK) {
            return result;
        }
    } else {
        size_t left = (size_t)(unpack->end - unpack->at);
        count = bytes < left ? bytes : left;
        memcpy(ret_data, unpack->at, count);
        unpack->at += count;
        source_pass(&unpack->passed, unpack->at);
    }
    if (count > *unpack->left) {
        return ERR_TOO_LARGE;
    }
    *unpack->left -= count;
    *ret_count = count;
    return OK;
}
