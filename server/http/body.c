#include "server/http/body.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"

void body_init(Body *body, size_t limit) {
    *body = (Body){.limit = limit, .descriptor = -1};
}

void body_finish(Body *body) {
    memory_free(body->memory);
    if (body->map != NULL)
        munmap((void *)body->map, body->length);
    if (body->descriptor >= 0)
        close(body->descriptor);
    body_init(body, 0);
}

static int file_write(int descriptor, const char *data, size_t length) {
    while (length > 0) {
        ssize_t written = write(descriptor, data, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? ERR_UNAVAILABLE : ERR_IO;
        data += written;
        length -= (size_t)written;
    }
    return OK;
}

static int body_spill(Body *body, int directory) {
    int descriptor = openat(directory, "tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return errno == ENOSPC || errno == EDQUOT ? ERR_UNAVAILABLE : ERR_IO;
    body->descriptor = descriptor;
    int error = file_write(descriptor, body->memory, body->length);
    memory_free(TAKE(body->memory));
    body->capacity = 0;
    return error;
}

int body_add(Body *body, int directory, const char *data, size_t length) {
    size_t end;
    if (!size_add(body->length, length, &end) || end > body->limit)
        return ERR_TOO_LARGE;
    if (body->descriptor < 0 && end > BODY_IN_MEMORY) {
        int error = body_spill(body, directory);
        if (error != OK)
            return error;
    }
    if (body->descriptor >= 0) {
        int error = file_write(body->descriptor, data, length);
        if (error != OK)
            return error;
    } else if (length > 0) {
        if (end > body->capacity) {
            size_t capacity = body->capacity == 0 ? 1024 : body->capacity;
            while (capacity < end)
                capacity *= 2;
            char *memory = memory_resize(body->memory, body->length, capacity, 1);
            if (memory == NULL)
                return ERR_NO_MEMORY;
            body->memory = memory;
            body->capacity = capacity;
        }
        memcpy(body->memory + body->length, data, length);
    }
    body->length = end;
    return OK;
}

int body_end(Body *body) {
    if (body->descriptor < 0)
        return OK;
    void *map = mmap(NULL, body->length, PROT_READ, MAP_PRIVATE, body->descriptor, 0);
    if (map == MAP_FAILED)
        return ERR_NO_MEMORY;
    madvise(map, body->length, MADV_SEQUENTIAL);
    body->map = map;
    return OK;
}

const char *body_data(const Body *body) {
    if (body->map != NULL)
        return body->map;
    return body->memory != NULL ? body->memory : "";
}
