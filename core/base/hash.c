// SHA-256 by nettle, and its digest as text.
#include "core/base/hash.h"

_Static_assert(HASH_BYTES == SHA256_DIGEST_SIZE, "nettle's digest is ours");

void hash_init(Hash *hash) {
    sha256_init(hash);
}

void hash_add(Hash *hash, const void *data, size_t length) {
    sha256_update(hash, length, data);
}

void hash_end(Hash *hash, uint8_t digest[HASH_BYTES]) {
    sha256_digest(hash, HASH_BYTES, digest);
}

void hash_text(const uint8_t digest[HASH_BYTES], char text[HASH_TEXT]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < HASH_BYTES; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[2 * HASH_BYTES] = '\0';
}

void hash_of(const void *data, size_t length, char text[HASH_TEXT]) {
    Hash hash;
    uint8_t digest[HASH_BYTES];
    hash_init(&hash);
    hash_add(&hash, data, length);
    hash_end(&hash, digest);
    hash_text(digest, text);
}
