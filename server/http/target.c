#include "server/http/target.h"

#include <stdint.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

// Shortest forms only, no surrogates, at most U+10FFFF (Unicode 15, table 3-7).
bool utf8_valid(const char *text) {
    const uint8_t *c = (const uint8_t *)text;
    while (*c != 0) {
        if (*c < 0x80) {
            c++;
            continue;
        }
        int more = *c >= 0xc2 && *c <= 0xdf   ? 1
                   : *c >= 0xe0 && *c <= 0xef ? 2
                   : *c >= 0xf0 && *c <= 0xf4 ? 3
                                              : 0;
        if (more == 0)
            return false;
        uint8_t lowest = *c == 0xe0 ? 0xa0 : *c == 0xf0 ? 0x90 : 0x80;
        uint8_t highest = *c == 0xed ? 0x9f : *c == 0xf4 ? 0x8f : 0xbf;
        c++;
        for (; more > 0; more--, c++, lowest = 0x80, highest = 0xbf)
            if (*c < lowest || *c > highest)
                return false;
    }
    return true;
}

bool percent_decode(char *text, bool plus) {
    char *out = text;
    for (const char *in = text; *in != '\0'; in++) {
        if (*in == '%') {
            int high = hex_digit(in[1]);
            int low = high < 0 ? -1 : hex_digit(in[2]);
            if (low < 0 || (high == 0 && low == 0))
                return false;
            *out++ = (char)(high << 4 | low);
            in += 2;
        } else {
            *out++ = plus && *in == '+' ? ' ' : *in;
        }
    }
    *out = '\0';
    return utf8_valid(text);
}

static int query_parse(Target *target, const char **ret_why) {
    for (char *at = target->query; at != NULL && *at != '\0';) {
        char *end = strchr(at, '&');
        char *next = end == NULL ? NULL : end + 1;
        if (end != NULL)
            *end = '\0';
        char *value = strchr(at, '=');
        if (value != NULL)
            *value++ = '\0';
        else
            value = at + strlen(at);
        if (*at != '\0') {
            if (target->queries == TARGET_QUERIES_MAX) {
                *ret_why = "the query has too many members";
                return ERR_INVALID;
            }
            if (!percent_decode(at, true) || !percent_decode(value, true)) {
                *ret_why = "the query has a wrong percent escape or is not UTF-8";
                return ERR_INVALID;
            }
            for (size_t i = 0; i < target->queries; i++)
                if (strcmp(target->item[i].name, at) == 0) {
                    *ret_why = "the query names a member twice";
                    return ERR_INVALID;
                }
            target->item[target->queries].name = at;
            target->item[target->queries++].value = value;
        }
        at = next;
    }
    return OK;
}

int target_parse(const char *raw, Target *ret_target, const char **ret_why) {
    if (raw[0] != '/') {
        *ret_why = "the request's target must be a path that starts with \"/\"";
        return ERR_INVALID;
    }
    if (strlen(raw) > TARGET_LENGTH_MAX) {
        *ret_why = "the request's target is too long";
        return ERR_INVALID;
    }
    for (const char *c = raw; *c != '\0'; c++) {
        if (*c <= ' ' ||
            *c >= 0x7f) { // bytes beyond ASCII are negative or above: chars are signed or not
            *ret_why =
                "the request's target has a blank, a control character or a byte beyond ASCII";
            return ERR_INVALID;
        }
        if (*c == '%' &&
            (hex_digit(c[1]) < 0 || hex_digit(c[2]) < 0 || (c[1] == '0' && c[2] == '0'))) {
            *ret_why = "the request's target has a wrong percent escape or %00";
            return ERR_INVALID;
        }
        if (*c == '#') {
            *ret_why = "the request's target has a fragment";
            return ERR_INVALID;
        }
    }
    Target target = {.path = memory_string(raw)};
    if (target.path == NULL)
        return ERR_NO_MEMORY;
    char *question = strchr(target.path, '?');
    int error = OK;
    if (question != NULL) {
        *question = '\0';
        target.query = memory_string(question + 1);
        error = target.query == NULL ? ERR_NO_MEMORY : query_parse(&target, ret_why);
    }
    if (error != OK) {
        target_finish(&target);
        return error;
    }
    *ret_target = target;
    return OK;
}

void target_finish(Target *target) {
    memory_free(target->path);
    memory_free(target->query);
    *target = (Target){0};
}
