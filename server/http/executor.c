#include "server/http/executor.h"

#include <pthread.h>
#include "core/base/error.h"
#include "core/base/memory.h"

enum { STACK_BYTES = 2 << 20 }; // a product in double precision takes a megabyte

typedef struct Queue {
    Task *first, **last;
} Queue;

struct Executor {
    pthread_mutex_t lock; // guards everything below
    pthread_cond_t work;
    Queue queue[LANES];
    int running[LANES], most[LANES];
    int queued, queue_max;
    bool stopping;
    int threads;
    pthread_t thread[];
};

static void queue_put(Queue *queue, Task *task) {
    task->next = NULL;
    *queue->last = task;
    queue->last = &task->next;
}

static Task *queue_take(Queue *queue) {
    Task *task = queue->first;
    if (task != NULL) {
        queue->first = task->next;
        if (queue->first == NULL)
            queue->last = &queue->first;
    }
    return task;
}

// The caller holds the lock.
static Task *task_take(Executor *executor) {
    for (Lane lane = 0; lane < LANES; lane++)
        if (executor->running[lane] < executor->most[lane]) {
            Task *task = queue_take(&executor->queue[lane]);
            if (task != NULL)
                return task;
        }
    return NULL;
}

static void *executor_thread(void *context) {
    Executor *executor = context;
    pthread_mutex_lock(&executor->lock);
    for (;;) {
        Task *task = task_take(executor);
        if (task == NULL) {
            if (executor->stopping && executor->queued == 0)
                break;
            pthread_cond_wait(&executor->work, &executor->lock);
            continue;
        }
        Lane lane = task->lane; // the task may be gone once it has run
        executor->queued--;
        executor->running[lane]++;
        pthread_mutex_unlock(&executor->lock);
        task->run(task);
        pthread_mutex_lock(&executor->lock);
        executor->running[lane]--;
        if (executor->stopping) // others may wait for the last task
            pthread_cond_broadcast(&executor->work);
    }
    pthread_mutex_unlock(&executor->lock);
    return NULL;
}

int executor_create(int threads, int queue_max, Executor **ret_executor) {
    Executor *executor = memory_array(1, sizeof *executor + (size_t)threads * sizeof(pthread_t));
    if (executor == NULL)
        return ERR_NO_MEMORY;
    for (Lane lane = 0; lane < LANES; lane++) {
        executor->queue[lane].last = &executor->queue[lane].first;
        executor->most[lane] = lane == LANE_REQUEST || threads == 1 ? threads : threads / 2;
    }
    executor->queue_max = queue_max;
    pthread_mutex_init(&executor->lock, NULL);
    pthread_cond_init(&executor->work, NULL);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    while (executor->threads < threads &&
           pthread_create(&executor->thread[executor->threads], &attributes, executor_thread,
                          executor) == 0)
        executor->threads++;
    pthread_attr_destroy(&attributes);
    if (executor->threads < threads) {
        executor_destroy(executor);
        return ERR_UNAVAILABLE;
    }
    *ret_executor = executor;
    return OK;
}

void executor_destroy(Executor *executor) {
    if (executor == NULL)
        return;
    pthread_mutex_lock(&executor->lock);
    executor->stopping = true;
    pthread_cond_broadcast(&executor->work);
    pthread_mutex_unlock(&executor->lock);
    for (int i = 0; i < executor->threads; i++)
        pthread_join(executor->thread[i], NULL);
    pthread_cond_destroy(&executor->work);
    pthread_mutex_destroy(&executor->lock);
    memory_free(executor);
}

bool executor_submit(Executor *executor, Task *task, bool must) {
    pthread_mutex_lock(&executor->lock);
    bool room = must || executor->queued < executor->queue_max;
    if (room) {
        queue_put(&executor->queue[task->lane], task);
        executor->queued++;
        pthread_cond_signal(&executor->work);
    }
    pthread_mutex_unlock(&executor->lock);
    return room;
}
