#include <criterion/criterion.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/tokens/vocabulary.h"

// ---- cutting ----

static void note(void *context, const char *token, size_t length) {
    text_add_char(context, '|');
    text_add_bytes(context, token, length);
}

static void expect_tokens(TokenizerKind kind, const char *text, const char *wanted) {
    Text seen;
    Tokenizer tokenizer;
    text_init(&seen);
    cr_assert_eq(tokenizer_init(&tokenizer, kind, note, &seen), OK);
    tokenizer_run(&tokenizer, text, strlen(text));
    cr_expect_str_eq(text_string(&seen), wanted);
    tokenizer_finish(&tokenizer);
    text_finish(&seen);
}

Test(tokens, words_are_runs_of_letters_and_digits_in_lower_case) {
    expect_tokens(TOKENIZER_WORD, "Free entry: 2 tickets, TXT 87121!",
                  "|free|entry|2|tickets|txt|87121");
    expect_tokens(TOKENIZER_WORD, "don't", "|don|t");
    expect_tokens(TOKENIZER_WORD, "", "");
    expect_tokens(TOKENIZER_WORD, " ?! \n", "");
    expect_tokens(TOKENIZER_WORD, "Ärger ÉCOLE Straße ΛΌΓΟΣ Привет",
                  "|ärger|école|straße|λόγοσ|привет");
    expect_tokens(TOKENIZER_WORD, "日本語、テキスト", "|日本語|テキスト");
    expect_tokens(TOKENIZER_WORD, "£100 – €5 🎉ok", "|100|5|ok");
}

Test(tokens, characters_and_bytes_are_all_there) {
    expect_tokens(TOKENIZER_CHAR, "aÉ\n🎉", "|a|É|\n|🎉");
    expect_tokens(TOKENIZER_BYTE, "aÉ", "|a|\xC3|\x89");
}

Test(tokens, a_word_keeps_its_first_bytes) {
    char text[TOKEN_BYTES_MAX + 10], wanted[TOKEN_BYTES_MAX + 2];
    memset(text, 'A', sizeof text);
    memcpy(text + TOKEN_BYTES_MAX + 6, " b", 3);
    wanted[0] = '|';
    memset(wanted + 1, 'a', TOKEN_BYTES_MAX);
    wanted[TOKEN_BYTES_MAX + 1] = '\0';
    Text both;
    text_init(&both);
    text_add(&both, wanted);
    text_add(&both, "|b");
    expect_tokens(TOKENIZER_WORD, text, text_string(&both));
    text_finish(&both);
}

Test(tokens, leave_the_locale_of_the_process_alone) {
    const char *before = setlocale(LC_ALL, NULL);
    cr_assert_str_eq(before, "C");
    expect_tokens(TOKENIZER_WORD, "ÉCOLE", "|école");
    cr_assert_str_eq(setlocale(LC_ALL, NULL), "C");
}

// ---- counting and numbering ----

static TokenCounter counted(TokenizerKind kind, const char *text) {
    TokenCounter counter;
    Tokenizer tokenizer;
    cr_assert_eq(counter_init(&counter, kind), OK);
    cr_assert_eq(tokenizer_init(&tokenizer, kind, counter_take, &counter), OK);
    tokenizer_run(&tokenizer, text, strlen(text));
    tokenizer_finish(&tokenizer);
    cr_assert_eq(counter.error, OK);
    return counter;
}

static Vocabulary most_frequent(TokenizerKind kind, const char *text, int64_t size) {
    TokenCounter counter = counted(kind, text);
    int32_t *order;
    Vocabulary vocabulary;
    cr_assert_eq(counter_rank(&counter, &order), OK);
    cr_assert_eq(vocabulary_of_most_frequent(&counter, order, size, &vocabulary), OK);
    memory_free(order);
    counter_finish(&counter);
    return vocabulary;
}

static void expect_id(const Vocabulary *vocabulary, const char *token, int32_t id) {
    cr_expect_eq(vocabulary_id(vocabulary, token, strlen(token)), id, "%s: %d", token,
                 vocabulary_id(vocabulary, token, strlen(token)));
}

Test(tokens, the_most_frequent_come_first_and_ties_in_code_point_order) {
    Vocabulary vocabulary = most_frequent(TOKENIZER_WORD, "b a c. c b; é é z a c", 6);
    cr_assert_eq(vocabulary_size(&vocabulary), 6);
    expect_id(&vocabulary, "c", 2);
    expect_id(&vocabulary, "a", 3);
    expect_id(&vocabulary, "b", 4);
    expect_id(&vocabulary, "é", 5);
    expect_id(&vocabulary, "z", TOKEN_UNKNOWN);
    expect_id(&vocabulary, "nothing", TOKEN_UNKNOWN);
    vocabulary_finish(&vocabulary);
}

Test(tokens, a_vocabulary_is_no_larger_than_what_there_is) {
    Vocabulary vocabulary = most_frequent(TOKENIZER_CHAR, "abba", 100);
    cr_assert_eq(vocabulary_size(&vocabulary), 4);
    expect_id(&vocabulary, "a", 2);
    vocabulary_finish(&vocabulary);
    vocabulary = most_frequent(TOKENIZER_BYTE, "abba", 300);
    cr_assert_eq(vocabulary_size(&vocabulary), 257);
    expect_id(&vocabulary, "a", 'a' + 1);
    expect_id(&vocabulary, "\xFF", 256);
    vocabulary_finish(&vocabulary);
}

Test(tokens, a_corpus_has_exactly_its_characters_in_code_point_order) {
    TokenCounter counter = counted(TOKENIZER_CHAR, "to é\nbé");
    cr_assert_eq(counter.total, 7);
    cr_assert_eq(counter_distinct(&counter), 6);
    Vocabulary vocabulary;
    cr_assert_eq(vocabulary_of_all(&counter, &vocabulary), OK);
    const char *const wanted[] = {"\n", " ", "b", "o", "t", "é"};
    cr_assert_eq(vocabulary_size(&vocabulary), 6);
    Text text;
    text_init(&text);
    for (int32_t id = 0; id < 6; id++) {
        expect_id(&vocabulary, wanted[id], id);
        text_clear(&text);
        vocabulary_add(&vocabulary, id, &text);
        cr_expect_str_eq(text_string(&text), wanted[id]);
    }
    expect_id(&vocabulary, "x", TOKEN_NONE);
    expect_id(&vocabulary, "ü", TOKEN_NONE);
    text_finish(&text);
    vocabulary_finish(&vocabulary);
    counter_finish(&counter);
    counter = counted(TOKENIZER_BYTE, "ab");
    cr_assert_eq(vocabulary_of_all(&counter, &vocabulary), OK);
    cr_assert_eq(vocabulary_size(&vocabulary), 256);
    expect_id(&vocabulary, "b", 'b');
    vocabulary_finish(&vocabulary);
    counter_finish(&counter);
}

Test(tokens, are_ranked_by_how_often_they_come) {
    TokenCounter counter = counted(TOKENIZER_BYTE, "cabcac");
    int32_t *order;
    cr_assert_eq(counter_rank(&counter, &order), OK);
    cr_assert_eq(counter_distinct(&counter), 3);
    cr_assert_eq(order[0], 'c');
    cr_assert_eq(order[1], 'a');
    cr_assert_eq(order[2], 'b');
    memory_free(order);
    counter_finish(&counter);
}

// ---- in archives ----

static char folder[] = "/tmp/test_tokens_XXXXXX";

static void make_folder(void) {
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static void remove_folder(void) {
    unlink("v");
    rmdir(folder);
}

TestSuite(tokens_kept, .init = make_folder, .fini = remove_folder);

static ArchiveWriter *begin(void) {
    ArchiveWriter *writer;
    cr_assert_eq(archive_writer_create(AT_FDCWD, "v", &writer), OK);
    return writer;
}

static int load(ArchiveWriter *writer, Vocabulary *ret_vocabulary) {
    Archive *archive;
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    cr_assert_eq(archive_open(AT_FDCWD, "v", true, &archive), OK);
    int error = vocabulary_load(archive, ret_vocabulary);
    archive_close(archive);
    return error;
}

Test(tokens_kept, as_they_were) {
    const struct {
        TokenizerKind kind;
        const char *token;
    } cases[] = {{TOKENIZER_WORD, "é"}, {TOKENIZER_CHAR, "b"}, {TOKENIZER_BYTE, "b"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        Vocabulary first = most_frequent(cases[i].kind, "a b é", 300), second;
        ArchiveWriter *writer = begin();
        cr_assert_eq(vocabulary_save(&first, writer), OK);
        cr_assert_eq(load(writer, &second), OK);
        cr_assert_eq(second.kind, first.kind);
        cr_assert_eq(second.reserved, first.reserved);
        cr_assert_eq(vocabulary_size(&second), vocabulary_size(&first));
        cr_assert_eq(vocabulary_id(&second, cases[i].token, strlen(cases[i].token)),
                     vocabulary_id(&first, cases[i].token, strlen(cases[i].token)));
        vocabulary_finish(&first);
        vocabulary_finish(&second);
    }
}

static int load_sections(const char *tokenizer, const char *names, int64_t bytes) {
    ArchiveWriter *writer = begin();
    Vocabulary vocabulary;
    archive_add_text(writer, "tokenizer", tokenizer);
    archive_add(writer, "vocabulary", ARCHIVE_U8, 1, &bytes, names);
    int error = load(writer, &vocabulary);
    if (error == OK)
        vocabulary_finish(&vocabulary);
    return error;
}

Test(tokens_kept, and_refused_where_damaged) {
    cr_expect_eq(load_sections("word", "\0\0a\0b", 6), OK);
    cr_expect_eq(load_sections("byte", "", 1), OK);
    cr_expect_eq(load_sections("byte", "", 0), OK);
    cr_expect_eq(load_sections("syllable", "\0\0a\0b", 6), ERR_DAMAGED);
    cr_expect_eq(load_sections("word", "\0\0a\0b", 5), ERR_DAMAGED, "the last is not closed");
    cr_expect_eq(load_sections("word", "\0\0a\0a", 6), ERR_DAMAGED, "one stands twice");
    cr_expect_eq(load_sections("word", "\0\0a\0\0b", 7), ERR_DAMAGED, "an empty one");
    cr_expect_eq(load_sections("word", "\0\0\0a", 5), ERR_DAMAGED, "three reserved");
    cr_expect_eq(load_sections("byte", "\0a", 3), ERR_DAMAGED, "bytes have no names");
    cr_expect_eq(load_sections("char", "", 0), ERR_DAMAGED, "no token at all");
}

Test(tokens_kept, not_found_where_there_are_none) {
    Vocabulary vocabulary;
    cr_assert_eq(load(begin(), &vocabulary), ERR_NOT_FOUND);
}
