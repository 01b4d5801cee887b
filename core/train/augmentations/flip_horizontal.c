// Left and right changed for one another, in every second image.
#include "core/train/augmentations/augmentations.h"

static void apply(const void *params, const AugmentRow *image, Rng *rng) {
    (void)params;
    if (rng_below(rng, 2) == 0)
        return;
    for (int64_t y = 0; y < image->height; y++) {
        Real *left = image->values + y * image->width * image->channels;
        Real *right = left + (image->width - 1) * image->channels;
        for (; left < right; left += image->channels, right -= image->channels)
            for (int64_t c = 0; c < image->channels; c++) {
                Real value = left[c];
                left[c] = right[c];
                right[c] = value;
            }
    }
}

const AugmentationDesc augmentation_flip_horizontal = {
    .desc = {.name = "flip_horizontal",
             .summary = "Mirrors every second image, left to right.",
             .probes = (const char *const[]){"{}", NULL}},
    .rows = AUGMENT_IMAGES,
    .apply = apply,
};
