// SHA-256 (FIPS 180-4), by nettle.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <nettle/sha2.h>

enum { HASH_BYTES = 32, HASH_TEXT = 65 };

typedef struct sha256_ctx Hash;

void hash_init(Hash *hash);
void hash_add(Hash *hash, const void *data, size_t length);
void hash_end(Hash *hash, uint8_t digest[HASH_BYTES]);
void hash_text(const uint8_t digest[HASH_BYTES],
               char text[HASH_TEXT]); // 64 lower-case hex digits and NUL
// The whole of a buffer, as text.
void hash_of(const void *data, size_t length, char text[HASH_TEXT]);
