// Predictions of one model that come at the same time run as one: whoever finds the predictor free runs what waits, its own
// among it, and the others only take their results. Nobody waits for company.
#pragma once
#include <pthread.h>
#include "core/model/predictor.h"

typedef struct Batcher {
    Predictor *predictor; // the owner's, set before the first run; nobody else may run it
    pthread_mutex_t lock; // guards everything below
    pthread_cond_t ended; // a run
    struct Waiting *first, **last;
    int64_t rows; // that wait or run
    bool running;
} Batcher;

enum { BATCHER_ROWS_MAX = 256 }; // that run as one

void batcher_init(Batcher *batcher);
void batcher_finish(Batcher *batcher); // nobody runs any more
// As predictor_run, by any number of threads.
int batcher_run(Batcher *batcher, const PredictorInput *input, float *outputs,
                float *probabilities);
int64_t batcher_rows(Batcher *batcher); // that wait or run now
