// Watchers. One mutex guards the list and is held while they are woken: so a watcher that has
// unsubscribed is never woken again. What wakes must be short and must not come back here.
#include "server/jobs/live.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

struct LiveWatch {
    char job[ID_TEXT];
    void (*wake)(void *context);
    void *context;
    LiveWatch *previous, *next;
};

struct Live {
    pthread_mutex_t mutex; // guards the list
    LiveWatch *first;
};

int live_create(Live **ret_live) {
    Live *live = memory_new(Live);
    if (live == NULL)
        return ERR_NO_MEMORY;
    pthread_mutex_init(&live->mutex, NULL);
    *ret_live = live;
    return OK;
}

void live_destroy(Live *live) {
    if (live == NULL)
        return;
    pthread_mutex_destroy(&live->mutex);
    memory_free(live);
}

void live_notify(Live *live, const char *job) {
    pthread_mutex_lock(&live->mutex);
    for (LiveWatch *watch = live->first; watch != NULL; watch = watch->next) {
        if (job == NULL || strcmp(watch->job, job) == 0)
            watch->wake(watch->context);
    }
    pthread_mutex_unlock(&live->mutex);
}

int live_subscribe(Pool *pool, const char *job, void (*wake)(void *context), void *context,
                   LiveWatch **ret_watch) {
    Live *live = pool_live(pool);
    LiveWatch *watch = memory_new(LiveWatch);
    if (watch == NULL)
        return ERR_NO_MEMORY;
    snprintf(watch->job, sizeof watch->job, "%s", job);
    watch->wake = wake;
    watch->context = context;
    pthread_mutex_lock(&live->mutex);
    watch->next = live->first;
    if (live->first != NULL)
        live->first->previous = watch;
    live->first = watch;
    pthread_mutex_unlock(&live->mutex);
    *ret_watch = watch;
    return OK;
}

void live_unsubscribe(Pool *pool, LiveWatch *watch) {
    Live *live = pool_live(pool);
    pthread_mutex_lock(&live->mutex);
    if (watch->previous != NULL)
        watch->previous->next = watch->next;
    else
        live->first = watch->next;
    if (watch->next != NULL)
        watch->next->previous = watch->previous;
    pthread_mutex_unlock(&live->mutex);
    memory_free(watch);
}

void live_wake(Pool *pool, const char *job) {
    live_notify(pool_live(pool), job);
}
