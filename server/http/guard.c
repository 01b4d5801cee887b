#include "server/http/guard.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "core/base/error.h"
#include "core/base/memory.h"

enum { HOST_LENGTH_MAX = 255 };

static const char *const known_methods[] = {"GET",   "HEAD",   "POST",   "PUT",
                                            "PATCH", "DELETE", "OPTIONS"};

bool header_is(const Header *header, const char *name) {
    return header->name_length == strlen(name) &&
           strncasecmp(header->name, name, header->name_length) == 0;
}

// token of RFC 9110, section 5.6.2
static bool is_token(const char *text, size_t length) {
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) &&
            (text[i] == '\0' || strchr("!#$%&'*+-.^_`|~", text[i]) == NULL))
            return false;
    return true;
}

// Digits only, so neither a sign nor a list of equal lengths.
static bool length_read(const Header *header, uint64_t *ret_length) {
    uint64_t length = 0;
    if (header->value_length == 0)
        return false;
    for (size_t i = 0; i < header->value_length; i++) {
        char c = header->value[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(length, 10, &length) ||
            __builtin_add_overflow(length, (uint64_t)(c - '0'), &length))
            return false;
    }
    *ret_length = length;
    return true;
}

Refusal guard_head(const Head *head, HeadFacts *ret_facts) {
    HeadFacts facts = {0};
    size_t encodings = 0;
    bool known = false;
    for (size_t i = 0; i < ARRAY_LENGTH(known_methods); i++)
        known = known || strcmp(head->method, known_methods[i]) == 0;
    if (!known)
        return (Refusal){400, "the request's method is unknown"};
    if (strcmp(head->version, "HTTP/1.1") != 0 && strcmp(head->version, "HTTP/1.0") != 0)
        return (Refusal){400, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
    for (size_t i = 0; i < head->count; i++) {
        const Header *header = &head->headers[i];
        if (!is_token(header->name, header->name_length))
            return (Refusal){
                400, "a header's name has a blank or another character that no name may have"};
        for (size_t c = 0; c < header->value_length; c++) {
            unsigned char byte = (unsigned char)header->value[c];
            if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
                return (Refusal){400, "a header's value has a control character"};
        }
        if (header_is(header, "Host")) {
            if (facts.host != NULL)
                return (Refusal){400, "there is more than one Host header"};
            facts.host = header;
        } else if (header_is(header, "Origin")) {
            if (facts.origin != NULL)
                return (Refusal){400, "there is more than one Origin header"};
            facts.origin = header;
        } else if (header_is(header, "Content-Length")) {
            if (facts.has_length)
                return (Refusal){400, "there is more than one Content-Length header"};
            if (!length_read(header, &facts.length))
                return (Refusal){400, "Content-Length must be a whole number"};
            facts.has_length = true;
        } else if (header_is(header, "Transfer-Encoding")) {
            if (encodings++ > 0)
                return (Refusal){400, "there is more than one Transfer-Encoding header"};
            if (header->value_length != 7 || strncasecmp(header->value, "chunked", 7) != 0)
                return (Refusal){400, "the only Transfer-Encoding spoken here is chunked"};
            facts.chunked = true;
        }
    }
    if (facts.host == NULL)
        return (Refusal){400, "there is no Host header"};
    if (facts.chunked && facts.has_length)
        return (Refusal){400, "Content-Length and Transfer-Encoding exclude each other"};
    if (facts.chunked && strcmp(head->version, "HTTP/1.0") == 0)
        return (Refusal){400, "HTTP/1.0 has no Transfer-Encoding"};
    *ret_facts = facts;
    return (Refusal){0};
}

// host [":" port], host a name, an IPv4 address or an IPv6 address in brackets: gives the length of
// the host.
static bool host_split(const char *text, size_t length, size_t *ret_host) {
    size_t host = 0;
    if (length == 0 || length > HOST_LENGTH_MAX)
        return false;
    if (text[0] == '[') {
        const char *end = memchr(text, ']', length);
        if (end == NULL || strspn(text + 1, "0123456789abcdefABCDEF:.") != (size_t)(end - text - 1))
            return false;
        host = (size_t)(end - text) + 1;
    } else {
        while (host < length && (isalnum((unsigned char)text[host]) || text[host] == '-' ||
                                 text[host] == '.' || text[host] == '_'))
            host++;
    }
    if (host == 0)
        return false;
    if (host < length) {
        if (text[host] != ':' || length - host > 6)
            return false;
        for (size_t i = host + 1; i < length; i++)
            if (!isdigit((unsigned char)text[i]))
                return false;
    }
    *ret_host = host;
    return true;
}

int host_list_add(HostList *list, const char *name) {
    size_t host;
    if (!host_split(name, strlen(name), &host))
        return ERR_INVALID;
    char **names = memory_resize(list->names, list->count, list->count + 1, sizeof *names);
    if (names == NULL)
        return ERR_NO_MEMORY;
    list->names = names;
    char *copy = memory_string(name);
    if (copy == NULL)
        return ERR_NO_MEMORY;
    copy[host] = '\0';
    for (char *c = copy; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    list->names[list->count++] = copy;
    return OK;
}

void host_list_finish(HostList *list) {
    for (size_t i = 0; i < list->count; i++)
        memory_free(list->names[i]);
    memory_free(list->names);
    *list = (HostList){0};
}

Refusal guard_host(const HostList *allowed, const Header *host) {
    size_t length;
    if (!host_split(host->value, host->value_length, &length))
        return (Refusal){400, "the Host header is not a host"};
    for (size_t i = 0; i < allowed->count; i++)
        if (strlen(allowed->names[i]) == length &&
            strncasecmp(allowed->names[i], host->value, length) == 0)
            return (Refusal){0};
    return (Refusal){403, "this server does not answer to that Host; --allow-host adds a name"};
}

Refusal guard_origin(const Header *host, const Header *origin) {
    static const char *const schemes[] = {"http://", "https://"};
    if (origin == NULL)
        return (Refusal){0};
    for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++) {
        size_t scheme = strlen(schemes[i]);
        if (origin->value_length == scheme + host->value_length &&
            strncasecmp(origin->value, schemes[i], scheme) == 0 &&
            strncasecmp(origin->value + scheme, host->value, host->value_length) == 0)
            return (Refusal){0};
    }
    return (Refusal){403, "the request comes from a page of another origin"};
}
