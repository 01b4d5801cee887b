#include "server/http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "core/base/error.h"

enum { BACKLOG = 1024 };

bool listener_split(const char *address, char host[256], char port[8]) {
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon[1] == '\0' || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || atoi(colon + 1) > 65535)
        return false;
    size_t length = (size_t)(colon - address);
    if (length > 0 && address[0] == '[') {
        if (address[length - 1] != ']')
            return false;
        address++;
        length -= 2;
    } else if (memchr(address, ':', length) != NULL) {
        return false; // an IPv6 address wants its brackets
    }
    if (length > 255)
        return false;
    memcpy(host, address, length);
    host[length] = '\0';
    strcpy(port, colon + 1);
    return true;
}

static void listener_describe(Listener *listener, const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        uint32_t number = ntohl(v4->sin_addr.s_addr);
        inet_ntop(AF_INET, &v4->sin_addr, listener->host, sizeof listener->host);
        listener->port = ntohs(v4->sin_port);
        listener->loopback = number >> 24 == 127;
        listener->wildcard = number == INADDR_ANY;
    } else {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &v6->sin6_addr, listener->host, sizeof listener->host);
        listener->port = ntohs(v6->sin6_port);
        listener->loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
        listener->wildcard = IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr);
        listener->ipv6 = true;
    }
}

int listener_open(const char *address, Listener *ret_listener, char *why, size_t why_size) {
    char host[256], port[8];
    if (!listener_split(address, host, port)) {
        snprintf(why, why_size, "\"%.100s\" is not HOST:PORT", address);
        return ERR_INVALID;
    }
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM},
                    *found;
    int failure = getaddrinfo(host[0] == '\0' ? NULL : host, port, &hints, &found);
    if (failure != 0) {
        snprintf(why, why_size, "%.100s: %s", host, gai_strerror(failure));
        return ERR_INVALID;
    }
    Listener listener = {
        .descriptor = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    int on = 1, error = OK;
    struct sockaddr_storage real = {0};
    socklen_t real_length = sizeof real;
    if (listener.descriptor < 0 ||
        setsockopt(listener.descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(listener.descriptor, found->ai_addr, found->ai_addrlen) != 0 ||
        listen(listener.descriptor, BACKLOG) != 0 ||
        getsockname(listener.descriptor, (struct sockaddr *)&real, &real_length) != 0) {
        error = errno == EADDRINUSE ? ERR_CONFLICT : ERR_IO;
        snprintf(why, why_size, "%.100s: %s", address, strerror(errno));
        if (listener.descriptor >= 0)
            close(listener.descriptor);
    } else {
        listener_describe(&listener, (struct sockaddr *)&real);
        *ret_listener = listener;
    }
    freeaddrinfo(found);
    return error;
}

int connections_fitting(int least, int most, int others) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return least;
    rlim_t fits = files.rlim_cur;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) == 0)
        fits = files.rlim_max;
    if (fits >= (rlim_t)(most + others))
        return most;
    return fits < (rlim_t)(least + others) ? least : (int)fits - others;
}
