// Counting tokens and numbering them. Characters of ASCII, most of most texts, are looked up in a table of their own.
#include "core/tokens/vocabulary.h"
#include <stdlib.h>
#include <string.h>
#include "core/base/archive_text.h"
#include "core/base/error.h"
#include "core/base/memory.h"

enum { COUNTS_FIRST = 256 };

// The one character of ASCII that the token is; −1: it is another one.
static int ascii_of(const char *token, size_t length) {
    return length == 1 && (unsigned char)token[0] < 128 ? token[0] : -1;
}

// ---- counting ----

int counter_init(TokenCounter *counter, TokenizerKind kind) {
    *counter = (TokenCounter){.kind = kind, .capacity = COUNTS_FIRST};
    memset(counter->ascii, -1, sizeof(counter->ascii));
    counter->counts = memory_array(COUNTS_FIRST, sizeof(*counter->counts));
    return counter->counts == NULL ? ERR_NO_MEMORY : OK;
}

void counter_finish(TokenCounter *counter) {
    names_finish(&counter->tokens);
    memory_free(counter->counts);
    *counter = (TokenCounter){0};
}

// The token's number; it is added where it is new. Negative: an error.
static int32_t number_of(TokenCounter *counter, const char *token, size_t length) {
    int ascii = ascii_of(token, length);
    if (ascii >= 0 && counter->ascii[ascii] >= 0)
        return counter->ascii[ascii];
    int32_t number;
    int error = names_add(&counter->tokens, token, length, TOKENS_DISTINCT_MAX, &number);
    if (error != OK)
        return error;
    if ((size_t)number >= counter->capacity) {
        int64_t *grown = memory_resize(counter->counts, counter->capacity, counter->capacity * 2,
                                       sizeof(*grown));
        if (grown == NULL)
            return ERR_NO_MEMORY;
        counter->counts = grown;
        counter->capacity *= 2;
    }
    if (ascii >= 0)
        counter->ascii[ascii] = number;
    return number;
}

void counter_take(void *context, const char *token, size_t length) {
    TokenCounter *counter = context;
    int32_t number = counter->kind == TOKENIZER_BYTE ? (unsigned char)token[0]
                                                     : number_of(counter, token, length);
    if (number < 0) {
        counter->error = number;
        return;
    }
    counter->counts[number]++;
    counter->total++;
}

int64_t counter_distinct(const TokenCounter *counter) {
    if (counter->kind != TOKENIZER_BYTE)
        return (int64_t)counter->tokens.count;
    int64_t distinct = 0;
    for (size_t i = 0; i < TOKENS_BYTE; i++)
        distinct += counter->counts[i] > 0;
    return distinct;
}

void counter_token(const TokenCounter *counter, int32_t number, Text *text) {
    text_clear(text);
    if (counter->kind != TOKENIZER_BYTE)
        text_add(text, counter->tokens.items[number]);
    else
        text_add_char(text, (char)number);
}

typedef struct Ranked {
    int64_t count;
    const char *token; // NULL: a byte
    int32_t number;
} Ranked;

static int by_frequency(const void *a, const void *b) {
    const Ranked *left = a, *right = b;
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    if (left->token != NULL)
        return strcmp(left->token, right->token); // bytes of UTF-8 are in code-point order
    return left->number < right->number ? -1 : 1;
}

int counter_rank(const TokenCounter *counter, int32_t **ret_order) {
    size_t distinct = (size_t)counter_distinct(counter);
    AUTO_FREE Ranked *ranked = memory_array(distinct, sizeof(*ranked));
    int32_t *order = memory_array(distinct, sizeof(*order));
    if (ranked == NULL || order == NULL) {
        memory_free(order);
        return ERR_NO_MEMORY;
    }
    bool bytes = counter->kind == TOKENIZER_BYTE;
    size_t numbers = bytes ? TOKENS_BYTE : distinct, used = 0;
    for (size_t i = 0; i < numbers; i++)
        if (counter->counts[i] > 0)
            ranked[used++] =
                (Ranked){counter->counts[i], bytes ? NULL : counter->tokens.items[i], (int32_t)i};
    qsort(ranked, used, sizeof(*ranked), by_frequency);
    for (size_t i = 0; i < used; i++)
        order[i] = ranked[i].number;
    *ret_order = order;
    return OK;
}

// ---- numbering ----

static void fill_ascii(Vocabulary *vocabulary) {
    for (int c = 0; c < 128; c++) {
        char token = (char)c;
        int32_t index = vocabulary->kind == TOKENIZER_BYTE ? c
                        : c == 0                           ? -1
                                 : names_find(&vocabulary->tokens, &token, 1);
        vocabulary->ascii[c] = index < 0 ? TOKEN_NONE : vocabulary->reserved + index;
    }
}

static int add_token(Vocabulary *vocabulary, const char *token) {
    int32_t index;
    return names_add(&vocabulary->tokens, token, strlen(token), TOKENS_DISTINCT_MAX, &index);
}

int vocabulary_of_most_frequent(const TokenCounter *counter, const int32_t *order, int64_t size,
                                Vocabulary *ret_vocabulary) {
    bool bytes = counter->kind == TOKENIZER_BYTE;
    Vocabulary vocabulary = {.kind = counter->kind, .reserved = bytes ? 1 : 2};
    int64_t distinct = counter_distinct(counter), room = size - vocabulary.reserved;
    for (int64_t i = 0; !bytes && i < distinct && i < room; i++) {
        int error = add_token(&vocabulary, counter->tokens.items[order[i]]);
        if (error != OK) {
            vocabulary_finish(&vocabulary);
            return error;
        }
    }
    fill_ascii(&vocabulary);
    *ret_vocabulary = vocabulary;
    return OK;
}

int vocabulary_of_all(const TokenCounter *counter, Vocabulary *ret_vocabulary) {
    Vocabulary vocabulary = {.kind = counter->kind};
    int error = OK;
    for (size_t i = 0; error == OK && i < counter->tokens.count; i++)
        error = add_token(&vocabulary, counter->tokens.items[i]);
    if (error == OK)
        error = names_sort(&vocabulary.tokens, NULL);
    if (error != OK) {
        vocabulary_finish(&vocabulary);
        return error;
    }
    fill_ascii(&vocabulary);
    *ret_vocabulary = vocabulary;
    return OK;
}

void vocabulary_finish(Vocabulary *vocabulary) {
    names_finish(&vocabulary->tokens);
    *vocabulary = (Vocabulary){0};
}

int64_t vocabulary_size(const Vocabulary *vocabulary) {
    return vocabulary->reserved +
           (vocabulary->kind == TOKENIZER_BYTE ? TOKENS_BYTE : (int64_t)vocabulary->tokens.count);
}

int32_t vocabulary_id(const Vocabulary *vocabulary, const char *token, size_t length) {
    int32_t unknown = vocabulary->reserved > TOKEN_UNKNOWN ? TOKEN_UNKNOWN : TOKEN_NONE;
    if (vocabulary->kind == TOKENIZER_BYTE)
        return vocabulary->reserved + (unsigned char)token[0];
    int ascii = ascii_of(token, length);
    if (ascii >= 0)
        return vocabulary->ascii[ascii] == TOKEN_NONE ? unknown : vocabulary->ascii[ascii];
    int32_t index = names_find(&vocabulary->tokens, token, length);
    return index < 0 ? unknown : vocabulary->reserved + index;
}

void vocabulary_add(const Vocabulary *vocabulary, int32_t id, Text *text) {
    if (id < vocabulary->reserved || id >= vocabulary_size(vocabulary))
        return;
    int32_t index = id - vocabulary->reserved;
    if (vocabulary->kind == TOKENIZER_BYTE)
        text_add_char(text, (char)index);
    else
        text_add(text, vocabulary->tokens.items[index]);
}

// ---- in archives ----

int vocabulary_save(const Vocabulary *vocabulary, ArchiveWriter *writer) {
    int64_t bytes = vocabulary->reserved;
    int error = archive_add_text(writer, "tokenizer", tokenizer_name(vocabulary->kind));
    if (error == OK)
        error = archive_begin(writer, "vocabulary", ARCHIVE_U8);
    if (error == OK)
        error = archive_append(writer, "\0\0", (size_t)vocabulary->reserved);
    for (size_t i = 0; error == OK && i < vocabulary->tokens.count; i++) {
        size_t length = strlen(vocabulary->tokens.items[i]) + 1;
        error = archive_append(writer, vocabulary->tokens.items[i], length);
        bytes += (int64_t)length;
    }
    return error == OK ? archive_end(writer, 1, &bytes) : error;
}

// Fills `vocabulary`, which is the caller's to finish in any case.
static int read_tokens(const ArchiveSection *section, Vocabulary *vocabulary) {
    const char *at = section->data, *end = at + section->bytes;
    while (at < end && *at == '\0') {
        vocabulary->reserved++;
        at++;
    }
    for (; at < end; at += strlen(at) + 1) {
        size_t before = vocabulary->tokens.count;
        if (*at == '\0' || memchr(at, '\0', (size_t)(end - at)) == NULL)
            return ERR_DAMAGED;
        int error = add_token(vocabulary, at);
        if (error != OK)
            return error == ERR_TOO_LARGE ? ERR_DAMAGED : error;
        if (vocabulary->tokens.count == before) // it is there already
            return ERR_DAMAGED;
    }
    bool bytes = vocabulary->kind == TOKENIZER_BYTE;
    return vocabulary->reserved > (bytes ? 1 : 2) || (bytes && vocabulary->tokens.count > 0) ||
                   vocabulary_size(vocabulary) == 0
               ? ERR_DAMAGED
               : OK;
}

int vocabulary_load(const Archive *archive, Vocabulary *ret_vocabulary) {
    if (archive_find(archive, "tokenizer") == NULL)
        return ERR_NOT_FOUND;
    AUTO_FREE char *name = archive_text(archive, "tokenizer");
    const ArchiveSection *section = archive_typed(archive, "vocabulary", ARCHIVE_U8);
    Vocabulary vocabulary = {0};
    if (name == NULL)
        return archive_text_error(archive, "tokenizer");
    if (section == NULL || tokenizer_parse(name, &vocabulary.kind) != OK)
        return ERR_DAMAGED;
    int error = read_tokens(section, &vocabulary);
    if (error != OK) {
        vocabulary_finish(&vocabulary);
        return error;
    }
    fill_ascii(&vocabulary);
    *ret_vocabulary = vocabulary;
    return OK;
}
