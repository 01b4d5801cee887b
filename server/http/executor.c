#include "server/http/executor.h"

#include <pthread.h>
#include "core/base/error.h"
#include "core/base/memory.h"

enum { STACK_BYTES = 1 << 20 };

typedef struct Queue {
    Task *first, **last;
} Queue;

struct Executor {
    pthread_mutex_t lock; // guards everything below
    pthread_cond_t work;
    Queue light, heavy;
    int queued, queue_max;
    int heavy_running, heavy_max;
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

static void *executor_thread(void *context) {
    Executor *executor = context;
    pthread_mutex_lock(&executor->lock);
    for (;;) {
        Task *task = queue_take(&executor->light);
        if (task == NULL && executor->heavy_running < executor->heavy_max)
            task = queue_take(&executor->heavy);
        if (task == NULL) {
            if (executor->stopping && executor->queued == 0)
                break;
            pthread_cond_wait(&executor->work, &executor->lock);
            continue;
        }
        bool heavy = task->heavy; // the task may be gone once it has run
        executor->queued--;
        executor->heavy_running += heavy;
        pthread_mutex_unlock(&executor->lock);
        task->run(task);
        pthread_mutex_lock(&executor->lock);
        executor->heavy_running -= heavy;
        if (heavy || executor->stopping)
            pthread_cond_broadcast(&executor->work);
    }
    pthread_mutex_unlock(&executor->lock);
    return NULL;
}

int executor_create(int threads, int queue_max, Executor **ret_executor) {
    Executor *executor = memory_array(1, sizeof *executor + (size_t)threads * sizeof(pthread_t));
    if (executor == NULL)
        return ERR_NO_MEMORY;
    executor->light.last = &executor->light.first;
    executor->heavy.last = &executor->heavy.first;
    executor->queue_max = queue_max;
    executor->heavy_max = threads > 1 ? threads / 2 : 1;
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
        queue_put(task->heavy ? &executor->heavy : &executor->light, task);
        executor->queued++;
        pthread_cond_signal(&executor->work);
    }
    pthread_mutex_unlock(&executor->lock);
    return room;
}
