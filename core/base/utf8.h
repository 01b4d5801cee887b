// UTF-8 (RFC 3629): what is one character, and what is none.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Bytes of the character that `bytes` begins with, 1 to 4; 0 where the bytes left are no valid character (overlong forms,
// surrogates and what lies beyond U+10FFFF are none). left > 0.
size_t utf8_character(const char *bytes, size_t left);
// Offset of the first byte that is not part of a valid character; `length` where all is well.
size_t utf8_check(const char *bytes, size_t length);
// Writes the character of a code point (at most 0x10FFFF, no surrogate) and returns its bytes.
size_t utf8_write(uint32_t code_point, char bytes[4]);
// The code point of the valid character at `bytes`; ret_length: its bytes.
uint32_t utf8_read(const char *bytes, size_t *ret_length);
