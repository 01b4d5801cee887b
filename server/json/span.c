// Steps over text that is known to be JSON.
#include "server/json/span.h"
#include <string.h>
#include "core/base/utf8.h"
#include "server/json/numbers.h"

static void skip_blanks(Span *span) {
    while (span->at < span->end &&
           (*span->at == ' ' || *span->at == '\n' || *span->at == '\r' || *span->at == '\t')) {
        span->at++;
    }
}

ValueKind span_kind(const Span *span) {
    if (span->at >= span->end) {
        return VALUE_MISSING;
    }
    switch (*span->at) {
    case '[':
        return VALUE_ARRAY;
    case '{':
        return VALUE_OBJECT;
    case '"':
        return VALUE_STRING;
    case 't':
    case 'f':
        return VALUE_BOOLEAN;
    case 'n':
        return VALUE_NULL;
    case '-':
    case '0' ... '9':
        return VALUE_NUMBER;
    default:
        return VALUE_MISSING;
    }
}

void span_enter(Span *span) {
    if (span->at < span->end) {
        span->at++;
    }
}

bool span_next(Span *span) {
    source_pass(&span->passed, span->at);
    skip_blanks(span);
    if (span->at < span->end && *span->at == ',') {
        span->at++;
        skip_blanks(span);
    }
    if (span->at >= span->end) {
        return false;
    }
    if (*span->at == ']' || *span->at == '}') {
        span->at++;
        return false;
    }
    return true;
}

// Over the string at the opening quote.
static void skip_string(Span *span) {
    for (span->at++; span->at < span->end; span->at++) {
        source_pass(&span->passed, span->at);
        if (*span->at == '"') {
            span->at++;
            return;
        }
        if (*span->at == '\\' && span->at + 1 < span->end) {
            span->at++;
        }
    }
}

// What can begin or end a value that holds others, and strings, which can hold anything.
static const bool bounds[256] = {
    ['['] = true, [']'] = true, ['{'] = true, ['}'] = true, ['"'] = true};

// Over what stands between them, at most a block of it.
static void skip_between(Span *span) {
    const char *stop = source_block_end(span->at, span->end);
    while (span->at < stop && !bounds[(unsigned char)*span->at])
        span->at++;
}

// Part of a number, true, false or null.
static bool in_word(char c) {
    return c != ',' && c != ']' && c != '}' && c != ' ' && c != '\n' && c != '\r' && c != '\t';
}

void span_skip(Span *span) {
    int64_t depth = 0;
    if (span->at < span->end && !bounds[(unsigned char)*span->at]) {
        while (span->at < span->end && in_word(*span->at))
            span->at++;
        return;
    }
    do {
        source_pass(&span->passed, span->at);
        skip_between(span);
        if (span->at >= span->end)
            return;
        switch (*span->at) {
        case '[':
        case '{':
            depth++;
            span->at++;
            break;
        case ']':
        case '}':
            if (depth == 0)
                return; // nothing begins here
            depth--;
            span->at++;
            break;
        case '"':
            skip_string(span);
            break;
        default: // the block ended
            break;
        }
    } while (depth > 0);
}

int64_t span_items(Span span) {
    int64_t count = 0;
    if (span_kind(&span) != VALUE_ARRAY) {
        return 0;
    }
    for (span_enter(&span); span_next(&span); span_skip(&span)) {
        count++;
    }
    return count;
}

int64_t span_floats(Span *span, int64_t most, float *ret_numbers) {
    const char *stop = source_block_end(span->at, span->end);
    size_t count = numbers_read(&span->at, stop, (size_t)most, ret_numbers);
    skip_blanks(span);
    return (int64_t)count;
}

int span_number(Span *span, double *ret_number) {
    const char *stop = span->at;
    int result = number_read(span->at, span->end, &stop, ret_number);
    span->at = stop;
    return result;
}

void span_string(Span *span, Text *text) {
    text_clear(text);
    const char *at = span->at + 1;
    skip_string(span);
    char bytes[4];
    for (uint32_t point; at < span->at && span_key_next(&at, &point);) {
        text_add_bytes(text, bytes, utf8_write(point, bytes));
    }
}

void span_key(Span *span, Text *text) {
    span_string(span, text);
    skip_blanks(span);
    if (span->at < span->end && *span->at == ':') {
        span->at++;
    }
    skip_blanks(span);
}

static uint32_t hex4(const char *at) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

bool span_key_next(const char **at, uint32_t *ret_point) {
    const unsigned char *c = (const unsigned char *)*at;
    size_t step = 1;
    if (*c == '"') {
        return false;
    }
    if (*c == '\\') {
        static const char names[] = "bfnrt";
        static const char meanings[] = "\b\f\n\r\t";
        const char *name = strchr(names, c[1]);
        step = 2;
        if (c[1] == 'u') {
            uint32_t unit = hex4(*at + 2);
            step = 6;
            if (unit >= 0xD800 && unit <= 0xDBFF) {
                unit = 0x10000 + ((unit - 0xD800) << 10) + (hex4(*at + 8) - 0xDC00);
                step = 12;
            }
            *ret_point = unit;
        } else {
            *ret_point = name != NULL ? (unsigned char)meanings[name - names] : c[1];
        }
    } else if (*c < 0x80) {
        *ret_point = *c;
    } else if (*c < 0xE0) {
        *ret_point = (uint32_t)(c[0] & 0x1F) << 6 | (c[1] & 0x3F);
        step = 2;
    } else if (*c < 0xF0) {
        *ret_point = (uint32_t)(c[0] & 0x0F) << 12 | (uint32_t)(c[1] & 0x3F) << 6 | (c[2] & 0x3F);
        step = 3;
    } else {
        *ret_point = (uint32_t)(c[0] & 0x07) << 18 | (uint32_t)(c[1] & 0x3F) << 12 |
                     (uint32_t)(c[2] & 0x3F) << 6 | (c[3] & 0x3F);
        step = 4;
    }
    *at += step;
    return true;
}
