// Tasks as datasets and models store them: by names, never by an enum's numbers.
#include "core/model/task.h"
#include <string.h>
#include "core/base/archive_text.h"
#include "core/base/error.h"
#include "core/base/memory.h"

static const struct {
    const char *name;
    TaskKind kind;
} kinds[] = {
    {"classification", TASK_CLASSIFICATION},
    {"regression", TASK_REGRESSION},
    {"language_model", TASK_LANGUAGE_MODEL},
};

static const struct {
    const char *name;
    TaskRows rows;
    GraphRows graph;
} row_kinds[] = {
    {"alike", ROWS_ALIKE, GRAPH_ROWS},
    {"sequences", ROWS_SEQUENCES, GRAPH_SEQUENCES},
    {"nodes", ROWS_NODES, GRAPH_NODES},
    {"graphs", ROWS_GRAPHS, GRAPH_NODES},
};

const char *task_name(TaskKind kind) {
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return "unknown";
}

int task_parse(const char *name, TaskKind *ret_kind) {
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0) {
            *ret_kind = kinds[i].kind;
            return OK;
        }
    return ERR_NOT_FOUND;
}

GraphRows task_graph_rows(const Task *task) {
    for (size_t i = 0; i < ARRAY_LENGTH(row_kinds); i++)
        if (row_kinds[i].rows == task->rows)
            return row_kinds[i].graph;
    return GRAPH_ROWS;
}

static int add_number(ArchiveWriter *writer, const char *name, int64_t number) {
    int64_t one = 1;
    return archive_add(writer, name, ARCHIVE_I64, 1, &one, &number);
}

int task_save(const Task *task, ArchiveWriter *writer) {
    int error = archive_add_text(writer, "task", task_name(task->kind));
    for (size_t i = 0; error == OK && i < ARRAY_LENGTH(row_kinds); i++)
        if (row_kinds[i].rows == task->rows)
            error = archive_add_text(writer, "task.rows", row_kinds[i].name);
    int64_t rank = task->input.rank;
    if (error == OK)
        error = archive_add(writer, "task.input", ARCHIVE_I64, 1, &rank, task->input.dim);
    if (error == OK)
        error = add_number(writer, "task.outputs", task->outputs);
    if (error == OK && task->steps != 0)
        error = add_number(writer, "task.steps", task->steps);
    if (error == OK && task->vocabulary != 0)
        error = add_number(writer, "task.vocabulary", task->vocabulary);
    return error;
}

// Leaves `number` as it is where there is no such section.
static int load_number(const Archive *archive, const char *name, int64_t *number) {
    if (archive_find(archive, name) == NULL)
        return OK;
    const ArchiveSection *section = archive_typed(archive, name, ARCHIVE_I64);
    if (section == NULL || section->rank != 1 || section->dims[0] != 1)
        return ERR_DAMAGED;
    memcpy(number, section->data, sizeof(*number));
    return *number >= 1 ? OK : ERR_DAMAGED;
}

static int load_rows(const Archive *archive, TaskRows *ret_rows) {
    if (archive_find(archive, "task.rows") == NULL)
        return OK;
    AUTO_FREE char *name = archive_text(archive, "task.rows");
    if (name == NULL)
        return archive_text_error(archive, "task.rows");
    for (size_t i = 0; i < ARRAY_LENGTH(row_kinds); i++)
        if (strcmp(row_kinds[i].name, name) == 0) {
            *ret_rows = row_kinds[i].rows;
            return OK;
        }
    return ERR_DAMAGED;
}

int task_load(const Archive *archive, Task *ret_task) {
    AUTO_FREE char *name = archive_text(archive, "task");
    const ArchiveSection *input = archive_typed(archive, "task.input", ARCHIVE_I64);
    Task task = {0};
    if (name == NULL)
        return archive_text_error(archive, "task");
    if (task_parse(name, &task.kind) != OK || input == NULL || input->rank != 1 ||
        input->dims[0] < 1 || input->dims[0] > SHAPE_RANK_MAX)
        return ERR_DAMAGED;
    task.input.rank = (int)input->dims[0];
    memcpy(task.input.dim, input->data, input->bytes);
    int error = load_rows(archive, &task.rows);
    if (error == OK)
        error = load_number(archive, "task.outputs", &task.outputs);
    if (error == OK)
        error = load_number(archive, "task.steps", &task.steps);
    if (error == OK)
        error = load_number(archive, "task.vocabulary", &task.vocabulary);
    if (error != OK)
        return error;
    if (shape_elements(&task.input) == 0 || task.outputs < 1)
        return ERR_DAMAGED;
    *ret_task = task;
    return OK;
}
