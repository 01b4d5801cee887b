// The registry of augmentations.
#include "core/train/augmentations/augmentations.h"

#define ENTRY(name) extern const AugmentationDesc augmentation_##name;
#include "core/train/augmentations/augmentations.inc"
#undef ENTRY

static const Desc *const entries[] = {
#define ENTRY(name) &augmentation_##name.desc,
#include "core/train/augmentations/augmentations.inc"
#undef ENTRY
};

const Registry augmentation_registry = {"augmentation", entries, ARRAY_LENGTH(entries)};
