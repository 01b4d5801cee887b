// The names of the series of GET /v1/jobs/{id}/metrics, in the contract's order: what workers may
// say and users ask for.
#pragma once

//  X(name)
#define METRIC_SERIES(X)                                                                           \
    X(train_loss)                                                                                  \
    X(val_loss)                                                                                    \
    X(train_accuracy)                                                                              \
    X(val_accuracy)                                                                                \
    X(val_mae)                                                                                     \
    X(val_rmse)                                                                                    \
    X(val_r2)                                                                                      \
    X(val_perplexity)                                                                              \
    X(learning_rate)                                                                               \
    X(samples_per_second)                                                                          \
    X(gradient_norm)                                                                               \
    X(clipped_gradient_norm)

enum MetricSeries {
#define X(name) METRIC_##name,
    METRIC_SERIES(X) METRIC_COUNT
#undef X
};

extern const char *const metric_names[]; // [METRIC_COUNT]
extern const char
    *const gradient_names[]; // [GRADIENT_COLUMNS]: "layer", then LayerStatistics' fields
enum { GRADIENT_COLUMNS = 8 };
int metric_find(const char *name);   // −1
int gradient_find(const char *name); // −1; 0 is "layer"
