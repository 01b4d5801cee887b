// The handler threads: a bounded queue of tasks, first come first served, where heavy ones never
// fill more than half.
#pragma once
#include <stdbool.h>

typedef struct Executor Executor;

typedef struct Task { // embedded in what it works on; lives until run returns or later
    struct Task *next;
    void (*run)(struct Task *task);
    bool heavy;
} Task;

int executor_create(int threads, int queue_max, Executor **ret_executor);
void executor_destroy(Executor *executor); // runs what is queued, then ends; takes NULL
// False when the queue is full; `must`: tasks whose number is bounded elsewhere are never refused.
bool executor_submit(Executor *executor, Task *task, bool must);
