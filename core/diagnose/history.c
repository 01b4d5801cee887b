// Running sums, and a curve that thins itself.
#include "core/diagnose/history.h"
#include <math.h>
#include <string.h>

size_t history_bytes(int layers) {
    return sizeof(History) + (size_t)layers * sizeof(LayerHistory);
}

void history_init(History *history, int layers) {
    memset(history, 0, history_bytes(layers));
    history->layers = layers;
    history->point_steps = 1;
    history->first_loss = history->last_loss = history->least_loss = history->greatest_loss = NAN;
    history->first_gradient = history->gradient_mean = NAN;
    history->best_metric = history->best_train_metric = history->swing_metric = NAN;
    for (int i = 0; i < layers; i++)
        history->layer[i].start_scale = history->layer[i].start_duplicates = NAN;
}

// ---- the curve of the loss ----

static void halve_curve(History *history) {
    for (int i = 0; i < HISTORY_CURVE / 2; i++) {
        const LossPoint *a = &history->curve[2 * i], *b = &history->curve[2 * i + 1];
        history->curve[i] = (LossPoint){.last_step = b->last_step,
                                        .steps = a->steps + b->steps,
                                        .sum = a->sum + b->sum,
                                        .least = fmin(a->least, b->least),
                                        .greatest = fmax(a->greatest, b->greatest)};
    }
    history->points = HISTORY_CURVE / 2;
    history->point_steps *= 2;
}

static void add_to_curve(History *history, int64_t step, double loss) {
    if (history->points == 0 || history->curve[history->points - 1].steps == history->point_steps) {
        if (history->points == HISTORY_CURVE)
            halve_curve(history);
        history->curve[history->points++] = (LossPoint){.least = loss, .greatest = loss};
    }
    LossPoint *point = &history->curve[history->points - 1];
    point->last_step = step;
    point->steps++;
    point->sum += loss;
    point->least = fmin(point->least, loss);
    point->greatest = fmax(point->greatest, loss);
}

double history_loss(const History *history, double from, double to) {
    double begin = from * (double)history->steps, end = to * (double)history->steps;
    double sum = 0, count = 0;
    for (int i = 0; i < history->points; i++) {
        const LossPoint *point = &history->curve[i];
        double middle = (double)point->last_step - (double)(point->steps - 1) / 2;
        // Where a point is wider than what was asked for, the nearest stands for it.
        if (middle > begin && middle <= fmax(end, begin + (double)point->steps)) {
            sum += point->sum;
            count += (double)point->steps;
        }
    }
    return count > 0 ? sum / count : history->last_loss;
}

double history_stuck(const History *history, double level) {
    for (int i = 0; i < history->points; i++)
        if (history->curve[i].sum / (double)history->curve[i].steps < level)
            return (double)(history->curve[i].last_step - history->curve[i].steps) /
                   (double)history->steps;
    return 1;
}

// ---- steps ----

void history_step(History *history, int64_t step, double loss, double gradient_norm,
                  double learning_rate) {
    history->steps = step;
    history->last_loss = loss;
    history->learning_rate = learning_rate;
    if (isnan(history->first_loss)) {
        history->first_loss = history->least_loss = history->greatest_loss = loss;
        history->first_gradient = history->gradient_mean = gradient_norm;
    }
    if (!isfinite(loss) || !isfinite(gradient_norm))
        return;
    history->least_loss = fmin(history->least_loss, loss);
    history->greatest_loss = fmax(history->greatest_loss, loss);
    history->gradient_mean += (gradient_norm - history->gradient_mean) / 50;
    if (gradient_norm > history->gradient_peak) {
        history->gradient_peak = gradient_norm;
        history->gradient_peak_step = step;
    }
    add_to_curve(history, step, loss);
}

// ---- records ----

static double known(double value) {
    return isfinite(value) ? value : 0;
}

static void stretch_add(Stretch *stretch, const LayerStatistics *at) {
    double dead = known(at->dead_fraction);
    stretch->dead_least = stretch->records == 0 ? dead : fmin(stretch->dead_least, dead);
    stretch->records++;
    stretch->gradient_norm += known(at->gradient_norm);
    stretch->weight_norm += known(at->weight_norm);
    stretch->update_ratio += known(at->update_ratio);
    stretch->activation_std += known(at->activation_std);
    stretch->dead_fraction += dead;
    stretch->saturated_fraction += known(at->saturated_fraction);
}

// A window begins anew whenever the number of records has doubled.
static bool power_of_two(int64_t n) {
    return n > 0 && (n & (n - 1)) == 0;
}

static void since(int64_t *at, bool holds, int64_t step) {
    if (!holds)
        *at = 0;
    else if (*at == 0)
        *at = step;
}

static void layer_record(LayerHistory *layer, const LayerStatistics *at, int64_t step,
                         int64_t steps, int64_t records) {
    if (records == 1)
        layer->first = *at;
    if (records <= HISTORY_EARLY)
        stretch_add(&layer->early, at);
    if (power_of_two(records)) {
        layer->before = layer->now;
        layer->now = (Stretch){0};
    }
    stretch_add(&layer->now, at);
    if (isfinite(at->update_ratio)) {
        layer->travel += at->update_ratio * (double)steps;
        if (at->update_ratio > layer->update_peak) {
            layer->update_peak = at->update_ratio;
            layer->update_peak_step = step;
        }
    }
    since(&layer->dead_since, at->dead_fraction >= 0.5, step);
    since(&layer->saturated_since, at->saturated_fraction >= 0.5, step);
    since(&layer->still_since, at->gradient_norm < 1e-7, step);
}

void history_record(History *history, int64_t step, const LayerStatistics *layers) {
    history->records++;
    for (int i = 0; i < history->layers; i++)
        layer_record(&history->layer[i], &layers[i], step, step - history->record_step,
                     history->records);
    history->record_step = step;
}

const Stretch *history_late(const LayerHistory *layer) {
    return 2 * layer->now.records >= layer->before.records ? &layer->now : &layer->before;
}

double stretch_mean(const Stretch *stretch, double sum) {
    return stretch->records > 0 ? sum / (double)stretch->records : NAN;
}

// ---- epochs ----

// A swing is a turn: the metric comes back by 0.03 or more from its last extreme (AutoTrainer's 0.03).
static void note_swing(History *history, double metric) {
    if (!isfinite(metric))
        return;
    if (isnan(history->swing_metric)) {
        history->swing_metric = metric;
        return;
    }
    double change = metric - history->swing_metric;
    if (fabs(change) < 0.03) {
        if (change * history->swing_direction > 0)
            history->swing_metric = metric;
        return;
    }
    double direction = change > 0 ? 1 : -1;
    history->swings += history->swing_direction * direction < 0;
    history->swing_direction = direction;
    history->swing_metric = metric;
}

void history_epoch(History *history, const EpochPoint *point) {
    if (history->epochs == 0) {
        history->first_epoch = history->best = *point;
    } else {
        if (point->val_loss < history->best.val_loss || !isfinite(history->best.val_loss))
            history->best = *point;
        if (isfinite(point->val_loss) && isfinite(history->last.val_loss))
            history->val_roughness += fabs(point->val_loss - history->last.val_loss);
    }
    history->best_metric = fmax(history->best_metric, point->val_metric);
    history->best_train_metric = fmax(history->best_train_metric, point->train_metric);
    note_swing(history, point->val_metric);
    history->last = *point;
    history->epochs++;
}
