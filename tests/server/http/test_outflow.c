// Clients over loopback that read nothing, little, enough or all, seen on a clock of the test's own.
#include "server/http/outflow.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <criterion/criterion.h>

typedef struct Pair {
    int server, client;
} Pair;

// A connection whose server has sent all that the kernels take, while the client has read nothing.
static Pair pair_open(void) {
    Pair pair;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int small = 8192, listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    pair.client = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(pair.client, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    cr_assert_eq(connect(pair.client, (struct sockaddr *)&address, sizeof address), 0);
    pair.server = accept(listener, NULL, NULL);
    cr_assert_geq(pair.server, 0);
    static const char zeros[65536];
    while (send(pair.server, zeros, sizeof zeros, MSG_DONTWAIT) > 0)
        continue;
    close(listener);
    return pair;
}

static void pair_close(const Pair *pair) {
    close(pair->server);
    close(pair->client);
}

// Reads so many bytes, or what comes until nothing has come for a while.
static void take(const Pair *pair, size_t bytes) {
    const struct timeval patience = {.tv_usec = 500000};
    char buffer[4096];
    setsockopt(pair->client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (bytes > 0) {
        size_t piece = bytes < sizeof buffer ? bytes : sizeof buffer;
        ssize_t got = recv(pair->client, buffer, piece, 0);
        if (got <= 0)
            break;
        bytes -= (size_t)got;
    }
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL); // the acknowledgement
}

Test(outflow, who_reads_nothing_stalls) {
    Pair pair = pair_open();
    Outflow outflow = {0};
    cr_assert_not(outflow_stalls(&outflow, pair.server, 1000));
    cr_assert_not(outflow_stalls(&outflow, pair.server, 1000 + OUTFLOW_MS));
    cr_assert(outflow_stalls(&outflow, pair.server, 1001 + OUTFLOW_MS));
    pair_close(&pair);
}

Test(outflow, who_reads_a_little_stalls) {
    Pair pair = pair_open();
    Outflow outflow = {0};
    cr_assert_not(outflow_stalls(&outflow, pair.server, 1000));
    take(&pair, OUTFLOW_BYTES / 4);
    cr_assert(outflow_stalls(&outflow, pair.server, 1001 + OUTFLOW_MS));
    pair_close(&pair);
}

Test(outflow, who_reads_enough_does_not) {
    Pair pair = pair_open();
    Outflow outflow = {0};
    int64_t now = 1000;
    for (int i = 0; i < 3; i++, now += OUTFLOW_MS) {
        cr_assert_not(outflow_stalls(&outflow, pair.server, now));
        take(&pair, 2 * OUTFLOW_BYTES);
    }
    cr_assert_not(outflow_stalls(&outflow, pair.server, now));
    pair_close(&pair);
}

Test(outflow, who_has_read_all_does_not) {
    Pair pair = pair_open();
    Outflow outflow = {0};
    cr_assert_not(outflow_stalls(&outflow, pair.server, 1000));
    take(&pair, SIZE_MAX);
    cr_assert_not(outflow_stalls(&outflow, pair.server, 1001 + OUTFLOW_MS));
    cr_assert_not(outflow_stalls(&outflow, pair.server, 1001 + 9 * OUTFLOW_MS));
    pair_close(&pair);
}
