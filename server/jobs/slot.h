// One place of the pool: a claimed job, its worker process and what it has said. For the pool's
// thread alone.
#pragma once
#include <sys/types.h>
#include "server/jobs/frames.h"
#include "server/jobs/jobs.h"

typedef enum Outcome { // what becomes of the job when the process is gone
    OUTCOME_DIED,      // the worker's own doing, unless it said otherwise
    OUTCOME_STORED,    // its end (or return to the queue) is stored already
    OUTCOME_REQUEUE,   // the server drains, or the user pauses it
    OUTCOME_CANCELLED, // the user's wish
    OUTCOME_TIME_LIMIT,
} Outcome;

typedef struct Slot {
    bool taken;
    JobRow row;
    char model[ID_TEXT]; // the id that its model will have
    pid_t pid;           // 0: the process is gone
    int frames;          // −1: closed
    FrameReader reader;
    Outcome outcome;
    char code[32], detail[256]; // why the worker gave up, where it said so and may be tried again
    int exit_status;            // of waitpid
    bool finishing;             // it was told to end now and leave its model
    int64_t started;            // monotonic
    int64_t heard_at;           // monotonic: when it last said anything
    int64_t samples;            // that it has trained on, as last told
    int64_t step;               // newest known; −1: it has not begun
    bool exact;                 // no later one was done
    int64_t delivered;          // changes of the store so far
    int64_t kill_at;            // monotonic; 0: never
    int64_t deadline;           // of max_seconds; 0: none
    int64_t retry_at;           // the disk was full: try again then; 0: not waiting
} Slot;

int64_t slot_ran(const Slot *slot); // milliseconds of all the job's attempts

// deliver.c: takes what the reader holds into the store. OK; ERR_UNAVAILABLE: the disk is full,
// what was not stored stays in the reader; ERR_DAMAGED: not what a worker says; ERR_CONFLICT: the
// job is no longer this worker's; ERR_IO.
int deliver_frames(Store *store, Slot *slot);
// Stores what became of the job after its process ended; may be repeated after ERR_UNAVAILABLE.
int deliver_end(Store *store, Slot *slot);
