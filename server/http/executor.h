// The handler threads: a bounded queue of tasks in three lanes, in each first come first served.
// Requests go first; what streams ask for and what is heavy fill at most half of the threads each.
#pragma once
#include <stdbool.h>

typedef struct Executor Executor;

typedef enum Lane { LANE_REQUEST, LANE_STREAM, LANE_HEAVY, LANES } Lane;

typedef struct Task { // embedded in what it works on; lives until run returns or later
    struct Task *next;
    void (*run)(struct Task *task);
    Lane lane;
} Task;

int executor_create(int threads, int queue_max, Executor **ret_executor);
void executor_destroy(Executor *executor); // runs what is queued, then ends; takes NULL
// False when the queue is full; `must`: tasks whose number is bounded elsewhere are never refused.
bool executor_submit(Executor *executor, Task *task, bool must);
