// A move by whole pixels, up or down and to a side: from −m to m each, all alike, with m the fraction of the height or width,
// rounded. What would move no image at all is refused.
#include "core/base/error.h"
#include "core/train/augmentations/image.h"

typedef struct ShiftParams {
    double fraction;
} ShiftParams;

static const ParamSpec params[] = {
    {.name = "fraction",
     .type = PARAM_NUMBER,
     .offset = offsetof(ShiftParams, fraction),
     .default_number = 0.1,
     .minimum = 0,
     .above_minimum = true,
     .maximum = 1,
     .below_maximum = true,
     .help = "of the height and width, the greatest move to either side"},
};

static int64_t most(const ShiftParams *shift, int64_t size) {
    return (int64_t)llround(shift->fraction * (double)size);
}

static int prepare(const void *untyped, const AugmentTask *task, const Path *path, Issues *issues,
                   Arena *arena, const void **ret_prepared) {
    (void)arena;
    *ret_prepared = untyped;
    if (most(untyped, task->height) > 0 || most(untyped, task->width) > 0)
        return OK;
    issues_add(issues, PATH_KEY(path, "fraction"),
               "is less than half a pixel of images of %lld by %lld", (long long)task->height,
               (long long)task->width);
    return ERR_INVALID;
}

static void apply(const void *untyped, const AugmentRow *image, Rng *rng) {
    int64_t down = image_offset(rng, most(untyped, image->height));
    int64_t right = image_offset(rng, most(untyped, image->width));
    image_move(image, down, right);
}

const AugmentationDesc augmentation_shift = {
    .desc = {.name = "shift",
             .summary = "Moves images by a random number of pixels.",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(ShiftParams),
             .probes = (const char *const[]){"{}", "{\"fraction\": 0.5}", NULL}},
    .rows = AUGMENT_IMAGES,
    .prepare = prepare,
    .apply = apply,
};
