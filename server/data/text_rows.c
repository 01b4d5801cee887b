// Texts of users as tokens, and tokens as text again. What the vocabulary does not know comes back as "[UNK]" among words and
// as U+FFFD among characters.
#include "server/data/text_rows.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/data/row_text.h"

// ---- reading ----

typedef struct TextReading {
    const Vocabulary *vocabulary;
    float *next, *end; // of the row under way
} TextReading;

static void take_token(void *context, const char *token, size_t length) {
    TextReading *reading = context;
    if (reading->next < reading->end) {
        *reading->next++ = (float)vocabulary_id(reading->vocabulary, token, length);
    }
}

// inputs [rows, max_length], zeroed: TOKEN_PADDING
static int read_texts(const Vocabulary *vocabulary, int64_t max_length, Span span,
                      const char *pointer, Issues *issues, float *inputs, int32_t *lengths) {
    TextReading reading = {.vocabulary = vocabulary};
    Tokenizer tokenizer;
    int result = tokenizer_init(&tokenizer, vocabulary->kind, take_token, &reading);
    if (result != OK) {
        return result;
    }
    Place place = {.before = pointer, .after = ""};
    Text text;
    text_init(&text);
    for (span_enter(&span); span_next(&span); place.row++) {
        if (span_kind(&span) != VALUE_STRING) {
            place_issue(&place, NULL, 0, issues, "must be a string, not %s",
                        value_kind_name(span_kind(&span)));
            span_skip(&span);
            continue;
        }
        span_string(&span, &text);
        float *row = reading.next = inputs + place.row * max_length;
        reading.end = row + max_length;
        tokenizer_run(&tokenizer, text_string(&text), text.length);
        lengths[place.row] = (int32_t)(reading.next - row);
        if (text.failed) {
            result = ERR_NO_MEMORY;
            break;
        }
    }
    text_finish(&text);
    tokenizer_finish(&tokenizer);
    return result;
}

int rows_read_texts(const Vocabulary *vocabulary, int64_t max_length, const char *texts,
                    size_t length, const char *pointer, Issues *issues, float **ret_inputs,
                    int32_t **ret_lengths, int64_t *ret_rows) {
    Span span = {.at = texts, .end = texts + length};
    int64_t rows = span_items(span);
    int result = rows_check_count(rows, max_length, pointer, issues);
    if (result != OK) {
        return result;
    }
    AUTO_FREE float *inputs = memory_array((size_t)(rows * max_length), sizeof *inputs);
    AUTO_FREE int32_t *lengths = memory_array((size_t)rows, sizeof *lengths);
    if (inputs == NULL || lengths == NULL) {
        return ERR_NO_MEMORY;
    }
    result = read_texts(vocabulary, max_length, span, pointer, issues, inputs, lengths);
    if (result == OK && issues_any(issues)) {
        result = issues->failed ? ERR_NO_MEMORY : ERR_INVALID;
    }
    if (result == OK) {
        *ret_inputs = TAKE(inputs);
        *ret_lengths = TAKE(lengths);
        *ret_rows = rows;
    }
    return result;
}

// ---- writing ----

static const char unknown_word[] = "[UNK]"; // Keras's
static const char unknown_character[] = "\xEF\xBF\xBD";

static void write_tokens(JsonOut *out, const char *key, const Vocabulary *vocabulary,
                         const Dataset *dataset, int64_t start, int64_t count, Text *text) {
    bool words = vocabulary->kind == TOKENIZER_WORD;
    text_clear(text);
    for (int64_t i = start; i < start + count; i++) {
        int32_t id = dataset->bytes != NULL ? dataset->bytes[i] : dataset->tokens[i];
        if (words && i > start) {
            text_add_char(text, ' ');
        }
        if (id < vocabulary->reserved) {
            text_add(text, words ? unknown_word : unknown_character);
        } else {
            vocabulary_add(vocabulary, id, text);
        }
    }
    json_string(out, key, text_string(text));
    out->text.failed |= text->failed;
}

void text_row_write(const Vocabulary *vocabulary, const Dataset *dataset, int64_t row,
                    double *values, Text *text, JsonOut *out) {
    if (dataset->starts != NULL) {
        write_tokens(out, "input", vocabulary, dataset, dataset->starts[row], dataset->lengths[row],
                     text);
        rows_write_target(dataset, row, values, out);
        return;
    }
    write_tokens(out, "input", vocabulary, dataset, row, 1, text);
    if (row + 1 < dataset->rows && row + 1 != dataset->text_tokens) {
        write_tokens(out, "target", vocabulary, dataset, row + 1, 1, text);
    } else {
        json_null(out, "target");
    }
}
