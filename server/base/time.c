// Clocks, and ids made of one.
#include "server/base/time.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static int64_t clock_milliseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t time_now(void) {
    return clock_milliseconds(CLOCK_REALTIME);
}

int64_t time_monotonic(void) {
    return clock_milliseconds(CLOCK_MONOTONIC);
}

int64_t time_roughly(void) {
    return clock_milliseconds(CLOCK_MONOTONIC_COARSE);
}

void time_text(int64_t milliseconds, char text[TIME_TEXT]) {
    // Before 1970 the remainder must not become negative.
    int64_t fraction = (milliseconds % 1000 + 1000) % 1000;
    time_t seconds = (time_t)((milliseconds - fraction) / 1000);
    struct tm utc;
    char date[TIME_TEXT - 5] = "1970-01-01T00:00:00";
    if (gmtime_r(&seconds, &utc) != NULL) {
        strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    }
    snprintf(text, TIME_TEXT, "%s.%03dZ", date, (int)fraction);
}

enum { ID_TIME_LETTERS = 10, ID_RANDOM_LETTERS = 16 };

// Guards `last`: the time and the 80 random bits (as 16 digits of 5) of the newest id.
static pthread_mutex_t id_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    int64_t time;
    uint8_t random[ID_RANDOM_LETTERS];
} last;

// Adds one to the digits; false where they overflow.
static bool increment(uint8_t digits[ID_RANDOM_LETTERS]) {
    for (int i = ID_RANDOM_LETTERS - 1; i >= 0; i--) {
        if (digits[i] < 31) {
            digits[i]++;
            return true;
        }
        digits[i] = 0;
    }
    return false;
}

void id_make(const char *prefix, char id[ID_TEXT]) {
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
    char body[ID_TIME_LETTERS + ID_RANDOM_LETTERS + 1] = {0};
    pthread_mutex_lock(&id_lock);
    int64_t now = time_now();
    // Within a millisecond, and while the clock stands behind the newest id, count on from that
    // one.
    if (now > last.time || !increment(last.random)) {
        last.time = now > last.time ? now : last.time + 1;
        if (getentropy(last.random, sizeof last.random) != 0) {
            abort(); // a kernel before 3.17: no id could be trusted to be new
        }
        for (int i = 0; i < ID_RANDOM_LETTERS; i++) {
            last.random[i] &= 31;
        }
    }
    for (int i = 0; i < ID_TIME_LETTERS; i++) {
        body[i] = letters[last.time >> 5 * (ID_TIME_LETTERS - 1 - i) & 31];
    }
    for (int i = 0; i < ID_RANDOM_LETTERS; i++) {
        body[ID_TIME_LETTERS + i] = letters[last.random[i]];
    }
    pthread_mutex_unlock(&id_lock);
    snprintf(id, ID_TEXT, "%s%s", prefix, body);
}
