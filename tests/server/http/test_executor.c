#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/http/executor.h"

typedef struct Work {
    Task task; // first
    int number;
} Work;

static atomic_int running, most_running, done, order[64];
static atomic_bool hold;

static void work_run(Task *task) {
    int now = atomic_fetch_add(&running, 1) + 1;
    int most = atomic_load(&most_running);
    while (now > most && !atomic_compare_exchange_weak(&most_running, &most, now))
        ;
    while (atomic_load(&hold))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    atomic_fetch_sub(&running, 1);
    atomic_store(&order[atomic_fetch_add(&done, 1)], ((Work *)task)->number);
}

static void wait_until_running(int count) {
    for (int i = 0; i < 2000 && atomic_load(&running) < count; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    cr_assert_eq(atomic_load(&running), count);
}

Test(executor, heavy_tasks_never_fill_more_than_half) {
    Executor *executor;
    Work heavy[4], request[2];
    atomic_store(&hold, true);
    cr_assert_eq(executor_create(4, 8, &executor), OK);
    for (int i = 0; i < 4; i++) {
        heavy[i] = (Work){{.run = work_run, .lane = LANE_HEAVY}, i};
        cr_assert(executor_submit(executor, &heavy[i].task, false));
    }
    wait_until_running(2);
    for (int i = 0; i < 2; i++) {
        request[i] = (Work){{.run = work_run, .lane = LANE_REQUEST}, 10 + i};
        cr_assert(executor_submit(executor, &request[i].task, false));
    }
    wait_until_running(4);
    atomic_store(&hold, false);
    executor_destroy(executor);
    cr_assert_eq(atomic_load(&done), 6, "what is queued is run before it ends");
}

Test(executor, requests_go_first) {
    Executor *executor;
    Work work[5];
    static const Lane lanes[] = {LANE_REQUEST, LANE_HEAVY, LANE_STREAM, LANE_REQUEST, LANE_REQUEST};
    atomic_store(&hold, true);
    cr_assert_eq(executor_create(1, 8, &executor), OK);
    for (int i = 0; i < 5; i++) {
        work[i] = (Work){{.run = work_run, .lane = lanes[i]}, i};
        cr_assert(executor_submit(executor, &work[i].task, false));
        if (i == 0)
            wait_until_running(1);
    }
    atomic_store(&hold, false);
    executor_destroy(executor);
    static const int wanted[] = {0, 3, 4, 2, 1};
    for (int i = 0; i < 5; i++)
        cr_assert_eq(atomic_load(&order[i]), wanted[i]);
}

Test(executor, its_queue_is_bounded) {
    Executor *executor;
    Work work[5];
    atomic_store(&hold, true);
    cr_assert_eq(executor_create(1, 2, &executor), OK);
    for (int i = 0; i < 5; i++)
        work[i] = (Work){{.run = work_run, .lane = LANE_REQUEST}, i};
    cr_assert(executor_submit(executor, &work[0].task, false));
    wait_until_running(1);
    cr_assert(executor_submit(executor, &work[1].task, false));
    cr_assert(executor_submit(executor, &work[2].task, false));
    cr_assert(!executor_submit(executor, &work[3].task, false));
    cr_assert(executor_submit(executor, &work[4].task, true), "one that must is taken");
    atomic_store(&hold, false);
    executor_destroy(executor);
    cr_assert_eq(atomic_load(&done), 4);
}
