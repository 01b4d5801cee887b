// What a classifier takes for what, counted over rows that it was not trained on, and where it was surest and wrong.
#pragma once
#include "core/base/archive.h"
#include "core/base/value.h"

enum {
    CONFUSION_CLASSES_MAX = 200, // nobody reads a larger matrix, and it grows with the square
    CONFUSION_WORST = 20,
};

typedef struct Mistake {
    int64_t row;
    int32_t true_class, predicted;
    double probability; // of what was predicted
} Mistake;

typedef struct Confusion {
    int64_t classes;
    const char **names; // [classes], borrowed from the archive
    int64_t *counts;    // [classes, classes]: row the true one, column the predicted one
    Mistake worst[CONFUSION_WORST]; // [worst_count], the surest first
    int worst_count;
} Confusion;

// `archive`: whose section "class_names" names them. ERR_TOO_LARGE: more than CONFUSION_CLASSES_MAX. ERR_DAMAGED,
// ERR_NO_MEMORY.
int confusion_init(Confusion *confusion, const Archive *archive, int64_t classes);
void confusion_finish(Confusion *confusion);
// One row's true and predicted class.
void confusion_add(Confusion *confusion, const Mistake *row);
// {"classes", "matrix", "per_class": [{"class", "precision", "recall", "f1", "support"}], "worst": [{"row", "true",
// "predicted", "probability"}]} under `key`. What would divide by no rows is 0, as in scikit-learn.
void confusion_write(const Confusion *confusion, const char *key, const ValueWriter *out);
