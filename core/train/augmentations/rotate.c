// A turn about the image's centre by an angle from −degrees to degrees, all alike. The pixel at (x, y) from the centre
// becomes what lies at (x cos a + y sin a, −x sin a + y cos a), between its four neighbours in proportion (bilinear).
#include <string.h>
#include "core/train/augmentations/augmentations.h"

typedef struct RotateParams {
    double degrees;
} RotateParams;

static const ParamSpec params[] = {
    {.name = "degrees",
     .type = PARAM_NUMBER,
     .offset = offsetof(RotateParams, degrees),
     .default_number = 10,
     .minimum = 0,
     .above_minimum = true,
     .maximum = 180,
     .help = "the greatest angle, to either side"},
};

// Adds `share` of the pixel (y, x) of `from` to `pixel`; nothing where there is none.
static void add_pixel(const AugmentRow *image, const Real *from, double y, double x, double share,
                      Real *pixel) {
    if (y < 0 || x < 0 || y >= (double)image->height || x >= (double)image->width)
        return;
    from += ((int64_t)y * image->width + (int64_t)x) * image->channels;
    for (int64_t c = 0; c < image->channels; c++)
        pixel[c] += (Real)share * from[c];
}

static void apply(const void *untyped, const AugmentRow *image, Rng *rng) {
    const RotateParams *rotate = untyped;
    double angle = (2 * rng_uniform(rng) - 1) * rotate->degrees * M_PI / 180;
    double cosine = cos(angle), sine = sin(angle);
    double middle_y = (double)(image->height - 1) / 2, middle_x = (double)(image->width - 1) / 2;
    size_t bytes = (size_t)(image->height * image->width * image->channels) * sizeof(Real);
    memcpy(image->spare, image->values, bytes);
    memset(image->values, 0, bytes);
    Real *pixel = image->values;
    for (int64_t row = 0; row < image->height; row++) {
        for (int64_t column = 0; column < image->width; column++, pixel += image->channels) {
            double y = (double)row - middle_y, x = (double)column - middle_x;
            double from_y = middle_y + y * cosine - x * sine;
            double from_x = middle_x + x * cosine + y * sine;
            double top = floor(from_y), left = floor(from_x);
            double down = from_y - top, right = from_x - left;
            add_pixel(image, image->spare, top, left, (1 - down) * (1 - right), pixel);
            add_pixel(image, image->spare, top, left + 1, (1 - down) * right, pixel);
            add_pixel(image, image->spare, top + 1, left, down * (1 - right), pixel);
            add_pixel(image, image->spare, top + 1, left + 1, down * right, pixel);
        }
    }
}

const AugmentationDesc augmentation_rotate = {
    .desc = {.name = "rotate",
             .summary = "Turns images by a random angle.",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(RotateParams),
             .probes = (const char *const[]){"{}", "{\"degrees\": 180}", NULL}},
    .rows = AUGMENT_IMAGES,
    .apply = apply,
};
