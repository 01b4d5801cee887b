#include "server/routes/sparkline.h"

#include <math.h>
#include "core/base/memory.h"

static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

void sparkline_write(Text *out, const double *numbers, size_t count, bool by_log) {
    double least = INFINITY, greatest = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(numbers[i]))
            continue;
        least = fmin(least, numbers[i]);
        greatest = fmax(greatest, numbers[i]);
    }
    bool logs = by_log && least > 0;
    double low = logs ? log(least) : least, high = logs ? log(greatest) : greatest;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(numbers[i])) {
            text_add(out, "×");
            continue;
        }
        double number = logs ? log(numbers[i]) : numbers[i];
        double height = high > low ? (number - low) / (high - low) : 0;
        size_t block = (size_t)(height * (double)ARRAY_LENGTH(blocks));
        text_add(out, blocks[block < ARRAY_LENGTH(blocks) ? block : ARRAY_LENGTH(blocks) - 1]);
    }
}
