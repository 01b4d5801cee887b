// Encoding is the tokenizer's work with a look-up for each token. Decoding waits where bytes may still become a character.
#include "core/tokens/encoding.h"
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"

static const char replacement[] = "\xEF\xBF\xBD"; // U+FFFD

// ---- encoding ----

typedef struct Encoder {
    const Vocabulary *vocabulary;
    const Path *path;
    Issues *issues;
    Names unknown; // characters that were reported
    size_t place;  // tokens so far
    int32_t *ids;  // [count]
    size_t count;
    int error;
} Encoder;

static void report_unknown(Encoder *encoder, const char *token, size_t length) {
    size_t before = encoder->unknown.count, step;
    int32_t number;
    int error = names_add(&encoder->unknown, token, length, TOKENS_DISTINCT_MAX, &number);
    if (error != OK)
        encoder->error = error;
    else if (encoder->unknown.count > before)
        issues_add(encoder->issues, encoder->path,
                   "has \"%.*s\" (U+%04X) as its character %zu, which the model's text never had",
                   (int)length, token, utf8_read(token, &step), encoder->place);
}

static void encoder_take(void *context, const char *token, size_t length) {
    Encoder *encoder = context;
    int32_t id = vocabulary_id(encoder->vocabulary, token, length);
    encoder->place++;
    if (encoder->error != OK)
        return;
    if (id == TOKEN_NONE) {
        report_unknown(encoder, token, length);
        return;
    }
    encoder->ids[encoder->count++] = id; // there are not more tokens than bytes
}

int tokens_encode(const Vocabulary *vocabulary, const char *text, const Path *path, Issues *issues,
                  TokenIds *ret_ids) {
    size_t length = strlen(text);
    Encoder encoder = {.vocabulary = vocabulary, .path = path, .issues = issues};
    Tokenizer tokenizer;
    int error = tokenizer_init(&tokenizer, vocabulary->kind, encoder_take, &encoder);
    if (error != OK)
        return error;
    encoder.ids = memory_array(length, sizeof(*encoder.ids));
    if (encoder.ids == NULL)
        encoder.error = ERR_NO_MEMORY;
    tokenizer_run(&tokenizer, text, length);
    tokenizer_finish(&tokenizer);
    error = encoder.error == OK && encoder.unknown.count > 0 ? ERR_INVALID : encoder.error;
    names_finish(&encoder.unknown);
    if (error == OK)
        *ret_ids = (TokenIds){encoder.ids, encoder.count};
    else
        memory_free(encoder.ids);
    return error;
}

// ---- decoding ----

// Whether a character can begin with these bytes and have more.
static bool may_go_on(const char *bytes, size_t length) {
    static const char ends[2][3] = {"\x80\x80\x80", "\xBF\x80\x80"};
    for (size_t i = 0; length < 4 && i < ARRAY_LENGTH(ends); i++) {
        char whole[4];
        memcpy(whole, bytes, length);
        memcpy(whole + length, ends[i], 4 - length);
        if (utf8_character(whole, 4) > length)
            return true;
    }
    return false;
}

void decoder_end(TokenDecoder *decoder, Text *text) {
    if (decoder->length > 0)
        text_add(text, replacement);
    decoder->length = 0;
}

static void add_byte(TokenDecoder *decoder, char byte, Text *text) {
    decoder->pending[decoder->length++] = byte;
    if (utf8_character(decoder->pending, decoder->length) == decoder->length) {
        if (byte == '\0')
            text_add(text, replacement);
        else
            text_add_bytes(text, decoder->pending, decoder->length);
        decoder->length = 0;
    } else if (!may_go_on(decoder->pending, decoder->length)) {
        bool alone = decoder->length == 1;
        text_add(text, replacement); // for what stood before the byte, if that was something
        decoder->length = 0;
        if (!alone)
            add_byte(decoder, byte, text);
    }
}

void decoder_add(TokenDecoder *decoder, int32_t id, Text *text) {
    const Vocabulary *vocabulary = decoder->vocabulary;
    if (vocabulary->kind == TOKENIZER_BYTE) {
        if (id >= vocabulary->reserved && id < vocabulary_size(vocabulary))
            add_byte(decoder, (char)(id - vocabulary->reserved), text);
        return;
    }
    if (vocabulary->kind == TOKENIZER_WORD && decoder->began)
        text_add_char(text, ' ');
    vocabulary_add(vocabulary, id, text);
    decoder->began = true;
}
