// JSON text, written as it comes. The one state is whether a comma is due; nesting is the caller's
// to close.
//
// What always holds: the text is valid UTF-8 whatever the strings were (a byte that is no character
// becomes U+FFFD), and a failed allocation is remembered by the text, so that a writer checks once
// at the end.
#include "server/base/json_out.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/utf8.h"
#include "server/base/float_text.h"

void json_init(JsonOut *out) {
    *out = (JsonOut){0};
    text_init(&out->text);
}

void json_finish(JsonOut *out) {
    text_finish(&out->text);
}

// The string with its quotes.
static void write_quoted(JsonOut *out, const char *string) {
    Text *text = &out->text;
    size_t left = strlen(string);
    text_add_char(text, '"');
    while (left > 0) {
        // All that needs no escape goes in one piece.
        size_t plain = 0;
        size_t step = 0;
        while (plain < left) {
            unsigned char c = (unsigned char)string[plain];
            if (c < 0x20 || c == '"' || c == '\\' || c == 0x7F) {
                break;
            }
            step = utf8_character(string + plain, left - plain);
            if (step == 0) {
                break;
            }
            plain += step;
        }
        text_add_bytes(text, string, plain);
        string += plain;
        left -= plain;
        if (left == 0) {
            break;
        }
        unsigned char c = (unsigned char)*string;
        switch (c) {
        case '"':
            text_add(text, "\\\"");
            break;
        case '\\':
            text_add(text, "\\\\");
            break;
        case '\b':
            text_add(text, "\\b");
            break;
        case '\f':
            text_add(text, "\\f");
            break;
        case '\n':
            text_add(text, "\\n");
            break;
        case '\r':
            text_add(text, "\\r");
            break;
        case '\t':
            text_add(text, "\\t");
            break;
        default:
            if (c < 0x80) {
                text_add_format(text, "\\u%04x", c);
            } else {
                text_add(text, "\xEF\xBF\xBD");
            }
        }
        string++;
        left--;
    }
    text_add_char(text, '"');
}

// What stands before any value: the comma that is due and the key.
static void before(JsonOut *out, const char *key) {
    if (out->comma) {
        text_add_char(&out->text, ',');
    }
    if (key != NULL) {
        write_quoted(out, key);
        text_add_char(&out->text, ':');
    }
    out->comma = true;
}

void json_begin_object(JsonOut *out, const char *key) {
    before(out, key);
    text_add_char(&out->text, '{');
    out->comma = false;
}

void json_end_object(JsonOut *out) {
    text_add_char(&out->text, '}');
    out->comma = true;
}

void json_begin_array(JsonOut *out, const char *key) {
    before(out, key);
    text_add_char(&out->text, '[');
    out->comma = false;
}

void json_end_array(JsonOut *out) {
    text_add_char(&out->text, ']');
    out->comma = true;
}

void json_string(JsonOut *out, const char *key, const char *string) {
    before(out, key);
    if (string == NULL) {
        text_add(&out->text, "null");
    } else {
        write_quoted(out, string);
    }
}

// Whole numbers that are exact in a double need no search; non-finite ones are strings. False:
// neither.
static bool write_special(JsonOut *out, double number) {
    if (isnan(number)) {
        text_add(&out->text, "\"NaN\"");
    } else if (isinf(number)) {
        text_add(&out->text, number > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    } else if (fabs(number) < 1e15 && number == floor(number) &&
               !(number == 0 && signbit(number))) {
        char digits[32];
        int length = snprintf(digits, sizeof digits, "%lld", (long long)number);
        text_add_bytes(&out->text, digits, (size_t)length);
    } else {
        return false;
    }
    return true;
}

void json_number(JsonOut *out, const char *key, double number) {
    before(out, key);
    if (write_special(out, number)) {
        return;
    }
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) == number) {
            break;
        }
    }
    text_add(&out->text, digits);
}

void json_float(JsonOut *out, const char *key, float number) {
    before(out, key);
    if (write_special(out, (double)number)) {
        return;
    }
    char digits[FLOAT_TEXT];
    text_add_bytes(&out->text, digits, float_write(number, digits));
}

void json_integer(JsonOut *out, const char *key, int64_t integer) {
    before(out, key);
    text_add_format(&out->text, "%lld", (long long)integer);
}

void json_boolean(JsonOut *out, const char *key, bool boolean) {
    before(out, key);
    text_add(&out->text, boolean ? "true" : "false");
}

void json_null(JsonOut *out, const char *key) {
    before(out, key);
    text_add(&out->text, "null");
}

void json_raw(JsonOut *out, const char *key, const char *json) {
    before(out, key);
    text_add(&out->text, json != NULL ? json : "null");
}

// ---- the core's writer: the key comes in a call of its own, after which no comma is due ----

static void writer_begin_object(void *context) {
    json_begin_object(context, NULL);
}

static void writer_end_object(void *context) {
    json_end_object(context);
}

static void writer_begin_array(void *context) {
    json_begin_array(context, NULL);
}

static void writer_end_array(void *context) {
    json_end_array(context);
}

static void writer_key(void *context, const char *key) {
    JsonOut *out = context;
    before(out, key);
    out->comma = false;
}

static void writer_string(void *context, const char *string) {
    json_string(context, NULL, string);
}

static void writer_number(void *context, double number) {
    json_number(context, NULL, number);
}

static void writer_integer(void *context, int64_t integer) {
    json_integer(context, NULL, integer);
}

static void writer_boolean(void *context, bool boolean) {
    json_boolean(context, NULL, boolean);
}

static void writer_null(void *context) {
    json_null(context, NULL);
}

ValueWriter json_writer(JsonOut *out) {
    return (ValueWriter){
        .context = out,
        .begin_object = writer_begin_object,
        .end_object = writer_end_object,
        .begin_array = writer_begin_array,
        .end_array = writer_end_array,
        .key = writer_key,
        .string = writer_string,
        .number = writer_number,
        .integer = writer_integer,
        .boolean = writer_boolean,
        .null = writer_null,
    };
}
