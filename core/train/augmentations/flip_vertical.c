// Top and bottom changed for one another, in every second image.
#include <string.h>
#include "core/train/augmentations/augmentations.h"

static void apply(const void *params, const AugmentRow *image, Rng *rng) {
    (void)params;
    if (rng_below(rng, 2) == 0)
        return;
    int64_t line = image->width * image->channels;
    size_t bytes = (size_t)line * sizeof(Real);
    for (int64_t y = 0; y < image->height / 2; y++) {
        Real *top = image->values + y * line;
        Real *bottom = image->values + (image->height - 1 - y) * line;
        memcpy(image->spare, top, bytes);
        memcpy(top, bottom, bytes);
        memcpy(bottom, image->spare, bytes);
    }
}

const AugmentationDesc augmentation_flip_vertical = {
    .desc = {.name = "flip_vertical",
             .summary = "Mirrors every second image, top to bottom.",
             .probes = (const char *const[]){"{}", NULL}},
    .rows = AUGMENT_IMAGES,
    .apply = apply,
};
