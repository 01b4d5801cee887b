// A series as one line of text: a block of eight heights for each point.
#pragma once
#include <stddef.h>
#include "core/base/text.h"

// Spread over the finite numbers from the least to the greatest, by their logarithms where all are above 0 and `by_log` asks for
// it; × stands for what is no finite number.
void sparkline_write(Text *out, const double *numbers, size_t count, bool by_log);
