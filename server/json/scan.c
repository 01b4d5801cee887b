// A recursive descent over the bytes, each looked at once; the depth is bounded, so the stack is
// too.
//
// Refused: what is not UTF-8, a byte order mark, control characters and NUL in the raw, numbers
// outside the grammar or beyond the range of double, lone surrogates, text after the value, more
// than JSON_DEPTH_MAX levels; as ambiguous: a key that stands twice in its object (however it is
// escaped), U+0000 in a string, which C strings cannot carry.
//
// Keys of the objects that are open lie on one stack, each with the hash of its decoded characters.
// When an object ends, its keys are sorted by hash and text, so that equal ones are neighbours: n
// log n even where someone makes hashes collide.
#include "server/json/scan.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "server/json/document.h"
#include "server/json/numbers.h"
#include "server/json/span.h"

enum { CJSON_NUMBER_MAX = 60, KEYS_FEW = 8 }; // cJSON reads at most 63 characters of a number

typedef struct Frame { // where the scanner is: a chain on its stack
    const struct Frame *up;
    const char *key; // raw, behind its quote; NULL: `index` counts
    size_t index;
} Frame;

typedef struct Key {
    uint64_t hash;
    const char *raw; // behind the opening quote
} Key;

typedef struct Scanner {
    const char *start, *at, *end;
    const char *first, *passed; // source_start, and how far it was passed
    const char *const *lifted;
    const char *copied; // what lies before it is in scan.reduced
    Key *keys;          // [key_count], of all objects that are open
    size_t key_count, key_capacity;
    size_t elements;
    bool lifting; // inside a lifted array
    size_t lifted_bytes;
    Issues *issues;
    Text conflict, conflict_detail; // the first ambiguity: its pointer and what it is
    bool conflicted;
    Scan scan;
} Scanner;

static int scan_value(Scanner *s, const Frame *frame, int depth);

// ---- saying what is wrong ----

static int fail_at(Scanner *s, const char *place, const char *detail) {
    size_t line = 1;
    size_t column = 1;
    const char *passed = s->first;
    for (const char *c = s->start; c < place; c++) {
        source_pass(&passed, c);
        if (*c == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*c & 0xC0) != 0x80) {
            column++;
        }
    }
    issues_add_at(s->issues, "", "line %zu, column %zu (byte %zu): %s", line, column,
                  (size_t)(place - s->start), detail);
    return ERR_INVALID;
}

static int fail_expected(Scanner *s, const char *expected) {
    char detail[160];
    if (s->at >= s->end) {
        snprintf(detail, sizeof detail, "expected %s, but the text ends", expected);
    } else if (*s->at > 0x20 && *s->at < 0x7F) {
        snprintf(detail, sizeof detail, "expected %s, not '%c'", expected, *s->at);
    } else {
        snprintf(detail, sizeof detail, "expected %s, not the byte 0x%02X", expected,
                 (unsigned char)*s->at);
    }
    return fail_at(s, s->at, detail);
}

static void pointer_write(Text *text, const Frame *frame) {
    if (frame->up == NULL) {
        return;
    }
    pointer_write(text, frame->up);
    text_add_char(text, '/');
    if (frame->key == NULL) {
        text_add_format(text, "%zu", frame->index);
        return;
    }
    uint32_t point;
    for (const char *at = frame->key; span_key_next(&at, &point);) {
        char bytes[4];
        if (point == '~' || point == '/') {
            text_add(text, point == '~' ? "~0" : "~1");
        } else {
            text_add_bytes(text, bytes, utf8_write(point, bytes));
        }
    }
}

static void conflict(Scanner *s, const Frame *frame, const char *detail) {
    if (!s->conflicted) {
        s->conflicted = true;
        pointer_write(&s->conflict, frame);
        text_add(&s->conflict_detail, detail);
    }
}

// ---- lexical elements ----

static void skip_blanks(Scanner *s) {
    while (s->at < s->end &&
           (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t')) {
        s->at++;
        source_pass(&s->passed, s->at);
    }
}

static bool hex4(const Scanner *s, const char *at, uint32_t *ret) {
    if (s->end - at < 4) {
        return false;
    }
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        if (c >= '0' && c <= '9') {
            value = value << 4 | (uint32_t)(c - '0');
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            value = value << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        } else {
            return false;
        }
    }
    *ret = value;
    return true;
}

// The escape at s->at ('\\').
static int scan_escape(Scanner *s, const Frame *frame) {
    const char *start = s->at;
    if (s->end - s->at < 2 || s->at[1] == '\0' || strchr("\"\\/bfnrtu", s->at[1]) == NULL) {
        return fail_at(s, start,
                       "no such escape: a backslash goes before one of \" \\ / b f n r t u");
    }
    if (s->at[1] != 'u') {
        s->at += 2;
        return OK;
    }
    uint32_t unit;
    if (!hex4(s, s->at + 2, &unit)) {
        return fail_at(s, start, "\\u must be followed by four hexadecimal digits");
    }
    s->at += 6;
    if (unit == 0) {
        conflict(s, frame, "a string must not hold the character U+0000");
    }
    if (unit >= 0xDC00 && unit <= 0xDFFF) {
        return fail_at(s, start, "the second half of a surrogate pair stands alone");
    }
    if (unit >= 0xD800 && unit <= 0xDBFF) {
        uint32_t low;
        if (s->end - s->at < 6 || s->at[0] != '\\' || s->at[1] != 'u' ||
            !hex4(s, s->at + 2, &low) || low < 0xDC00 || low > 0xDFFF) {
            return fail_at(s, start, "the first half of a surrogate pair stands alone");
        }
        s->at += 6;
    }
    return OK;
}

// Over characters that need no look, at most a block of them.
static void skip_plain(Scanner *s) {
    const char *stop = source_block_end(s->at, s->end);
    while (s->at < stop && *s->at >= 0x20 && *s->at != '"' && *s->at != '\\') {
        s->at++;
    }
    source_pass(&s->passed, s->at);
}

// The string at s->at ('"').
static int scan_string(Scanner *s, const Frame *frame) {
    const char *start = s->at++;
    while (s->at < s->end) {
        skip_plain(s);
        if (s->at == s->end) {
            break;
        }
        unsigned char c = (unsigned char)*s->at;
        if (c == '"') {
            s->at++;
            return OK;
        }
        if (c == '\\') {
            int result = scan_escape(s, frame);
            if (result != OK) {
                return result;
            }
        } else if (c < 0x20) {
            return fail_at(s, s->at, "a control character inside a string must be escaped");
        } else if (c < 0x80) {
            s->at++; // only the first of a block that ended
        } else {
            size_t step = utf8_character(s->at, (size_t)(s->end - s->at));
            if (step == 0) {
                return fail_at(s, s->at, "this is not UTF-8");
            }
            s->at += step;
        }
    }
    return fail_at(s, start, "this string does not end");
}

// What is in the text up to `end` goes to the reduced one, then `instead`, and on from `behind`.
static void replace(Scanner *s, const char *end, const char *instead, const char *behind) {
    if ((size_t)(end - s->start) - s->lifted_bytes > SCAN_BYTES_MAX) {
        return; // which is refused at the end
    }
    text_add_bytes(&s->scan.reduced, s->copied, (size_t)(end - s->copied));
    text_add(&s->scan.reduced, instead);
    s->copied = behind;
    s->scan.reduced_used = true;
}

static int scan_number(Scanner *s) {
    const char *start = s->at;
    const char *stop = start;
    int result = number_check(start, s->end, &stop);
    s->at = stop;
    if (result == ERR_INVALID) {
        // The grammar breaks at a digit only behind a leading zero.
        return stop < s->end && *stop >= '0' && *stop <= '9'
                   ? fail_at(s, start, "a number must not begin with a zero before other digits")
                   : fail_expected(s, "a digit");
    }
    if (result == ERR_TOO_LARGE) {
        return fail_at(s, start, "this number is beyond the range of double precision");
    }
    if (result == OK && s->at - start > CJSON_NUMBER_MAX && !s->lifting) {
        char literal[40];
        double number;
        result = number_read(start, s->end, &stop, &number);
        if (result == OK) {
            snprintf(literal, sizeof literal, "%.17g", number);
            replace(s, start, literal, s->at);
        }
    }
    return result;
}

// Over the numbers of a lifted array that need no look, at most a block of them; how many they were.
static size_t skip_numbers(Scanner *s) {
    size_t count = numbers_check(&s->at, source_block_end(s->at, s->end));
    source_pass(&s->passed, s->at);
    skip_blanks(s);
    return count;
}

static int scan_word(Scanner *s, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(s->end - s->at) < length || memcmp(s->at, word, length) != 0) {
        return fail_expected(s, "a value");
    }
    s->at += length;
    return OK;
}

// ---- objects ----

static uint64_t key_hash(const char *raw) {
    uint64_t hash = 14695981039346656037u; // FNV-1a over the characters
    uint32_t point;
    while (span_key_next(&raw, &point)) {
        hash = (hash ^ point) * 1099511628211u;
    }
    return hash;
}

static int key_compare_text(const char *a, const char *b) {
    uint32_t left, right;
    for (;;) {
        bool more_left = span_key_next(&a, &left);
        bool more_right = span_key_next(&b, &right);
        if (!more_left || !more_right) {
            return more_left - more_right;
        }
        if (left != right) {
            return left < right ? -1 : 1;
        }
    }
}

static int key_compare(const void *a, const void *b) {
    const Key *left = a;
    const Key *right = b;
    if (left->hash != right->hash) {
        return left->hash < right->hash ? -1 : 1;
    }
    return key_compare_text(left->raw, right->raw);
}

static int key_push(Scanner *s, const char *raw) {
    if (s->key_count == s->key_capacity) {
        size_t capacity = s->key_capacity > 0 ? s->key_capacity * 2 : 64;
        Key *keys = memory_resize(s->keys, s->key_count, capacity, sizeof *keys);
        if (keys == NULL) {
            return ERR_NO_MEMORY;
        }
        s->keys = keys;
        s->key_capacity = capacity;
    }
    s->keys[s->key_count++] = (Key){key_hash(raw), raw};
    return OK;
}

// The object at `frame` has the keys from `first` on: takes them off the stack.
static void keys_check(Scanner *s, const Frame *frame, size_t first) {
    Key *keys = s->keys + first;
    size_t count = s->key_count - first;
    s->key_count = first;
    const char *twice = NULL;
    if (count <= KEYS_FEW) {
        for (size_t i = 1; i < count && twice == NULL; i++) {
            for (size_t j = 0; j < i; j++) {
                if (key_compare(&keys[i], &keys[j]) == 0) {
                    twice = keys[i].raw;
                }
            }
        }
    } else {
        qsort(keys, count, sizeof *keys, key_compare);
        for (size_t i = 1; i < count && twice == NULL; i++) {
            if (key_compare(&keys[i], &keys[i - 1]) == 0) {
                twice = keys[i].raw;
            }
        }
    }
    if (twice != NULL) {
        conflict(s, &(Frame){.up = frame, .key = twice}, "this key stands twice in its object");
    }
}

static int scan_object(Scanner *s, const Frame *frame, int depth) {
    size_t first_key = s->key_count;
    s->at++;
    skip_blanks(s);
    if (s->at < s->end && *s->at == '}') {
        s->at++;
        return OK;
    }
    for (;;) {
        if (s->at >= s->end || *s->at != '"') {
            return fail_expected(s, "a key in double quotes");
        }
        Frame member = {.up = frame, .key = s->at + 1};
        int result = scan_string(s, frame);
        if (result == OK && s->key_count - first_key >= SCAN_KEYS_MAX) {
            issues_add_at(s->issues, "", "an object has more than %d keys", SCAN_KEYS_MAX);
            return ERR_TOO_LARGE;
        }
        if (result == OK) {
            result = key_push(s, member.key);
        }
        if (result != OK) {
            return result;
        }
        skip_blanks(s);
        if (s->at >= s->end || *s->at != ':') {
            return fail_expected(s, "':'");
        }
        s->at++;
        skip_blanks(s);
        result = scan_value(s, &member, depth);
        if (result != OK) {
            return result;
        }
        skip_blanks(s);
        if (s->at < s->end && *s->at == '}') {
            s->at++;
            keys_check(s, frame, first_key);
            return OK;
        }
        if (s->at >= s->end || *s->at != ',') {
            return fail_expected(s, "',' or '}'");
        }
        s->at++;
        skip_blanks(s);
    }
}

// ---- arrays ----

static int scan_items(Scanner *s, const Frame *frame, int depth) {
    s->at++;
    skip_blanks(s);
    if (s->at < s->end && *s->at == ']') {
        s->at++;
        return OK;
    }
    Frame item = {.up = frame};
    for (;; item.index++) {
        if (s->lifting)
            item.index += skip_numbers(s);
        int result = scan_value(s, &item, depth);
        if (result != OK) {
            return result;
        }
        skip_blanks(s);
        if (s->at < s->end && *s->at == ']') {
            s->at++;
            return OK;
        }
        if (s->at >= s->end || *s->at != ',') {
            return fail_expected(s, "',' or ']'");
        }
        s->at++;
        skip_blanks(s);
    }
}

// Whether `frame` stands at the pointer's first `length` characters. (Pointers to lift have no
// escapes.)
static bool frame_matches(const Frame *frame, const char *pointer, size_t length) {
    if (frame->up == NULL || length == 0) {
        return frame->up == NULL && length == 0;
    }
    const char *slash = memrchr(pointer, '/', length);
    if (slash == NULL || frame->key == NULL) {
        return false;
    }
    const char *raw = frame->key;
    uint32_t point;
    for (const char *c = slash + 1; c < pointer + length; c++) {
        if (!span_key_next(&raw, &point) || point != (unsigned char)*c) {
            return false;
        }
    }
    return !span_key_next(&raw, &point) &&
           frame_matches(frame->up, pointer, (size_t)(slash - pointer));
}

static const char *lifted_pointer(const Scanner *s, const Frame *frame) {
    for (const char *const *pointer = s->lifted; pointer != NULL && *pointer != NULL; pointer++) {
        if (frame_matches(frame, *pointer, strlen(*pointer))) {
            return *pointer;
        }
    }
    return NULL;
}

// The array or string at s->at, which is lifted where its pointer says so.
static int scan_liftable(Scanner *s, const Frame *frame, int depth) {
    bool array = *s->at == '[';
    const char *pointer = s->lifting || frame->key == NULL ? NULL : lifted_pointer(s, frame);
    // A pointer can come up twice only by a key that stands twice, which is refused at its object's
    // end.
    if (pointer == NULL || s->scan.lift_count == SCAN_LIFTS_MAX) {
        return array ? scan_items(s, frame, depth) : scan_string(s, frame);
    }
    const char *start = s->at;
    s->lifting = true;
    int result = array ? scan_items(s, frame, depth) : scan_string(s, frame);
    s->lifting = false;
    if (result == OK) {
        s->scan.lifts[s->scan.lift_count++] = (ScanLift){pointer, start, (size_t)(s->at - start)};
        replace(s, start, array ? "[]" : "\"\"", s->at);
        s->lifted_bytes += (size_t)(s->at - start);
    }
    return result;
}

static int scan_value(Scanner *s, const Frame *frame, int depth) {
    if (!s->lifting && ++s->elements > SCAN_ELEMENTS_MAX) {
        issues_add_at(s->issues, "", "the document has more than %d values", SCAN_ELEMENTS_MAX);
        return ERR_TOO_LARGE;
    }
    if (s->at >= s->end) {
        return fail_expected(s, "a value");
    }
    source_pass(&s->passed, s->at);
    switch (*s->at) {
    case '{':
    case '[':
        if (depth == JSON_DEPTH_MAX) {
            return fail_at(s, s->at, "this is nested too deep");
        }
        return *s->at == '{' ? scan_object(s, frame, depth + 1)
                             : scan_liftable(s, frame, depth + 1);
    case '"':
        return scan_liftable(s, frame, depth);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    case '-':
    case '0' ... '9':
        return scan_number(s);
    default:
        return fail_expected(s, "a value");
    }
}

// The whole text: one value and nothing else.
static int scan_text(Scanner *s) {
    skip_blanks(s);
    if (s->at == s->end) {
        issues_add_at(s->issues, "", "the text is empty");
        return ERR_INVALID;
    }
    if (s->end - s->at >= 3 && memcmp(s->at, "\xEF\xBB\xBF", 3) == 0) {
        return fail_at(s, s->at, "JSON must not begin with a byte order mark");
    }
    int result = scan_value(s, &(Frame){0}, 0);
    if (result != OK) {
        return result;
    }
    skip_blanks(s);
    if (s->at < s->end) {
        return fail_expected(s, "the end of the text");
    }
    if (s->conflicted) {
        issues_add_at(s->issues, text_string(&s->conflict), "%s", text_string(&s->conflict_detail));
        return ERR_CONFLICT;
    }
    if ((size_t)(s->end - s->start) - s->lifted_bytes > SCAN_BYTES_MAX) {
        issues_add_at(s->issues, "", "the document has more than %d bytes outside its arrays",
                      SCAN_BYTES_MAX);
        return ERR_TOO_LARGE;
    }
    if (s->scan.reduced_used) {
        replace(s, s->end, "", s->end);
    }
    return OK;
}

int scan_json(const Source *source, const char *const *lifted, Issues *issues, Scan *ret_scan) {
    Scanner s = {.start = source->text,
                 .at = source->text,
                 .end = source->text + source->length,
                 .first = source_start(source),
                 .passed = source_start(source),
                 .lifted = lifted,
                 .copied = source->text,
                 .issues = issues};
    text_init(&s.scan.reduced);
    text_init(&s.conflict);
    text_init(&s.conflict_detail);
    int result = scan_text(&s);
    if (issues->failed || s.scan.reduced.failed || s.conflict.failed || s.conflict_detail.failed) {
        result = ERR_NO_MEMORY;
    }
    memory_free(s.keys);
    text_finish(&s.conflict);
    text_finish(&s.conflict_detail);
    if (result == OK) {
        *ret_scan = s.scan;
    } else {
        scan_finish(&s.scan);
    }
    return result;
}

void scan_finish(Scan *scan) {
    text_finish(&scan->reduced);
}
