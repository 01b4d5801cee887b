// Writing JSON text, without a tree: compact, in UTF-8, commas and escapes taken care of.
//
// Non-finite numbers become "NaN", "Infinity", "-Infinity"; doubles are printed in the shortest form that reads back.
#pragma once
#include "core/base/text.h"
#include "core/base/value.h"

typedef struct JsonOut {
    Text text;
    bool comma; // a value stands before the next one at this depth
} JsonOut;

void json_init(JsonOut *out);
void json_finish(JsonOut *out);
// Each value function takes its key, or NULL inside an array and at the top.
void json_begin_object(JsonOut *out, const char *key);
void json_end_object(JsonOut *out);
void json_begin_array(JsonOut *out, const char *key);
void json_end_array(JsonOut *out);
void json_string(JsonOut *out, const char *key, const char *string); // NULL writes null
void json_number(JsonOut *out, const char *key, double number);
void json_float(JsonOut *out, const char *key,
                float number); // shortest form that reads back as a float
void json_integer(JsonOut *out, const char *key, int64_t integer);
void json_boolean(JsonOut *out, const char *key, bool boolean);
void json_null(JsonOut *out, const char *key);
void json_raw(JsonOut *out, const char *key,
              const char *json);       // JSON text as it is; NULL writes null
ValueWriter json_writer(JsonOut *out); // the core's writer on it
