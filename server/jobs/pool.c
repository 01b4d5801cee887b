// The pool: one thread that claims jobs, starts a worker process for each, and carries what they
// say into the store.
//
//   queue ──claim──▶ slot ──spawn──▶ worker ──frames──▶ reader ──▶ store ──▶ watchers wake
//                      ▲                │ end of its pipe
//                      └──── free ◀── deliver_end: stored already, requeued, cancelled, out of
//                      time, or died
//
// The thread sleeps in poll until a worker speaks, somebody wakes it (an eventfd) or a time comes:
// it never polls the database. It is also the parent of the workers as the kernel sees it: their
// death signal is tied to this very thread, which therefore ends after the last of them.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/log.h"
#include "server/base/machine.h"
#include "server/base/time.h"
#include "server/jobs/courtesy.h"
#include "server/jobs/live.h"
#include "server/jobs/slot.h"
#include "server/jobs/spawn.h"
#include "server/json/document.h"

enum {
    WORKERS_MAX = 256,
    READ_BYTES = 1 << 18, // of one worker's pipe at a time, so that the others get their turn
    HEARTBEAT = 15000,    // milliseconds, to those who watch
    RETRY = 500,          // after a full disk
    DRAIN = 8000,         // for a worker to checkpoint, before it is killed
    DRAIN_MORE = 1000,    // for what became of it to be stored
};

struct Pool {
    Store *store;
    PoolOptions options;
    int thread_limit; // of all running jobs together
    Live *live;
    pthread_t thread;
    bool ended; // the thread was joined
    int waker;  // eventfd
    Courtesy courtesy;
    atomic_bool claims, wishes, draining;
    atomic_int running, threads;
    atomic_llong claimed, deaths, samples, ends[JOB_STATES];

    // the thread's own
    Slot *slots;          // [options.workers]
    struct pollfd *polls; // [options.workers + 1]
    uint8_t *buffer;      // [READ_BYTES]
    int64_t due;          // when the next job will have waited out its backoff; 0: none does
    int64_t beat;         // of the next heartbeat
    int64_t drain_end;    // 0: it does not drain yet
    int64_t looked_at;    // at the workers, whether they still say something
};

// ---- claiming ----

// Members of the stored spec that matter to the pool; 0 where they are not given.
static void limits_read(const JobRow *row, double *ret_seconds, int64_t *ret_bytes) {
    Document *document = NULL;
    Issues issues;
    *ret_seconds = 0;
    *ret_bytes = 0;
    issues_init(&issues);
    if (document_parse(row->spec, strlen(row->spec), NULL, &issues, &document) == OK) {
        Value root = document_root(document);
        *ret_seconds = value_number(value_member(root, "max_seconds"));
        value_integer(value_member(root, "max_memory_bytes"), 1, INT64_MAX, ret_bytes);
        document_destroy(document);
    }
    issues_finish(&issues);
}

static void slot_start(Pool *pool, Slot *slot, JobRow row) {
    double seconds;
    int64_t bytes;
    Spawned spawned;
    int64_t now = time_monotonic();
    *slot = (Slot){.taken = true,
                   .row = row,
                   .frames = -1,
                   .outcome = OUTCOME_DIED,
                   .finishing = strcmp(row.wish, "stop") == 0,
                   .started = now,
                   .heard_at = now,
                   .step = -1,
                   .exact = true};
    frame_reader_init(&slot->reader);
    id_make("mdl_", slot->model);
    limits_read(&row, &seconds, &bytes);
    if (seconds > 0) // of all attempts together
        slot->deadline = now + (int64_t)fmax(seconds * 1000 - (double)row.ran, 1);
    const WorkerOrder order = {slot->model, bytes, pool->options.lease, false,
                               pool->courtesy.descriptor};
    int result = spawn_worker(pool->store, &row, &order, &spawned);
    if (result == OK) {
        slot->pid = spawned.pid;
        slot->frames = spawned.frames;
        log_job_info(row.id, "attempt %d, worker %d", row.attempt, (int)spawned.pid);
    } else { // settled like a death: it is tried again later
        snprintf(slot->code, sizeof slot->code, "%s", error_name(result));
        snprintf(slot->detail, sizeof slot->detail, "no worker could be started: %s",
                 error_text(result));
    }
    atomic_fetch_add(&pool->running, 1);
    atomic_fetch_add(&pool->threads, row.threads);
    atomic_fetch_add(&pool->claimed, 1);
}

// Threads that may still be given to a job. One that asks for more than there are at all runs
// alone.
static int threads_free(const Pool *pool) {
    int used = atomic_load(&pool->threads);
    return used == 0 ? INT_MAX : pool->thread_limit - used;
}

static void claim_jobs(Pool *pool) {
    for (int i = 0; i < pool->options.workers; i++) {
        JobRow row;
        if (pool->slots[i].taken)
            continue;
        int result = jobs_claim(pool->store, threads_free(pool), &row);
        if (result != OK) {
            int64_t wait = result == ERR_NOT_FOUND ? jobs_next_due(pool->store) : RETRY;
            pool->due = wait > 0 ? time_monotonic() + wait : 0;
            return;
        }
        slot_start(pool, &pool->slots[i], row);
        live_notify(pool->live, pool->slots[i].row.id);
    }
}

// ---- workers ----

static void slot_kill(Slot *slot, Outcome outcome) {
    if (slot->outcome == OUTCOME_DIED || slot->outcome == OUTCOME_REQUEUE)
        slot->outcome = outcome;
    if (slot->pid > 0)
        kill(slot->pid, SIGKILL);
}

// Asks it to write a checkpoint and to end, and gives it time for that.
static void slot_ask(Slot *slot) {
    if (slot->kill_at != 0)
        return;
    if (slot->outcome == OUTCOME_DIED)
        slot->outcome = OUTCOME_REQUEUE;
    slot->kill_at = time_monotonic() + DRAIN;
    if (slot->pid > 0)
        kill(slot->pid, SIGTERM);
}

int64_t slot_ran(const Slot *slot) {
    return slot->row.ran + time_monotonic() - slot->started;
}

static void slot_deliver(Pool *pool, Slot *slot) {
    int64_t before = slot->delivered, samples = slot->samples;
    if (slot->reader.damaged)
        return;
    int result = deliver_frames(pool->store, slot);
    if (slot->samples > samples)
        atomic_fetch_add(&pool->samples, slot->samples - samples);
    bool later = result == ERR_UNAVAILABLE || result == ERR_NO_MEMORY;
    slot->retry_at = later ? time_monotonic() + RETRY : 0;
    if (slot->delivered != before)
        live_notify(pool->live, slot->row.id);
    if (result == OK || later)
        return;
    if (result == ERR_CONFLICT) // the job is no longer this worker's
        slot_kill(slot, OUTCOME_STORED);
    else if (slot->outcome != OUTCOME_STORED) {
        log_job_error(slot->row.id, "from worker %d: %s", (int)slot->pid, error_text(result));
        slot_kill(slot, slot->outcome);
    }
    frame_reader_finish(&slot->reader);
    slot->reader.damaged = true;
}

// The worker's side of the pipe is closed: it has ended, or must.
static void slot_reap(Slot *slot) {
    close(slot->frames);
    slot->frames = -1;
    kill(slot->pid, SIGKILL);
    while (waitpid(slot->pid, &slot->exit_status, 0) < 0 && errno == EINTR) {
    }
    slot->pid = 0;
}

static void slot_read(Pool *pool, Slot *slot) {
    ssize_t count = read(slot->frames, pool->buffer, READ_BYTES);
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (count <= 0) {
        slot_reap(slot);
        return;
    }
    if (slot->reader.damaged) // killed already: only its end is waited for
        return;
    slot->heard_at = time_monotonic();
    if (frame_reader_add(&slot->reader, pool->buffer, (size_t)count) != OK)
        slot_kill(slot, slot->outcome); // tried again from its checkpoint
    else
        slot_deliver(pool, slot);
}

static void files_remove_for(const Pool *pool, const Slot *slot, bool ended, bool has_model) {
    char path[ID_TEXT + 40];
    int directory = store_directory(pool->store);
    if (ended)
        jobs_remove_files(pool->store, slot->row.id);
    snprintf(path, sizeof path, "models/%s.bpa%s", slot->model, has_model ? ".tmp" : "");
    unlinkat(directory, path, 0);
    if (!has_model) {
        snprintf(path, sizeof path, "models/%s.bpa.tmp", slot->model);
        unlinkat(directory, path, 0);
    }
}

// The process is gone and all it said is stored: what becomes of the job?
static void slot_settle(Pool *pool, Slot *slot) {
    JobRow row;
    int result = deliver_end(pool->store, slot);
    if (result == ERR_UNAVAILABLE || result == ERR_NO_MEMORY) {
        slot->retry_at = time_monotonic() + RETRY;
        return;
    }
    // Nothing is removed unless the store says what became of the job.
    if (jobs_get(pool->store, slot->row.id, &row) == OK) {
        bool ended = row.finished_at != 0, succeeded = strcmp(row.status, "succeeded") == 0;
        log_job_info(row.id, "%s", row.status);
        for (int i = 0; ended && i < JOB_STATES; i++)
            if (strcmp(row.status, job_states[i]) == 0)
                atomic_fetch_add(&pool->ends[i], 1);
        files_remove_for(pool, slot, ended, succeeded);
        job_row_finish(&row);
    }
    if (slot->outcome == OUTCOME_DIED)
        atomic_fetch_add(&pool->deaths, 1);
    live_notify(pool->live, slot->row.id);
    atomic_fetch_sub(&pool->threads, slot->row.threads);
    frame_reader_finish(&slot->reader);
    job_row_finish(&slot->row);
    *slot = (Slot){.frames = -1};
    atomic_fetch_sub(&pool->running, 1);
    atomic_store(&pool->claims, true);
}

// ---- the loop ----

static void wishes_apply(Pool *pool) {
    for (int i = 0; i < pool->options.workers; i++) {
        Slot *slot = &pool->slots[i];
        char wish[sizeof slot->row.wish] = "";
        if (slot->taken)
            jobs_wished(pool->store, slot->row.id, wish);
        if (strcmp(wish, "cancel") == 0)
            slot_kill(slot, OUTCOME_CANCELLED);
        else if (strcmp(wish, "pause") == 0)
            slot_ask(slot);
        else if (strcmp(wish, "stop") == 0 && !slot->finishing && slot->pid > 0)
            slot->finishing = kill(slot->pid, SIGUSR1) == 0;
    }
}

static void drain_begin(Pool *pool) {
    if (pool->drain_end == 0)
        pool->drain_end = time_monotonic() + DRAIN + DRAIN_MORE;
    for (int i = 0; i < pool->options.workers; i++)
        if (pool->slots[i].taken)
            slot_ask(&pool->slots[i]);
}

// Gives up the workers that live but have said nothing for the whole lease. Where this thread itself
// was away (the machine slept, a commit took long) nobody's silence counts.
static void silence_check(Pool *pool, int64_t now, int64_t *next) {
    int64_t lease = pool->options.lease;
    bool away = now - pool->looked_at > lease / 2;
    pool->looked_at = now;
    if (atomic_load(&pool->running) > 0 && now + lease / 4 < *next)
        *next = now + lease / 4;
    for (int i = 0; i < pool->options.workers; i++) {
        Slot *slot = &pool->slots[i];
        if (!slot->taken || slot->pid == 0)
            continue;
        if (away || slot->retry_at != 0 || slot->kill_at != 0)
            slot->heard_at = now;
        if (now - slot->heard_at <= lease || slot->reader.damaged)
            continue;
        snprintf(slot->code, sizeof slot->code, "silent");
        snprintf(slot->detail, sizeof slot->detail, "it lived but said nothing for %.1f seconds",
                 (double)lease / 1000);
        slot->heard_at = now;
        slot_kill(slot, slot->outcome);
    }
}

// What is due by now; ret_next: when something is due next.
static void times_apply(Pool *pool, int64_t *ret_next) {
    int64_t now = time_monotonic(), next = pool->beat;
    if (now >= pool->beat) {
        live_notify(pool->live, NULL);
        next = pool->beat = now + HEARTBEAT;
    }
    if (pool->due != 0 && now >= pool->due) {
        pool->due = 0;
        atomic_store(&pool->claims, true);
    }
    if (pool->due != 0 && pool->due < next)
        next = pool->due;
    for (int i = 0; i < pool->options.workers; i++) {
        Slot *slot = &pool->slots[i];
        if (!slot->taken)
            continue;
        if (slot->deadline != 0 && now >= slot->deadline) {
            slot->deadline = 0;
            slot_kill(slot, OUTCOME_TIME_LIMIT);
        }
        if (slot->kill_at != 0 && now >= slot->kill_at) {
            slot->kill_at = INT64_MAX;
            slot_kill(slot, slot->outcome);
        }
        if (slot->retry_at != 0 && now >= slot->retry_at) {
            slot->retry_at = 0;
            slot_deliver(pool, slot);
        }
        const int64_t times[] = {slot->deadline, slot->kill_at, slot->retry_at};
        for (size_t k = 0; k < ARRAY_LENGTH(times); k++) {
            if (times[k] != 0 && times[k] < next)
                next = times[k];
        }
    }
    silence_check(pool, now, &next);
    *ret_next = next;
}

static void settle_all(Pool *pool) {
    for (int i = 0; i < pool->options.workers; i++) {
        Slot *slot = &pool->slots[i];
        if (slot->taken && slot->pid == 0 && slot->retry_at == 0)
            slot_settle(pool, slot);
    }
}

static void wait_for_events(Pool *pool, int64_t next) {
    int64_t wait = next - time_monotonic();
    for (int i = 0; i < pool->options.workers; i++) {
        const Slot *slot = &pool->slots[i];
        bool reads = slot->taken && slot->frames >= 0 && slot->retry_at == 0;
        pool->polls[i] = (struct pollfd){reads ? slot->frames : -1, POLLIN, 0};
    }
    pool->polls[pool->options.workers] = (struct pollfd){pool->waker, POLLIN, 0};
    if (atomic_load(&pool->claims) && !atomic_load(&pool->draining))
        wait = 0;
    int ready = poll(pool->polls, (nfds_t)pool->options.workers + 1, wait < 0 ? 0 : (int)wait);
    if (ready <= 0)
        return;
    uint64_t count;
    if (pool->polls[pool->options.workers].revents != 0 &&
        read(pool->waker, &count, sizeof count) < 0)
        log_warning("the pool's eventfd: %s", strerror(errno));
    for (int i = 0; i < pool->options.workers; i++) {
        if (pool->polls[i].revents != 0)
            slot_read(pool, &pool->slots[i]);
    }
}

// Nothing can be stored, after a failed fsync or on a full disk: the workers end with the server, and the next start
// recovers.
static void abandon(Pool *pool) {
    for (int i = 0; i < pool->options.workers; i++) {
        Slot *slot = &pool->slots[i];
        if (slot->pid > 0)
            slot_reap(slot);
        frame_reader_finish(&slot->reader);
        job_row_finish(&slot->row);
        slot->taken = false;
    }
}

static void *pool_main(void *argument) {
    Pool *pool = argument;
    for (;;) {
        int64_t next;
        if (store_failed(pool->store)) {
            log_error(
                "the store takes nothing more: no job runs until the server is started again");
            abandon(pool);
            return NULL;
        }
        bool draining = atomic_load(&pool->draining);
        if (draining)
            drain_begin(pool);
        if (atomic_exchange(&pool->wishes, false))
            wishes_apply(pool);
        if (atomic_exchange(&pool->claims, false) && !draining)
            claim_jobs(pool);
        times_apply(pool, &next);
        settle_all(pool);
        if (draining && atomic_load(&pool->running) == 0)
            return NULL;
        if (draining && time_monotonic() >= pool->drain_end) {
            log_warning(
                "what became of some jobs could not be stored: they go on at the next start");
            abandon(pool);
            return NULL;
        }
        if (draining && pool->drain_end < next)
            next = pool->drain_end;
        wait_for_events(pool, next);
    }
}

// ---- from other threads ----

static void waker_ring(Pool *pool) {
    uint64_t one = 1;
    if (write(pool->waker, &one, sizeof one) < 0)
        log_warning("the pool's eventfd: %s", strerror(errno));
}

static void pool_destroy(Pool *pool) {
    if (pool->waker >= 0)
        close(pool->waker);
    courtesy_destroy(&pool->courtesy);
    live_destroy(pool->live);
    memory_free(pool->buffer);
    memory_free(pool->polls);
    memory_free(pool->slots);
    memory_free(pool);
}

int pool_start(Store *store, const PoolOptions *options, Pool **ret_pool) {
    if (options->workers < 0 || options->workers > WORKERS_MAX)
        return ERR_INVALID;
    Pool *pool = memory_new(Pool);
    if (pool == NULL)
        return ERR_NO_MEMORY;
    pool->store = store;
    pool->options = *options;
    pool->thread_limit = machine_processors("");
    pool->looked_at = time_monotonic();
    pool->beat = pool->looked_at + HEARTBEAT;
    atomic_store(&pool->claims, true);
    pool->waker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pool->slots = memory_array((size_t)options->workers, sizeof *pool->slots);
    pool->polls = memory_array((size_t)options->workers + 1, sizeof *pool->polls);
    pool->buffer = memory_array(READ_BYTES, 1);
    int result = pool->waker < 0 ? ERR_UNAVAILABLE : OK;
    if (pool->slots == NULL || pool->polls == NULL || pool->buffer == NULL)
        result = ERR_NO_MEMORY;
    if (result == OK)
        result = live_create(&pool->live);
    if (result == OK)
        result = courtesy_create(&pool->courtesy);
    if (result == OK)
        result = jobs_recover(store);
    if (result == OK && pthread_create(&pool->thread, NULL, pool_main, pool) != 0)
        result = ERR_NO_MEMORY;
    if (result != OK) {
        pool_destroy(pool);
        return result;
    }
    *ret_pool = pool;
    return OK;
}

void pool_drain(Pool *pool) {
    if (pool == NULL || pool->ended)
        return;
    atomic_store(&pool->draining, true);
    waker_ring(pool);
    pthread_join(pool->thread, NULL);
    pool->ended = true;
}

void pool_stop(Pool *pool) {
    if (pool == NULL)
        return;
    pool_drain(pool);
    pool_destroy(pool);
}

void pool_wake(Pool *pool) {
    atomic_store(&pool->claims, true);
    waker_ring(pool);
}

void pool_wish(Pool *pool, const char *job) {
    live_notify(pool->live, job);
    atomic_store(&pool->wishes, true);
    pool_wake(pool);
}

void pool_give_way(Pool *pool) {
    courtesy_ask(&pool->courtesy);
}

int pool_running(Pool *pool) {
    return atomic_load(&pool->running);
}

void pool_counters(Pool *pool, PoolCounters *ret_counters) {
    *ret_counters = (PoolCounters){.claims = atomic_load(&pool->claimed),
                                   .deaths = atomic_load(&pool->deaths),
                                   .samples = atomic_load(&pool->samples),
                                   .running = atomic_load(&pool->running),
                                   .threads = atomic_load(&pool->threads)};
    for (int i = 0; i < JOB_STATES; i++)
        ret_counters->ended[i] = atomic_load(&pool->ends[i]);
}

Live *pool_live(Pool *pool) {
    return pool->live;
}
