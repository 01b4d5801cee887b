// Values through their reader, and the writer's shorthands: a key where one is given, then the
// value.
#include "core/base/value.h"
#include <math.h>
#include <string.h>

ValueKind value_kind(Value value) {
    return value.node != NULL ? value.reader->kind(value.node) : VALUE_MISSING;
}

bool value_boolean(Value value) {
    return value_kind(value) == VALUE_BOOLEAN && value.reader->boolean(value.node);
}

double value_number(Value value) {
    return value_kind(value) == VALUE_NUMBER ? value.reader->number(value.node) : 0;
}

const char *value_string(Value value) {
    return value_kind(value) == VALUE_STRING ? value.reader->string(value.node) : NULL;
}

static bool is_container(Value value) {
    ValueKind kind = value_kind(value);
    return kind == VALUE_ARRAY || kind == VALUE_OBJECT;
}

Value value_child(Value value) {
    if (!is_container(value)) {
        return VALUE_NONE;
    }
    return (Value){value.reader, value.reader->child(value.node)};
}

Value value_next(Value value) {
    if (value.node == NULL) {
        return VALUE_NONE;
    }
    return (Value){value.reader, value.reader->next(value.node)};
}

const char *value_key(Value value) {
    return value.node != NULL ? value.reader->key(value.node) : NULL;
}

Value value_member(Value object, const char *key) {
    if (value_kind(object) != VALUE_OBJECT) {
        return VALUE_NONE;
    }
    VALUE_FOREACH(member, object) {
        if (strcmp(value_key(member), key) == 0) {
            return member;
        }
    }
    return VALUE_NONE;
}

size_t value_length(Value value) {
    size_t length = 0;
    VALUE_FOREACH(item, value) {
        length++;
    }
    return length;
}

bool value_integer(Value value, int64_t minimum, int64_t maximum, int64_t *ret) {
    if (value_kind(value) != VALUE_NUMBER) {
        return false;
    }
    double number = value_number(value);
    // Compared as a double first: a number beyond int64 must not be converted at all.
    if (number != floor(number) || number < -0x1p63 || number >= 0x1p63) {
        return false;
    }
    int64_t integer = (int64_t)number;
    if (integer < minimum || integer > maximum) {
        return false;
    }
    *ret = integer;
    return true;
}

const char *value_kind_name(ValueKind kind) {
    static const char *const names[] = {
        [VALUE_MISSING] = "nothing",  [VALUE_NULL] = "null",       [VALUE_BOOLEAN] = "a boolean",
        [VALUE_NUMBER] = "a number",  [VALUE_STRING] = "a string", [VALUE_ARRAY] = "an array",
        [VALUE_OBJECT] = "an object",
    };
    return names[kind];
}

static void write_key(const ValueWriter *out, const char *key) {
    if (key != NULL) {
        out->key(out->context, key);
    }
}

void write_begin_object(const ValueWriter *out, const char *key) {
    write_key(out, key);
    out->begin_object(out->context);
}

void write_end_object(const ValueWriter *out) {
    out->end_object(out->context);
}

void write_begin_array(const ValueWriter *out, const char *key) {
    write_key(out, key);
    out->begin_array(out->context);
}

void write_end_array(const ValueWriter *out) {
    out->end_array(out->context);
}

void write_string(const ValueWriter *out, const char *key, const char *string) {
    write_key(out, key);
    out->string(out->context, string);
}

void write_number(const ValueWriter *out, const char *key, double number) {
    write_key(out, key);
    out->number(out->context, number);
}

void write_integer(const ValueWriter *out, const char *key, int64_t integer) {
    write_key(out, key);
    out->integer(out->context, integer);
}

void write_boolean(const ValueWriter *out, const char *key, bool boolean) {
    write_key(out, key);
    out->boolean(out->context, boolean);
}

void write_null(const ValueWriter *out, const char *key) {
    write_key(out, key);
    out->null(out->context);
}

void write_value(const ValueWriter *out, const char *key, Value value) {
    int64_t integer;
    switch (value_kind(value)) {
    case VALUE_MISSING:
    case VALUE_NULL:
        write_null(out, key);
        break;
    case VALUE_BOOLEAN:
        write_boolean(out, key, value_boolean(value));
        break;
    case VALUE_NUMBER:
        // Whole numbers that a double holds exactly stay whole in the copy.
        if (value_integer(value, -((int64_t)1 << 53), (int64_t)1 << 53, &integer)) {
            write_integer(out, key, integer);
        } else {
            write_number(out, key, value_number(value));
        }
        break;
    case VALUE_STRING:
        write_string(out, key, value_string(value));
        break;
    case VALUE_ARRAY:
        write_begin_array(out, key);
        VALUE_FOREACH(item, value) {
            write_value(out, NULL, item);
        }
        write_end_array(out);
        break;
    case VALUE_OBJECT:
        write_begin_object(out, key);
        VALUE_FOREACH(member, value) {
            write_value(out, value_key(member), member);
        }
        write_end_object(out);
        break;
    }
}
