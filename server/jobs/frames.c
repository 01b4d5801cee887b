// Frames out of and into a byte stream.
#include "server/jobs/frames.h"
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include "core/base/error.h"
#include "core/base/memory.h"

void frame_head(FrameType type, uint32_t attempt, size_t length, uint8_t ret_head[FRAME_HEAD]) {
    uint32_t size = (uint32_t)length;
    memset(ret_head, 0, FRAME_HEAD);
    memcpy(ret_head, &size, sizeof size);
    memcpy(ret_head + 4, &attempt, sizeof attempt);
    ret_head[8] = (uint8_t)type;
}

int frame_write(int descriptor, FrameType type, uint32_t attempt, const void *body, size_t length) {
    uint8_t head[FRAME_HEAD];
    if (length > FRAME_BODY_MAX)
        return ERR_TOO_LARGE;
    frame_head(type, attempt, length, head);
    for (size_t done = 0; done < FRAME_HEAD + length;) {
        struct iovec parts[2];
        int count = 0;
        if (done < FRAME_HEAD)
            parts[count++] = (struct iovec){head + done, FRAME_HEAD - done};
        size_t past = done > FRAME_HEAD ? done - FRAME_HEAD : 0;
        if (length > past)
            parts[count++] = (struct iovec){(uint8_t *)body + past, length - past};
        ssize_t written = writev(descriptor, parts, count);
        if (written < 0 && errno != EINTR)
            return ERR_IO;
        if (written > 0)
            done += (size_t)written;
    }
    return OK;
}

void frame_reader_init(FrameReader *reader) {
    *reader = (FrameReader){0};
}

void frame_reader_finish(FrameReader *reader) {
    memory_free(reader->data);
    *reader = (FrameReader){0};
}

int frame_reader_add(FrameReader *reader, const void *bytes, size_t count) {
    if (reader->start > 0) { // what was accepted makes room
        reader->length -= reader->start;
        reader->cursor -= reader->start;
        memmove(reader->data, reader->data + reader->start, reader->length);
        reader->start = 0;
    }
    size_t needed;
    if (!size_add(reader->length, count, &needed))
        return ERR_NO_MEMORY;
    if (needed > reader->capacity) {
        size_t capacity = needed > 2 * reader->capacity ? needed : 2 * reader->capacity;
        uint8_t *data = memory_resize(reader->data, reader->length, capacity, 1);
        if (data == NULL)
            return ERR_NO_MEMORY;
        reader->data = data;
        reader->capacity = capacity;
    }
    memcpy(reader->data + reader->length, bytes, count);
    reader->length = needed;
    return OK;
}

static bool type_known(uint8_t type) {
    switch (type) {
#define X(name, letter) case letter:
        FRAME_TYPES(X)
#undef X
        return true;
    default:
        return false;
    }
}

int frame_next(FrameReader *reader, Frame *ret_frame) {
    uint32_t length, attempt;
    if (reader->damaged)
        return ERR_DAMAGED;
    if (reader->length - reader->cursor < FRAME_HEAD)
        return ERR_NOT_FOUND;
    const uint8_t *head = reader->data + reader->cursor;
    memcpy(&length, head, sizeof length);
    memcpy(&attempt, head + 4, sizeof attempt);
    if (length > FRAME_BODY_MAX || !type_known(head[8]) || head[9] != 0 || head[10] != 0 ||
        head[11] != 0) {
        reader->damaged = true;
        return ERR_DAMAGED;
    }
    if (reader->length - reader->cursor - FRAME_HEAD < length)
        return ERR_NOT_FOUND;
    *ret_frame = (Frame){(FrameType)head[8], attempt, head + FRAME_HEAD, length};
    reader->cursor += FRAME_HEAD + length;
    return OK;
}

void frame_accept(FrameReader *reader) {
    reader->start = reader->cursor;
}

void frame_rewind(FrameReader *reader) {
    reader->cursor = reader->start;
}
