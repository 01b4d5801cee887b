// What the training rows were like, for the model: see core/model/drift.h. At most so many of them, evenly spread, as bound memory.
#include <string.h>
#include "core/base/error.h"
#include "core/model/drift.h"
#include "core/train/trainer_private.h"

enum { ROWS_MAX = 20000, NUMBERS_MAX = 4000000 };

typedef struct Describing {
    const Dataset *dataset;
    const Task *task;
    const Forecast *forecast; // NULL: none
    GraphData graphs;         // of many graphs
    float *values, *window;   // [input width]
} Describing;

static void describe_row(const Describing *describing, int32_t row, double *ret_numbers) {
    const Dataset *dataset = describing->dataset;
    const Task *task = describing->task;
    const float *values = describing->values;
    int64_t length = 0;
    if (task->rows == ROWS_GRAPHS) {
        drift_describe_graph(task, &describing->graphs, row, ret_numbers);
        return;
    }
    if (task->rows == ROWS_SEQUENCES) {
        length = dataset->lengths[row];
        for (int64_t t = 0; t < length; t++)
            describing->values[t] = (float)dataset->tokens[dataset->starts[row] + t];
    } else {
        values = dataset->inputs + row * dataset->stride;
    }
    drift_describe(task, describing->forecast, values, length, describing->window, ret_numbers);
}

static int save_rows(const Job *job, const Describing *describing, int64_t width,
                     ArchiveWriter *writer) {
    const JobRows *rows = job_rows(job);
    int64_t most = NUMBERS_MAX / width < ROWS_MAX ? NUMBERS_MAX / width : ROWS_MAX;
    int64_t count = rows->train_count < most ? rows->train_count : most;
    AUTO_FREE double *numbers =
        memory_array((size_t)count * (size_t)width, sizeof *numbers); // bounded: NUMBERS_MAX
    if (numbers == NULL)
        return ERR_NO_MEMORY;
    for (int64_t i = 0; i < count; i++)
        describe_row(describing, rows->train[i * rows->train_count / count], numbers + i * width);
    return drift_save(numbers, count, width, writer);
}

int drift_add(const Job *job, ArchiveWriter *writer) {
    const Dataset *dataset = job_dataset(job);
    const Task *task = &dataset->task;
    Describing describing = {.dataset = dataset, .task = task};
    Forecast forecast;
    int error = task->input.rank > 0
                    ? forecast_load(dataset->archive, shape_last(&task->input), &forecast)
                    : ERR_NOT_FOUND;
    if (error == OK)
        describing.forecast = &forecast;
    else if (error != ERR_NOT_FOUND)
        return error;
    int64_t width = drift_width(task, describing.forecast);
    if (width == 0)
        return OK;
    if (task->rows == ROWS_GRAPHS &&
        (error = graph_data_load(dataset->archive, true, &describing.graphs)) != OK)
        return error;
    size_t numbers = (size_t)shape_elements(&task->input);
    describing.values = memory_array(numbers, sizeof(float));
    describing.window = memory_array(numbers, sizeof(float));
    error = describing.values == NULL || describing.window == NULL
                ? ERR_NO_MEMORY
                : save_rows(job, &describing, width, writer);
    memory_free(describing.values);
    memory_free(describing.window);
    return error;
}
