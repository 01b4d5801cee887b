// See outcome.h. Where there is no reference the loss alone decides, more cautiously.
#include "core/diagnose/outcome.h"
#include <math.h>

enum { PROBE_LEAST = 50 }; // steps of a probe that can be judged

static Fit fit_of(double closure, double room, double error) {
    if (!isfinite(closure))
        return FIT_UNKNOWN;
    // What lies within two standard errors of the constant answer is no better than it.
    if (closure * room <= fmax(0.02, fmin(2 * error, 0.3 * room)))
        return FIT_NONE;
    return closure < 0.6 ? FIT_POOR : closure < 0.9 ? FIT_FAIR : FIT_GOOD;
}

static double closure_of(const Survey *survey, double metric) {
    double room = survey->reference_metric - survey->constant_metric;
    // Where plain methods find hardly more than the constant answer there is nothing to hold a run against.
    if (!isfinite(room) || room < fmax(0.08, 2 * survey->reference_error) || !isfinite(metric))
        return NAN;
    return (metric - survey->constant_metric) / room;
}

// The metric of the training rows; of numbers it follows from the loss.
static double train_metric(const Facts *facts, const EpochPoint *epoch) {
    if (facts->task->kind == TASK_LANGUAGE_MODEL)
        return -epoch->train_loss;
    return epoch->train_metric;
}

static double validation_metric(const Facts *facts, const EpochPoint *epoch) {
    return facts->task->kind == TASK_LANGUAGE_MODEL ? -epoch->val_loss : epoch->val_metric;
}

static void by_loss(Outcome *outcome) {
    double closure = outcome->loss_closure;
    if (!isfinite(closure))
        return;
    outcome->closure = closure;
    outcome->fit = closure < 0.02  ? FIT_NONE
                   : closure < 0.1 ? FIT_POOR
                   : closure < 0.5 ? FIT_FAIR
                                   : FIT_GOOD;
}

Outcome outcome_judge_probe(const Facts *facts, const History *history, double travel,
                            bool finite) {
    Outcome outcome = outcome_judge(facts, history, true, finite);
    if (outcome.diverged)
        return outcome;
    bool moved = travel >= 0.15, stands = travel < 0.15 * outcome.progress;
    outcome.fit = outcome.validation = FIT_UNKNOWN;
    if (history->steps >= PROBE_LEAST && (moved || stands || !isfinite(travel)))
        by_loss(&outcome);
    return outcome;
}

Outcome outcome_judge(const Facts *facts, const History *history, bool ended, bool finite) {
    Outcome outcome = {.closure = NAN,
                       .validation_closure = NAN,
                       .loss_closure = NAN,
                       .loss = NAN,
                       .late_change = NAN};
    if (history == NULL || history->steps == 0)
        return outcome;
    const Survey *survey = &facts->survey;
    // What the run leaves.
    const EpochPoint *last = facts->restores_best && ended ? &history->best : &history->last;
    outcome.progress = facts->steps > 0 ? (double)history->steps / (double)facts->steps : 1;
    outcome.loss = history_loss(history, 0.9, 1);
    double before = history_loss(history, 0.5, 0.75), late = history_loss(history, 0.75, 1);
    outcome.late_change = before > 0 ? (before - late) / before : NAN;
    double newest = outcome.loss;
    if (history->epochs > 0)
        newest = fmin(newest,
                      fmin(last->train_loss, isfinite(last->val_loss) ? last->val_loss : INFINITY));
    if (survey->constant_loss > 0)
        outcome.loss_closure = 1 - newest / survey->constant_loss;
    bool climbed = late > 2 * fmax(history->first_loss,
                                   isfinite(survey->constant_loss) ? survey->constant_loss : 0);
    outcome.diverged = !finite || !isfinite(history->last_loss) || climbed;
    double room = survey->reference_metric - survey->constant_metric;
    if (history->epochs > 0) {
        double validation = validation_metric(facts, last), train = train_metric(facts, last);
        double best = fmax(train, validation);
        outcome.validation_closure = closure_of(survey, validation);
        outcome.validation = fit_of(outcome.validation_closure, room, survey->reference_error);
        outcome.closure = closure_of(survey, best);
        outcome.fit = fit_of(outcome.closure, room, survey->reference_error);
    }
    if (outcome.fit == FIT_UNKNOWN && !isfinite(room))
        by_loss(&outcome);
    // An accuracy may stay while the loss already falls, and a loss rise while the accuracy is there.
    if (outcome.fit == FIT_NONE && outcome.loss_closure > 0.15)
        outcome.fit = FIT_POOR;
    if (outcome.diverged)
        outcome.fit = FIT_NONE;
    // Early on nothing but a run gone wild can be judged.
    if (!ended && !outcome.diverged && (outcome.progress < 0.25 || history->steps < 50))
        outcome.fit = outcome.validation = FIT_UNKNOWN;
    return outcome;
}
