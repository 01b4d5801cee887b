// Two batches: the caller's and the loader's, which change places. `wanted` is the step that the thread works for; while it
// is 0, all is the caller's. What a batch borrows of the order is copied, since the next batch may be of the next epoch.
//
// Where the run's threads have all cores, one more would only take turns with them, and the others wait meanwhile: then they
// gather the batch themselves.
#include "core/train/loader.h"
#include <pthread.h>
#include <string.h>
#include "core/base/error.h"
#include "core/train/augment.h"

// Numbers of a batch that are worth waking a thread for: some tens of microseconds.
enum { WORTH_A_THREAD = 1 << 15 };

struct Loader {
    const Job *job;
    Augmenter augmenter;
    int32_t *order;      // [train rows] of order_of
    int64_t order_of;    // epoch; 0: none yet
    int32_t *numbers[2]; // [batch rows] each: what the two batches' numbers are
    Batch next;          // of step `made`
    int64_t made;        // 0: none
    bool ahead;          // there is a thread
    pthread_t thread;
    pthread_mutex_t lock; // guards the next two; the rest is whose turn it is
    pthread_cond_t turn;
    int64_t wanted; // step; 0: the thread waits
    bool closing;
};

static bool worth_a_thread(const Job *job) {
    size_t numbers;
    return job_threads(job) < parallel_cores() &&
           size_multiply((size_t)job_batch_rows(job), (size_t)shape_elements(&job_task(job)->input),
                         &numbers) &&
           numbers >= WORTH_A_THREAD;
}

static void make(Loader *loader, int64_t step, Parallel *parallel, Batch *batch) {
    const Job *job = loader->job;
    const JobPhase *phase = job_phase_at(job, step);
    int64_t epoch = job_epoch_at(job, step), train_rows = job_rows(job)->train_count;
    int64_t begin = (step - 1 - phase->begin) % phase->steps_per_epoch * phase->batch_rows;
    int64_t rows = train_rows - begin < phase->batch_rows ? train_rows - begin : phase->batch_rows;
    if (loader->order_of != epoch) {
        order_epoch(job, epoch, loader->order);
        loader->order_of = epoch;
    }
    int32_t *numbers = loader->numbers[step % 2];
    memcpy(numbers, loader->order + begin, (size_t)rows * sizeof(*numbers));
    batch->parallel = parallel;
    batch_gather(batch, numbers, rows);
    augmenter_run(&loader->augmenter, batch, step, parallel);
}

static void *make_ahead(void *context) {
    Loader *loader = context;
    pthread_mutex_lock(&loader->lock);
    while (!loader->closing) {
        if (loader->wanted == 0) {
            pthread_cond_wait(&loader->turn, &loader->lock);
            continue;
        }
        int64_t step = loader->wanted;
        pthread_mutex_unlock(&loader->lock);
        make(loader, step, NULL, &loader->next);
        pthread_mutex_lock(&loader->lock);
        loader->made = step;
        loader->wanted = 0;
        pthread_cond_signal(&loader->turn);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

size_t loader_bytes(const Job *job, int64_t batch_rows) {
    size_t lists = (size_t)job_rows(job)->train_count + 2 * (size_t)batch_rows;
    size_t bytes = lists * sizeof(int32_t) + augmenter_bytes(job);
    if (worth_a_thread(job) && !size_add(bytes, batch_bytes(job, batch_rows), &bytes))
        return SIZE_MAX;
    return bytes;
}

static int prepare(Loader *loader, const Scalers *scalers) {
    const Job *job = loader->job;
    size_t rows = (size_t)job_batch_rows(job);
    loader->order = memory_array((size_t)job_rows(job)->train_count, sizeof(int32_t));
    for (int i = 0; i < 2; i++)
        loader->numbers[i] = memory_array(rows, sizeof(int32_t));
    if (loader->order == NULL || loader->numbers[0] == NULL || loader->numbers[1] == NULL)
        return ERR_NO_MEMORY;
    int error = augmenter_init(&loader->augmenter, job);
    if (error != OK || !worth_a_thread(job))
        return error;
    error = batch_init(&loader->next, job, scalers, (int64_t)rows);
    if (error == OK && pthread_create(&loader->thread, NULL, make_ahead, loader) != 0)
        error = ERR_UNAVAILABLE;
    loader->ahead = error == OK;
    return error;
}

int loader_create(const Job *job, const Scalers *scalers, Loader **ret_loader) {
    Loader *loader = memory_new(Loader);
    if (loader == NULL)
        return ERR_NO_MEMORY;
    loader->job = job;
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->turn, NULL);
    int error = prepare(loader, scalers);
    if (error != OK)
        loader_destroy(loader);
    else
        *ret_loader = loader;
    return error;
}

void loader_destroy(Loader *loader) {
    if (loader == NULL)
        return;
    if (loader->ahead) {
        pthread_mutex_lock(&loader->lock);
        loader->closing = true;
        pthread_cond_signal(&loader->turn);
        pthread_mutex_unlock(&loader->lock);
        pthread_join(loader->thread, NULL);
    }
    pthread_cond_destroy(&loader->turn);
    pthread_mutex_destroy(&loader->lock);
    batch_finish(&loader->next);
    augmenter_finish(&loader->augmenter);
    memory_free(loader->order);
    memory_free(loader->numbers[0]);
    memory_free(loader->numbers[1]);
    memory_free(loader);
}

void loader_take(Loader *loader, int64_t step, Parallel *parallel, Batch *batch) {
    if (!loader->ahead) {
        make(loader, step, parallel, batch);
        return;
    }
    pthread_mutex_lock(&loader->lock);
    while (loader->wanted != 0)
        pthread_cond_wait(&loader->turn, &loader->lock);
    if (loader->made != step)
        make(loader, step, parallel, &loader->next);
    Batch taken = loader->next;
    loader->next = *batch;
    *batch = taken;
    batch->parallel = parallel;
    loader->made = 0;
    if (step < job_steps(loader->job)) {
        loader->wanted = step + 1;
        pthread_cond_signal(&loader->turn);
    }
    pthread_mutex_unlock(&loader->lock);
}
