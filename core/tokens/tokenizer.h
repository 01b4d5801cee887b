// Texts cut into tokens, one character after the other, so that a text of any size is never held twice.
//
//   word   runs of letters and digits, lower-cased, as Unicode has them; what stands between is dropped
//   char   every character, as it is
//   byte   every byte of UTF-8
#pragma once
#include <locale.h>
#include <stddef.h>
#include <stdint.h>

typedef enum TokenizerKind { TOKENIZER_WORD, TOKENIZER_CHAR, TOKENIZER_BYTE } TokenizerKind;

const char *tokenizer_name(TokenizerKind kind); // "word", "char", "byte"
int tokenizer_parse(const char *name, TokenizerKind *ret_kind);

enum { TOKEN_BYTES_MAX = 256 }; // of a word; what goes beyond is left out

typedef struct Tokenizer {
    TokenizerKind kind;
    locale_t locale; // of words: what is a letter, and its lower case
    char word[TOKEN_BYTES_MAX];
    size_t length;                                                 // of the word under way
    void (*take)(void *context, const char *token, size_t length); // not NUL-terminated
    void *context;
} Tokenizer;

// ERR_UNAVAILABLE: the C library has no C.UTF-8, and so does not know Unicode's letters. ERR_NO_MEMORY. Where glibc lacks memory while it
// loads the locale, it takes it for missing from then on: a process that lives long keeps a tokenizer of words from its start.
int tokenizer_init(Tokenizer *tokenizer, TokenizerKind kind,
                   void (*take)(void *context, const char *token, size_t length), void *context);
void tokenizer_finish(Tokenizer *tokenizer); // a zeroed one is finished
void tokenizer_push(Tokenizer *tokenizer, uint32_t code_point);
void tokenizer_end(Tokenizer *tokenizer); // the text is over: its last word too
// A whole text of valid UTF-8.
void tokenizer_run(Tokenizer *tokenizer, const char *text, size_t length);
