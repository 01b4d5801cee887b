// Gathers a training's events and sends them as frames.
#include "server/jobs/report.h"
#include <math.h>
#include <string.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/diagnose/checklist.h"
#include "server/base/time.h"

enum {
    ROWS_MAX = 4096, // of a table that is sent
    FLUSH_MILLISECONDS = 100,
    PROGRESS_MILLISECONDS = 200,
    CAREFUL_MILLISECONDS = 2000,
};

static const int step_series[] = {METRIC_train_loss, METRIC_learning_rate, METRIC_gradient_norm,
                                  METRIC_clipped_gradient_norm};
static const char *const step_names[] = {"train_loss", "learning_rate", "gradient_norm",
                                         "clipped_gradient_norm"};

void report_open(Report *report, int descriptor, uint32_t attempt) {
    *report = (Report){.descriptor = descriptor, .attempt = attempt};
    pthread_mutex_init(&report->writing, NULL);
}

int report_init(Report *report, const Job *job) {
    report->job = job;
    int result = table_init(&report->steps, step_names, ARRAY_LENGTH(step_names));
    if (result == OK)
        result = table_init(&report->gradients, gradient_names, GRADIENT_COLUMNS);
    return result;
}

void report_finish(Report *report) {
    table_finish(&report->steps);
    table_finish(&report->epochs);
    table_finish(&report->gradients);
}

// ---- sending ----

static int frame_send(Report *report, FrameType type, const void *body, size_t length) {
    pthread_mutex_lock(&report->writing);
    int result = frame_write(report->descriptor, type, report->attempt, body, length);
    pthread_mutex_unlock(&report->writing);
    if (result == ERR_IO)
        _exit(1); // the server is gone
    return result;
}

void report_send(Report *report, FrameType type, const void *body, size_t length) {
    report->failed |= frame_send(report, type, body, length) != OK;
}

void report_beat(Report *report) {
    frame_send(report, FRAME_BEAT, NULL, 0);
}

void report_send_json(Report *report, FrameType type, JsonOut *out) {
    if (out->text.failed)
        report->failed = true;
    else
        report_send(report, type, text_string(&out->text), out->text.length);
    json_finish(out);
}

static void table_send(Report *report, FrameType type, Table *table) {
    AUTO_FREE uint8_t *bytes = NULL;
    size_t length = 0;
    if (table->rows == 0)
        return;
    if (table_encode(table, &bytes, &length) != OK)
        report->failed = true;
    else
        report_send(report, type, bytes, length);
    table_clear(table);
}

void report_flush(Report *report) {
    table_send(report, FRAME_METRICS, &report->steps);
    table_send(report, FRAME_METRICS, &report->epochs);
    table_send(report, FRAME_GRADIENTS, &report->gradients);
    report->flushed_at = time_monotonic();
}

static void row_add(Report *report, Table *table, int64_t step, const double *values) {
    if (table_add(table, step, values) != OK)
        report->failed = true;
}

// ---- progress ----

static int64_t rows_trained(const Report *report) {
    return job_samples(report->job, report->step) - job_samples(report->job, report->first_step);
}

// A job may be over before the clock has moved.
static double rows_per_second(const Report *report) {
    double seconds = fmax((double)(time_monotonic() - report->began_at), 1) / 1000.0;
    return (double)rows_trained(report) / seconds;
}

static void series_write(const char *key, const double *values, const bool *has, int64_t epoch,
                         const Metrics *test, JsonOut *out) {
    json_begin_object(out, key);
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (has[i])
            json_number(out, metric_names[i], values[i]);
    }
    if (epoch > 0)
        json_integer(out, "epoch", epoch);
    if (test != NULL) {
        json_number(out, "test_loss", test->loss);
        if (!isnan(test->accuracy))
            json_number(out, "test_accuracy", test->accuracy);
        if (!isnan(test->mae))
            json_number(out, "test_mae", test->mae);
        if (!isnan(test->rmse))
            json_number(out, "test_rmse", test->rmse);
        if (!isnan(test->r2))
            json_number(out, "test_r2", test->r2);
    }
    json_end_object(out);
}

void report_write(const Report *report, const Metrics *test, JsonOut *out) {
    double rate = rows_per_second(report);
    int64_t steps = job_steps(report->job);
    int64_t left =
        report->done ? 0 : job_samples(report->job, steps) - job_samples(report->job, report->step);
    json_begin_object(out, "progress");
    json_integer(out, "epoch", report->epoch);
    json_integer(out, "epochs", job_epochs(report->job));
    json_integer(out, "step", report->step);
    json_integer(out, "steps", steps);
    json_number(out, "samples_per_second", round(rate));
    if (rate > 0)
        json_number(out, "eta_seconds", round((double)left / rate * 10) / 10);
    else
        json_null(out, "eta_seconds");
    json_end_object(out);
    json_integer(out, "samples", rows_trained(report));
    series_write("metrics", report->newest, report->has, 0, test, out);
    if (report->best_epoch > 0)
        series_write("best", report->best, report->has, report->best_epoch, NULL, out);
    else
        json_null(out, "best");
}

void report_write_model(const Report *report, const Metrics *test, JsonOut *out) {
    const EarlyStoppingParams *stop = job_training(report->job)->stop;
    bool restored = stop != NULL && stop->restore_best && report->best_epoch > 0;
    series_write("metrics", restored ? report->best : report->newest, report->has, 0, test, out);
}

// The step that it tells is complete: all its records are on their way before it.
void report_progress(Report *report) {
    JsonOut out;
    report_flush(report);
    json_init(&out);
    json_begin_object(&out, NULL);
    report_write(report, NULL, &out);
    json_end_object(&out);
    report_send_json(report, FRAME_PROGRESS, &out);
    report->progressed_at = time_monotonic();
}

// The series' numbers out of what report_write had written.
static void known_read(Value known, double *values, bool *has) {
    for (int i = 0; i < METRIC_COUNT; i++) {
        Value value = value_member(known, metric_names[i]);
        if (value_kind(value) != VALUE_NUMBER)
            continue;
        values[i] = value_number(value);
        has[i] = true;
    }
}

// The progress goes first: should the server die between the two, it counts too few records as kept, never too many.
void report_started(Report *report, int64_t step, Value metrics, Value best) {
    JsonOut out;
    if (step > 0) {
        known_read(metrics, report->newest, report->has);
        known_read(best, report->best, report->has);
        value_integer(value_member(best, "epoch"), 1, INT64_MAX, &report->best_epoch);
    }
    report->step = report->first_step = step;
    int64_t steps = job_steps(report->job);
    report->epoch = job_epoch_at(report->job, step < steps ? step + 1 : steps);
    report->began_at = time_monotonic();
    report_progress(report);
    json_init(&out);
    json_begin_object(&out, NULL);
    json_integer(&out, "step", step);
    json_end_object(&out);
    report_send_json(report, FRAME_STARTED, &out);
}

// ---- events ----

static void newest_set(Report *report, int series, double value) {
    report->newest[series] = value;
    report->has[series] = true;
}

static void careful_step(Report *report, int64_t step) {
    int64_t now = time_monotonic();
    report_send(report, FRAME_STEP, &step, sizeof step);
    if (step > report->died_at && report->passed_at == 0)
        report->passed_at = now;
    report->careful = report->passed_at == 0 || now - report->passed_at < CAREFUL_MILLISECONDS;
}

static void step_event(Report *report, const TrainEvent *event) {
    // Now the step before is complete, its epoch and gradients included.
    if (time_roughly() - report->progressed_at >= PROGRESS_MILLISECONDS)
        report_progress(report);
    const double row[] = {event->loss, event->learning_rate, event->gradient_norm,
                          event->clipped_gradient_norm};
    row_add(report, &report->steps, event->step, row);
    for (size_t i = 0; i < ARRAY_LENGTH(row); i++)
        newest_set(report, step_series[i], row[i]);
    report->step = event->step;
    report->epoch = event->epoch;
    if (report->careful)
        careful_step(report, event->step);
}

// The series of an epoch that this job has: those with a number at its first epoch's end.
static void epoch_columns_choose(Report *report, const double *values) {
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (isnan(values[i]))
            continue;
        report->epoch_series[report->epoch_columns] = i;
        report->epoch_names[report->epoch_columns++] = metric_names[i];
    }
    if (table_init(&report->epochs, report->epoch_names, report->epoch_columns) != OK)
        report->failed = true;
}

static void epoch_event(Report *report, const TrainEvent *event) {
    double values[METRIC_COUNT], row[METRIC_COUNT];
    for (int i = 0; i < METRIC_COUNT; i++)
        values[i] = NAN;
    values[METRIC_train_accuracy] = event->train.accuracy;
    values[METRIC_val_loss] = event->validation.loss;
    values[METRIC_val_accuracy] = event->validation.accuracy;
    values[METRIC_val_mae] = event->validation.mae;
    values[METRIC_val_rmse] = event->validation.rmse;
    values[METRIC_val_r2] = event->validation.r2;
    values[METRIC_val_perplexity] = metrics_perplexity(job_task(report->job), &event->validation);
    values[METRIC_samples_per_second] =
        event->samples_per_second > 0 ? event->samples_per_second : rows_per_second(report);
    if (report->epoch_columns == 0)
        epoch_columns_choose(report, values);
    for (int i = 0; i < report->epoch_columns; i++) {
        row[i] = values[report->epoch_series[i]];
        newest_set(report, report->epoch_series[i], row[i]);
    }
    row_add(report, &report->epochs, event->step, row);
    report->epoch = event->epoch;
    if (event->best) {
        memcpy(report->best, report->newest, sizeof report->best);
        report->best_epoch = event->epoch;
    }
}

static void gradients_event(Report *report, const TrainEvent *event) {
    int layers = model_layers(job_model(report->job));
    for (int i = 0; i < layers; i++) {
        const LayerStatistics *layer = &event->layers[i];
        const double row[GRADIENT_COLUMNS] = {i,
#define X(field) layer->field,
                                              LAYER_STATISTICS(X)
#undef X
        };
        if (report->gradients.rows == ROWS_MAX)
            report_flush(report);
        row_add(report, &report->gradients, event->step, row);
    }
}

static void finding_event(Report *report, const TrainEvent *event) {
    JsonOut out;
    json_init(&out);
    ValueWriter writer = json_writer(&out);
    finding_write(event->finding, job_spec(report->job), NULL, &writer);
    report_send_json(report, FRAME_FINDING, &out);
}

static void diagnosis_event(Report *report, const TrainEvent *event) {
    JsonOut out;
    json_init(&out);
    ValueWriter writer = json_writer(&out);
    json_begin_object(&out, NULL);
    json_begin_array(&out, "findings");
    for (int i = 0; i < event->finding_count; i++)
        finding_write(&event->findings[i], job_spec(report->job), NULL, &writer);
    json_end_array(&out);
    checklist_write(event->view, "checklist", &writer);
    json_end_object(&out);
    report_send_json(report, FRAME_DIAGNOSIS, &out);
}

static void histogram_write(JsonOut *out, const char *key, const Histogram *histogram) {
    if (histogram->counted == 0)
        return;
    json_begin_object(out, key);
    json_number(out, "least", histogram->least);
    json_number(out, "greatest", histogram->greatest);
    json_begin_array(out, "counts");
    for (int i = 0; i < HISTOGRAM_BINS; i++)
        json_integer(out, NULL, histogram->counts[i]);
    json_end_array(out);
    json_end_object(out);
}

static void histograms_event(Report *report, const TrainEvent *event) {
    const Model *model = job_model(report->job);
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    json_integer(&out, "step", event->step);
    json_integer(&out, "interval", event->interval);
    json_begin_object(&out, "layers");
    for (int i = 0; i < event->histogram_layers; i++) {
        json_begin_object(&out, model_layer(model, i)->name);
#define X(kind) histogram_write(&out, #kind, &event->histograms[i].kind);
        HISTOGRAM_KINDS(X)
#undef X
        json_end_object(&out);
    }
    json_end_object(&out);
    json_end_object(&out);
    report_send_json(report, FRAME_HISTOGRAMS, &out);
}

void report_event(Report *report, const TrainEvent *event) {
    switch (event->kind) {
    case TRAIN_STEP:
        step_event(report, event);
        break;
    case TRAIN_GRADIENTS:
        gradients_event(report, event);
        break;
    case TRAIN_HISTOGRAMS:
        histograms_event(report, event);
        break;
    case TRAIN_EPOCH:
        epoch_event(report, event);
        break;
    case TRAIN_FINDING:
        finding_event(report, event);
        break;
    case TRAIN_DIAGNOSIS:
        diagnosis_event(report, event);
        break;
    }
    int64_t now = time_roughly();
    if (report->steps.rows >= ROWS_MAX || report->epochs.rows >= ROWS_MAX ||
        now - report->flushed_at >= FLUSH_MILLISECONDS)
        report_flush(report);
}
