// Weights into archives and back, and the hash under which users know them. Values are float32 in
// files and in the hash, whatever precision the core was built in.
#include "core/model/model.h"
#include <stdio.h>
#include <string.h>
#include "core/base/archive.h"
#include "core/base/error.h"

void model_weight_name(const Model *model, int index, char name[ARCHIVE_NAME_MAX + 1]) {
    const GraphWeight *weight = graph_weight_at(model_graph(model), index);
    snprintf(name, ARCHIVE_NAME_MAX + 1, "%s.%s", model_layer(model, weight->layer)->name,
             weight->name);
}

// In pieces: a float32 copy of a large weight would be the most that a worker ever holds.
static int append_floats(ArchiveWriter *writer, const Real *values, size_t count) {
    float piece[1024];
    int error = OK;
    for (size_t at = 0; at < count && error == OK; at += ARRAY_LENGTH(piece)) {
        size_t n = count - at < ARRAY_LENGTH(piece) ? count - at : ARRAY_LENGTH(piece);
        for (size_t i = 0; i < n; i++)
            piece[i] = (float)values[at + i];
        error = archive_append(writer, piece, n * sizeof(float));
    }
    return error;
}

int model_save_weights(const Model *model, const Real *weights, ArchiveWriter *writer) {
    const Graph *graph = model_graph(model);
    int error = OK;
    for (int i = 0; i < graph_weights(graph) && error == OK; i++) {
        const GraphWeight *weight = graph_weight_at(graph, i);
        char name[ARCHIVE_NAME_MAX + 1];
        model_weight_name(model, i, name);
        error = archive_begin(writer, name, ARCHIVE_F32);
        if (error == OK)
            error = append_floats(writer, weights + weight->offset,
                                  (size_t)shape_elements(&weight->shape));
        if (error == OK)
            error = archive_end(writer, weight->shape.rank, weight->shape.dim);
    }
    return error;
}

// The values of a weight, or NULL where the archive has none of its name and shape.
static const float *find_values(const Model *model, int index, const Archive *archive) {
    const GraphWeight *weight = graph_weight_at(model_graph(model), index);
    char name[ARCHIVE_NAME_MAX + 1];
    model_weight_name(model, index, name);
    const ArchiveSection *section = archive_typed(archive, name, ARCHIVE_F32);
    if (section == NULL || section->rank != weight->shape.rank)
        return NULL;
    for (int d = 0; d < section->rank; d++)
        if (section->dims[d] != weight->shape.dim[d])
            return NULL;
    return section->data;
}

bool model_copies_weight(const Model *model, int index, const Archive *archive) {
    return find_values(model, index, archive) != NULL;
}

int model_copy_weights(const Model *model, const Archive *archive, Real *weights) {
    const Graph *graph = model_graph(model);
    int copied = 0;
    for (int i = 0; i < graph_weights(graph); i++) {
        const GraphWeight *weight = graph_weight_at(graph, i);
        const float *values = find_values(model, i, archive);
        if (values == NULL)
            continue;
        copied++;
        size_t count = (size_t)shape_elements(&weight->shape);
        for (size_t k = 0; weights != NULL && k < count; k++)
            weights[weight->offset + k] = (Real)values[k];
    }
    return copied;
}

int model_load_weights(const Model *model, const Archive *archive, Real *weights) {
    bool whole = model_copy_weights(model, archive, weights) == graph_weights(model_graph(model));
    return whole ? OK : ERR_DAMAGED;
}

void model_hash_weights(const Model *model, const Real *weights, char ret_sha256[65]) {
    const Graph *graph = model_graph(model);
    Hash hash;
    hash_init(&hash);
    for (int i = 0; i < graph_weights(graph); i++) {
        const GraphWeight *weight = graph_weight_at(graph, i);
        char name[ARCHIVE_NAME_MAX + 1];
        model_weight_name(model, i, name);
        hash_add(&hash, name, strlen(name) + 1);
        char shape[SHAPE_TEXT];
        shape_text(&weight->shape, shape);
        hash_add(&hash, shape, strlen(shape) + 1);
        size_t count = (size_t)shape_elements(&weight->shape);
        const Real *values = weights + weight->offset;
        float block[256]; // bounded, so that hashing needs no memory that could be lacking
        for (size_t k = 0; k < count; k += ARRAY_LENGTH(block)) {
            size_t n = count - k < ARRAY_LENGTH(block) ? count - k : ARRAY_LENGTH(block);
            for (size_t j = 0; j < n; j++)
                block[j] = (float)values[k + j];
            hash_add(&hash, block, n * sizeof(float));
        }
    }
    uint8_t digest[HASH_BYTES];
    hash_end(&hash, digest);
    hash_text(digest, ret_sha256);
}
