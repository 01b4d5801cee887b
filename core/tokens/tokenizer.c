// Cutting texts. What is a letter is the C library's knowledge of Unicode (its locale C.UTF-8), asked for through a
// locale object of the tokenizer's own: the process's locale is neither read nor changed.
#include "core/tokens/tokenizer.h"
#include <errno.h>
#include <string.h>
#include <wctype.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"

static const char *const names[] = {
    [TOKENIZER_WORD] = "word", [TOKENIZER_CHAR] = "char", [TOKENIZER_BYTE] = "byte"};

const char *tokenizer_name(TokenizerKind kind) {
    return names[kind];
}

int tokenizer_parse(const char *name, TokenizerKind *ret_kind) {
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (strcmp(names[i], name) == 0) {
            *ret_kind = (TokenizerKind)i;
            return OK;
        }
    return ERR_NOT_FOUND;
}

int tokenizer_init(Tokenizer *tokenizer, TokenizerKind kind,
                   void (*take)(void *context, const char *token, size_t length), void *context) {
    locale_t locale = (locale_t)0;
    if (kind == TOKENIZER_WORD) {
        locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
        if (locale == (locale_t)0)
            return errno == ENOMEM ? ERR_NO_MEMORY : ERR_UNAVAILABLE;
    }
    *tokenizer = (Tokenizer){.kind = kind, .locale = locale, .take = take, .context = context};
    return OK;
}

void tokenizer_finish(Tokenizer *tokenizer) {
    if (tokenizer->locale != (locale_t)0)
        freelocale(tokenizer->locale);
    *tokenizer = (Tokenizer){0};
}

// ---- words ----

static void add_letter(Tokenizer *tokenizer, uint32_t point) {
    char bytes[4];
    size_t length = utf8_write(point, bytes);
    if (tokenizer->length + length > TOKEN_BYTES_MAX)
        return;
    memcpy(tokenizer->word + tokenizer->length, bytes, length);
    tokenizer->length += length;
}

void tokenizer_end(Tokenizer *tokenizer) {
    if (tokenizer->length > 0)
        tokenizer->take(tokenizer->context, tokenizer->word, tokenizer->length);
    tokenizer->length = 0;
}

static void push_to_word(Tokenizer *tokenizer, uint32_t point) {
    if (point < 0x80) { // as the locale has it
        bool lower = point >= 'a' && point <= 'z', upper = point >= 'A' && point <= 'Z';
        if (lower || upper || (point >= '0' && point <= '9'))
            add_letter(tokenizer, upper ? point + ('a' - 'A') : point);
        else
            tokenizer_end(tokenizer);
    } else if (iswalnum_l((wint_t)point, tokenizer->locale)) {
        add_letter(tokenizer, (uint32_t)towlower_l((wint_t)point, tokenizer->locale));
    } else {
        tokenizer_end(tokenizer);
    }
}

// ---- all three ----

void tokenizer_push(Tokenizer *tokenizer, uint32_t code_point) {
    char bytes[4];
    size_t length;
    switch (tokenizer->kind) {
    case TOKENIZER_WORD:
        push_to_word(tokenizer, code_point);
        break;
    case TOKENIZER_CHAR:
        length = utf8_write(code_point, bytes);
        tokenizer->take(tokenizer->context, bytes, length);
        break;
    case TOKENIZER_BYTE:
        length = utf8_write(code_point, bytes);
        for (size_t i = 0; i < length; i++)
            tokenizer->take(tokenizer->context, bytes + i, 1);
        break;
    }
}

void tokenizer_run(Tokenizer *tokenizer, const char *text, size_t length) {
    for (size_t at = 0, step; at < length; at += step)
        tokenizer_push(tokenizer, utf8_read(text + at, &step));
    tokenizer_end(tokenizer);
}
