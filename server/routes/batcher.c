// A list of those who wait; the thread that leads takes a group from its head. Graphs touch nothing of the predictor's own,
// so they never wait.
#include "server/routes/batcher.h"
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

typedef struct Waiting {
    const PredictorInput *input;
    float *outputs, *probabilities;
    int result;
    bool ended;
    struct Waiting *next;
} Waiting;

void batcher_init(Batcher *batcher) {
    *batcher = (Batcher){.last = &batcher->first};
    pthread_mutex_init(&batcher->lock, NULL);
    pthread_cond_init(&batcher->ended, NULL);
}

void batcher_finish(Batcher *batcher) {
    pthread_cond_destroy(&batcher->ended);
    pthread_mutex_destroy(&batcher->lock);
}

// The first who wait, as many as run as one, at least one; the caller holds the lock.
static Waiting *take_group(Batcher *batcher, int64_t *ret_rows) {
    Waiting *group = batcher->first, **end = &batcher->first;
    int64_t rows = 0;
    while (*end != NULL && (rows == 0 || rows + (*end)->input->rows <= BATCHER_ROWS_MAX)) {
        rows += (*end)->input->rows;
        end = &(*end)->next;
    }
    batcher->first = *end;
    *end = NULL;
    if (batcher->first == NULL)
        batcher->last = &batcher->first;
    *ret_rows = rows;
    return group;
}

// The inputs of a group as one, and its outputs.
typedef struct Joined {
    float *values, *outputs, *probabilities;
    int32_t *lengths;
} Joined;

static void joined_finish(Joined *joined) {
    memory_free(joined->values);
    memory_free(joined->outputs);
    memory_free(joined->probabilities);
    memory_free(joined->lengths);
}

static int run_joined(Predictor *predictor, Waiting *group, int64_t rows) {
    CLEANUP(joined_finish) Joined joined = {0};
    PredictorInput all = {.rows = rows};
    size_t width = (size_t)predictor_input_width(predictor);
    size_t outputs = (size_t)predictor_output_width(predictor);
    size_t classes = (size_t)predictor_classes(predictor);
    size_t targets = (size_t)predictor_targets(predictor, &all);
    joined.values = memory_array((size_t)rows * width, sizeof(float));
    joined.lengths = memory_array((size_t)rows, sizeof(int32_t));
    joined.outputs = memory_array(targets * outputs, sizeof(float));
    joined.probabilities = memory_array(targets * classes, sizeof(float));
    if (joined.values == NULL || joined.lengths == NULL || joined.outputs == NULL ||
        joined.probabilities == NULL)
        return ERR_NO_MEMORY;
    size_t row = 0;
    for (const Waiting *one = group; one != NULL; one = one->next) {
        size_t count = (size_t)one->input->rows;
        memcpy(joined.values + row * width, one->input->values, count * width * sizeof(float));
        if (one->input->lengths != NULL)
            memcpy(joined.lengths + row, one->input->lengths, count * sizeof(int32_t));
        row += count;
    }
    all.values = joined.values;
    all.lengths = group->input->lengths == NULL ? NULL : joined.lengths;
    int error =
        predictor_run(predictor, &all, joined.outputs, classes > 0 ? joined.probabilities : NULL);
    size_t target = 0;
    for (const Waiting *one = group; error == OK && one != NULL; one = one->next) {
        size_t count = (size_t)predictor_targets(predictor, one->input);
        memcpy(one->outputs, joined.outputs + target * outputs, count * outputs * sizeof(float));
        if (one->probabilities != NULL)
            memcpy(one->probabilities, joined.probabilities + target * classes,
                   count * classes * sizeof(float));
        target += count;
    }
    return error;
}

static void run_group(Predictor *predictor, Waiting *group, int64_t rows) {
    int error = ERR_NO_MEMORY;
    if (group->next != NULL)
        error = run_joined(predictor, group, rows);
    for (Waiting *one = group; one != NULL; one = one->next) // alone, or without the memory to join
        one->result = error == ERR_NO_MEMORY
                          ? predictor_run(predictor, one->input, one->outputs, one->probabilities)
                          : error;
}

// The caller holds the lock.
static void lead(Batcher *batcher) {
    int64_t rows;
    Waiting *group = take_group(batcher, &rows);
    batcher->running = true;
    pthread_mutex_unlock(&batcher->lock);
    run_group(batcher->predictor, group, rows);
    pthread_mutex_lock(&batcher->lock);
    batcher->running = false;
    for (Waiting *one = group, *next; one != NULL; one = next) {
        next = one->next; // its owner may go on as soon as it has ended
        one->ended = true;
    }
    pthread_cond_broadcast(&batcher->ended);
}

// Stands in line until its run has ended, its own thread leading where nobody else does.
static void stand_in_line(Batcher *batcher, Waiting *self) {
    pthread_mutex_lock(&batcher->lock);
    *batcher->last = self;
    batcher->last = &self->next;
    batcher->rows += self->input->rows;
    while (!self->ended) {
        if (batcher->running)
            pthread_cond_wait(&batcher->ended, &batcher->lock);
        else
            lead(batcher);
    }
    batcher->rows -= self->input->rows;
    pthread_mutex_unlock(&batcher->lock);
}

int batcher_run(Batcher *batcher, const PredictorInput *input, float *outputs,
                float *probabilities) {
    if (input->graphs != NULL)
        return predictor_run(batcher->predictor, input, outputs, probabilities);
    Waiting self = {.input = input, .outputs = outputs, .probabilities = probabilities};
    stand_in_line(batcher, &self);
    return self.result;
}

int64_t batcher_rows(Batcher *batcher) {
    pthread_mutex_lock(&batcher->lock);
    int64_t rows = batcher->rows;
    pthread_mutex_unlock(&batcher->lock);
    return rows;
}
