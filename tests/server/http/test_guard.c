#include <criterion/criterion.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/http/guard.h"

enum { HEADERS_MAX = 8 };

typedef struct Sample {
    const char *method, *version;
    const char *headers[2 * HEADERS_MAX]; // name, value, …
} Sample;

static Refusal check(const Sample *sample, HeadFacts *facts) {
    static Header headers[HEADERS_MAX];
    size_t count = 0;
    for (; count < HEADERS_MAX && sample->headers[2 * count] != NULL; count++) {
        const char *name = sample->headers[2 * count], *value = sample->headers[2 * count + 1];
        headers[count] = (Header){name, value, strlen(name), strlen(value)};
    }
    Head head = {sample->method, sample->version, headers, count};
    return guard_head(&head, facts);
}

Test(guard, lets_sound_heads_pass_and_tells_their_length) {
    HeadFacts facts;
    Sample get = {"GET", "HTTP/1.1", {"Host", "localhost"}};
    cr_assert_eq(check(&get, &facts).status, 0);
    cr_assert(!facts.has_length && !facts.chunked);
    Sample post = {"POST", "HTTP/1.0", {"hOST", "localhost", "content-length", "12"}};
    cr_assert_eq(check(&post, &facts).status, 0);
    cr_assert_eq(facts.length, 12);
    Sample chunked = {"POST", "HTTP/1.1", {"Host", "a", "Transfer-Encoding", "Chunked"}};
    cr_assert_eq(check(&chunked, &facts).status, 0);
    cr_assert(facts.chunked);
}

Test(guard, refuses_what_can_be_understood_in_two_ways) {
    static const Sample samples[] = {
        {"GET", "HTTP/1.1", {NULL}},
        {"GET", "HTTP/1.1", {"Host", "a", "Host", "a"}},
        {"GET", "HTTP/1.1", {"Host", "a", "host", "b"}},
        {"POST", "HTTP/1.1", {"Host", "a", "Content-Length", "1", "Content-Length", "1"}},
        {"POST", "HTTP/1.1", {"Host", "a", "Content-Length", "1", "Transfer-Encoding", "chunked"}},
        {"POST",
         "HTTP/1.1",
         {"Host", "a", "Transfer-Encoding", "chunked", "Transfer-Encoding", "chunked"}},
        {"POST", "HTTP/1.1", {"Host", "a", "Transfer-Encoding", "gzip, chunked"}},
        {"POST", "HTTP/1.1", {"Host", "a", "Transfer-Encoding", "identity"}},
        {"POST", "HTTP/1.0", {"Host", "a", "Transfer-Encoding", "chunked"}},
        {"POST", "HTTP/1.1", {"Host", "a", "Content-Length", "+1"}},
        {"POST", "HTTP/1.1", {"Host", "a", "Content-Length", "1, 1"}},
        {"POST", "HTTP/1.1", {"Host", "a", "Content-Length", ""}},
        {"POST", "HTTP/1.1", {"Host", "a", "Content-Length", "0x10"}},
        {"POST", "HTTP/1.1", {"Host", "a", "Content-Length", "99999999999999999999"}},
        {"POST", "HTTP/1.1", {"Host", "a", "Content-Length ", "1"}},
        {"GET", "HTTP/1.1", {"Host", "a", "X\tY", "1"}},
        {"GET", "HTTP/1.1", {"Host", "a", "", "1"}},
        {"GET", "HTTP/1.1", {"Host", "a", "X(Y)", "1"}},
        {"GET", "HTTP/1.1", {"Host", "a", "X", "a\rb"}},
        {"GET", "HTTP/1.1", {"Host", "a", "X", "a\001b"}},
        {"GET", "HTTP/1.1", {"Host", "a", "Origin", "http://a", "Origin", "http://a"}},
        {"get", "HTTP/1.1", {"Host", "a"}},
        {"BREW", "HTTP/1.1", {"Host", "a"}},
        {"TRACE", "HTTP/1.1", {"Host", "a"}},
        {"GET", "HTTP/2.0", {"Host", "a"}},
        {"GET", "HTTP/1.2", {"Host", "a"}},
        {"GET", "", {"Host", "a"}},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(samples); i++) {
        HeadFacts facts;
        Refusal refusal = check(&samples[i], &facts);
        cr_assert_eq(refusal.status, 400, "sample %zu", i);
        cr_assert_not_null(refusal.detail);
    }
}

static int host_status(const HostList *list, const char *host) {
    Header header = {"Host", host, 4, strlen(host)};
    return guard_host(list, &header).status;
}

Test(guard, answers_only_to_its_own_names) {
    HostList list = {0};
    cr_assert_eq(host_list_add(&list, "localhost"), OK);
    cr_assert_eq(host_list_add(&list, "127.0.0.1"), OK);
    cr_assert_eq(host_list_add(&list, "[::1]"), OK);
    cr_assert_eq(host_list_add(&list, "Train.Example:443"), OK);
    cr_assert_eq(host_list_add(&list, "no host"), ERR_INVALID);
    cr_assert_eq(host_list_add(&list, ""), ERR_INVALID);
    static const char *const own[] = {"localhost", "LOCALHOST:1", "127.0.0.1:8080",
                                      "[::1]",     "[::1]:80",    "train.example"};
    static const char *const foreign[] = {"evil.example",
                                          "localhost.evil.example",
                                          "127.0.0.1.evil.example",
                                          "evillocalhost",
                                          "127.0.0.2",
                                          "[::2]",
                                          "train.example.:8080",
                                          "0.0.0.0"};
    static const char *const none[] = {"",
                                       ":80",
                                       "a b",
                                       "localhost:80:80",
                                       "localhost:123456",
                                       "[::1",
                                       "localhost@evil",
                                       "localhost/evil",
                                       "[::g]"};
    for (size_t i = 0; i < ARRAY_LENGTH(own); i++)
        cr_assert_eq(host_status(&list, own[i]), 0, "%s", own[i]);
    for (size_t i = 0; i < ARRAY_LENGTH(foreign); i++)
        cr_assert_eq(host_status(&list, foreign[i]), 403, "%s", foreign[i]);
    for (size_t i = 0; i < ARRAY_LENGTH(none); i++)
        cr_assert_eq(host_status(&list, none[i]), 400, "%s", none[i]);
    host_list_finish(&list);
}

static int origin_status(const char *host, const char *origin) {
    Header host_header = {"Host", host, 4, strlen(host)};
    Header origin_header = {"Origin", origin, 6, origin == NULL ? 0 : strlen(origin)};
    return guard_origin(&host_header, origin == NULL ? NULL : &origin_header).status;
}

Test(guard, takes_changes_from_its_own_pages_alone) {
    cr_assert_eq(origin_status("localhost:8080", NULL), 0);
    cr_assert_eq(origin_status("localhost:8080", "http://localhost:8080"), 0);
    cr_assert_eq(origin_status("train.example", "https://Train.Example"), 0);
    cr_assert_eq(origin_status("localhost:8080", "http://localhost:3000"), 403);
    cr_assert_eq(origin_status("localhost:8080", "http://localhost"), 403);
    cr_assert_eq(origin_status("localhost:8080", "null"), 403);
    cr_assert_eq(origin_status("localhost:8080", ""), 403);
    cr_assert_eq(origin_status("localhost", "http://localhost.evil.example"), 403);
    cr_assert_eq(origin_status("localhost", "ftp://localhost"), 403);
}
