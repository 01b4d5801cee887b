#include <criterion/criterion.h>
#include <stdarg.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/base/utf8.h"
#include "core/tokens/encoding.h"

// Of a corpus with this text.
static Vocabulary corpus(TokenizerKind kind, const char *text) {
    TokenCounter counter;
    Tokenizer tokenizer;
    Vocabulary vocabulary;
    int32_t *order;
    cr_assert_eq(counter_init(&counter, kind), OK);
    cr_assert_eq(tokenizer_init(&tokenizer, kind, counter_take, &counter), OK);
    tokenizer_run(&tokenizer, text, strlen(text));
    tokenizer_finish(&tokenizer);
    cr_assert_eq(counter_rank(&counter, &order), OK);
    if (kind == TOKENIZER_WORD)
        cr_assert_eq(vocabulary_of_most_frequent(&counter, order, 100, &vocabulary), OK);
    else
        cr_assert_eq(vocabulary_of_all(&counter, &vocabulary), OK);
    memory_free(order);
    counter_finish(&counter);
    return vocabulary;
}

static void expect_ids(const Vocabulary *vocabulary, const char *text, size_t count, ...) {
    Issues issues;
    TokenIds ids = {0};
    issues_init(&issues);
    cr_assert_eq(tokens_encode(vocabulary, text, NULL, &issues, &ids), OK, "%s", text);
    cr_expect_eq(ids.count, count, "%s: %zu tokens", text, ids.count);
    va_list wanted;
    va_start(wanted, count);
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(ids.items[i], va_arg(wanted, int), "%s: token %zu", text, i);
    va_end(wanted);
    cr_assert_not(issues_any(&issues));
    memory_free(ids.items);
}

Test(encoding, gives_each_token_its_id) {
    Vocabulary words = corpus(TOKENIZER_WORD, "to be or not to be to");
    expect_ids(&words, "To BE, or maybe...", 4, 2, 3, 5, TOKEN_UNKNOWN); // the most frequent first
    expect_ids(&words, "?!", 0);
    expect_ids(&words, "", 0);
    vocabulary_finish(&words);
    Vocabulary characters = corpus(TOKENIZER_CHAR, "caffè");
    expect_ids(&characters, "fèca", 4, 2, 3, 1, 0);
    vocabulary_finish(&characters);
    Vocabulary bytes = corpus(TOKENIZER_BYTE, "x");
    expect_ids(&bytes, "é\n", 3, 0xC3, 0xA9, '\n');
    vocabulary_finish(&bytes);
}

Test(encoding, names_each_unknown_character_and_its_first_place) {
    Vocabulary characters = corpus(TOKENIZER_CHAR, "abc");
    Issues issues;
    TokenIds ids;
    issues_init(&issues);
    cr_assert_eq(tokens_encode(&characters, "aßb\nßc\n🎉", PATH_KEY(NULL, "prompt"), &issues, &ids),
                 ERR_INVALID);
    static const char *const parts[] = {"has \"ß\" (U+00DF) as its character 2,",
                                        "(U+000A) as its character 4,",
                                        "\"🎉\" (U+1F389) as its character 8,"};
    cr_assert_eq(issues.count, ARRAY_LENGTH(parts));
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        cr_expect_str_eq(issues.items[i].pointer, "/prompt");
        cr_expect_not_null(strstr(issues.items[i].detail, parts[i]), "%s", issues.items[i].detail);
    }
    issues_finish(&issues);
    vocabulary_finish(&characters);
}

// The text of ids, looked at after each: it only grows, and is valid at any time.
static void expect_text(const Vocabulary *vocabulary, const int32_t *ids, size_t count,
                        const char *wanted) {
    TokenDecoder decoder = {.vocabulary = vocabulary};
    Text text;
    text_init(&text);
    for (size_t i = 0; i <= count; i++) {
        if (i < count)
            decoder_add(&decoder, ids[i], &text);
        else
            decoder_end(&decoder, &text);
        cr_assert_eq(utf8_check(text_string(&text), text.length), text.length);
        cr_assert_eq(strlen(text_string(&text)), text.length, "no NUL");
    }
    if (wanted != NULL)
        cr_expect_str_eq(text_string(&text), wanted);
    text_finish(&text);
}

static void expect_bytes(const char *bytes, size_t length, const char *wanted) {
    Vocabulary vocabulary = corpus(TOKENIZER_BYTE, "x");
    int32_t ids[64];
    for (size_t i = 0; i < length; i++)
        ids[i] = (unsigned char)bytes[i];
    expect_text(&vocabulary, ids, length, wanted);
    vocabulary_finish(&vocabulary);
}
#define BYTES(text, wanted) expect_bytes(text, sizeof(text) - 1, wanted)
#define BAD "\xEF\xBF\xBD"

Test(encoding, puts_blanks_between_words_and_nothing_between_characters) {
    Vocabulary words = corpus(TOKENIZER_WORD, "to be or not to be to");
    expect_text(&words, (int32_t[]){2, 3, 5, 4}, 4, "to be or not");
    vocabulary_finish(&words);
    Vocabulary characters = corpus(TOKENIZER_CHAR, "caffè");
    expect_text(&characters, (int32_t[]){2, 3, 3, 0}, 4, "fèèa");
    vocabulary_finish(&characters);
}

// As Python's bytes.decode("utf-8", "replace") and WHATWG's decoder have it.
Test(encoding, makes_whole_characters_of_bytes) {
    BYTES("a\xC3\xA9z \xE2\x82\xAC \xF0\x9F\x8E\x89", "aéz € 🎉");
    BYTES("\x80z", BAD "z");
    BYTES("\xC3z", BAD "z");
    BYTES("\xC3", BAD);
    BYTES("\xE2\x82", BAD);
    BYTES("\xE2\x82z", BAD "z");
    BYTES("\xE2\xE2\x82\xAC", BAD "€");
    BYTES("\xF0\x9F\x8E\xF0\x9F\x8E\x89", BAD "🎉");
    BYTES("\xF0\x9F\x8E", BAD);
    BYTES("\xF0\x9F\x8E\xC3", BAD BAD);
    BYTES("\xC0\xAF\xFF", BAD BAD BAD);
    BYTES("\xE0\x80\x80", BAD BAD BAD);
    BYTES("\xED\xA0\x80", BAD BAD BAD);
    BYTES("\xF4\x90\x80\x80", BAD BAD BAD BAD);
    BYTES("\xF4\x8F\xBF\xBF\xE0\xA0\x80\xED\x9F\xBF", "\U0010FFFF\u0800\uD7FF");
    BYTES("a\0b", "a" BAD "b");
}

Test(encoding, gives_valid_text_of_any_bytes) {
    Vocabulary vocabulary = corpus(TOKENIZER_BYTE, "x");
    static const unsigned char leads[] = {0xC3, 0xE0, 0xE2, 0xED, 0xEF,
                                          0xF0, 0xF4, 0x80, 0xBF, 0x41};
    for (uint64_t round = 0; round < 500; round++) {
        int32_t ids[64];
        Rng rng = rng_make(round, RNG_PROBE, 0, 0);
        for (size_t i = 0; i < ARRAY_LENGTH(ids); i++)
            ids[i] = round % 2 == 0 ? (int32_t)rng_below(&rng, 256)
                                    : leads[rng_below(&rng, ARRAY_LENGTH(leads))];
        expect_text(&vocabulary, ids, ARRAY_LENGTH(ids), NULL);
    }
    vocabulary_finish(&vocabulary);
}

Test(encoding, gives_everything_back_when_memory_runs_out) {
    Vocabulary characters = corpus(TOKENIZER_CHAR, "abc");
    int failures = 0;
    for (long nth = 1;; nth++) {
        Issues issues;
        TokenIds ids;
        issues_init(&issues);
        memory_fail_at(nth);
        int error = tokens_encode(&characters, "abxyz", NULL, &issues, &ids);
        memory_fail_at(0);
        bool failed = issues.failed;
        issues_finish(&issues);
        if (error == ERR_INVALID && !failed)
            break;
        cr_assert(error == ERR_NO_MEMORY || failed);
        failures++;
    }
    cr_assert_gt(failures, 2);
    vocabulary_finish(&characters);
}
