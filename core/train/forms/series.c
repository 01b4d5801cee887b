// Windows over a series: row w has the `window` steps from step w on as its inputs, and the target columns of the `horizon`
// steps after them as its targets. The series is kept once; windows are cut out of the mapped file as batches are made.
//
//   "series"           f32 [steps, columns], in the user's units; NaN: missing
//   "series.window"    i64 [1]       "series.horizon"   i64 [1]
//   "series.transform", "series.targets"  see core/model/forecast.h
//
// Steps of a second series may stand behind the first: its windows are for testing, and those over both are in no split.
//
// A job never learns from what it is judged by. Validation is the last part of the windows, never shuffled. Where the horizon
// makes targets overlap, a step that is a target in the test part is none in validation, and one of either is none in
// training: the windows between are left out, as are those whose targets are missing. The scaling is a column's over the
// steps of the training windows, for inputs and targets alike.
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/model/forecast.h"
#include "core/train/forms/form.h"
#include "core/train/job_private.h"

typedef struct Series {
    const float *x; // [steps, columns]
    int64_t steps, columns, window, horizon;
    Forecast forecast; // of these columns
} Series;

static const Series *series_of(const Dataset *dataset) {
    return dataset->more;
}

static const float *window_at(const Series *series, int64_t row) {
    return series->x + row * series->columns;
}

// ---- the archive ----

static int read_count(const Archive *archive, const char *name, int64_t *ret_count) {
    const ArchiveSection *section = archive_typed(archive, name, ARCHIVE_I64);
    if (section == NULL || section->rank != 1 || section->dims[0] != 1)
        return ERR_DAMAGED;
    memcpy(ret_count, section->data, sizeof(*ret_count));
    return *ret_count >= 1 && *ret_count <= INT32_MAX ? OK : ERR_DAMAGED;
}

static int read_series(const Archive *archive, Series *series) {
    const ArchiveSection *section = archive_typed(archive, "series", ARCHIVE_F32);
    if (section == NULL || section->rank != 2 || section->dims[0] > INT32_MAX)
        return ERR_DAMAGED;
    series->x = section->data;
    series->steps = section->dims[0];
    series->columns = section->dims[1];
    int error = read_count(archive, "series.window", &series->window);
    if (error == OK)
        error = read_count(archive, "series.horizon", &series->horizon);
    if (error == OK)
        error = forecast_load(archive, series->columns, &series->forecast);
    if (error != OK)
        return error == ERR_NO_MEMORY ? error : ERR_DAMAGED;
    bool logs = transform_takes_logs(series->forecast.transform);
    for (int64_t i = 0; i < series->steps * series->columns; i++)
        if (isinf(series->x[i]) || (logs && series->x[i] <= 0))
            return ERR_DAMAGED;
    return series->window + series->horizon <= series->steps ? OK : ERR_DAMAGED;
}

static int series_open(Dataset *dataset) {
    Series *series = arena_new(&dataset->owned, Series);
    if (series == NULL)
        return ERR_NO_MEMORY;
    int error =
        dataset->task.kind == TASK_REGRESSION ? read_series(dataset->archive, series) : ERR_DAMAGED;
    if (error != OK)
        return error;
    dataset->more = series;
    dataset->inputs = series->x;
    dataset->stride = series->columns;
    dataset->rows = series->steps - series->window - series->horizon + 1;
    dataset->task.input = SHAPE(series->window, series->columns);
    size_t outputs;
    if (shape_elements(&dataset->task.input) == 0 ||
        !size_multiply((size_t)series->horizon, (size_t)series->forecast.targets, &outputs) ||
        outputs > INT32_MAX)
        return ERR_DAMAGED;
    dataset->task.outputs = (int64_t)outputs;
    return form_read_splits(dataset, dataset->rows);
}

// ---- who trains, who validates ----

static bool has_targets(const Series *series, int64_t row) {
    const Forecast *forecast = &series->forecast;
    const float *x = window_at(series, row), *ahead = x + series->window * series->columns;
    for (int64_t k = 0; k < forecast->targets; k++) {
        if (transform_takes_differences(forecast->transform) &&
            isnan(forecast_base(forecast, x, series->window, forecast->target[k])))
            return false;
        for (int64_t h = 0; h < series->horizon; h++)
            if (isnan(ahead[h * series->columns + forecast->target[k]]))
                return false;
    }
    return true;
}

static int64_t take_rows(const Dataset *dataset, DatasetSplit split, int32_t *rows) {
    int64_t count = 0;
    for (int64_t i = 0; i < dataset->rows; i++)
        if (form_in_split(dataset, i, (int)split) && has_targets(series_of(dataset), i))
            rows[count++] = (int32_t)i;
    return count;
}

// Leaves out the rows that have a target among the steps that are judged by already; what is left judges too.
static int64_t keep_apart(const Series *series, int32_t *rows, int64_t count, uint8_t *judged) {
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *targets = judged + rows[i] + series->window;
        if (memchr(targets, 1, (size_t)series->horizon) == NULL)
            rows[kept++] = rows[i];
    }
    for (int64_t i = 0; i < kept; i++)
        memset(judged + rows[i] + series->window, 1, (size_t)series->horizon);
    return kept;
}

static int series_split(Job *job) {
    const Dataset *dataset = job->dataset;
    const Series *series = series_of(dataset);
    AUTO_FREE uint8_t *judged = memory_array((size_t)series->steps, 1);
    int32_t *train = job->row_numbers = memory_array((size_t)dataset->rows, sizeof(int32_t));
    if (judged == NULL || train == NULL)
        return ERR_NO_MEMORY;
    JobRows *rows = &job->rows;
    rows->train_count = take_rows(dataset, SPLIT_TRAIN, train);
    int32_t *validation = train + rows->train_count;
    rows->validation_count = take_rows(dataset, SPLIT_VALIDATION, validation);
    int32_t *test = validation + rows->validation_count;
    rows->test_count = take_rows(dataset, SPLIT_TEST, test);
    if (rows->validation_count == 0) {
        rows->validation_count = job_validation_rows(job, rows->train_count);
        rows->train_count -= rows->validation_count;
        validation = train + rows->train_count;
    }
    rows->test_count = keep_apart(series, test, rows->test_count, judged);
    rows->validation_count = keep_apart(series, validation, rows->validation_count, judged);
    rows->train_count = keep_apart(series, train, rows->train_count, judged);
    rows->train = train;
    rows->validation = validation;
    rows->test = test;
    return OK;
}

static int series_judge(Job *job, int split) {
    const Dataset *dataset = job->dataset;
    job->row_numbers = memory_array((size_t)dataset->rows, sizeof(int32_t));
    if (job->row_numbers == NULL)
        return ERR_NO_MEMORY;
    job->rows.test = job->row_numbers;
    for (int64_t i = 0; i < dataset->rows; i++)
        if (form_in_split(dataset, i, split) && !form_in_split(dataset, i, SPLIT_NONE) &&
            has_targets(series_of(dataset), i))
            job->row_numbers[job->rows.test_count++] = (int32_t)i;
    return OK;
}

// The steps are in the user's units, so what the model makes of them is its own affair: its transform, its target columns.
static int series_align(Dataset *dataset, const Archive *model, const Task *task, Issues *issues) {
    Series *series = arena_new(&dataset->owned, Series);
    if (series == NULL)
        return ERR_NO_MEMORY;
    *series = *series_of(dataset);
    if (forecast_load(model, shape_last(&task->input), &series->forecast) != OK ||
        task->outputs % series->forecast.targets != 0)
        return ERR_DAMAGED;
    int64_t window = task->input.dim[0], horizon = task->outputs / series->forecast.targets;
    if (series->columns != series->forecast.columns)
        issues_add_at(issues, "/dataset", "has %lld columns, and the model takes %lld",
                      (long long)series->columns, (long long)series->forecast.columns);
    if (series->window != window || series->horizon != horizon)
        issues_add_at(
            issues, "/dataset",
            "has a window of %lld steps and a horizon of %lld, and the model %lld and %lld",
            (long long)series->window, (long long)series->horizon, (long long)window,
            (long long)horizon);
    if (issues_any(issues))
        return ERR_INVALID;
    if (transform_takes_logs(series->forecast.transform))
        for (int64_t i = 0; i < series->steps * series->columns; i++)
            if (series->x[i] <= 0) {
                issues_add_at(issues, "/dataset",
                              "step %lld has the number %g, and the model's transform \"%s\" takes "
                              "numbers above 0",
                              (long long)(i / series->columns), (double)series->x[i],
                              transform_name(series->forecast.transform));
                return ERR_INVALID;
            }
    dataset->more = series;
    dataset->task.outputs = task->outputs;
    return OK;
}

// ---- scaling ----

// The steps that the training windows see, with their targets, in order: ret_steps (memory_free).
static int training_steps(const Job *job, int32_t **ret_steps, int64_t *ret_count) {
    const Series *series = series_of(job_dataset(job));
    const JobRows *rows = job_rows(job);
    AUTO_FREE int32_t *changes = memory_array((size_t)series->steps + 1, sizeof(int32_t));
    int32_t *steps = memory_array((size_t)series->steps, sizeof(int32_t));
    if (changes == NULL || steps == NULL) {
        memory_free(steps);
        return ERR_NO_MEMORY;
    }
    for (int64_t i = 0; i < rows->train_count; i++) {
        changes[rows->train[i]]++;
        changes[rows->train[i] + series->window + series->horizon]--;
    }
    int64_t count = 0, windows = 0;
    for (int64_t step = 0; step < series->steps; step++) {
        windows += changes[step];
        if (windows > 0)
            steps[count++] = (int32_t)step;
    }
    *ret_steps = steps;
    *ret_count = count;
    return OK;
}

static int series_fit_inputs(const Job *job, Scaler *ret_scaler) {
    const Series *series = series_of(job_dataset(job));
    AUTO_FREE int32_t *steps = NULL;
    AUTO_FREE float *z = memory_array((size_t)(series->steps * series->columns), sizeof(*z));
    int64_t count;
    if (z == NULL)
        return ERR_NO_MEMORY;
    int error = training_steps(job, &steps, &count);
    if (error != OK)
        return error;
    forecast_inputs(&series->forecast, series->x, series->steps, z);
    if (transform_takes_differences(series->forecast.transform))
        for (int64_t c = 0; c < series->columns; c++)
            z[c] = NAN; // the series' first step differs from nothing
    return scaler_fit(job_training(job)->standardize ? SCALER_STANDARD : SCALER_IDENTITY, z,
                      series->columns, steps, count, ret_scaler);
}

static int series_fit_targets(const Job *job, const Scaler *inputs, Scaler *ret_scaler) {
    const Forecast *forecast = &series_of(job_dataset(job))->forecast;
    return scaler_select(inputs, forecast->target, forecast->targets, ret_scaler);
}

// ---- batches ----

static void series_gather(Batch *batch, const int32_t *rows, int64_t count) {
    const Dataset *dataset = job_dataset(batch->job);
    const Series *series = series_of(dataset);
    int64_t width = series->window * series->columns, outputs = dataset->task.outputs;
    for (int64_t i = 0; i < count; i++) {
        const float *x = window_at(series, rows[i]);
        forecast_inputs(&series->forecast, x, series->window, batch->scratch);
        scaler_apply(&batch->scalers->input, batch->scratch, batch->inputs.data + i * width, 1,
                     width);
        forecast_targets(&series->forecast, x, series->window, series->horizon, batch->scratch);
        scaler_apply(&batch->scalers->target, batch->scratch, batch->values + i * outputs, 1,
                     outputs);
    }
    batch->targets = count;
}

static void series_target(const Dataset *dataset, int32_t row, double *values) {
    const Series *series = series_of(dataset);
    const float *ahead = window_at(series, row) + series->window * series->columns;
    for (int64_t h = 0; h < series->horizon; h++)
        for (int64_t k = 0; k < series->forecast.targets; k++)
            *values++ = (double)ahead[h * series->columns + series->forecast.target[k]];
}

static void series_undo(const Dataset *dataset, int32_t row, double *values) {
    const Series *series = series_of(dataset);
    forecast_undo(&series->forecast, window_at(series, row), series->window, series->horizon,
                  values);
}

const FormDesc form_series = {
    .desc = {.name = "series", .summary = "windows over a series, and the steps that follow them"},
    .open = series_open,
    .split = series_split,
    .judge = series_judge,
    .align = series_align,
    .fit_inputs = series_fit_inputs,
    .fit_targets = series_fit_targets,
    .gather = series_gather,
    .target = series_target,
    .undo = series_undo,
};
