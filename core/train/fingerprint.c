// A ValueWriter that writes into a hash: each call adds its letter and what it was given, with the
// length of texts by their NUL, so that no two documents give the same bytes.
#include "core/train/fingerprint.h"
#include <string.h>

static void add(void *context, char letter, const void *data, size_t bytes) {
    hash_add(context, &letter, 1);
    hash_add(context, data, bytes);
}

static void add_text(void *context, char letter, const char *text) {
    add(context, letter, text, strlen(text) + 1);
}

static void begin_object(void *context) {
    add(context, '{', "", 0);
}
static void end_object(void *context) {
    add(context, '}', "", 0);
}
static void begin_array(void *context) {
    add(context, '[', "", 0);
}
static void end_array(void *context) {
    add(context, ']', "", 0);
}
static void key(void *context, const char *name) {
    add_text(context, 'k', name);
}
static void null(void *context) {
    add(context, 'n', "", 0);
}
static void string(void *context, const char *text) {
    if (text == NULL)
        null(context);
    else
        add_text(context, 's', text);
}
static void number(void *context, double value) {
    add(context, 'd', &value, sizeof(value));
}
static void integer(void *context, int64_t value) {
    add(context, 'i', &value, sizeof(value));
}
static void boolean(void *context, bool value) {
    add(context, value ? 't' : 'f', NULL, 0);
}

void job_fingerprint(const Job *job, char ret_sha256[HASH_TEXT]) {
    Hash hash;
    hash_init(&hash);
    const ValueWriter out = {.context = &hash,
                             .begin_object = begin_object,
                             .end_object = end_object,
                             .begin_array = begin_array,
                             .end_array = end_array,
                             .key = key,
                             .string = string,
                             .number = number,
                             .integer = integer,
                             .boolean = boolean,
                             .null = null};
    job_write_spec(job, &out);
    add_text(&hash, 'D', archive_sha256(job_dataset(job)->archive));
    uint8_t digest[HASH_BYTES];
    hash_end(&hash, digest);
    hash_text(digest, ret_sha256);
}
