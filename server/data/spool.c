// One buffer, which serves writing until the first rewind and reading from then on.
#include "server/data/spool.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"

enum { BUFFER_BYTES = 64 << 10 };

void spool_init(Spool *spool, int directory) {
    *spool = (Spool){.directory = directory, .file = -1};
}

void spool_finish(Spool *spool) {
    if (spool->file >= 0) {
        close(spool->file);
    }
    memory_free(spool->buffer);
    spool_init(spool, -1);
}

static int failure(void) {
    return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? ERR_UNAVAILABLE : ERR_IO;
}

// The buffer to the file.
static int flush(Spool *spool) {
    if (spool->file < 0) {
        spool->file = openat(spool->directory, "datasets", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (spool->file < 0) {
            return failure();
        }
    }
    for (size_t done = 0; done < spool->used;) {
        ssize_t written = write(spool->file, spool->buffer + done, spool->used - done);
        if (written < 0 && errno != EINTR) {
            return failure();
        }
        done += written > 0 ? (size_t)written : 0;
    }
    spool->used = 0;
    return OK;
}

int spool_add(Spool *spool, const void *data, size_t bytes) {
    if (spool->buffer == NULL) {
        spool->buffer = memory_array(BUFFER_BYTES, 1);
        if (spool->buffer == NULL) {
            return ERR_NO_MEMORY;
        }
    }
    const char *from = data;
    spool->length += bytes;
    while (bytes > 0) {
        if (spool->used == BUFFER_BYTES) {
            int result = flush(spool);
            if (result != OK) {
                return result;
            }
        }
        size_t room = BUFFER_BYTES - spool->used, piece = bytes < room ? bytes : room;
        memcpy(spool->buffer + spool->used, from, piece);
        spool->used += piece;
        from += piece;
        bytes -= piece;
    }
    return OK;
}

int spool_rewind(Spool *spool) {
    bool writing = spool->file >= 0 && spool->ahead == 0;
    int result = writing ? flush(spool) : OK;
    spool->at = 0;
    if (spool->file >= 0) {
        spool->used = 0;
        spool->ahead = 0;
    }
    return result;
}

static int fill(Spool *spool) {
    ssize_t got;
    do {
        got = spool->file < 0
                  ? 0
                  : pread(spool->file, spool->buffer, BUFFER_BYTES, (off_t)spool->ahead);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
        return ERR_IO;
    }
    spool->ahead += (uint64_t)got;
    spool->used = (size_t)got;
    spool->at = 0;
    return OK;
}

int spool_take(Spool *spool, void *ret_data, size_t bytes) {
    char *to = ret_data;
    while (bytes > 0) {
        if (spool->at == spool->used) {
            int result = fill(spool);
            if (result != OK) {
                return result;
            }
        }
        size_t left = spool->used - spool->at, piece = bytes < left ? bytes : left;
        memcpy(to, spool->buffer + spool->at, piece);
        spool->at += piece;
        to += piece;
        bytes -= piece;
    }
    return OK;
}

int spool_append(Spool *spool, ArchiveWriter *writer) {
    int result = spool_rewind(spool);
    for (uint64_t left = spool->length; left > 0 && result == OK;) {
        if (spool->at == spool->used) {
            result = fill(spool);
        }
        if (result == OK) {
            result = archive_append(writer, spool->buffer + spool->at, spool->used - spool->at);
            left -= spool->used - spool->at;
            spool->at = spool->used;
        }
    }
    return result;
}
