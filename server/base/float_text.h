// Floats → the shortest decimal text that reads back as the same float.
#pragma once
#include <stddef.h>

enum { FLOAT_TEXT = 40 };

// `number` is finite. Written as printf's %.6g to %.9g would: with the first of these precisions that reads back. Returns the
// length; a NUL follows.
size_t float_write(float number, char text[FLOAT_TEXT]);
