// What the files of the trainer share: a trainer from the inside.
//
// All that decides the rest of the run is in TrainerState, the weights and the slots: a checkpoint
// is these three, and the best weights so far. Order and dropout follow from the seed
// (core/base/rng.h).
#pragma once
#include "core/train/loader.h"
#include "core/train/metrics.h"
#include "core/train/trainer.h"

typedef struct TrainerState {
    int64_t step; // steps done
    // Sums over the epoch under way, for its running means.
    double loss_sum, weight_sum;
    int64_t correct, rows;
    // Early stopping.
    int64_t best_epoch;    // 0: none yet
    int64_t epochs_waited; // since then
    bool stopped;          // early_stopping ended the run
    Metrics validation, best;
    double best_value; // of the metric that is watched
    double schedule_state[SCHEDULE_STATE];
} TrainerState;

struct Trainer {
    const Job *job;
    TrainerHooks hooks;
    Parallel *parallel;
    Scalers scalers;
    Batch batch;
    Loader *loader;
    Plan *plan;
    Evaluator evaluator;
    bool probes;    // on one batch alone
    bool evaluates; // there are rows to evaluate
    Statistics *statistics;
    LayerHistograms *histograms; // [model_layers] of the newest step that was due
    Real *weights;               // [graph_weight_elements]
    Real *gradients;             // [graph_learned]
    Real *slots;                 // [job_slots, graph_learned]; of the phase under way
    Real *best_weights;          // [graph_weight_elements]; NULL unless restore_best
    bool *reported;              // [rule_registry.count] rules whose finding was told
    // The doctor's: see watch.h.
    History *history;
    Finding *findings; // of the newest look
    Net net;
    Facts facts;
    TrainerState state;
    double checkpoint_at; // monotonic seconds
    double recorded_at;   // … of the newest gradient record
    int64_t rows_since_record;
};

int drift_add(const Job *job, ArchiveWriter *writer); // the sections of core/model/drift.h
double trainer_clock(void);                           // monotonic seconds
