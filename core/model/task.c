// The names of tasks, as datasets and models store them.
#include "core/model/task.h"
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

static const struct {
    const char *name;
    TaskKind kind;
} names[] = {
    {"classification", TASK_CLASSIFICATION},
    {"regression", TASK_REGRESSION},
    {"language_model", TASK_LANGUAGE_MODEL},
};

const char *task_name(TaskKind kind) {
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (names[i].kind == kind)
            return names[i].name;
    return "unknown";
}

int task_parse(const char *name, TaskKind *ret_kind) {
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (strcmp(names[i].name, name) == 0) {
            *ret_kind = names[i].kind;
            return OK;
        }
    return ERR_NOT_FOUND;
}
