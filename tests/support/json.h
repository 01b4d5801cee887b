// JSON for tests: values read from a text literal, and a writer into a text. It trusts its input (a
// probe, a test's spec), stops the process at a mistake in it, and knows no escapes but \" \\ \n.
// The service's own reader is server/json.
#pragma once
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/base/value.h"

// Lives as long as the arena.
Value json_value(Arena *arena, const char *text);

// Writes compact JSON ({"a":1,"b":[true,null]}) into `text`.
typedef struct JsonWriter {
    Text text;
    bool needs_comma;
} JsonWriter;

void json_writer_init(JsonWriter *writer);
void json_writer_finish(JsonWriter *writer);
ValueWriter json_value_writer(JsonWriter *writer);
