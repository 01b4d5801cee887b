// libmicrohttpd deals out by the descriptor's number, and descriptors are given out one after the other.
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

enum { FULL_MS = 20 }; // until it looks again, where there is no room

struct Acceptor {
    struct MHD_Daemon *daemon;
    int listener, end; // `end` becomes readable at the end
    const atomic_int *open;
    int most;
    bool runs;
    pthread_t thread;
};

// False: there is no descriptor left for it, nor for others now.
static bool take_one(const Acceptor *acceptor) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    int connection = accept4(acceptor->listener, (struct sockaddr *)&address, &length,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection >= 0)
        MHD_add_connection(acceptor->daemon, connection, (struct sockaddr *)&address, length);
    return connection >= 0 || errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
}

static void *take_connections(void *context) {
    const Acceptor *acceptor = context;
    bool room = true;
    for (;;) {
        struct pollfd watched[] = {{.fd = acceptor->end, .events = POLLIN},
                                   {.fd = acceptor->listener, .events = POLLIN}};
        if (poll(watched, room ? 2 : 1, room ? -1 : FULL_MS) < 0 && errno != EINTR)
            return NULL;
        if (watched[0].revents != 0)
            return NULL;
        room = atomic_load(acceptor->open) < acceptor->most;
        if (room && watched[1].revents != 0)
            room = take_one(acceptor);
    }
}

int acceptor_create(struct MHD_Daemon *daemon, int listener, const atomic_int *open, int most,
                    Acceptor **ret_acceptor) {
    Acceptor *acceptor = memory_new(Acceptor);
    if (acceptor == NULL)
        return ERR_NO_MEMORY;
    *acceptor = (Acceptor){.daemon = daemon,
                           .listener = listener,
                           .end = eventfd(0, EFD_CLOEXEC),
                           .open = open,
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
