#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>
#include "server/http/address.h"

static void key_of(const char *text, uint8_t key[ADDRESS_BYTES]) {
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        address_key((const struct sockaddr *)&v4, key);
        return;
    }
    cr_assert_eq(inet_pton(AF_INET6, text, &v6.sin6_addr), 1, "%s", text);
    address_key((const struct sockaddr *)&v6, key);
}

static bool same(const char *a, const char *b) {
    uint8_t first[ADDRESS_BYTES], second[ADDRESS_BYTES];
    key_of(a, first);
    key_of(b, second);
    return memcmp(first, second, sizeof first) == 0;
}

Test(address, a_client_is_an_ipv4_address_or_an_ipv6_network) {
    cr_expect(same("192.0.2.1", "192.0.2.1"));
    cr_expect_not(same("192.0.2.1", "192.0.2.2"));
    cr_expect(same("192.0.2.1", "::ffff:192.0.2.1"));
    cr_expect(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::2"));
    cr_expect_not(same("2001:db8:1:2::1", "2001:db8:1:3::1"));
}

Test(address, loopback_is_known_in_each_of_its_forms) {
    static const char *const own[] = {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"};
    static const char *const others[] = {"128.0.0.1", "192.0.2.1",   "::2",
                                         "::",        "2001:db8::1", "::ffff:126.0.0.1"};
    uint8_t key[ADDRESS_BYTES];
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        key_of(own[i], key);
        cr_expect(address_is_loopback(key), "%s", own[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        key_of(others[i], key);
        cr_expect_not(address_is_loopback(key), "%s", others[i]);
    }
}
