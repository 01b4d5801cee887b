// A corpus: {"text"}, with a tokenizer, and a text for testing ("test_inputs") whose tokens stand behind its own. The lifted
// strings are walked twice, character by character, and never copied: once to count their tokens, once to write the ids.
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/dataset.h"
#include "server/data/profile.h"
#include "server/data/tokens.h"

typedef struct Corpus {
    Draft draft;
    Span text, test;   // JSON strings; at NULL: not given
    int64_t test_from; // the first token of `test`
    TokenOptions options;
    TokenCounter counter;
    int32_t *order; // the counter's rank
    Vocabulary vocabulary;
    TokenWriter *writer;
} Corpus;

// Gives all of the string to `take`. body NULL: the tokenizer is known to work.
static int walk(const Body *body, const Corpus *corpus, Span text,
                void (*take)(void *context, const char *token, size_t length), void *context) {
    Tokenizer tokenizer = {0};
    int result = body != NULL ? tokens_begin(body, corpus->options.kind, &tokenizer, take, context)
                              : tokenizer_init(&tokenizer, corpus->options.kind, take, context);
    if (result != OK) {
        return result;
    }
    tokens_walk(&tokenizer, &text);
    tokenizer_finish(&tokenizer);
    return OK;
}

// ---- into the archive ----

static int write_corpus(Draft *draft) {
    Corpus *corpus = draft->inputs;
    TokenWriter *writer = corpus->writer = memory_new(TokenWriter);
    int result = writer == NULL ? ERR_NO_MEMORY : draft_begin(draft);
    if (result != OK) {
        return result;
    }
    writer->archive = draft->writer;
    writer->vocabulary = &corpus->vocabulary;
    writer->bytes = vocabulary_size(&corpus->vocabulary) <= TOKENS_BYTE;
    result = archive_begin(draft->writer, "tokens", writer->bytes ? ARCHIVE_U8 : ARCHIVE_I32);
    if (result == OK) {
        result = walk(NULL, corpus, corpus->text, token_writer_take, writer);
    }
    if (result == OK && corpus->test.at != NULL) {
        result = walk(NULL, corpus, corpus->test, token_writer_take, writer);
    }
    if (result == OK) {
        result = token_writer_flush(writer);
    }
    if (result == OK) {
        result = archive_end(draft->writer, 1, &draft->rows);
    }
    if (result == OK && corpus->test.at != NULL) {
        int64_t count = 1;
        result =
            archive_add(draft->writer, "test_from", ARCHIVE_I64, 1, &count, &corpus->test_from);
    }
    return result == OK ? vocabulary_save(&corpus->vocabulary, draft->writer) : result;
}

static int profile_corpus(Draft *draft, const Archive *archive, JsonOut *out) {
    (void)archive;
    const Corpus *corpus = draft->inputs;
    json_begin_array(out, "features");
    json_end_array(out);
    profile_write_classes(&draft->targets, out);
    tokens_profile(&corpus->counter, corpus->order, &corpus->vocabulary, out);
    tokens_find_unknown(&corpus->counter, &corpus->vocabulary, &draft->findings);
    return out->text.failed || draft->findings.out.text.failed ? ERR_NO_MEMORY : OK;
}

static const DraftForm draft_corpus = {
    .name = "corpus", .write = write_corpus, .profile = profile_corpus};

// ---- the object ----

static bool find_text(const Body *body, const char *key, Span *ret_span) {
    ValueKind kind = value_kind(value_member(body->value, key));
    const char *text;
    size_t length;
    if (kind != VALUE_STRING ||
        !document_lifted(body->document, body_pointer(body, key).text, &text, &length)) {
        BODY_ISSUE(body, key, "must be a string, not %s", value_kind_name(kind));
        return false;
    }
    *ret_span = (Span){
        .at = text, .end = text + length, .passed = document_mapped(body->document) ? text : NULL};
    return true;
}

static void count_one(void *count, const char *token, size_t length) {
    (void)token;
    (void)length;
    ++*(int64_t *)count;
}

// Words of the text for testing may be unknown ones; its characters and bytes are the corpus's as much as the others.
static int count_test(const Body *body, Corpus *corpus) {
    corpus->draft.rows = corpus->test_from = corpus->counter.total;
    if (corpus->test.at == NULL) {
        return OK;
    }
    bool words = corpus->options.kind == TOKENIZER_WORD;
    int result = words ? walk(body, corpus, corpus->test, count_one, &corpus->draft.rows)
                       : walk(body, corpus, corpus->test, counter_take, &corpus->counter);
    if (!words) {
        corpus->draft.rows = corpus->counter.total;
    }
    return result;
}

static int count_tokens(const Body *body, Corpus *corpus) {
    int result = counter_init(&corpus->counter, corpus->options.kind);
    if (result == OK) {
        result = walk(body, corpus, corpus->text, counter_take, &corpus->counter);
    }
    if (result == OK) {
        result = count_test(body, corpus);
    }
    if (result == OK) {
        result = tokens_counted(body, "text", &corpus->counter);
    }
    if (result == OK) {
        result = counter_rank(&corpus->counter, &corpus->order);
    }
    if (result == OK) {
        // Words have a place for those that are left out; of the others none is.
        result =
            corpus->options.kind == TOKENIZER_WORD
                ? vocabulary_of_most_frequent(&corpus->counter, corpus->order,
                                              corpus->options.vocabulary_size, &corpus->vocabulary)
                : vocabulary_of_all(&corpus->counter, &corpus->vocabulary);
    }
    return result;
}

static void check_size(const Body *body, const char *key, int64_t tokens) {
    if (tokens < 2 || tokens > INT32_MAX) {
        BODY_ISSUE(body, key, "must have from 2 to %d tokens, not %lld", INT32_MAX,
                   (long long)tokens);
    }
}

static int take_all(const Body *body, Corpus *corpus) {
    if (body->task != NULL && strcmp(body->task, "language_model") != 0) {
        BODY_ISSUE(body, "task",
                   "must be \"language_model\" where \"text\" is a corpus, not \"%s\"", body->task);
    }
    corpus->options = tokens_options(body, TOKENIZER_CHAR);
    if (corpus->options.kind != TOKENIZER_WORD && body_given(body, "vocabulary_size")) {
        BODY_ISSUE(body, "vocabulary_size",
                   "is for words; the vocabulary of a corpus of \"%s\" tokens is what is in it",
                   tokenizer_name(corpus->options.kind));
    }
    bool found = find_text(body, "text", &corpus->text);
    if (body_given(body, "test_inputs")) {
        found = find_text(body, "test_inputs", &corpus->test) && found;
    }
    if (!found || issues_any(body->issues)) {
        return OK;
    }
    int result = count_tokens(body, corpus);
    if (result != OK) {
        return result;
    }
    check_size(body, "text", corpus->test_from);
    if (corpus->test.at != NULL) {
        check_size(body, "test_inputs", corpus->draft.rows - corpus->test_from);
    }
    if (!issues_any(body->issues) && corpus->draft.rows > INT32_MAX) {
        BODY_ISSUE(body, "test_inputs", "must have at most %d tokens with those of \"text\"",
                   INT32_MAX);
    }
    return OK;
}

static int corpus_take(const Body *body, DatasetRow *ret_row) {
    Corpus corpus = {0};
    draft_init(&corpus.draft, body->directory, body->issues);
    corpus.draft.form = &draft_corpus;
    corpus.draft.inputs = &corpus;
    corpus.draft.targets.task = TASK_LANGUAGE_MODEL;
    int result = take_all(body, &corpus);
    if (result == OK) {
        result = draft_seal(&corpus.draft, body->name, NULL, ret_row);
    }
    counter_finish(&corpus.counter);
    vocabulary_finish(&corpus.vocabulary);
    memory_free(corpus.order);
    memory_free(corpus.writer);
    draft_finish(&corpus.draft);
    return result;
}

static const char *const others[] = {"test_inputs", "tokenizer", "vocabulary_size", NULL};

const IntakeForm intake_form_corpus = {.key = "text", .others = others, .take = corpus_take};
