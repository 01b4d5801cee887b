// The class_weight of cross_entropy, for whoever knows the classes.
#include <string.h>
#include "core/base/error.h"
#include "core/losses/losses.h"

static const double weight_max = 1e9;

static void balance(int64_t classes, const int64_t *counts, Real *weights) {
    double rows = 0;
    for (int64_t c = 0; c < classes; c++)
        rows += (double)counts[c];
    for (int64_t c = 0; c < classes; c++)
        weights[c] = counts[c] == 0 ? 1 : (Real)(rows / ((double)classes * (double)counts[c]));
}

int class_weights_read(Value value, int64_t classes, const int64_t *counts, const Path *path,
                       Issues *issues, Real *weights) {
    if (value_kind(value) == VALUE_STRING && strcmp(value_string(value), "balanced") == 0) {
        balance(classes, counts, weights);
        return OK;
    }
    if (value_kind(value) != VALUE_ARRAY || value_length(value) != (size_t)classes) {
        issues_add(issues, path, "must be \"balanced\" or a list of %lld numbers, one per class",
                   (long long)classes);
        return ERR_INVALID;
    }
    size_t i = 0;
    int result = OK;
    VALUE_FOREACH(item, value) {
        double weight = value_number(item);
        if (value_kind(item) != VALUE_NUMBER || !(weight > 0 && weight <= weight_max)) {
            issues_add(issues, PATH_INDEX(path, i), "must be a number above 0");
            result = ERR_INVALID;
        }
        weights[i++] = (Real)weight;
    }
    return result;
}
