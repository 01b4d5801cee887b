// UTF-8 by the table of RFC 3629, section 4; plain ASCII is passed eight bytes at a time.
#include "core/base/utf8.h"
#include <string.h>

static int continuation(unsigned char byte) {
    return (byte & 0xC0) == 0x80;
}

size_t utf8_character(const char *bytes, size_t left) {
    const unsigned char *b = (const unsigned char *)bytes;
    if (b[0] < 0x80) {
        return 1;
    }
    if (b[0] >= 0xC2 && b[0] <= 0xDF) {
        return left >= 2 && continuation(b[1]) ? 2 : 0;
    }
    if (b[0] >= 0xE0 && b[0] <= 0xEF) {
        if (left < 3 || !continuation(b[1]) || !continuation(b[2]) ||
            (b[0] == 0xE0 && b[1] < 0xA0) || (b[0] == 0xED && b[1] > 0x9F)) {
            return 0;
        }
        return 3;
    }
    if (b[0] >= 0xF0 && b[0] <= 0xF4) {
        if (left < 4 || !continuation(b[1]) || !continuation(b[2]) || !continuation(b[3]) ||
            (b[0] == 0xF0 && b[1] < 0x90) || (b[0] == 0xF4 && b[1] > 0x8F)) {
            return 0;
        }
        return 4;
    }
    return 0;
}

size_t utf8_check(const char *bytes, size_t length) {
    size_t at = 0;
    while (at < length) {
        uint64_t word;
        if (length - at >= sizeof word) {
            memcpy(&word, bytes + at, sizeof word);
            if ((word & 0x8080808080808080u) == 0) {
                at += sizeof word;
                continue;
            }
        }
        size_t step = utf8_character(bytes + at, length - at);
        if (step == 0) {
            return at;
        }
        at += step;
    }
    return length;
}

size_t utf8_write(uint32_t code_point, char bytes[4]) {
    if (code_point < 0x80) {
        bytes[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        bytes[0] = (char)(0xC0 | code_point >> 6);
        bytes[1] = (char)(0x80 | (code_point & 0x3F));
        return 2;
    }
    if (code_point < 0x10000) {
        bytes[0] = (char)(0xE0 | code_point >> 12);
        bytes[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
        bytes[2] = (char)(0x80 | (code_point & 0x3F));
        return 3;
    }
    bytes[0] = (char)(0xF0 | code_point >> 18);
    bytes[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
    bytes[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
    bytes[3] = (char)(0x80 | (code_point & 0x3F));
    return 4;
}

uint32_t utf8_read(const char *bytes, size_t *ret_length) {
    const unsigned char *b = (const unsigned char *)bytes;
    if (b[0] < 0x80) {
        *ret_length = 1;
        return b[0];
    }
    size_t length = b[0] < 0xE0 ? 2 : b[0] < 0xF0 ? 3 : 4;
    uint32_t point = b[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        point = point << 6 | (b[i] & 0x3F);
    }
    *ret_length = length;
    return point;
}
