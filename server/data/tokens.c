#include "server/data/tokens.h"
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

enum {
    SIZE_DEFAULT = 20000,
    SIZE_LEAST = 3, // padding, unknown and one token
    SHOWN = 20,
};

// ---- options ----

TokenOptions tokens_options(const Body *body, TokenizerKind fallback) {
    TokenOptions options = {.kind = fallback};
    const char *name = body_string(body, "tokenizer", SIZE_MAX);
    if (name != NULL && tokenizer_parse(name, &options.kind) != OK) {
        BODY_ISSUE(body, "tokenizer", "must be \"word\", \"char\" or \"byte\", not \"%.60s\"",
                   name);
    }
    bool bytes = options.kind == TOKENIZER_BYTE;
    options.vocabulary_size = bytes ? TOKENS_BYTE + 1 : SIZE_DEFAULT;
    body_integer(body, "vocabulary_size", SIZE_LEAST, TOKENS_DISTINCT_MAX,
                 &options.vocabulary_size);
    if (bytes && options.vocabulary_size <= TOKENS_BYTE) {
        BODY_ISSUE(body, "vocabulary_size",
                   "must be at least %d: padding and every byte; or leave it out", TOKENS_BYTE + 1);
    }
    return options;
}

int tokens_begin(const Body *body, TokenizerKind kind, Tokenizer *tokenizer,
                 void (*take)(void *context, const char *token, size_t length), void *context) {
    int result = tokenizer_init(tokenizer, kind, take, context);
    if (result == ERR_UNAVAILABLE) {
        BODY_ISSUE(body, "tokenizer",
                   "this machine has no locale C.UTF-8, which tells the letters: \"char\" and "
                   "\"byte\" do without");
        result = ERR_INVALID;
    }
    return result;
}

void tokens_walk(Tokenizer *tokenizer, Span *span) {
    span->at++; // the quote
    for (uint32_t point; span->at < span->end && span_key_next(&span->at, &point);) {
        tokenizer_push(tokenizer, point);
        source_pass(&span->passed, span->at);
    }
    span->at++;
    tokenizer_end(tokenizer);
}

int tokens_counted(const Body *body, const char *key, const TokenCounter *counter) {
    if (counter->error != ERR_TOO_LARGE) {
        return counter->error;
    }
    BODY_ISSUE(body, key,
               "has more than %d different tokens; the tokenizers \"char\" and \"byte\" have fewer",
               TOKENS_DISTINCT_MAX);
    return OK;
}

// ---- writing ----

int token_writer_flush(TokenWriter *writer) {
    size_t size = writer->bytes ? sizeof *writer->pending.bytes : sizeof *writer->pending.ids;
    int result = writer->error;
    if (result == OK) {
        result = archive_append(writer->archive, &writer->pending, writer->used * size);
    }
    writer->used = 0;
    return writer->error = result;
}

void token_writer_take(void *context, const char *token, size_t length) {
    TokenWriter *writer = context;
    if (writer->used == TOKEN_PENDING) {
        token_writer_flush(writer);
    }
    int32_t id = vocabulary_id(writer->vocabulary, token, length);
    if (writer->bytes) {
        writer->pending.bytes[writer->used++] = (uint8_t)id;
    } else {
        writer->pending.ids[writer->used++] = id;
    }
}

// ---- the profile ----

// Tokens of the texts that have no id of their own.
static int64_t count_unknown(const TokenCounter *counter, const Vocabulary *vocabulary) {
    int64_t unknown = 0;
    for (size_t i = 0; i < counter->tokens.count; i++) {
        const char *token = counter->tokens.items[i];
        if (vocabulary_id(vocabulary, token, strlen(token)) == TOKEN_UNKNOWN &&
            vocabulary->reserved > TOKEN_UNKNOWN) {
            unknown += counter->counts[i];
        }
    }
    return unknown;
}

void tokens_profile(const TokenCounter *counter, const int32_t *order, const Vocabulary *vocabulary,
                    JsonOut *out) {
    Text token;
    text_init(&token);
    int64_t distinct = counter_distinct(counter);
    json_begin_object(out, "tokens");
    json_string(out, "tokenizer", tokenizer_name(counter->kind));
    json_integer(out, "vocabulary", vocabulary_size(vocabulary));
    json_integer(out, "distinct", distinct);
    json_integer(out, "total", counter->total);
    json_integer(out, "unknown", count_unknown(counter, vocabulary));
    json_begin_array(out, "most_frequent");
    for (int64_t i = 0; i < distinct && i < SHOWN; i++) {
        counter_token(counter, order[i], &token);
        json_begin_object(out, NULL);
        json_string(out, "token", text_string(&token));
        json_integer(out, "count", counter->counts[order[i]]);
        json_end_object(out);
    }
    json_end_array(out);
    json_end_object(out);
    out->text.failed |= token.failed;
    text_finish(&token);
}

void tokens_find_unknown(const TokenCounter *counter, const Vocabulary *vocabulary,
                         Findings *findings) {
    int64_t unknown = count_unknown(counter, vocabulary);
    double share = (double)unknown / (double)counter->total;
    if (unknown == 0) {
        return;
    }
    JsonOut evidence;
    json_init(&evidence);
    json_begin_object(&evidence, NULL);
    json_integer(&evidence, "tokens", counter->total);
    json_integer(&evidence, "unknown", unknown);
    json_number(&evidence, "share", share);
    json_integer(&evidence, "distinct", counter_distinct(counter));
    json_integer(&evidence, "vocabulary", vocabulary_size(vocabulary));
    json_end_object(&evidence);
    findings_add(findings, "unknown_tokens", share >= 0.1 ? "warning" : "info",
                 text_string(&evidence.text));
    findings->out.text.failed |= evidence.text.failed;
    json_finish(&evidence);
}
