// Texts: {"texts", "targets"}, with a tokenizer, a greatest length and a size of the vocabulary.
//
// Texts for testing ("test_inputs") stand behind the others. The lifted text is walked three times, character by
// character: how many there are (then the splits are known), how often each token comes (in what trains and validates, as
// far as a text is kept), and its ids into the archive. What is kept in memory is the counted tokens; a length for each text lies on disk.
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/dataset.h"
#include "server/data/profile.h"
#include "server/data/tokens.h"

enum { MAX_LENGTH_DEFAULT = 128, MAX_LENGTH_MAX = 1000000 };

typedef struct Texts {
    const Body *body;
    Draft draft;
    Names class_names;
    Span spans[2]; // of the arrays: the texts, and those for testing behind them
    int span_count;
    int64_t max_length, vocabulary_size;
    Tokenizer tokenizer;
    int64_t tokens; // of the text under way, so far
    bool counts;    // its tokens count for the vocabulary
    TokenCounter counter;
    int32_t *order; // the counter's rank
    Vocabulary vocabulary;
    TokenWriter *writer;
    Spool lengths; // int32_t of each, as it is kept
    int64_t kept;  // tokens in all
    // of the texts as they came:
    int64_t empty, cut, shortest, longest;
    double sum, squares;
} Texts;

// A token within the text's greatest length: counted, or written.
static void take_token(void *context, const char *token, size_t length) {
    Texts *texts = context;
    if (texts->tokens++ >= texts->max_length) {
        return;
    }
    if (texts->writer != NULL) {
        token_writer_take(texts->writer, token, length);
    } else if (texts->counts) {
        counter_take(&texts->counter, token, length);
    }
}

static void run_text(Texts *texts, Span *span) {
    texts->tokens = 0;
    tokens_walk(&texts->tokenizer, span);
}

// ---- the first walk ----

static int count_texts(Texts *texts, const char *key) {
    const Body *body = texts->body;
    Pointer pointer = body_pointer(body, key);
    Place place = {.before = pointer.text, .after = ""};
    Span span;
    if (!body_span(body, key, "row", &span)) {
        return OK;
    }
    texts->spans[texts->span_count++] = span;
    for (span_enter(&span); span_next(&span); place.row++) {
        if (span_kind(&span) != VALUE_STRING) {
            place_issue(&place, NULL, 0, body->issues, "must be a string, not %s",
                        value_kind_name(span_kind(&span)));
        }
        span_skip(&span);
    }
    if (place.row == 0) {
        BODY_ISSUE(body, key, "must have at least one text");
    }
    texts->draft.rows += place.row;
    if (texts->draft.rows > INT32_MAX) {
        BODY_ISSUE(body, key, "must have at most %d texts, with those for testing", INT32_MAX);
    }
    return body->issues->failed ? ERR_NO_MEMORY : OK;
}

// ---- the second ----

static int see_length(Texts *texts, int64_t row, int64_t length) {
    int32_t kept = (int32_t)(length < texts->max_length ? length : texts->max_length);
    texts->kept += kept;
    texts->empty += length == 0;
    texts->cut += length > texts->max_length;
    texts->shortest = row == 0 || length < texts->shortest ? length : texts->shortest;
    texts->longest = length > texts->longest ? length : texts->longest;
    texts->sum += (double)length;
    texts->squares += (double)length * (double)length;
    return spool_add(&texts->lengths, &kept, sizeof kept);
}

static int count_tokens(Texts *texts) {
    const Body *body = texts->body;
    const Draft *draft = &texts->draft;
    int64_t row = 0;
    int result = OK;
    for (int i = 0; i < texts->span_count; i++) {
        Span span = texts->spans[i];
        for (span_enter(&span); result == OK && span_next(&span); row++) {
            texts->counts = row < draft->test_from &&
                            (draft->splits == NULL || draft->splits[row] <= SPLIT_VALIDATION);
            run_text(texts, &span);
            result = see_length(texts, row, texts->tokens);
        }
    }
    if (result == OK) {
        result = tokens_counted(body, "texts", &texts->counter);
    }
    if (result == OK && texts->counter.total == 0 && !issues_any(body->issues)) {
        BODY_ISSUE(body, "texts", "have nothing in them that the tokenizer \"%s\" knows",
                   tokenizer_name(texts->tokenizer.kind));
    }
    if (result == OK) {
        result = counter_rank(&texts->counter, &texts->order);
    }
    if (result == OK) {
        result = vocabulary_of_most_frequent(&texts->counter, texts->order, texts->vocabulary_size,
                                             &texts->vocabulary);
    }
    return result;
}

// ---- the third, into the archive ----

static int write_tokens(Draft *draft, Texts *texts) {
    texts->writer = memory_new(TokenWriter);
    if (texts->writer == NULL) {
        return ERR_NO_MEMORY;
    }
    texts->writer->archive = draft->writer;
    texts->writer->vocabulary = &texts->vocabulary;
    int result = archive_begin(draft->writer, "tokens", ARCHIVE_I32);
    for (int i = 0; i < texts->span_count && result == OK; i++) {
        Span span = texts->spans[i];
        for (span_enter(&span); span_next(&span);) {
            run_text(texts, &span);
        }
    }
    if (result == OK) {
        result = token_writer_flush(texts->writer);
    }
    return result == OK ? archive_end(draft->writer, 1, &texts->kept) : result;
}

static int write_texts(Draft *draft) {
    Texts *texts = draft->inputs;
    int result = draft_begin(draft);
    if (result == OK) {
        result = write_tokens(draft, texts);
    }
    if (result == OK) {
        result = archive_begin(draft->writer, "lengths", ARCHIVE_I32);
    }
    if (result == OK) {
        result = spool_append(&texts->lengths, draft->writer);
    }
    if (result == OK) {
        result = archive_end(draft->writer, 1, &draft->rows);
    }
    if (result == OK) {
        int64_t one = 1;
        result = archive_add(draft->writer, "max_length", ARCHIVE_I64, 1, &one, &texts->max_length);
    }
    return result == OK ? vocabulary_save(&texts->vocabulary, draft->writer) : result;
}

// ---- the profile ----

static void find_cut(const Texts *texts, int64_t rows, Findings *findings) {
    JsonOut evidence;
    json_init(&evidence);
    json_begin_object(&evidence, NULL);
    json_integer(&evidence, "texts", texts->cut);
    json_integer(&evidence, "max_length", texts->max_length);
    json_integer(&evidence, "longest", texts->longest);
    json_end_object(&evidence);
    findings_add(findings, "texts_cut",
                 (double)texts->cut >= 0.1 * (double)rows ? "warning" : "info",
                 text_string(&evidence.text));
    findings->out.text.failed |= evidence.text.failed;
    json_finish(&evidence);
}

static void find_empty(const Texts *texts, Findings *findings) {
    JsonOut evidence;
    json_init(&evidence);
    json_begin_object(&evidence, NULL);
    json_integer(&evidence, "texts", texts->empty);
    json_end_object(&evidence);
    findings_add(findings, "empty_texts", "info", text_string(&evidence.text));
    findings->out.text.failed |= evidence.text.failed;
    json_finish(&evidence);
}

static int profile_texts(Draft *draft, const Archive *archive, JsonOut *out) {
    (void)archive;
    const Texts *texts = draft->inputs;
    double rows = (double)draft->rows, mean = texts->sum / rows;
    json_begin_array(out, "features");
    json_end_array(out);
    profile_write_classes(&draft->targets, out);
    json_begin_object(out, "lengths");
    json_number(out, "mean", mean);
    json_number(out, "std", sqrt(fmax(texts->squares / rows - mean * mean, 0)));
    json_integer(out, "min", texts->shortest);
    json_integer(out, "max", texts->longest);
    json_integer(out, "empty", texts->empty);
    json_integer(out, "cut", texts->cut);
    json_end_object(out);
    tokens_profile(&texts->counter, texts->order, &texts->vocabulary, out);
    profile_find_in_classes(&draft->targets, &draft->findings);
    if (texts->cut > 0) {
        find_cut(texts, draft->rows, &draft->findings);
    }
    if (texts->empty > 0) {
        find_empty(texts, &draft->findings);
    }
    tokens_find_unknown(&texts->counter, &texts->vocabulary, &draft->findings);
    return out->text.failed || draft->findings.out.text.failed ? ERR_NO_MEMORY : OK;
}

// ---- the form ----

static const DraftForm draft_texts = {
    .name = "texts", .write = write_texts, .profile = profile_texts};

static void texts_finish(Texts *texts) {
    tokenizer_finish(&texts->tokenizer);
    counter_finish(&texts->counter);
    vocabulary_finish(&texts->vocabulary);
    memory_free(texts->order);
    memory_free(texts->writer);
    spool_finish(&texts->lengths);
    names_finish(&texts->class_names);
    draft_finish(&texts->draft);
}

// Texts and their targets, behind what the draft has already.
static int take_pair(Texts *texts, const char *key, const char *targets) {
    const Body *body = texts->body;
    Draft *draft = &texts->draft;
    int64_t rows_before = draft->rows, targets_before = draft->targets.rows;
    size_t issues_before = body->issues->count;
    int result = count_texts(texts, key);
    if (result == OK) {
        result = body_targets(body, targets, "row", &draft->targets);
    }
    if (result == OK) {
        body_match(body, targets, draft->targets.rows - targets_before, key,
                   draft->rows - rows_before, issues_before);
    }
    return result;
}

// What stands in the object, checked; OK also where there are issues.
static int take_members(Texts *texts, TokenizerKind *ret_kind) {
    const Body *body = texts->body;
    Draft *draft = &texts->draft;
    if (body->task != NULL && strcmp(body->task, "language_model") == 0) {
        BODY_ISSUE(body, "task", "a language model needs one \"text\", not \"texts\"");
    }
    TokenOptions options = tokens_options(body, TOKENIZER_WORD);
    *ret_kind = options.kind;
    texts->vocabulary_size = options.vocabulary_size;
    texts->max_length = MAX_LENGTH_DEFAULT;
    body_integer(body, "max_length", 1, MAX_LENGTH_MAX, &texts->max_length);
    draft->shape = SHAPE(texts->max_length);
    bool has_test = body_has_test(body);
    int result = body_class_names(body, &texts->class_names);
    if (result == OK) {
        result = take_pair(texts, "texts", "targets");
    }
    draft->test_from = draft->rows;
    if (result == OK && has_test) {
        result = take_pair(texts, "test_inputs", "test_targets");
    }
    return result == OK && !has_test && !issues_any(body->issues)
               ? body_splits(body, draft->rows, &draft->splits)
               : result;
}

static int take_all(Texts *texts) {
    TokenizerKind kind;
    int result = take_members(texts, &kind);
    if (result != OK || issues_any(texts->body->issues)) {
        return result;
    }
    result = tokens_begin(texts->body, kind, &texts->tokenizer, take_token, texts);
    if (result == OK) {
        result = counter_init(&texts->counter, kind);
    }
    return result == OK ? count_tokens(texts) : result;
}

static int texts_take(const Body *body, DatasetRow *ret_row) {
    Texts texts = {.body = body};
    draft_init(&texts.draft, body->directory, body->issues);
    texts.draft.form = &draft_texts;
    texts.draft.inputs = &texts;
    spool_init(&texts.lengths, body->directory);
    int result = take_all(&texts);
    if (result == OK) {
        Pointer targets = body_pointer(body, "targets");
        Pointer task = body_pointer(body, "task");
        TargetsWish wish = {.task = body->task,
                            .class_names = &texts.class_names,
                            .pointer = targets.text,
                            .task_pointer = task.text};
        result = draft_seal(&texts.draft, body->name, &wish, ret_row);
    }
    texts_finish(&texts);
    return result;
}

static const char *const others[] = {"targets",   "test_inputs", "test_targets",
                                     "tokenizer", "max_length",  "vocabulary_size",
                                     "splits",    "class_names", NULL};

const IntakeForm intake_form_texts = {.key = "texts", .others = others, .take = texts_take};
