// What texts and corpora share on their way into an archive: options, ids written piece by piece, the profile. For the
// files of server/data.
#pragma once
#include "core/tokens/vocabulary.h"
#include "server/data/draft.h"
#include "server/data/intake_form.h"

// The member "tokenizer" (`fallback` where there is none), and "vocabulary_size", whose room for tokens is checked.
typedef struct TokenOptions {
    TokenizerKind kind;
    int64_t vocabulary_size; // ids, the reserved ones among them
} TokenOptions;
TokenOptions tokens_options(const Body *body, TokenizerKind fallback);
// A tokenizer for intake: its failure is an issue at "tokenizer".
int tokens_begin(const Body *body, TokenizerKind kind, Tokenizer *tokenizer,
                 void (*take)(void *context, const char *token, size_t length), void *context);
// The string at the span to the tokenizer, character by character, to its last token; the span is behind it.
void tokens_walk(Tokenizer *tokenizer, Span *span);
// What counting could not do, as an issue at `key`: OK, or ERR_NO_MEMORY.
int tokens_counted(const Body *body, const char *key, const TokenCounter *counter);

// Writes ids into the archive's section under way.
enum { TOKEN_PENDING = 16384 };
typedef struct TokenWriter {
    ArchiveWriter *archive;
    const Vocabulary *vocabulary;
    bool bytes; // ids of one byte
    int error;
    size_t used;
    union {
        int32_t ids[TOKEN_PENDING];
        uint8_t bytes[TOKEN_PENDING];
    } pending;
} TokenWriter;
void token_writer_take(void *writer, const char *token, size_t length); // fits Tokenizer.take
int token_writer_flush(TokenWriter *writer);

// The member "tokens": {"tokenizer", "vocabulary": ids, "distinct", "total", "unknown", "most_frequent": [{"token", "count"}]}.
// order: the counter's rank.
void tokens_profile(const TokenCounter *counter, const int32_t *order, const Vocabulary *vocabulary,
                    JsonOut *out);
// A finding where many of the tokens are unknown.
void tokens_find_unknown(const TokenCounter *counter, const Vocabulary *vocabulary,
                         Findings *findings);
