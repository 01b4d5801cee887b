// A border of zeros around the image, and a random part of the image's own size out of that: a move by −padding to padding
// pixels, up or down and to a side, all alike.
#include "core/base/error.h"
#include "core/train/augmentations/image.h"

typedef struct CropParams {
    int64_t padding;
} CropParams;

static const ParamSpec params[] = {
    {.name = "padding",
     .type = PARAM_INTEGER,
     .offset = offsetof(CropParams, padding),
     .default_number = 4,
     .minimum = 1,
     .maximum = 1e6,
     .help = "width of the border, in pixels"},
};

static int prepare(const void *untyped, const AugmentTask *task, const Path *path, Issues *issues,
                   Arena *arena, const void **ret_prepared) {
    (void)arena;
    const CropParams *crop = untyped;
    *ret_prepared = crop;
    int64_t least = task->height < task->width ? task->height : task->width;
    if (crop->padding < least)
        return OK;
    issues_add(issues, PATH_KEY(path, "padding"),
               "must be below %lld: a part of nothing but border could be taken out of images of "
               "%lld by %lld",
               (long long)least, (long long)task->height, (long long)task->width);
    return ERR_INVALID;
}

static void apply(const void *untyped, const AugmentRow *image, Rng *rng) {
    const CropParams *crop = untyped;
    int64_t down = image_offset(rng, crop->padding), right = image_offset(rng, crop->padding);
    image_move(image, down, right);
}

const AugmentationDesc augmentation_crop = {
    .desc = {.name = "crop",
             .summary = "Pads images with zeros and takes a random part of the old size.",
             .reference = "He et al. 2016, section 4.2",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(CropParams),
             .probes = (const char *const[]){"{}", "{\"padding\": 2}", NULL}},
    .rows = AUGMENT_IMAGES,
    .prepare = prepare,
    .apply = apply,
};
