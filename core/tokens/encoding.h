// Texts as the ids of a vocabulary, and ids as text again.
#pragma once
#include "core/base/issues.h"
#include "core/tokens/vocabulary.h"

typedef struct TokenIds {
    int32_t *items; // [count], memory_free
    size_t count;
} TokenIds;

// The ids of a text of valid UTF-8. Unknown words are TOKEN_UNKNOWN where that has a place; characters that have none are
// issues at `path`, each with the place where it first comes, and the result is ERR_INVALID. ERR_NO_MEMORY, ERR_UNAVAILABLE.
int tokens_encode(const Vocabulary *vocabulary, const char *text, const Path *path, Issues *issues,
                  TokenIds *ret_ids);

// Ids come one after the other, and what is known of their text so far is always whole characters. Between words stands a
// blank. Bytes that make no UTF-8 become U+FFFD, one for each longest beginning of a character (Unicode 15, section 3.9), and
// so does U+0000, which no text has.
typedef struct TokenDecoder {
    const Vocabulary *vocabulary;
    bool began;      // a word stands before the next
    char pending[4]; // the beginning of a character
    size_t length;   // of it
} TokenDecoder;

void decoder_add(TokenDecoder *decoder, int32_t id, Text *text);
void decoder_end(TokenDecoder *decoder,
                 Text *text); // no more come: of a character that is not whole
