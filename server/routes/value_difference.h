// Where two JSON values differ.
#pragma once
#include "server/base/json_out.h"

// An array under `key` of {"pointer", "from", "to"}, as deep down as objects and arrays go; null is as good as nothing.
void value_difference_write(JsonOut *out, const char *key, Value from, Value to);
