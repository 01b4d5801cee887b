// Tokens and their numbers.
//
//   ids      0: padding, 1: unknown, 2 …: tokens, the most frequent first     texts; corpora of words
//            0: padding, 1 … 256: bytes                                       texts of bytes
//            0 …: characters in code-point order                              corpora of characters
//            0 … 255: bytes                                                   corpora of bytes
//
// In an archive:
//   "tokenizer"   text: its name
//   "vocabulary"  bytes: the token of each id, NUL-terminated, one after the other; padding and unknown are empty, and
//                 bytes, which are what they are, are left out
#pragma once
#include "core/base/archive.h"
#include "core/base/names.h"
#include "core/base/text.h"
#include "core/tokens/tokenizer.h"

enum {
    TOKEN_PADDING = 0,
    TOKEN_UNKNOWN = 1,
    TOKEN_NONE = -1,
    TOKENS_DISTINCT_MAX = 1 << 20, // that are counted: more are refused
    TOKENS_BYTE = 256,
};

// ---- counting ----

typedef struct TokenCounter {
    TokenizerKind kind;
    Names tokens;    // in the order of their coming; bytes have none
    int64_t *counts; // [capacity], of each; of bytes by their number
    size_t capacity;
    int64_t total;
    int32_t ascii[128]; // number of a token of one such character; −1: not seen
    int error;          // ERR_TOO_LARGE: too many different ones; ERR_NO_MEMORY
} TokenCounter;

int counter_init(TokenCounter *counter, TokenizerKind kind);
void counter_finish(TokenCounter *counter);                         // a zeroed one is finished
void counter_take(void *counter, const char *token, size_t length); // fits Tokenizer.take
int64_t counter_distinct(const TokenCounter *counter);
// Numbers of the tokens seen, the most frequent first, equal ones in code-point order: [distinct] (memory_free).
int counter_rank(const TokenCounter *counter, int32_t **ret_order);
// The token of that number into the cleared text.
void counter_token(const TokenCounter *counter, int32_t number, Text *text);

// ---- numbering ----

typedef struct Vocabulary {
    TokenizerKind kind;
    int32_t reserved;   // ids that are no token: 2 padding and unknown, 1 padding, 0 none
    Names tokens;       // of the ids from `reserved` on; bytes have none
    int32_t ascii[128]; // id of a token of one such character, TOKEN_NONE where there is none
} Vocabulary;

// Of texts: at most `size` ids, the reserved ones among them (bytes: all). `order` is the counter's rank.
int vocabulary_of_most_frequent(const TokenCounter *counter, const int32_t *order, int64_t size,
                                Vocabulary *ret_vocabulary);
// Of a corpus: exactly what was seen, in code-point order (bytes: all).
int vocabulary_of_all(const TokenCounter *counter, Vocabulary *ret_vocabulary);
void vocabulary_finish(Vocabulary *vocabulary);        // a zeroed one is finished
int64_t vocabulary_size(const Vocabulary *vocabulary); // ids
// The token's id; TOKEN_UNKNOWN, or TOKEN_NONE where unknown tokens have no place.
int32_t vocabulary_id(const Vocabulary *vocabulary, const char *token, size_t length);
// Adds the token itself, without blanks, to a text; reserved ids add nothing.
void vocabulary_add(const Vocabulary *vocabulary, int32_t id, Text *text);

int vocabulary_save(const Vocabulary *vocabulary, ArchiveWriter *writer);
// ERR_NOT_FOUND: the archive has no tokens. ERR_DAMAGED.
int vocabulary_load(const Archive *archive, Vocabulary *ret_vocabulary);
