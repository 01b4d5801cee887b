// The request guard: what two readers of the same bytes could understand differently is refused
// before anything else.
//
// Exactly one Host; at most one of Content-Length and Transfer-Encoding, each once, only `chunked`;
// known methods; HTTP/1.0 or 1.1; names of token characters only (so no blank before the colon, no
// folded lines); no CR and no NUL in values. Then the Host against the allow-list and the Origin
// against the Host, so that no foreign page in a browser, nor a rebound name, reaches a route.
// Nothing here depends on the HTTP library.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Header {
    const char *name, *value;
    size_t name_length, value_length;
} Header;

typedef struct Head {
    const char *method, *version; // version: "HTTP/1.1"
    const Header *headers;        // [count]
    size_t count;
} Head;

typedef struct HeadFacts { // learned on the way
    const Header *host, *origin;
    bool chunked;
    bool has_length;
    uint64_t length;
} HeadFacts;

typedef struct Refusal {
    int status; // 0: none
    const char *detail;
} Refusal;

Refusal guard_head(const Head *head, HeadFacts *ret_facts);

// Names that the Host may have: localhost and the loopback addresses, what one listens on, and what
// was allowed. Ports do not matter.
typedef struct HostList {
    char **names; // [count], lower-case, without port
    size_t count;
} HostList;

int host_list_add(HostList *list, const char *name); // ERR_INVALID: not a host
void host_list_finish(HostList *list);
Refusal guard_host(const HostList *allowed, const Header *host);
// An absent Origin is allowed; one that is there must name the Host itself, port included.
Refusal guard_origin(const Header *host, const Header *origin);

// The value of a header, if its name is this (in any case).
bool header_is(const Header *header, const char *name);
