// The head of a request: the guard, the Host and the Origin, the target and its query, the credentials. Lines of the input are
// "METHOD TARGET VERSION" and then "name:value".
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/http/auth.h"
#include "server/http/guard.h"
#include "server/http/target.h"
#include "tests/fuzz/fuzz.h"

enum { HEADERS_MAX = 64 };

static const char *const seeds[] = {
    "GET /v1/jobs?status=running&limit=5 HTTP/1.1\nHost:localhost:8080\nAccept:text/csv\n",
    "POST /v1/models/mdl_1/predict "
    "HTTP/1.1\nHost:[::1]:80\nContent-Length:17\nOrigin:http://[::1]:80\n",
    "POST /v1/datasets?name=a%20b+c&target=%C3%A9 "
    "HTTP/1.1\nHost:127.0.0.1\nTransfer-Encoding:chunked\n",
    "DELETE /v1/session HTTP/1.0\nHost:a.example\nCookie:a=b; backpropd_session=0123; "
    "c=\"d\"\nAuthorization:Bearer abc\n"};

size_t fuzz_seed(unsigned pick, uint8_t *bytes, size_t max) {
    return fuzz_text(seeds[pick % ARRAY_LENGTH(seeds)], bytes, max);
}

static void credentials(const char *authorization, const char *cookies) {
    static Auth auth;
    const char *value;
    size_t length;
    if (!auth.required)
        auth_init(&auth, "a token of thirty-two characters");
    fuzz_assert(!auth_allows(&auth, authorization, cookies) || authorization != NULL);
    if (cookie_find(cookies, "backpropd_session", &value, &length))
        fuzz_assert(value >= cookies && value + length <= cookies + strlen(cookies));
}

static void look_at_target(char *raw) {
    Target target = {0};
    const char *why = NULL;
    int error = target_parse(raw, &target, &why);
    fuzz_assert(error == OK || (error == ERR_INVALID && why != NULL));
    if (error == OK) {
        fuzz_assert(target.path[0] == '/' && target.queries <= TARGET_QUERIES_MAX);
        for (size_t i = 0; i < target.queries; i++)
            fuzz_assert(utf8_valid(target.item[i].name) && utf8_valid(target.item[i].value));
    }
    target_finish(&target);
    percent_decode(raw, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static HostList hosts;
    if (hosts.count == 0)
        fuzz_assert(host_list_add(&hosts, "localhost") == OK &&
                    host_list_add(&hosts, "[::1]") == OK);
    char *text = malloc(size + 1), *rest = text, *blank = NULL;
    fuzz_assert(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0'; // as MHD hands it over
    char *line = strsep(&rest, "\n");
    char *method = strtok_r(line, " ", &blank), *target = strtok_r(NULL, " ", &blank),
         *version = strtok_r(NULL, " ", &blank);
    Header headers[HEADERS_MAX];
    HeadFacts facts = {0};
    size_t count = 0;
    const char *authorization = NULL, *cookies = NULL;
    while (rest != NULL && count < HEADERS_MAX && (line = strsep(&rest, "\n")) != NULL) {
        char *value = strchr(line, ':');
        if (value == NULL)
            continue;
        *value++ = '\0';
        headers[count] = (Header){line, value, strlen(line), strlen(value)};
        if (header_is(&headers[count], "Authorization"))
            authorization = value;
        if (header_is(&headers[count], "Cookie"))
            cookies = value;
        count++;
    }
    if (method != NULL && target != NULL && version != NULL) {
        Refusal refusal = guard_head(&(Head){method, version, headers, count}, &facts);
        if (refusal.status == 0) {
            fuzz_assert(facts.host != NULL && !(facts.chunked && facts.has_length));
            Refusal host = guard_host(&hosts, facts.host),
                    origin = guard_origin(facts.host, facts.origin);
            fuzz_assert(host.status == 0 || host.detail != NULL);
            fuzz_assert(origin.status == 0 || facts.origin != NULL);
        } else {
            fuzz_assert(refusal.status >= 400 && refusal.detail != NULL);
        }
        look_at_target(target);
    }
    credentials(authorization, cookies);
    free(text);
    return 0;
}
