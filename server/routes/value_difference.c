#include "server/routes/value_difference.h"

#include <stdio.h>
#include <string.h>

typedef struct Walk {
    JsonOut *out;
    Text pointer;
} Walk;

static void walk(Walk *at, Value from, Value to);

static bool is_nothing(Value value) {
    return value_kind(value) == VALUE_MISSING || value_kind(value) == VALUE_NULL;
}

static bool scalars_equal(Value a, Value b) {
    switch (value_kind(a)) {
    case VALUE_BOOLEAN:
        return value_boolean(a) == value_boolean(b);
    case VALUE_NUMBER:
        return value_number(a) == value_number(b);
    case VALUE_STRING:
        return strcmp(value_string(a), value_string(b)) == 0;
    default:
        return true;
    }
}

static void pointer_shorten(Text *pointer, size_t length) {
    if (pointer->data == NULL || pointer->failed)
        return;
    pointer->length = length;
    pointer->data[length] = '\0';
}

// Into a member: '~' and '/' of its key escaped (RFC 6901).
static void walk_member(Walk *at, const char *key, Value from, Value to) {
    size_t length = at->pointer.length;
    text_add_char(&at->pointer, '/');
    for (; *key != '\0'; key++) {
        if (*key == '~' || *key == '/')
            text_add(&at->pointer, *key == '~' ? "~0" : "~1");
        else
            text_add_char(&at->pointer, *key);
    }
    walk(at, from, to);
    pointer_shorten(&at->pointer, length);
}

static void walk_objects(Walk *at, Value from, Value to) {
    VALUE_FOREACH(member, from) {
        const char *key = value_key(member);
        walk_member(at, key, member, value_member(to, key));
    }
    VALUE_FOREACH(member, to) {
        const char *key = value_key(member);
        if (value_kind(value_member(from, key)) == VALUE_MISSING)
            walk_member(at, key, VALUE_NONE, member);
    }
}

static void walk_arrays(Walk *at, Value from, Value to) {
    Value left = value_child(from), right = value_child(to);
    for (size_t index = 0; left.node != NULL || right.node != NULL; index++) {
        char key[24];
        snprintf(key, sizeof key, "%zu", index);
        walk_member(at, key, left, right);
        left = left.node == NULL ? left : value_next(left);
        right = right.node == NULL ? right : value_next(right);
    }
}

static void write_side(JsonOut *out, const char *key, Value value) {
    ValueWriter writer = json_writer(out);
    if (is_nothing(value))
        json_null(out, key);
    else
        write_value(&writer, key, value);
}

static void walk(Walk *at, Value from, Value to) {
    bool same_kind = value_kind(from) == value_kind(to);
    if (is_nothing(from) && is_nothing(to))
        return;
    if (same_kind && value_kind(from) == VALUE_OBJECT) {
        walk_objects(at, from, to);
    } else if (same_kind && value_kind(from) == VALUE_ARRAY) {
        walk_arrays(at, from, to);
    } else if (!same_kind || !scalars_equal(from, to)) {
        json_begin_object(at->out, NULL);
        json_string(at->out, "pointer", text_string(&at->pointer));
        write_side(at->out, "from", from);
        write_side(at->out, "to", to);
        json_end_object(at->out);
    }
}

void value_difference_write(JsonOut *out, const char *key, Value from, Value to) {
    Walk at = {.out = out};
    text_init(&at.pointer);
    json_begin_array(out, key);
    walk(&at, from, to);
    json_end_array(out);
    out->text.failed |= at.pointer.failed;
    text_finish(&at.pointer);
}
