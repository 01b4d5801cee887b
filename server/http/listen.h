// Addresses to listen on.
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct Listener {
    int descriptor;
    bool loopback;
    char host[64]; // numeric, without brackets
    int port;      // the real one
    bool wildcard;
    bool ipv6;
} Listener;

// "127.0.0.1:8080", "[::1]:0", "localhost:8080", ":8080" for every address. ERR_INVALID,
// ERR_CONFLICT (in use), ERR_IO.
int listener_open(const char *address, Listener *ret_listener, char *why, size_t why_size);
// As many connections as the process may have files (which it raises first) beside `others`, from least to most.
int connections_fitting(int least, int most, int others);
// The host of an address, as it stands there; false: not an address.
bool listener_split(const char *address, char host[256], char port[8]);
