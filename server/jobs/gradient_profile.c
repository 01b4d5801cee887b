#include "server/jobs/gradient_profile.h"

#include <math.h>
#include <stdlib.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/table.h"

enum { LAYERS_MAX = 1 << 12 };

typedef struct Numbers {
    double *items; // [count]
    size_t count, capacity;
} Numbers;

typedef struct Gathered {
    Numbers (*numbers)[GRADIENT_COLUMNS]; // [layers]
    size_t layers;
} Gathered;

static void gathered_finish(Gathered *gathered) {
    for (size_t i = 0; i < gathered->layers; i++)
        for (int c = 0; c < GRADIENT_COLUMNS; c++)
            memory_free(gathered->numbers[i][c].items);
    memory_free(gathered->numbers);
}

static int numbers_add(Numbers *numbers, double number) {
    if (numbers->count == numbers->capacity) {
        size_t capacity = numbers->capacity > 0 ? 2 * numbers->capacity : 64;
        double *items = memory_resize(numbers->items, numbers->count, capacity, sizeof *items);
        if (items == NULL)
            return ERR_NO_MEMORY;
        numbers->items = items;
        numbers->capacity = capacity;
    }
    numbers->items[numbers->count++] = number;
    return OK;
}

static int row_add(Gathered *gathered, const TableView *view, const int *columns, size_t row) {
    double layer = table_value(view, columns[0], row);
    if (!(layer >= 0 && layer < LAYERS_MAX))
        return ERR_DAMAGED;
    size_t index = (size_t)layer;
    if (index >= gathered->layers) {
        void *grown = memory_resize(gathered->numbers, gathered->layers, index + 1,
                                    sizeof *gathered->numbers);
        if (grown == NULL)
            return ERR_NO_MEMORY;
        gathered->numbers = grown;
        gathered->layers = index + 1;
    }
    for (int c = 1; c < GRADIENT_COLUMNS; c++) {
        double value = columns[c] < 0 ? NAN : table_value(view, columns[c], row);
        int error = isnan(value) ? OK : numbers_add(&gathered->numbers[index][c], value);
        if (error != OK)
            return error;
    }
    return OK;
}

static int gather(void *context, const Record *record) {
    TableView view;
    int columns[GRADIENT_COLUMNS];
    int error = table_view(record->body, record->length, &view);
    for (int c = 0; error == OK && c < GRADIENT_COLUMNS; c++)
        columns[c] = table_column(&view, gradient_names[c]);
    if (error == OK && columns[0] < 0)
        error = ERR_DAMAGED;
    for (size_t row = 0; error == OK && row < view.rows; row++)
        error = row_add(context, &view, columns, row);
    return error;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(Numbers *numbers) {
    size_t half = numbers->count / 2;
    if (numbers->count == 0)
        return NAN;
    qsort(numbers->items, numbers->count, sizeof(double), compare);
    return numbers->count % 2 == 1 ? numbers->items[half]
                                   : (numbers->items[half - 1] + numbers->items[half]) / 2;
}

int gradient_profile_read(Store *store, const char *job, GradientProfile *ret_profile) {
    Gathered gathered = {0};
    GradientProfile profile = {0};
    int error = records_since(store, job, "gradients", 0, -1, gather, &gathered);
    if (error == OK) {
        profile.median = memory_array(gathered.layers, sizeof *profile.median);
        profile.layers = gathered.layers;
        error = profile.median == NULL ? ERR_NO_MEMORY : OK;
    }
    for (size_t i = 0; error == OK && i < gathered.layers; i++)
        for (int c = 0; c < GRADIENT_COLUMNS; c++)
            profile.median[i][c] = median_of(&gathered.numbers[i][c]);
    gathered_finish(&gathered);
    if (error == OK)
        *ret_profile = profile;
    return error;
}

void gradient_profile_finish(GradientProfile *profile) {
    memory_free(profile->median);
    *profile = (GradientProfile){0};
}
