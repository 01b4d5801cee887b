// Structured values (objects, arrays, strings, numbers) seen through a getter, and written through
// a writer: the core reads a spec and writes a plan without knowing JSON. server/json backs both.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ValueKind {
    VALUE_MISSING, // no such member
    VALUE_NULL,
    VALUE_BOOLEAN,
    VALUE_NUMBER,
    VALUE_STRING,
    VALUE_ARRAY,
    VALUE_OBJECT,
} ValueKind;

typedef struct ValueReader ValueReader;

// A borrowed view of one node; plain data, passed by value. {NULL, NULL} is VALUE_MISSING.
typedef struct Value {
    const ValueReader *reader;
    const void *node;
} Value;

struct ValueReader {
    ValueKind (*kind)(const void *node);
    bool (*boolean)(const void *node);
    double (*number)(const void *node);      // finite
    const char *(*string)(const void *node); // UTF-8, no NUL inside
    const void *(*child)(
        const void *node); // first item of an array or member of an object; NULL if none
    const void *(*next)(const void *node); // its next sibling; NULL at the end
    const char *(*key)(const void *node);  // of a member
};

#define VALUE_NONE ((Value){NULL, NULL})

ValueKind value_kind(Value value);
bool value_boolean(Value value);       // false unless a boolean
double value_number(Value value);      // 0 unless a number
const char *value_string(Value value); // NULL unless a string
Value value_child(Value value);        // VALUE_NONE where there is none
Value value_next(Value value);
const char *value_key(Value value);
Value value_member(Value object, const char *key); // exact, case-sensitive
size_t value_length(Value value);                  // of an array or object: walks it
// Whether the value is a whole number within the range; *ret only then.
bool value_integer(Value value, int64_t minimum, int64_t maximum, int64_t *ret);
const char *value_kind_name(ValueKind kind); // "an array", "a number", … for messages

// for (Value item = …) over an array or object:
#define VALUE_FOREACH(item, container)                                                             \
    for (Value item = value_child(container); item.node != NULL; item = value_next(item))

// Writing: calls come in document order; in an object every value is preceded by its key.
// Non-finite numbers become the strings "NaN", "Infinity", "-Infinity". Failures are remembered by
// the context.
typedef struct ValueWriter {
    void *context;
    void (*begin_object)(void *context);
    void (*end_object)(void *context);
    void (*begin_array)(void *context);
    void (*end_array)(void *context);
    void (*key)(void *context, const char *key);
    void (*string)(void *context, const char *string); // NULL writes null
    void (*number)(void *context, double number);
    void (*integer)(void *context, int64_t integer);
    void (*boolean)(void *context, bool boolean);
    void (*null)(void *context);
} ValueWriter;

void write_begin_object(const ValueWriter *out,
                        const char *key); // key NULL: inside an array or at the top
void write_end_object(const ValueWriter *out);
void write_begin_array(const ValueWriter *out, const char *key);
void write_end_array(const ValueWriter *out);
void write_string(const ValueWriter *out, const char *key, const char *string);
void write_number(const ValueWriter *out, const char *key, double number);
void write_integer(const ValueWriter *out, const char *key, int64_t integer);
void write_boolean(const ValueWriter *out, const char *key, bool boolean);
void write_null(const ValueWriter *out, const char *key);
// Copies a whole value.
void write_value(const ValueWriter *out, const char *key, Value value);
