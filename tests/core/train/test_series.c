#include "tests/core/sample.h"
#include <math.h>
#include "core/model/predictor.h"
#include "core/train/batches.h"
#include "tests/support/near.h"

TestSuite(series, .init = sample_begin, .fini = sample_end);

typedef struct SeriesData {
    const float *x; // [steps, columns]
    int64_t steps, columns, window, horizon;
    const char *transform;
    int64_t targets;
    const int32_t *target;
    const uint8_t *splits; // [windows], or NULL
} SeriesData;

static int open_series(const SeriesData *data, Dataset **ret_dataset) {
    ArchiveWriter *writer;
    int64_t one = 1, windows = data->steps - data->window - data->horizon + 1;
    cr_assert_eq(archive_writer_create(sample_directory, "series", &writer), OK);
    archive_add_text(writer, "task", "regression");
    archive_add_text(writer, "form", "series");
    archive_add(writer, "series", ARCHIVE_F32, 2, (int64_t[]){data->steps, data->columns}, data->x);
    archive_add(writer, "series.window", ARCHIVE_I64, 1, &one, &data->window);
    archive_add(writer, "series.horizon", ARCHIVE_I64, 1, &one, &data->horizon);
    archive_add_text(writer, "series.transform", data->transform);
    archive_add(writer, "series.targets", ARCHIVE_I32, 1, &data->targets, data->target);
    if (data->splits != NULL)
        archive_add(writer, "splits", ARCHIVE_U8, 1, &windows, data->splits);
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    return dataset_open(sample_directory, "series", true, ret_dataset);
}

static Dataset *series_dataset(const SeriesData *data) {
    Dataset *dataset;
    cr_assert_eq(open_series(data, &dataset), OK);
    return dataset;
}

static const int32_t first_column[] = {0};

// A season of twelve on a slope: never twice the same, and easy to tell.
static float *season(int64_t steps) {
    float *x = arena_array(&sample_arena, (size_t)steps, sizeof(float));
    for (int64_t t = 0; t < steps; t++)
        x[t] = (float)(exp(0.01 * (double)t) * (100 + 20 * sin((double)t * 6.283185307 / 12)));
    return x;
}

static SeriesData season_data(int64_t steps, int64_t horizon, const char *transform) {
    return (SeriesData){.x = season(steps),
                        .steps = steps,
                        .columns = 1,
                        .window = 12,
                        .horizon = horizon,
                        .transform = transform,
                        .targets = 1,
                        .target = first_column};
}

#define NET(units)                                                                                 \
    "\"model\": {\"layers\": [{\"type\": \"flatten\"}, {\"type\": \"dense\", \"units\": 8,"        \
    " \"activation\": \"tanh\"}, {\"type\": \"dense\", \"units\": " #units "}]}"

static void expect_rows(const int32_t *rows, int64_t count, int32_t from, int32_t to) {
    cr_assert_eq(count, to - from, "%lld rows", (long long)count);
    for (int32_t i = from; i < to; i++)
        cr_assert_eq(rows[i - from], i);
}

Test(series, rows_are_windows_and_targets_what_follows) {
    static const float x[] = {1, 10, 2, 20, 3, 30, 4, 40, 5, 50};
    SeriesData data = {.x = x,
                       .steps = 5,
                       .columns = 2,
                       .window = 2,
                       .horizon = 2,
                       .transform = "none",
                       .targets = 1,
                       .target = (int32_t[]){1}};
    Dataset *dataset = series_dataset(&data);
    cr_assert_eq(dataset->rows, 2);
    cr_assert(shape_equal(&dataset->task.input, &SHAPE(2, 2)));
    cr_assert_eq(dataset->task.outputs, 2);
    double values[2];
    row_target(dataset, 1, values);
    cr_assert(values[0] == 40 && values[1] == 50);
    Job *job = sample_job(dataset, "{" NET(2) ", \"training\": {\"standardize\": false,"
                                              " \"validation_split\": 0}}");
    Scalers scalers;
    Batch batch;
    cr_assert_eq(scalers_fit(job, &scalers), OK);
    cr_assert_eq(batch_init(&batch, job, &scalers, 2), OK);
    batch_gather(&batch, (int32_t[]){1, 0}, 2);
    static const float inputs[] = {2, 20, 3, 30, 1, 10, 2, 20}, targets[] = {40, 50, 30, 40};
    for (int i = 0; i < 8; i++)
        cr_assert_eq(batch.inputs.data[i], (Real)inputs[i]);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(batch.values[i], (Real)targets[i]);
    batch_finish(&batch);
    scalers_finish(&scalers);
    job_destroy(job);
    dataset_close(dataset);
}

Test(series, validation_is_the_last_part_and_the_horizon_keeps_it_apart) {
    SeriesData data = season_data(63, 4, "none"); // 48 windows
    Dataset *dataset = series_dataset(&data);
    Job *job = sample_job(dataset, "{" NET(4) ", \"training\": {\"validation_split\": 0.25}}");
    const JobRows *rows = job_rows(job);
    expect_rows(rows->validation, rows->validation_count, 36, 48);
    // Window 33's targets are steps 45 to 48, and 48 is a target of window 36.
    expect_rows(rows->train, rows->train_count, 0, 33);
    cr_assert_eq(rows->test_count, 0);
    int32_t order[33];
    bool seen[33] = {false};
    order_epoch(job, 1, order);
    int moved = 0;
    for (int i = 0; i < 33; i++) {
        seen[order[i]] = true;
        moved += order[i] != i;
    }
    for (int i = 0; i < 33; i++)
        cr_assert(seen[i], "window %d", i);
    cr_assert_gt(moved, 20, "training windows are shuffled");
    job_destroy(job);
    dataset_close(dataset);
}

Test(series, its_own_splits_are_kept_apart_likewise) {
    SeriesData data = season_data(54, 3, "none"); // 40 windows
    uint8_t splits[40] = {0};
    for (int i = 30; i < 40; i++)
        splits[i] = i < 35 ? SPLIT_VALIDATION : SPLIT_TEST;
    data.splits = splits;
    Dataset *dataset = series_dataset(&data);
    Job *job = sample_job(dataset, "{" NET(3) "}");
    const JobRows *rows = job_rows(job);
    expect_rows(rows->test, rows->test_count, 35, 40);
    expect_rows(rows->validation, rows->validation_count, 30, 33);
    expect_rows(rows->train, rows->train_count, 0, 28);
    job_destroy(job);
    dataset_close(dataset);
}

Test(series, windows_without_their_targets_are_left_out) {
    SeriesData data = season_data(40, 1, "log_difference"); // 28 windows
    float *x = season(40);
    for (int t = 0; t < 13; t++)
        x[t] = NAN; // window 0 has nothing to begin from
    x[20] = NAN;    // the target of window 8
    data.x = x;
    Dataset *dataset = series_dataset(&data);
    Job *job = sample_job(dataset, "{" NET(1) ", \"training\": {\"validation_split\": 0}}");
    const JobRows *rows = job_rows(job);
    cr_assert_eq(rows->train_count, 25);
    cr_assert_eq(rows->train[0], 2, "windows 0 and 1 see nothing");
    for (int64_t i = 0; i < rows->train_count; i++)
        cr_assert_neq(rows->train[i], 8);
    Trainer *trainer;
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK, "what is missing in a window becomes the mean");
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(series, scaling_sees_the_training_steps_alone) {
    SeriesData data = season_data(63, 2, "none");
    float *x = season(63);
    Dataset *dataset = series_dataset(&data);
    Job *job = sample_job(dataset, "{" NET(2) ", \"training\": {\"validation_split\": 0.2}}");
    const JobRows *rows = job_rows(job);
    int64_t seen = rows->train[rows->train_count - 1] + 12 + 2;
    cr_assert_lt(seen, 60);
    double mean = 0;
    for (int64_t t = 0; t < seen; t++)
        mean += (double)x[t] / (double)seen;
    Scalers scalers;
    cr_assert_eq(scalers_fit(job, &scalers), OK);
    cr_assert_eq(scalers.input.width, 1);
    assert_near(scalers.input.offset[0], mean, 1e-3);
    cr_assert_eq(scalers.target.offset[0], scalers.input.offset[0]);
    cr_assert_eq(scalers.target.factor[0], scalers.input.factor[0]);
    scalers_finish(&scalers);
    job_destroy(job);
    dataset_close(dataset);
}

// What the trainer measured is what predictions show, in the series' own unit.
static void expect_same_errors(const char *transform) {
    SeriesData data = season_data(120, 2, transform);
    Dataset *dataset = series_dataset(&data);
    Job *job = sample_job(dataset, "{" NET(2) ", \"training\": {\"epochs\": 40, \"optimizer\":"
                                              " {\"type\": \"adam\", \"learning_rate\": 0.01}}}");
    Trainer *trainer;
    char sha256[65];
    size_t bytes;
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    cr_assert_eq(trainer_save_model(trainer, sample_directory, "model", "{}", sha256, &bytes), OK);
    Archive *archive;
    Predictor *predictor;
    cr_assert_eq(archive_open(sample_directory, "model", true, &archive), OK);
    Value spec = value_member(json_value(&sample_arena, "{" NET(2) "}"), "model");
    cr_assert_eq(predictor_create(spec, archive, 5, &predictor), OK);
    archive_close(archive);
    cr_assert_eq(predictor_forecast(predictor)->columns, 1);
    const JobRows *rows = job_rows(job);
    double absolute = 0, squares[2] = {0};
    for (int64_t i = 0; i < rows->validation_count; i++) {
        float outputs[2];
        double values[2];
        const PredictorInput input = {.rows = 1, .values = data.x + rows->validation[i]};
        cr_assert_eq(predictor_run(predictor, &input, outputs, NULL), OK);
        row_target(dataset, rows->validation[i], values);
        for (int h = 0; h < 2; h++) {
            double error = (double)outputs[h] - values[h];
            absolute += fabs(error) / 2;
            squares[h] += error * error;
        }
    }
    double count = (double)rows->validation_count;
    const Metrics *metrics = trainer_validation(trainer);
    assert_near(absolute / count, metrics->mae, 1e-3);
    assert_near((sqrt(squares[0] / count) + sqrt(squares[1] / count)) / 2, metrics->rmse, 1e-3);
    // A net of levels cannot follow them beyond what it has seen; one of differences can.
    if (strstr(transform, "difference") != NULL)
        cr_assert_gt(metrics->r2, 0.9, "%s: r2 %g", transform, metrics->r2);
    predictor_destroy(predictor);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(series, metrics_and_predictions_are_in_its_own_unit) {
    expect_same_errors("log_difference");
    expect_same_errors("difference");
    expect_same_errors("log");
}

Test(series, archives_that_do_not_fit_themselves_are_refused) {
    SeriesData data = season_data(40, 1, "none"), broken;
    Dataset *dataset;
    broken = data;
    broken.horizon = 29;
    cr_assert_eq(open_series(&broken, &dataset), ERR_DAMAGED, "no window fits");
    broken = data;
    broken.target = (int32_t[]){1};
    cr_assert_eq(open_series(&broken, &dataset), ERR_DAMAGED, "there is one column");
    broken = data;
    broken.transform = "sqrt";
    cr_assert_eq(open_series(&broken, &dataset), ERR_DAMAGED);
    float *x = season(40);
    broken = data;
    broken.x = x;
    x[7] = INFINITY;
    cr_assert_eq(open_series(&broken, &dataset), ERR_DAMAGED);
    x[7] = 0;
    broken.transform = "log";
    cr_assert_eq(open_series(&broken, &dataset), ERR_DAMAGED, "0 has no logarithm");
    broken.transform = "difference";
    cr_assert_eq(open_series(&broken, &dataset), OK);
    dataset_close(dataset);
}

Test(series, fractions_of_a_transformed_series_are_no_targets_for_entropy) {
    SeriesData data = season_data(40, 1, "none");
    Dataset *dataset = series_dataset(&data);
    Issues issues;
    issues_init(&issues);
    Job *job;
    cr_assert_eq(job_create(json_value(&sample_arena, "{" NET(1) ", \"training\": {\"loss\":"
                                                                 " \"binary_cross_entropy\"}}"),
                            dataset, 1, &issues, &job),
                 ERR_INVALID);
    assert_issue(&issues, "/training/loss", "mse fits them");
    issues_finish(&issues);
    dataset_close(dataset);
}
