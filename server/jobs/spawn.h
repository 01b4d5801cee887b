// Starting a worker process.
#pragma once
#include <sys/types.h>
#include "server/jobs/jobs.h"

typedef struct Spawned {
    pid_t pid;
    int frames; // what it says: non-blocking, close-on-exec
} Spawned;

typedef struct WorkerOrder {
    const char *model;        // the id that the model will have
    int64_t max_memory_bytes; // 0: not bounded
    int64_t lease;            // as in PoolOptions
    bool probe;               // it is to probe the job, and leaves nothing
    int courtesy;             // the page that makes it give way; -1: none does
} WorkerOrder;

// Runs this program's own binary as `worker PID`, with the job on its standard input, one thread
// count and one BLAS core in an otherwise bare environment, no descriptor of ours but standard
// error and that page, default signals and a process group of its own (a Ctrl-C in the server's
// terminal is the server's to handle). SIGUSR1 is blocked until it takes it.
int spawn_worker(Store *store, const JobRow *row, const WorkerOrder *order, Spawned *ret_spawned);
