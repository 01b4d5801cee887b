// A small dataset of each form, written into the sample's folder under its own name, so that it can be opened anew.
#pragma once
#include <math.h>
#include "core/tokens/vocabulary.h"
#include "tests/core/sample.h"

static inline ArchiveWriter *form_begin(const char *name, const char *form, const char *task) {
    ArchiveWriter *writer;
    cr_assert_eq(archive_writer_create(sample_directory, name, &writer), OK);
    archive_add_text(writer, "task", task);
    if (form != NULL)
        archive_add_text(writer, "form", form);
    return writer;
}

static inline void form_end(ArchiveWriter *writer) {
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
}

// Class i % classes of row i.
static inline void form_classes(ArchiveWriter *writer, int64_t rows, int32_t classes) {
    static const char names[] = "a\0b\0c\0d";
    int64_t length = 2 * classes;
    int32_t *targets = arena_array(&sample_arena, (size_t)rows, sizeof(int32_t));
    for (int64_t i = 0; i < rows; i++)
        targets[i] = (int32_t)(i % classes);
    archive_add(writer, "targets", ARCHIVE_I32, 1, &rows, targets);
    archive_add(writer, "class_names", ARCHIVE_U8, 1, &length, names);
}

// Rows of this shape around one number a class.
static inline void form_rows(ArchiveWriter *writer, const Shape *shape, int32_t classes,
                             double scale) {
    size_t rows = (size_t)shape->dim[0], row = (size_t)shape_elements(shape) / rows;
    float *inputs = arena_array(&sample_arena, rows * row, sizeof(float));
    Rng rng = rng_make(7, RNG_PROBE, 0, 0);
    for (size_t i = 0; i < rows * row; i++)
        inputs[i] = (float)(scale * ((double)(i / row % (size_t)classes) + rng_uniform(&rng)));
    archive_add(writer, "inputs", ARCHIVE_F32, shape->rank, shape->dim, inputs);
}

static inline void form_write_rows(void) {
    ArchiveWriter *writer = form_begin("rows", NULL, "classification");
    form_rows(writer, &SHAPE(50, 4), 3, 10);
    form_classes(writer, 50, 3);
    form_end(writer);
}

static inline void form_write_numbers(void) {
    float targets[50 * 2];
    ArchiveWriter *writer = form_begin("numbers", NULL, "regression");
    form_rows(writer, &SHAPE(50, 4), 3, 10);
    for (int i = 0; i < 50 * 2; i++)
        targets[i] = (float)(i / 2 % 3 * 100 + i % 2);
    archive_add(writer, "targets", ARCHIVE_F32, 2, (int64_t[]){50, 2}, targets);
    form_end(writer);
}

static inline void form_write_images(void) {
    ArchiveWriter *writer = form_begin("images", NULL, "classification");
    form_rows(writer, &SHAPE(40, 6, 6, 2), 2, 100);
    form_classes(writer, 40, 2);
    form_end(writer);
}

static inline void form_vocabulary(ArchiveWriter *writer, TokenizerKind kind, int32_t reserved) {
    static const char *const words[] = {"film", "movie", "picture", "good", "bad", "so"};
    Vocabulary vocabulary = {.kind = kind, .reserved = reserved};
    int32_t index;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        cr_assert_eq(names_add(&vocabulary.tokens, words[i], strlen(words[i]), 100, &index), OK);
    vocabulary_save(&vocabulary, writer);
    vocabulary_finish(&vocabulary);
}

// Texts of no to seven of the six words, which have the ids 2 to 7.
static inline void form_write_texts(void) {
    int32_t lengths[45], tokens[45 * 7];
    int64_t rows = 45, count = 0, one = 1, most = 7;
    Rng rng = rng_make(9, RNG_PROBE, 0, 0);
    for (int i = 0; i < 45; i++) {
        lengths[i] = (int32_t)rng_below(&rng, 8);
        for (int t = 0; t < lengths[i]; t++)
            tokens[count++] = t == 0 ? 2 + i % 3 : (int32_t)(2 + rng_below(&rng, 6));
    }
    ArchiveWriter *writer = form_begin("texts", "texts", "classification");
    form_vocabulary(writer, TOKENIZER_WORD, 2);
    archive_add(writer, "max_length", ARCHIVE_I64, 1, &one, &most);
    archive_add(writer, "lengths", ARCHIVE_I32, 1, &rows, lengths);
    archive_add(writer, "tokens", ARCHIVE_I32, 1, &count, tokens);
    form_classes(writer, rows, 3);
    form_end(writer);
}

// A text of six letters, half of them what the one before says.
static inline void form_write_corpus(void) {
    uint8_t tokens[260] = {0};
    int64_t count = 260;
    Rng rng = rng_make(10, RNG_PROBE, 0, 0);
    for (int i = 1; i < 260; i++)
        tokens[i] = (uint8_t)(i % 2 == 0 ? rng_below(&rng, 6) : (tokens[i - 1] + 1u) % 6);
    ArchiveWriter *writer = form_begin("corpus", "corpus", "language_model");
    form_vocabulary(writer, TOKENIZER_CHAR, 0);
    archive_add(writer, "tokens", ARCHIVE_U8, 1, &count, tokens);
    form_end(writer);
}

// Two columns of which the first is foretold two steps ahead, by its differences.
static inline void form_write_series(void) {
    float x[70 * 2];
    int64_t one = 1, window = 8, horizon = 2;
    for (int t = 0; t < 70; t++) {
        x[2 * t] = (float)(100 + t + 20 * sin(t * 0.5));
        x[2 * t + 1] = (float)cos(t * 0.5);
    }
    ArchiveWriter *writer = form_begin("series", "series", "regression");
    archive_add(writer, "series", ARCHIVE_F32, 2, (int64_t[]){70, 2}, x);
    archive_add(writer, "series.window", ARCHIVE_I64, 1, &one, &window);
    archive_add(writer, "series.horizon", ARCHIVE_I64, 1, &one, &horizon);
    archive_add_text(writer, "series.transform", "difference");
    archive_add(writer, "series.targets", ARCHIVE_I32, 1, &one, (int32_t[]){0});
    form_end(writer);
}

// Edges from each of `nodes` to the next, as a ring, both ways; pairs [4 · nodes]. Returns how many.
static inline int64_t form_ring(int32_t nodes, int32_t *pairs) {
    int64_t edges = 0;
    for (int32_t v = 0; v < nodes; v++) {
        int32_t before = (v + nodes - 1) % nodes, after = (v + 1) % nodes;
        pairs[2 * edges] = pairs[2 * edges + 2] = v;
        pairs[2 * edges + 1] = before < after ? before : after;
        pairs[2 * edges + 3] = before < after ? after : before;
        edges += 2;
    }
    return edges;
}

// A ring whose nodes have features of mostly zeros.
static inline void form_write_graph(void) {
    enum { NODES = 24 };
    int32_t pairs[4 * NODES], first[NODES + 1] = {0}, column[2 * NODES];
    int64_t edges = form_ring(NODES, pairs), width = 6, one = 1, nodes = NODES;
    uint8_t splits[NODES];
    float values[2 * NODES];
    for (int v = 0; v < NODES; v++) {
        first[v + 1] = 2 * (v + 1);
        column[2 * v] = v % 5;
        column[2 * v + 1] = 5;
        values[2 * v] = values[2 * v + 1] = 1 + (float)(v % 7);
        splits[v] = v % 4 == 3 ? SPLIT_TEST : v % 4 == 2 ? SPLIT_VALIDATION : SPLIT_TRAIN;
    }
    ArchiveWriter *writer = form_begin("graph", "graph", "classification");
    archive_add(writer, "features.width", ARCHIVE_I64, 1, &one, &width);
    archive_add(writer, "features.first", ARCHIVE_I32, 1, (int64_t[]){NODES + 1}, first);
    archive_add(writer, "features.column", ARCHIVE_I32, 1, (int64_t[]){2 * NODES}, column);
    archive_add(writer, "features.value", ARCHIVE_F32, 1, (int64_t[]){2 * NODES}, values);
    archive_add(writer, "edges", ARCHIVE_I32, 2, (int64_t[]){edges, 2}, pairs);
    form_classes(writer, nodes, 3);
    archive_add(writer, "splits", ARCHIVE_U8, 1, &nodes, splits);
    form_end(writer);
}

// Rings of 3 to 6 nodes.
static inline void form_write_graphs(void) {
    enum { GRAPHS = 30, NODES = GRAPHS * 6 };
    int32_t pairs[4 * NODES], first_node[GRAPHS + 1] = {0}, first_edge[GRAPHS + 1] = {0};
    for (int g = 0; g < GRAPHS; g++) {
        first_node[g + 1] = first_node[g] + 3 + g % 4;
        first_edge[g + 1] =
            first_edge[g] + (int32_t)form_ring(3 + g % 4, pairs + 2 * first_edge[g]);
    }
    ArchiveWriter *writer = form_begin("graphs", "graphs", "classification");
    form_rows(writer, &SHAPE(first_node[GRAPHS], 3), 4, 1);
    archive_add(writer, "edges", ARCHIVE_I32, 2, (int64_t[]){first_edge[GRAPHS], 2}, pairs);
    archive_add(writer, "graphs.first_node", ARCHIVE_I32, 1, (int64_t[]){GRAPHS + 1}, first_node);
    archive_add(writer, "graphs.first_edge", ARCHIVE_I32, 1, (int64_t[]){GRAPHS + 1}, first_edge);
    form_classes(writer, GRAPHS, 2);
    form_end(writer);
}

static inline void form_write_all(void) {
    form_write_rows();
    form_write_numbers();
    form_write_images();
    form_write_texts();
    form_write_corpus();
    form_write_series();
    form_write_graph();
    form_write_graphs();
}
