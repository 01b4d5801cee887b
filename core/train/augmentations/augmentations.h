// The registry of augmentations: random changes to training rows, so that the net does not learn rows by heart.
//
// Each changes one row in place, as it is after scaling: places that an image has no pixels for become 0 (black, or the
// mean of what is standardised). It draws from the generator that it is given and from nothing else.
//
// Probes hold parameters: {"degrees": 30}.
#pragma once
#include <math.h>
#include <stddef.h>
#include "core/base/descriptor.h"
#include "core/base/real.h"
#include "core/base/rng.h"
#include "core/tokens/vocabulary.h"

// Which rows an augmentation fits.
typedef enum AugmentationRows {
    AUGMENT_IMAGES,  // [height, width, channels]
    AUGMENT_NUMBERS, // any but token ids
    AUGMENT_TEXTS,   // token ids with one target for all
} AugmentationRows;

typedef struct AugmentRow {
    int64_t height, width, channels; // of images
    int64_t count;                   // numbers, or tokens without the padding
    Real *values;                    // [count]
    Real *spare;                     // [count] to work in
} AugmentRow;

// What an augmentation gets to know of a job's rows before the first of them.
typedef struct AugmentTask {
    int64_t height, width;        // of images
    const Vocabulary *vocabulary; // of texts
} AugmentTask;

typedef struct AugmentationDesc {
    Desc desc;
    AugmentationRows rows;
    // Whether the parameters fit the rows; ERR_INVALID with issues under `path`. ret_prepared (in `arena`) is what `apply`
    // gets in place of the parameters. NULL: all fit, and apply gets the parameters.
    int (*prepare)(const void *params, const AugmentTask *task, const Path *path, Issues *issues,
                   Arena *arena, const void **ret_prepared);
    void (*apply)(const void *prepared, const AugmentRow *row, Rng *rng);
} AugmentationDesc;

extern const Registry augmentation_registry; // "augmentation"
