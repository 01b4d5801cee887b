// Opens a dataset's archive; its form reads the sections and checks them.
#include "core/train/dataset.h"
#include <string.h>
#include "core/base/archive_text.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/forms/form.h"

static int read_sections(Dataset *dataset) {
    AUTO_FREE char *task = archive_text(dataset->archive, "task");
    AUTO_FREE char *form = archive_text(dataset->archive, "form");
    if (task == NULL)
        return archive_text_error(dataset->archive, "task");
    if (form == NULL && archive_text_error(dataset->archive, "form") == ERR_NO_MEMORY)
        return ERR_NO_MEMORY;
    if (task_parse(task, &dataset->task.kind) != OK)
        return ERR_DAMAGED;
    dataset->form = form_find(form == NULL ? "rows" : form);
    return dataset->form == NULL ? ERR_DAMAGED : dataset->form->open(dataset);
}

int dataset_open(int directory, const char *path, bool verify, Dataset **ret_dataset) {
    Dataset *dataset = memory_new(Dataset);
    if (dataset == NULL)
        return ERR_NO_MEMORY;
    arena_init(&dataset->owned, 0);
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
    arena_finish(&dataset->owned);
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
