// libmicrohttpd deals out by the descriptor's number, and descriptors are given out one after the other.
//
// It must never see more connections than its limit: 0.9.75 then keeps a lock for ever (new_connection_process_ in its
// daemon.c). So those handed over that it has not begun with yet count as open; one that it does not begin with in a second
// it has given up, for want of memory.
#include "server/http/acceptor.h"
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/time.h"

enum {
    FULL_MS = 20,
    LOST_MS = 1000
}; // until it looks again, where there is no room; until one handed over is lost

struct Acceptor {
    struct MHD_Daemon *daemon;
    int listener, end; // `end` becomes readable at the end
    const atomic_int *open, *begun;
    int most;
    int handed; // connections in all, less those lost
    int64_t handed_at;
    bool runs;
    pthread_t thread;
};

static bool has_room(Acceptor *acceptor) {
    int begun = atomic_load(acceptor->begun), open = atomic_load(acceptor->open);
    if (time_monotonic() - acceptor->handed_at > LOST_MS)
        acceptor->handed = begun;
    return open + (acceptor->handed - begun) < acceptor->most;
}

// False: there is no descriptor left for it, nor for others now.
static bool take_one(Acceptor *acceptor) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    int connection = accept4(acceptor->listener, (struct sockaddr *)&address, &length,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection >= 0) {
        acceptor->handed_at = time_monotonic();
        acceptor->handed += MHD_add_connection(acceptor->daemon, connection,
                                               (struct sockaddr *)&address, length) == MHD_YES;
    }
    return connection >= 0 || errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
}

static void *take_connections(void *context) {
    Acceptor *acceptor = context;
    bool room = true;
    for (;;) {
        struct pollfd watched[] = {{.fd = acceptor->end, .events = POLLIN},
                                   {.fd = acceptor->listener, .events = POLLIN}};
        if (poll(watched, room ? 2 : 1, room ? -1 : FULL_MS) < 0 && errno != EINTR)
            return NULL;
        if (watched[0].revents != 0)
            return NULL;
        room = has_room(acceptor);
        if (room && watched[1].revents != 0)
            room = take_one(acceptor);
    }
}

int acceptor_create(struct MHD_Daemon *daemon, int listener, const atomic_int *open,
                    const atomic_int *begun, int most, Acceptor **ret_acceptor) {
    Acceptor *acceptor = memory_new(Acceptor);
    if (acceptor == NULL)
        return ERR_NO_MEMORY;
    *acceptor = (Acceptor){.daemon = daemon,
                           .listener = listener,
                           .end = eventfd(0, EFD_CLOEXEC),
                           .open = open,
                           .begun = begun,
                           .most = most};
    acceptor->runs = acceptor->end >= 0 &&
                     pthread_create(&acceptor->thread, NULL, take_connections, acceptor) == 0;
    if (!acceptor->runs) {
        acceptor_destroy(acceptor);
        return ERR_UNAVAILABLE;
    }
    *ret_acceptor = acceptor;
    return OK;
}

void acceptor_destroy(Acceptor *acceptor) {
    if (acceptor == NULL)
        return;
    if (acceptor->runs) {
        eventfd_write(acceptor->end, 1);
        pthread_join(acceptor->thread, NULL);
    }
    if (acceptor->end >= 0)
        close(acceptor->end);
    memory_free(acceptor);
}
