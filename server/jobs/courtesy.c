// A training beside no predictions pays a call and a load a loop: the clock is asked only where the count has moved lately.
#include "server/jobs/courtesy.h"
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "core/base/error.h"

struct CourtesyPage {
    atomic_uint_fast64_t asked;
};

enum {
    RESTS = 3,             // to one part of training
    TRAINS_LEAST = 300000, // nanoseconds between two rests: a short one costs more than it gives
    PREDICTION = 500000,   // nanoseconds that are left to each
    REST_MOST = 5000000,   // nanoseconds: what has come since is asked for again
    LATELY = 20000000,     // nanoseconds without a prediction, then nobody asks any more
};

int courtesy_create(Courtesy *ret_courtesy) {
    size_t size = sizeof(CourtesyPage);
    int descriptor = memfd_create("courtesy", MFD_CLOEXEC);
    if (descriptor < 0)
        return ERR_IO;
    void *page = ftruncate(descriptor, (off_t)size) != 0
                     ? MAP_FAILED
                     : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (page == MAP_FAILED) {
        close(descriptor);
        return ERR_NO_MEMORY;
    }
    *ret_courtesy = (Courtesy){page, descriptor};
    return OK;
}

void courtesy_destroy(Courtesy *courtesy) {
    if (courtesy->page == NULL)
        return;
    munmap(courtesy->page, sizeof *courtesy->page);
    close(courtesy->descriptor);
    *courtesy = (Courtesy){0};
}

void courtesy_ask(const Courtesy *courtesy) {
    atomic_fetch_add_explicit(&courtesy->page->asked, 1, memory_order_relaxed);
}

void courtesy_watch(int descriptor, CourtesyWatch *ret_watch) {
    void *page = mmap(NULL, sizeof(CourtesyPage), PROT_READ, MAP_SHARED, descriptor, 0);
    *ret_watch = (CourtesyWatch){.page = page == MAP_FAILED ? NULL : page};
    if (ret_watch->page != NULL) {
        ret_watch->seen = atomic_load_explicit(&ret_watch->page->asked, memory_order_relaxed);
        close(descriptor);
    }
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

int64_t courtesy_due(CourtesyWatch *watch, int64_t now) {
    uint64_t asked = atomic_load_explicit(&watch->page->asked, memory_order_relaxed);
    int64_t more = (int64_t)(asked - watch->seen), trained = now - watch->trains_since;
    if (more > 0)
        watch->lately = true;
    else if (trained > LATELY)
        watch->lately = false;
    if (more == 0 || trained < TRAINS_LEAST)
        return 0;
    int64_t rest = least(least(more * PREDICTION, trained * RESTS), REST_MOST);
    watch->seen = asked;
    watch->trains_since = now + rest;
    return rest;
}

static int64_t clock_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool courtesy_rest(CourtesyWatch *watch) {
    if (watch->page == NULL ||
        (!watch->lately &&
         atomic_load_explicit(&watch->page->asked, memory_order_relaxed) == watch->seen))
        return false;
    int64_t rest = courtesy_due(watch, clock_nanoseconds());
    if (rest > 0)
        nanosleep(&(struct timespec){.tv_nsec = (long)rest}, NULL);
    return watch->lately;
}
