// Opens a dataset's archive and checks every section against the others: after that nothing in
// training asks again whether a class number or a shape is within its bounds. An archive that
// breaks a rule is damaged.
#include "core/train/dataset.h"
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

// Rows are numbered by int32 in orders and splits.
enum { DATASET_ROWS_MAX = INT32_MAX };

static int read_task(Dataset *dataset) {
    AUTO_FREE char *name = archive_text(dataset->archive, "task");
    if (name == NULL || task_parse(name, &dataset->task.kind) != OK)
        return ERR_DAMAGED;
    return OK;
}

static int read_inputs(Dataset *dataset) {
    const ArchiveSection *inputs = archive_typed(dataset->archive, "inputs", ARCHIVE_F32);
    if (inputs == NULL || inputs->rank < 1 || inputs->rank > SHAPE_RANK_MAX ||
        inputs->dims[0] < 1 || inputs->dims[0] > DATASET_ROWS_MAX)
        return ERR_DAMAGED;
    dataset->rows = inputs->dims[0];
    dataset->inputs = inputs->data;
    Shape *shape = &dataset->task.input;
    shape->rank = inputs->rank - 1;
    memcpy(shape->dim, inputs->dims + 1, (size_t)shape->rank * sizeof(*shape->dim));
    if (shape->rank == 0) // rows of one number
        *shape = SHAPE(1);
    dataset->input_width = shape_elements(shape);
    return dataset->input_width > 0 ? OK : ERR_DAMAGED;
}

// How many names, each closed by its NUL; 0 where the section is broken.
static int64_t count_names(const ArchiveSection *section) {
    const char *names = section->data;
    if (section->bytes == 0 || names[section->bytes - 1] != '\0')
        return 0;
    int64_t count = 0;
    for (size_t i = 0; i < section->bytes; i++)
        count += names[i] == '\0';
    return count;
}

static int read_classes(Dataset *dataset) {
    const ArchiveSection *targets = archive_typed(dataset->archive, "targets", ARCHIVE_I32);
    const ArchiveSection *names = archive_typed(dataset->archive, "class_names", ARCHIVE_U8);
    if (targets == NULL || targets->rank != 1 || targets->dims[0] != dataset->rows || names == NULL)
        return ERR_DAMAGED;
    dataset->classes = targets->data;
    dataset->task.outputs = count_names(names);
    for (int64_t i = 0; i < dataset->rows; i++)
        if (dataset->classes[i] < 0 || dataset->classes[i] >= dataset->task.outputs)
            return ERR_DAMAGED;
    return OK;
}

static int read_values(Dataset *dataset) {
    const ArchiveSection *targets = archive_typed(dataset->archive, "targets", ARCHIVE_F32);
    if (targets == NULL || targets->rank < 1 || targets->rank > 2 ||
        targets->dims[0] != dataset->rows)
        return ERR_DAMAGED;
    dataset->values = targets->data;
    dataset->task.outputs = targets->rank == 2 ? targets->dims[1] : 1;
    if (dataset->task.outputs < 1)
        return ERR_DAMAGED;
    for (int64_t i = 0; i < dataset->rows * dataset->task.outputs; i++)
        if (!isfinite(dataset->values[i]))
            return ERR_DAMAGED;
    return OK;
}

static int read_splits(Dataset *dataset) {
    const ArchiveSection *splits = archive_find(dataset->archive, "splits");
    if (splits == NULL)
        return OK;
    if (splits->type != ARCHIVE_U8 || splits->rank != 1 || splits->dims[0] != dataset->rows)
        return ERR_DAMAGED;
    dataset->splits = splits->data;
    for (int64_t i = 0; i < dataset->rows; i++)
        if (dataset->splits[i] > SPLIT_TEST)
            return ERR_DAMAGED;
    return OK;
}

static int read_sections(Dataset *dataset) {
    int error = read_task(dataset);
    if (error == OK)
        error = read_inputs(dataset);
    if (error == OK)
        switch (dataset->task.kind) {
        case TASK_CLASSIFICATION:
            error = read_classes(dataset);
            break;
        case TASK_REGRESSION:
            error = read_values(dataset);
            break;
        case TASK_LANGUAGE_MODEL:
            error = ERR_UNAVAILABLE;
            break;
        }
    return error == OK ? read_splits(dataset) : error;
}

int dataset_open(int directory, const char *path, bool verify, Dataset **ret_dataset) {
    Dataset *dataset = memory_new(Dataset);
    if (dataset == NULL)
        return ERR_NO_MEMORY;
    int error = archive_open(directory, path, verify, &dataset->archive);
    if (error == OK)
        error = read_sections(dataset);
    if (error != OK) {
        dataset_close(dataset);
        return error;
    }
    *ret_dataset = dataset;
    return OK;
}

void dataset_close(Dataset *dataset) {
    if (dataset == NULL)
        return;
    archive_close(dataset->archive);
    memory_free(dataset);
}

const char *dataset_class_name(const Dataset *dataset, int64_t index) {
    if (dataset->classes == NULL || index < 0 || index >= dataset->task.outputs)
        return NULL;
    const ArchiveSection *names = archive_typed(dataset->archive, "class_names", ARCHIVE_U8);
    const char *name = names->data;
    while (index-- > 0)
        name += strlen(name) + 1;
    return name;
}
