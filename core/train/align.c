// Aligning: task, shape, classes; the rest is the form's.
#include "core/train/align.h"
#include <string.h>
#include "core/base/error.h"
#include "core/tokens/vocabulary.h"
#include "core/train/forms/form.h"

static const char pointer[] = "/dataset";

static int check_task(const Dataset *dataset, const Task *task, Issues *issues) {
    static const char *const row_names[] = {[ROWS_ALIKE] = "rows of one shape",
                                            [ROWS_SEQUENCES] = "sequences",
                                            [ROWS_NODES] = "nodes of one graph",
                                            [ROWS_GRAPHS] = "graphs"};
    if (dataset->task.kind != task->kind) {
        issues_add_at(issues, pointer, "is for %s, and the model for %s",
                      task_name(dataset->task.kind), task_name(task->kind));
        return ERR_INVALID;
    }
    bool tokens = dataset->task.vocabulary > 0, model_tokens = task->vocabulary > 0;
    if (dataset->task.rows != task->rows || tokens != model_tokens) {
        issues_add_at(issues, pointer, "has %s%s, and the model was trained on %s%s",
                      row_names[dataset->task.rows], tokens ? " of tokens" : "",
                      row_names[task->rows], model_tokens ? " of tokens" : "");
        return ERR_INVALID;
    }
    return OK;
}

static int check_shapes(const Dataset *dataset, const Task *task, Issues *issues) {
    char text[SHAPE_TEXT], wanted[SHAPE_TEXT];
    const Shape *shape = &dataset->task.input;
    if (dataset->form->align == NULL && dataset->places == NULL &&
        shape_elements(shape) != shape_elements(&task->input))
        issues_add_at(issues, pointer, "has inputs of shape %s, and the model's are %s",
                      shape_text(shape, text), shape_text(&task->input, wanted));
    if (task->kind == TASK_REGRESSION && dataset->task.outputs != task->outputs)
        issues_add_at(issues, pointer,
                      "has targets of %lld numbers each, and the model was trained for %lld",
                      (long long)dataset->task.outputs, (long long)task->outputs);
    return issues_any(issues) ? ERR_INVALID : OK;
}

// The model's number of the class `name`, or −1.
static int32_t find_class(const Archive *model, const char *name) {
    const ArchiveSection *section = archive_typed(model, "class_names", ARCHIVE_U8);
    if (section == NULL)
        return -1;
    const char *at = section->data, *end = at + section->bytes;
    for (int32_t i = 0; at < end; i++) {
        size_t length = strnlen(at, (size_t)(end - at));
        if (strlen(name) == length && memcmp(at, name, length) == 0)
            return i;
        at += length + 1;
    }
    return -1;
}

// The model's number of each of the dataset's classes [classes]; −1 where it has none.
static int map_classes(const Dataset *dataset, const Archive *model, int64_t classes,
                       int32_t *map) {
    const ArchiveSection *section = archive_typed(dataset->archive, "class_names", ARCHIVE_U8);
    const char *name = section->data;
    for (int64_t i = 0; i < classes; i++) {
        map[i] = find_class(model, name);
        if (map[i] >= dataset->task.outputs)
            return ERR_DAMAGED;
        name += strlen(name) + 1;
    }
    return OK;
}

// dataset->task is the model's already; `classes` are the dataset's own.
static int renumber_classes(Dataset *dataset, const Archive *model, int64_t classes,
                            Issues *issues) {
    AUTO_FREE int32_t *map = memory_array((size_t)classes, sizeof(int32_t));
    int32_t *renumbered = arena_array(&dataset->owned, (size_t)dataset->rows, sizeof(int32_t));
    if (map == NULL || renumbered == NULL)
        return ERR_NO_MEMORY;
    int error = map_classes(dataset, model, classes, map);
    if (error != OK)
        return error;
    for (int64_t row = 0; row < dataset->rows; row++) {
        int32_t own = dataset->classes[row];
        renumbered[row] = own < 0 ? own : map[own];
        if (own >= 0 && map[own] < 0) {
            const ArchiveSection *names =
                archive_typed(dataset->archive, "class_names", ARCHIVE_U8);
            const char *name = names->data;
            for (int32_t i = 0; i < own; i++)
                name += strlen(name) + 1;
            issues_add_at(issues, pointer,
                          "row %lld is of the class \"%.100s\", which the model does not know",
                          (long long)row, name);
            return ERR_INVALID;
        }
    }
    dataset->classes = renumbered;
    return OK;
}

// ---- tokens ----

// ids [vocabulary_size(own)]
static int map_tokens(const Vocabulary *own, const Vocabulary *model, int32_t *ids,
                      Issues *issues) {
    int64_t count = vocabulary_size(own);
    Text token;
    text_init(&token);
    for (int64_t i = 0; i < count; i++) {
        ids[i] = (int32_t)i;
        if (i < own->reserved ||
            own->tokens.count == 0) // the reserved, and bytes, are what they are
            continue;
        text_clear(&token);
        vocabulary_add(own, (int32_t)i, &token);
        ids[i] = vocabulary_id(model, text_string(&token), token.length);
        if (ids[i] == TOKEN_NONE)
            issues_add_at(issues, pointer, "has the token \"%.60s\", which the model does not know",
                          text_string(&token));
    }
    bool failed = token.failed;
    text_finish(&token);
    return failed ? ERR_NO_MEMORY : issues_any(issues) ? ERR_INVALID : OK;
}

int align_tokens(Dataset *dataset, const Archive *model, Issues *issues) {
    Vocabulary own, models;
    int error = vocabulary_load(dataset->archive, &own);
    if (error != OK)
        return error == ERR_NOT_FOUND ? ERR_DAMAGED : error;
    error = vocabulary_load(model, &models);
    if (error != OK) {
        vocabulary_finish(&own);
        return error == ERR_NOT_FOUND ? ERR_DAMAGED : error;
    }
    int32_t *ids = arena_array(&dataset->owned, (size_t)vocabulary_size(&own), sizeof(int32_t));
    if (own.kind != models.kind || own.reserved != models.reserved) {
        issues_add_at(issues, pointer,
                      "was cut into tokens by \"%s\", and the model's texts by \"%s\"",
                      tokenizer_name(own.kind), tokenizer_name(models.kind));
        error = ERR_INVALID;
    } else {
        error = ids == NULL ? ERR_NO_MEMORY : map_tokens(&own, &models, ids, issues);
    }
    dataset->token_ids = ids;
    vocabulary_finish(&own);
    vocabulary_finish(&models);
    return error;
}

int dataset_align(Dataset *dataset, const Archive *model, const Task *task, const int32_t *places,
                  Issues *issues) {
    dataset->places = places;
    int error = check_task(dataset, task, issues);
    if (error == OK && dataset->form->align != NULL)
        error = dataset->form->align(dataset, model, task, issues);
    if (error == OK)
        error = check_shapes(dataset, task, issues);
    if (error != OK)
        return error;
    int64_t classes = dataset->task.outputs;
    dataset->task = *task;
    return task->kind == TASK_CLASSIFICATION ? renumber_classes(dataset, model, classes, issues)
                                             : OK;
}
