// Weights as safetensors, the format of https://github.com/huggingface/safetensors:
//
//   header bytes   u64, little-endian; a multiple of 8
//   header         {"dense_1.kernel": {"dtype": "F32", "shape": [4, 16], "data_offsets": [0, 256]}}
//                  with a member for each weight, then blanks
//   data           the arrays, one after the other; offsets count from here
//
// Names need no escapes: layers' are letters, digits, "_" and "-" (spec.c), weights' are the core's
// own.
#include "core/model/model.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/text.h"

static void write_header(const Model *model, Text *header) {
    const Graph *graph = model_graph(model);
    size_t offset = 0;
    text_add_char(header, '{');
    for (int i = 0; i < graph_weights(graph); i++) {
        const GraphWeight *weight = graph_weight_at(graph, i);
        size_t bytes = (size_t)shape_elements(&weight->shape) * sizeof(float);
        text_add_format(header, "%s\"%s.%s\":{\"dtype\":\"F32\",\"shape\":[", i == 0 ? "" : ",",
                        model_layer(model, weight->layer)->name, weight->name);
        for (int d = 0; d < weight->shape.rank; d++)
            text_add_format(header, "%s%lld", d == 0 ? "" : ",", (long long)weight->shape.dim[d]);
        text_add_format(header, "],\"data_offsets\":[%zu,%zu]}", offset, offset + bytes);
        offset += bytes;
    }
    text_add_char(header, '}');
    while (header->length % 8 != 0 && !header->failed)
        text_add_char(header, ' ');
}

static int write_all(int file, const void *data, size_t bytes) {
    const char *at = data;
    while (bytes > 0) {
        ssize_t written = write(file, at, bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return ERR_IO;
        at += written;
        bytes -= (size_t)written;
    }
    return OK;
}

static int write_weights(int file, const Model *model, const Real *weights) {
    const Graph *graph = model_graph(model);
    for (int i = 0; i < graph_weights(graph); i++) {
        const GraphWeight *weight = graph_weight_at(graph, i);
        size_t count = (size_t)shape_elements(&weight->shape);
        float block[4096];
        for (size_t k = 0; k < count; k += ARRAY_LENGTH(block)) {
            size_t n = count - k < ARRAY_LENGTH(block) ? count - k : ARRAY_LENGTH(block);
            for (size_t j = 0; j < n; j++)
                block[j] = (float)weights[weight->offset + k + j];
            int error = write_all(file, block, n * sizeof(float));
            if (error != OK)
                return error;
        }
    }
    return OK;
}

// The directory's entry is durable only once the directory itself is synced.
static int sync_directory_of(const char *path) {
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *directory = memory_string(slash == NULL ? "." : path);
    if (directory == NULL)
        return ERR_NO_MEMORY;
    if (slash != NULL)
        directory[slash == path ? 1 : slash - path] = '\0';
    int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return ERR_IO;
    int error = fsync(file) == 0 ? OK : ERR_IO;
    close(file);
    return error;
}

int model_export_safetensors(const Model *model, const Real *weights, const char *path) {
    CLEANUP(text_finish) Text header;
    CLEANUP(text_finish) Text aside;
    text_init(&header);
    text_init(&aside);
    write_header(model, &header);
    text_add_format(&aside, "%s.tmp", path);
    if (header.failed || aside.failed)
        return ERR_NO_MEMORY;
    int file =
        open(text_string(&aside), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (file < 0)
        return ERR_IO;
    uint64_t length = header.length; // hosts are little-endian (archive.h)
    int error = write_all(file, &length, sizeof(length));
    if (error == OK)
        error = write_all(file, header.data, header.length);
    if (error == OK)
        error = write_weights(file, model, weights);
    if (error == OK && fsync(file) != 0)
        error = ERR_IO;
    if (close(file) != 0 && error == OK)
        error = ERR_IO;
    if (error == OK && rename(text_string(&aside), path) != 0)
        error = ERR_IO;
    if (error != OK) {
        unlink(text_string(&aside));
        return error;
    }
    return sync_directory_of(path);
}
