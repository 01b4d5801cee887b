// The registry of forms, and the targets that most of them share.
#include "core/train/forms/form.h"
#include <math.h>
#include <string.h>
#include "core/base/error.h"

#define ENTRY(name) extern const FormDesc form_##name;
#include "core/train/forms/forms.inc"
#undef ENTRY

static const Desc *const entries[] = {
#define ENTRY(name) &form_##name.desc,
#include "core/train/forms/forms.inc"
#undef ENTRY
};

const Registry form_registry = {"form", entries, ARRAY_LENGTH(entries)};

const FormDesc *form_find(const char *name) {
    return (const FormDesc *)registry_find(&form_registry, name);
}

// ---- targets ----

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

static int read_classes(Dataset *dataset, int64_t count, bool gaps) {
    const ArchiveSection *targets = archive_typed(dataset->archive, "targets", ARCHIVE_I32);
    const ArchiveSection *names = archive_typed(dataset->archive, "class_names", ARCHIVE_U8);
    if (targets == NULL || targets->rank != 1 || targets->dims[0] != count || names == NULL)
        return ERR_DAMAGED;
    dataset->classes = targets->data;
    dataset->task.outputs = count_names(names);
    for (int64_t i = 0; i < count; i++)
        if (dataset->classes[i] < (gaps ? -1 : 0) || dataset->classes[i] >= dataset->task.outputs)
            return ERR_DAMAGED;
    return dataset->task.outputs > 0 ? OK : ERR_DAMAGED;
}

static int read_values(Dataset *dataset, int64_t count, bool gaps) {
    const ArchiveSection *targets = archive_typed(dataset->archive, "targets", ARCHIVE_F32);
    if (targets == NULL || targets->rank < 1 || targets->rank > 2 || targets->dims[0] != count)
        return ERR_DAMAGED;
    dataset->values = targets->data;
    dataset->task.outputs = targets->rank == 2 ? targets->dims[1] : 1;
    if (dataset->task.outputs < 1)
        return ERR_DAMAGED;
    for (int64_t i = 0; i < count * dataset->task.outputs; i++)
        if (!isfinite(dataset->values[i]) && !(gaps && isnan(dataset->values[i])))
            return ERR_DAMAGED;
    return OK;
}

int form_read_splits(Dataset *dataset, int64_t count) {
    const ArchiveSection *splits = archive_find(dataset->archive, "splits");
    if (splits == NULL)
        return OK;
    if (splits->type != ARCHIVE_U8 || splits->rank != 1 || splits->dims[0] != count)
        return ERR_DAMAGED;
    dataset->splits = splits->data;
    for (int64_t i = 0; i < count; i++)
        if (dataset->splits[i] > SPLIT_NONE)
            return ERR_DAMAGED;
    return OK;
}

bool form_in_split(const Dataset *dataset, int64_t row, int split) {
    int own = dataset->splits == NULL ? SPLIT_TRAIN : dataset->splits[row];
    return split < 0 || own == split;
}

int form_read_targets(Dataset *dataset, int64_t count, bool gaps) {
    int error = dataset->task.kind == TASK_REGRESSION ? read_values(dataset, count, gaps)
                                                      : read_classes(dataset, count, gaps);
    return error == OK ? form_read_splits(dataset, count) : error;
}

void form_gather_targets(Batch *batch, const int32_t *rows, int64_t count) {
    const Dataset *dataset = job_dataset(batch->job);
    batch->targets = count;
    if (batch->classes != NULL)
        for (int64_t i = 0; i < count; i++)
            batch->classes[i] = dataset->classes[rows[i]];
    else if (dataset->classes != NULL)
        for (int64_t i = 0; i < count; i++)
            batch->values[i] = (Real)dataset->classes[rows[i]];
    else
        for (int64_t i = 0; i < count; i++) {
            int64_t width = batch_width(batch);
            scaler_apply(&batch->scalers->target, dataset->values + rows[i] * width,
                         batch->values + i * width, 1, width);
        }
}

int form_align_nodes(Dataset *dataset, const Archive *model, const Task *task, Issues *issues) {
    (void)model;
    int64_t features = shape_elements(&dataset->task.input), wanted = shape_elements(&task->input);
    bool ordered = true;
    for (int64_t c = 0; dataset->places != NULL && c < wanted; c++)
        ordered = ordered && dataset->places[c] == c;
    dataset->places = NULL;
    if (features != wanted)
        issues_add_at(issues, "/dataset", "has nodes of %lld features, and the model's have %lld",
                      (long long)features, (long long)wanted);
    else if (!ordered)
        issues_add_at(issues, "/dataset",
                      "has its features in another order than the model's dataset had");
    else
        return OK;
    return ERR_INVALID;
}
