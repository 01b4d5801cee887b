// A corpus: {"text"}, with a tokenizer. The lifted string is walked twice, character by character, and never copied: once
// to count its tokens, once to write their ids.
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/dataset.h"
#include "server/data/profile.h"
#include "server/data/tokens.h"

typedef struct Corpus {
    Draft draft;
    const char *text,
        *end; // of the JSON string, from behind its opening quote to behind the closing one
    TokenOptions options;
    TokenCounter counter;
    int32_t *order; // the counter's rank
    Vocabulary vocabulary;
    TokenWriter *writer;
} Corpus;

// Gives all of the text to `take`. body NULL: the tokenizer is known to work.
static int walk(const Body *body, const Corpus *corpus,
                void (*take)(void *context, const char *token, size_t length), void *context) {
    Tokenizer tokenizer = {0};
    int result = body != NULL ? tokens_begin(body, corpus->options.kind, &tokenizer, take, context)
                              : tokenizer_init(&tokenizer, corpus->options.kind, take, context);
    if (result != OK) {
        return result;
    }
    const char *at = corpus->text;
    for (uint32_t point; at < corpus->end && span_key_next(&at, &point);) {
        tokenizer_push(&tokenizer, point);
    }
    tokenizer_end(&tokenizer);
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
        result = walk(NULL, corpus, token_writer_take, writer);
    }
    if (result == OK) {
        result = token_writer_flush(writer);
    }
    if (result == OK) {
        result = archive_end(draft->writer, 1, &draft->rows);
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

static bool find_text(const Body *body, Corpus *corpus) {
    ValueKind kind = value_kind(value_member(body->value, "text"));
    const char *text;
    size_t length;
    if (kind != VALUE_STRING ||
        !document_lifted(body->document, body_pointer(body, "text").text, &text, &length)) {
        BODY_ISSUE(body, "text", "must be a string, not %s", value_kind_name(kind));
        return false;
    }
    corpus->text = text + 1;
    corpus->end = text + length;
    return true;
}

static int count_tokens(const Body *body, Corpus *corpus) {
    int result = counter_init(&corpus->counter, corpus->options.kind);
    if (result == OK) {
        result = walk(body, corpus, counter_take, &corpus->counter);
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
    if (!find_text(body, corpus) || issues_any(body->issues)) {
        return OK;
    }
    int result = count_tokens(body, corpus);
    if (result != OK) {
        return result;
    }
    int64_t rows = corpus->draft.rows = corpus->counter.total;
    if (rows < 2 || rows > INT32_MAX) {
        BODY_ISSUE(body, "text", "must have from 2 to %d tokens, not %lld", INT32_MAX,
                   (long long)rows);
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

static const char *const others[] = {"tokenizer", "vocabulary_size", NULL};

const IntakeForm intake_form_corpus = {.key = "text", .others = others, .take = corpus_take};
