// Small datasets and jobs for the tests of models and training: made in memory, kept in a folder of
// the test's own.
#pragma once
#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/model/predictor.h"
#include "core/train/trainer.h"
#include "tests/support/json.h"

static char sample_folder[] = "/tmp/backpropd-sample-XXXXXX";
static int sample_directory = -1;
static Arena sample_arena;

static inline void sample_begin(void) {
    cr_assert_not_null(mkdtemp(sample_folder));
    sample_directory = open(sample_folder, O_RDONLY | O_DIRECTORY);
    arena_init(&sample_arena, 0);
}

static inline int sample_remove(const char *path, const struct stat *status, int type,
                                struct FTW *at) {
    (void)status, (void)type, (void)at;
    return remove(path);
}

static inline void sample_end(void) {
    arena_finish(&sample_arena);
    close(sample_directory);
    nftw(sample_folder, sample_remove, 8, FTW_DEPTH | FTW_PHYS);
}

typedef struct SampleData {
    int64_t rows, width, outputs; // outputs: classes, or numbers a target has
    float *inputs;                // [rows, width]
    int32_t *classes;             // [rows], or NULL
    float *values;                // [rows, outputs], or NULL
    const uint8_t *splits;        // [rows], or NULL
} SampleData;

// Writes the archive "data" and opens it.
static inline Dataset *sample_dataset(const SampleData *data) {
    ArchiveWriter *writer;
    cr_assert_eq(archive_writer_create(sample_directory, "data", &writer), OK);
    archive_add_text(writer, "task", data->classes != NULL ? "classification" : "regression");
    archive_add(writer, "inputs", ARCHIVE_F32, 2, (int64_t[]){data->rows, data->width},
                data->inputs);
    if (data->classes != NULL) {
        archive_add(writer, "targets", ARCHIVE_I32, 1, &data->rows, data->classes);
        char names[256];
        int64_t length = 0;
        for (int64_t c = 0; c < data->outputs; c++)
            length +=
                snprintf(names + length, sizeof(names) - (size_t)length, "class %d", (int)c) + 1;
        archive_add(writer, "class_names", ARCHIVE_U8, 1, &length, names);
    } else {
        archive_add(writer, "targets", ARCHIVE_F32, 2, (int64_t[]){data->rows, data->outputs},
                    data->values);
    }
    if (data->splits != NULL)
        archive_add(writer, "splits", ARCHIVE_U8, 1, &data->rows, data->splits);
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    Dataset *dataset;
    cr_assert_eq(dataset_open(sample_directory, "data", true, &dataset), OK);
    return dataset;
}

// Rows around one centre a class, in four features of very different scales.
static inline SampleData sample_blobs(int64_t rows, int64_t classes) {
    static const double scales[] = {1, 100, 0.01, 10};
    SampleData data = {.rows = rows, .width = 4, .outputs = classes};
    data.inputs = arena_array(&sample_arena, (size_t)(rows * 4), sizeof(float));
    data.classes = arena_array(&sample_arena, (size_t)rows, sizeof(int32_t));
    Rng rng = rng_make(7, RNG_PROBE, 0, 0);
    for (int64_t i = 0; i < rows; i++) {
        data.classes[i] = (int32_t)(i % classes);
        for (int64_t c = 0; c < 4; c++) {
            double centre = ((data.classes[i] + 1) * (c + 2)) % 5;
            data.inputs[i * 4 + c] = (float)(scales[c] * (centre + 0.4 * rng_normal(&rng) + 3));
        }
    }
    return data;
}

// Two numbers that follow linearly from three features.
static inline SampleData sample_line(int64_t rows) {
    SampleData data = {.rows = rows, .width = 3, .outputs = 2};
    data.inputs = arena_array(&sample_arena, (size_t)(rows * 3), sizeof(float));
    data.values = arena_array(&sample_arena, (size_t)(rows * 2), sizeof(float));
    Rng rng = rng_make(8, RNG_PROBE, 0, 0);
    for (int64_t i = 0; i < rows; i++) {
        float *x = data.inputs + i * 3;
        for (int c = 0; c < 3; c++)
            x[c] = (float)(rng_normal(&rng) * 5 + 20);
        data.values[i * 2] = 1000 + 30 * x[0] - 20 * x[1];
        data.values[i * 2 + 1] = 0.01f * x[2] - 5;
    }
    return data;
}

// A job that must be right; its spec lives in the sample's arena.
static inline Job *sample_job(const Dataset *dataset, const char *spec) {
    Issues issues;
    issues_init(&issues);
    Job *job = NULL;
    int error = job_create(json_value(&sample_arena, spec), dataset, 1, &issues, &job);
    for (size_t i = 0; i < issues.count; i++)
        fprintf(stderr, "%s: %s\n", issues.items[i].pointer, issues.items[i].detail);
    cr_assert_eq(error, OK);
    issues_finish(&issues);
    return job;
}

// Trains the job, whose `model` object is `layers`, and loads what it leaves.
static inline Predictor *sample_predictor(const Job *job, const char *layers, int64_t max_rows) {
    Trainer *trainer;
    Archive *archive;
    Predictor *predictor;
    char sha256[65];
    size_t bytes;
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    cr_assert_eq(trainer_save_model(trainer, sample_directory, "model", "{}", sha256, &bytes), OK);
    trainer_destroy(trainer);
    cr_assert_eq(archive_open(sample_directory, "model", true, &archive), OK);
    cr_assert_eq(predictor_create(json_value(&sample_arena, layers), archive, max_rows, &predictor),
                 OK);
    archive_close(archive);
    return predictor;
}

// The detail reported at `pointer`, or NULL.
static inline const char *sample_issue(const Issues *issues, const char *pointer) {
    for (size_t i = 0; i < issues->count; i++)
        if (strcmp(issues->items[i].pointer, pointer) == 0)
            return issues->items[i].detail;
    return NULL;
}

#define assert_issue(issues, pointer, part)                                                        \
    do {                                                                                           \
        const char *detail_ = sample_issue((issues), (pointer));                                   \
        cr_assert_not_null(detail_, "nothing was reported at %s", (pointer));                      \
        cr_assert_not_null(strstr(detail_, (part)), "%s: \"%s\" does not say \"%s\"", (pointer),   \
                           detail_, (part));                                                       \
    } while (0)
