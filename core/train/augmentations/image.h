// Moving the pixels of an image [height, width, channels]; what comes from outside is 0.
#pragma once
#include <string.h>
#include "core/train/augmentations/augmentations.h"

// By whole pixels, down and to the right.
static inline void image_move(const AugmentRow *image, int64_t down, int64_t right) {
    int64_t height = image->height, pixel = image->channels, line = image->width * pixel;
    int64_t skipped = right * pixel; // of a line, from its start or, below 0, from its end
    int64_t kept = skipped > 0 ? line - skipped : line + skipped;
    memcpy(image->spare, image->values, (size_t)(height * line) * sizeof(Real));
    memset(image->values, 0, (size_t)(height * line) * sizeof(Real));
    if (kept <= 0)
        return;
    for (int64_t y = down > 0 ? down : 0; y < height + (down < 0 ? down : 0); y++)
        memcpy(image->values + y * line + (skipped > 0 ? skipped : 0),
               image->spare + (y - down) * line - (skipped < 0 ? skipped : 0),
               (size_t)kept * sizeof(Real));
}

// One of −most … most, all alike.
static inline int64_t image_offset(Rng *rng, int64_t most) {
    return (int64_t)rng_below(rng, (uint64_t)(2 * most + 1)) - most;
}
