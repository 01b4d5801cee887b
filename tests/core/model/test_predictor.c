#include "tests/core/sample.h"
#include <math.h>
#include <sys/stat.h>
#include "core/model/predictor.h"
#include "core/train/trainer.h"
#include "tests/support/near.h"

TestSuite(predictor, .init = sample_begin, .fini = sample_end);

// Trains the job and leaves its model as the archive "model".
static void train(const Job *job, Metrics *ret_validation, char sha256[65]) {
    Trainer *trainer;
    size_t bytes;
    struct stat status;
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    cr_assert_eq(trainer_save_model(trainer, sample_directory, "model", "{}", sha256, &bytes), OK);
    cr_assert_eq(fstatat(sample_directory, "model", &status, 0), 0);
    cr_assert_eq((size_t)status.st_size, bytes);
    *ret_validation = *trainer_validation(trainer);
    trainer_destroy(trainer);
}

static Predictor *load(const char *layers, int64_t max_rows) {
    Archive *archive;
    Predictor *predictor;
    cr_assert_eq(archive_open(sample_directory, "model", true, &archive), OK);
    cr_assert_eq(predictor_create(json_value(&sample_arena, layers), archive, max_rows, &predictor),
                 OK);
    archive_close(archive);
    return predictor;
}

#define CLASSES                                                                                    \
    "{\"layers\": [{\"type\": \"dense\", \"units\": 8, \"activation\": \"relu\"},"                 \
    " {\"type\": \"batch_norm\"}, {\"type\": \"dense\", \"units\": 3}]}"

Test(predictor, answers_what_the_trainer_measured) {
    SampleData data = sample_blobs(60, 3);
    data.inputs[5] = NAN;
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(dataset, "{\"model\": " CLASSES ", \"training\": {\"epochs\": 5}}");
    Metrics metrics;
    char sha256[65], loaded[65];
    train(job, &metrics, sha256);
    Predictor *predictor = load(CLASSES, 7); // pieces of 7 rows
    model_hash_weights(predictor_model(predictor), predictor_weights(predictor), loaded);
    cr_assert_str_eq(loaded, sha256);
    cr_assert(predictor_classifies(predictor));
    cr_assert_eq(predictor_classes(predictor), 3);
    cr_assert_eq(predictor_output_width(predictor), 3);
    cr_assert_eq(predictor_input_width(predictor), 4);
    cr_assert_str_eq(predictor_class_name(predictor, 1), "class 1");
    cr_assert_null(predictor_class_name(predictor, 3));
    float outputs[60 * 3], probabilities[60 * 3];
    cr_assert_eq(predictor_run(predictor, &(PredictorInput){60, data.inputs, NULL, NULL}, outputs,
                               probabilities),
                 OK);
    double loss = 0;
    int64_t count = job_rows(job)->validation_count, correct = 0;
    for (int64_t i = 0; i < count; i++) {
        int32_t row = job_rows(job)->validation[i];
        const float *p = probabilities + row * 3;
        assert_near(p[0] + p[1] + p[2], 1, 1e-6);
        int best = p[1] > p[0] ? 1 : 0;
        best = p[2] > p[best] ? 2 : best;
        correct += best == data.classes[row];
        loss -= log(p[data.classes[row]]) / (double)count;
    }
    assert_near(loss, metrics.loss, 1e-5);
    assert_near((double)correct / (double)count, metrics.accuracy, 1e-9);
    predictor_destroy(predictor);
    job_destroy(job);
    dataset_close(dataset);
}

Test(predictor, answers_numbers_in_their_own_unit) {
    static const char layers[] = "{\"layers\": [{\"type\": \"dense\", \"units\": 2}]}";
    SampleData data = sample_line(100);
    Dataset *dataset = sample_dataset(&data);
    Job *job =
        sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 2}]}}");
    Metrics metrics;
    char sha256[65];
    train(job, &metrics, sha256);
    Predictor *predictor = load(layers, 64);
    cr_assert_not(predictor_classifies(predictor));
    cr_assert_eq(predictor_classes(predictor), 0);
    float outputs[200];
    cr_assert_eq(
        predictor_run(predictor, &(PredictorInput){100, data.inputs, NULL, NULL}, outputs, NULL),
        OK);
    double absolute = 0;
    int64_t count = job_rows(job)->validation_count;
    for (int64_t i = 0; i < count; i++) {
        int32_t row = job_rows(job)->validation[i];
        for (int c = 0; c < 2; c++)
            absolute += fabs(outputs[row * 2 + c] - data.values[row * 2 + c]);
    }
    assert_near(absolute / (double)(2 * count), metrics.mae, 1e-4);
    predictor_destroy(predictor);
    job_destroy(job);
    dataset_close(dataset);
}

Test(predictor, gives_two_probabilities_for_one_binary_output) {
    static const char layers[] = "{\"layers\": [{\"type\": \"dense\", \"units\": 1}]}";
    SampleData data = sample_blobs(60, 2);
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\","
                                   " \"units\": 1}]}, \"training\": {\"loss\":"
                                   " \"binary_cross_entropy\", \"epochs\": 40, \"optimizer\":"
                                   " {\"type\": \"adam\", \"learning_rate\": 0.05}}}");
    Metrics metrics;
    char sha256[65];
    train(job, &metrics, sha256);
    Predictor *predictor = load(layers, 60);
    cr_assert_eq(predictor_output_width(predictor), 1);
    cr_assert_eq(predictor_classes(predictor), 2);
    float outputs[60], probabilities[120];
    cr_assert_eq(predictor_run(predictor, &(PredictorInput){60, data.inputs, NULL, NULL}, outputs,
                               probabilities),
                 OK);
    int correct = 0;
    for (int i = 0; i < 60; i++) {
        assert_near(probabilities[2 * i] + probabilities[2 * i + 1], 1, 1e-6);
        assert_near(probabilities[2 * i + 1], 1 / (1 + exp(-outputs[i])), 1e-6);
        correct += (probabilities[2 * i + 1] > 0.5f) == data.classes[i];
    }
    cr_assert_geq(correct, 55);
    predictor_destroy(predictor);
    job_destroy(job);
    dataset_close(dataset);
}

Test(predictor, refuses_an_archive_that_does_not_fit_its_spec) {
    SampleData data = sample_blobs(60, 3);
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(dataset, "{\"model\": " CLASSES ", \"training\": {\"epochs\": 1}}");
    Metrics metrics;
    char sha256[65];
    train(job, &metrics, sha256);
    Archive *archive;
    Predictor *predictor;
    cr_assert_eq(archive_open(sample_directory, "model", true, &archive), OK);
    static const char *const wrong[] = {
        "{\"layers\": [{\"type\": \"dense\", \"units\": 3}]}",
        "{\"layers\": [{\"type\": \"dense\", \"units\": 8}]}",
        "{\"layers\": [{\"type\": \"dens\", \"units\": 3}]}",
        "{}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        cr_assert_eq(predictor_create(json_value(&sample_arena, wrong[i]), archive, 8, &predictor),
                     ERR_DAMAGED);
    archive_close(archive);
    job_destroy(job);
    dataset_close(dataset);
}
