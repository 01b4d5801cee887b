// A request's head, as libmicrohttpd hands it over, for the guard to look at.
#include <string.h>
#include "server/http/internal.h"

static enum MHD_Result collect_header(void *context, enum MHD_ValueKind kind, const char *name,
                                      size_t name_length, const char *value, size_t value_length) {
    Headers *list = context;
    (void)kind;
    if (list->count == HTTP_HEADERS_MAX) {
        list->overflow = true;
        return MHD_NO;
    }
    // Blanks around a value are no part of it (RFC 9110, section 5.5); MHD takes off those before.
    while (value_length > 0 && (value[value_length - 1] == ' ' || value[value_length - 1] == '\t'))
        value_length--;
    list->item[list->count++] =
        (Header){name, value != NULL ? value : "", name_length, value_length};
    return MHD_YES;
}

// MHD up to 0.9.75 ends texts at a NUL byte, joins folded lines in place and skips blanks, so that
// none of it shows in what it hands over; but what it hands over still lies where it came in. There
// method, target and version have one blank between them, a value follows its name's colon and is
// ended by what was CRLF or LF and is now zeros, and the next name follows, or the empty line. A
// line that begins with NUL is an empty one to it: the head's length tells. A NUL in the place of a CR
// cannot be told from one; the line ends where it would anyway.
static bool has_holes(const Request *request, const char *url, const char *version,
                      const Headers *list) {
#if MHD_VERSION <= 0x00097500
    size_t length =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
            ->header_size;
    if ((uintptr_t)url - (uintptr_t)request->method != strlen(request->method) + 1 ||
        (uintptr_t)version - (uintptr_t)url != strlen(request->raw_target) + 1)
        return true;
    for (size_t i = 0; i < list->count; i++) {
        const Header *header = &list->item[i];
        const char *value = header->name + header->name_length + 1;
        while (*value == ' ' || *value == '\t')
            value++;
        if (value != header->value)
            return true;
        const char *line_end = header->value + strlen(header->value);
        bool last = i + 1 == list->count;
        const char *next = last ? request->method + length : list->item[i + 1].name;
        if (next <= line_end || next - line_end > (last ? 4 : 2))
            return true;
        for (const char *c = line_end; c < next; c++)
            if (*c != '\0')
                return true;
    }
#else
    (void)request, (void)url, (void)version, (void)list;
#endif
    return false;
}

Refusal head_check(const Request *request, const char *url, const char *version,
                   Headers *ret_headers, HeadFacts *ret_facts) {
    ret_headers->count = 0;
    ret_headers->overflow = false;
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, collect_header, ret_headers);
    const Head head = {request->method, version, ret_headers->item, ret_headers->count};
    Refusal refusal = guard_head(&head, ret_facts);
    if (ret_headers->overflow)
        return (Refusal){431, "there are too many headers"};
    if (refusal.status == 0 && has_holes(request, url, version, ret_headers))
        return (Refusal){400,
                         "the request's head has a NUL byte, a folded line or superfluous blanks"};
    return refusal;
}
