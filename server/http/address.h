// Who a connection comes from, to count by.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDRESS_BYTES = 16 };

// IPv4 as it stands in IPv6 (::ffff:a.b.c.d); of IPv6 the network, its first 64 bits, for one client has all of it. Zeros for any
// other family.
void address_key(const struct sockaddr *client, uint8_t ret_key[ADDRESS_BYTES]);
bool address_is_loopback(const uint8_t key[ADDRESS_BYTES]);
