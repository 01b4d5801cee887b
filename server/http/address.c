#include "server/http/address.h"

#include <netinet/in.h>
#include <string.h>

void address_key(const struct sockaddr *client, uint8_t ret_key[ADDRESS_BYTES]) {
    memset(ret_key, 0, ADDRESS_BYTES);
    if (client->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)client;
        ret_key[10] = ret_key[11] = 0xFF;
        memcpy(ret_key + 12, &v4->sin_addr, sizeof v4->sin_addr);
    } else if (client->sa_family == AF_INET6) {
        const struct in6_addr *v6 = &((const struct sockaddr_in6 *)client)->sin6_addr;
        bool whole = IN6_IS_ADDR_V4MAPPED(v6) || IN6_IS_ADDR_LOOPBACK(v6);
        memcpy(ret_key, v6, whole ? ADDRESS_BYTES : ADDRESS_BYTES / 2);
    }
}

bool address_is_loopback(const uint8_t key[ADDRESS_BYTES]) {
    static const uint8_t v4[13] = {[10] = 0xFF, [11] = 0xFF, [12] = 127};
    static const uint8_t v6[ADDRESS_BYTES] = {[15] = 1};
    return memcmp(key, v4, sizeof v4) == 0 || memcmp(key, v6, sizeof v6) == 0;
}
