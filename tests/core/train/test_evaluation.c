#include "tests/core/sample.h"
#include <math.h>
#include "core/train/evaluation.h"
#include "core/train/forms/form.h"
#include "tests/support/near.h"

TestSuite(evaluation, .init = sample_begin, .fini = sample_end);

// Trains the job and leaves its model as the archive "model".
static Metrics train(const Job *job) {
    Trainer *trainer;
    char sha256[65];
    size_t bytes;
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    cr_assert_eq(trainer_save_model(trainer, sample_directory, "model", "{}", sha256, &bytes), OK);
    Metrics metrics = *trainer_validation(trainer);
    trainer_destroy(trainer);
    return metrics;
}

static Archive *model_archive(void) {
    Archive *archive;
    cr_assert_eq(archive_open(sample_directory, "model", true, &archive), OK);
    return archive;
}

// What evaluating gives; the confusion's counts go to `counts` where there are some.
static int evaluate(const char *spec, Dataset *dataset, const EvaluationOptions *options,
                    Issues *issues, Metrics *ret_metrics, int64_t *counts) {
    Archive *model = model_archive();
    Evaluation *evaluation;
    int error = evaluation_create(json_value(&sample_arena, spec), model, dataset, options, issues,
                                  &evaluation);
    if (error == OK) {
        const Confusion *confusion;
        evaluation_run(evaluation, ret_metrics, &confusion);
        cr_assert_eq(confusion != NULL, counts != NULL);
        if (counts != NULL)
            memcpy(counts, confusion->counts,
                   (size_t)(confusion->classes * confusion->classes) * sizeof(*counts));
        evaluation_destroy(evaluation);
    }
    archive_close(model);
    return error;
}

static const EvaluationOptions all_rows = {.split = -1};

#define CLASSES_SPEC                                                                               \
    "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 8, \"activation\": \"relu\"},"     \
    " {\"type\": \"batch_norm\"}, {\"type\": \"dense\", \"units\": 3}]},"                          \
    " \"training\": {\"epochs\": 5, \"early_stopping\": {\"patience\": 50},"                       \
    " \"loss\": {\"type\": \"cross_entropy\", \"class_weight\": [1, 2, 3]}}}"

// The split of the dataset's own lets the job validate on rows 40 to 59.
static SampleData split_blobs(uint8_t *splits) {
    SampleData data = sample_blobs(60, 3);
    for (int i = 0; i < 60; i++)
        splits[i] = i < 40 ? SPLIT_TRAIN : SPLIT_VALIDATION;
    data.splits = splits;
    return data;
}

Test(evaluation, of_the_validation_rows_is_the_validation_to_the_bit) {
    uint8_t splits[60];
    SampleData data = split_blobs(splits);
    data.inputs[165] = NAN;
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(dataset, CLASSES_SPEC);
    Metrics trained = train(job), metrics;
    int64_t counts[9], sum = 0;
    Issues issues;
    issues_init(&issues);
    EvaluationOptions options = {.split = SPLIT_VALIDATION};
    cr_assert_eq(evaluate(CLASSES_SPEC, dataset, &options, &issues, &metrics, counts), OK);
    cr_assert_eq(metrics.loss, trained.loss, "%g, not %g", metrics.loss, trained.loss);
    cr_assert_eq(metrics.accuracy, trained.accuracy);
    for (int i = 0; i < 9; i++)
        sum += counts[i];
    cr_assert_eq(sum, 20);
    cr_assert_eq(evaluate(CLASSES_SPEC, dataset, &all_rows, &issues, &metrics, counts), OK);
    sum = 0;
    for (int i = 0; i < 9; i++)
        sum += counts[i];
    cr_assert_eq(sum, 60);
    options.split = SPLIT_TEST;
    cr_assert_eq(evaluate(CLASSES_SPEC, dataset, &options, &issues, &metrics, counts), ERR_INVALID);
    assert_issue(&issues, "/split", "leaves no rows");
    issues_finish(&issues);
    job_destroy(job);
    dataset_close(dataset);
}

#define LINE_SPEC                                                                                  \
    "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 2}]}, \"training\": {}}"

Test(evaluation, of_numbers_is_in_their_own_unit) {
    SampleData data = sample_line(80);
    uint8_t splits[80] = {0};
    for (int i = 60; i < 80; i++)
        splits[i] = SPLIT_VALIDATION;
    data.splits = splits;
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(dataset, LINE_SPEC);
    Metrics trained = train(job), metrics;
    Issues issues;
    issues_init(&issues);
    const EvaluationOptions options = {.split = SPLIT_VALIDATION};
    cr_assert_eq(evaluate(LINE_SPEC, dataset, &options, &issues, &metrics, NULL), OK);
    cr_assert_eq(metrics.loss, trained.loss);
    cr_assert_eq(metrics.mae, trained.mae);
    cr_assert_eq(metrics.rmse, trained.rmse);
    cr_assert_eq(metrics.r2, trained.r2);
    issues_finish(&issues);
    job_destroy(job);
    dataset_close(dataset);
}

// A dataset of the same rows in which class and column numbers are others.
static Dataset *shuffled(const SampleData *data, const char *names, int64_t name_bytes,
                         const int32_t *classes) {
    ArchiveWriter *writer;
    cr_assert_eq(archive_writer_create(sample_directory, "other", &writer), OK);
    archive_add_text(writer, "task", "classification");
    float *inputs = arena_array(&sample_arena, (size_t)(data->rows * 5), sizeof(float));
    for (int64_t i = 0; i < data->rows;
         i++) // the columns the other way round, behind one that nobody asks for
        for (int c = 0; c < 4; c++)
            inputs[i * 5 + 4 - c] = data->inputs[i * 4 + c];
    archive_add(writer, "inputs", ARCHIVE_F32, 2, (int64_t[]){data->rows, 5}, inputs);
    archive_add(writer, "targets", ARCHIVE_I32, 1, &data->rows, classes);
    archive_add(writer, "class_names", ARCHIVE_U8, 1, &name_bytes, names);
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    Dataset *dataset;
    cr_assert_eq(dataset_open(sample_directory, "other", true, &dataset), OK);
    return dataset;
}

Test(evaluation, goes_by_the_names_of_classes_and_the_places_of_columns) {
    uint8_t splits[60];
    SampleData data = split_blobs(splits);
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(dataset, CLASSES_SPEC);
    train(job);
    Metrics own, other;
    int64_t own_counts[9], other_counts[9];
    Issues issues;
    issues_init(&issues);
    cr_assert_eq(evaluate(CLASSES_SPEC, dataset, &all_rows, &issues, &own, own_counts), OK);
    dataset_close(dataset);

    static const char names[] = "class 2\0class 3\0class 0\0class 1";
    static const int32_t renumbered[] = {2, 3, 0};
    int32_t classes[60];
    for (int i = 0; i < 60; i++)
        classes[i] = renumbered[data.classes[i]];
    dataset = shuffled(&data, names, sizeof(names), classes);
    const EvaluationOptions options = {.places = (int32_t[]){4, 3, 2, 1}, .split = -1};
    cr_assert_eq(evaluate(CLASSES_SPEC, dataset, &options, &issues, &other, other_counts), OK);
    cr_assert_eq(other.loss, own.loss);
    cr_assert_eq(memcmp(own_counts, other_counts, sizeof(own_counts)), 0);
    dataset_close(dataset);

    classes[7] = 1;
    dataset = shuffled(&data, names, sizeof(names), classes);
    cr_assert_eq(evaluate(CLASSES_SPEC, dataset, &options, &issues, &other, NULL), ERR_INVALID);
    assert_issue(&issues, "/dataset",
                 "row 7 is of the class \"class 3\", which the model does not know");
    issues_finish(&issues);
    job_destroy(job);
    dataset_close(dataset);
}

static void expect_misfit(SampleData data, const char *part) {
    Dataset *dataset = sample_dataset(&data);
    Metrics metrics;
    Issues issues;
    issues_init(&issues);
    cr_assert_eq(evaluate(CLASSES_SPEC, dataset, &all_rows, &issues, &metrics, NULL), ERR_INVALID);
    assert_issue(&issues, "/dataset", part);
    issues_finish(&issues);
    dataset_close(dataset);
}

Test(evaluation, says_what_does_not_fit) {
    uint8_t splits[60];
    SampleData data = split_blobs(splits);
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(dataset, CLASSES_SPEC);
    train(job);
    job_destroy(job);
    dataset_close(dataset);
    expect_misfit(sample_line(20), "is for regression, and the model for classification");
    SampleData narrow = sample_blobs(20, 3);
    narrow.rows = 10;
    narrow.width = 8;
    expect_misfit(narrow, "has inputs of shape [8], and the model's are [4]");
}
