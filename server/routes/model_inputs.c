#include "server/routes/model_inputs.h"

#include <string.h>
#include "core/base/error.h"
#include "server/data/windows.h"

const char *const model_inputs_lifted[] = {"/inputs",
                                           "/texts",
                                           "/graph/nodes",
                                           "/graph/nodes/indices",
                                           "/graph/nodes/values",
                                           "/graph/edges",
                                           "/graphs",
                                           NULL};

// What a body may have: one of these.
typedef struct Members {
    const char *first, *second; // NULL: there is no second
} Members;

static Members members_of(const LoadedModel *model) {
    switch (predictor_task(model->predictor)->rows) {
    case ROWS_NODES:
        return (Members){"nodes", "graph"};
    case ROWS_GRAPHS:
        return (Members){"graphs", "graph"};
    case ROWS_SEQUENCES:
        return (Members){"texts", NULL};
    default:
        return (Members){"inputs", NULL};
    }
}

static bool listed(const char *const *names, const char *name) {
    for (; names != NULL && *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static void check_members(Value root, Members known, const char *const *more, Issues *issues) {
    VALUE_FOREACH(member, root) {
        const char *key = value_key(member);
        if (strcmp(key, known.first) == 0 || listed(more, key) ||
            (known.second != NULL && strcmp(key, known.second) == 0))
            continue;
        if (known.second == NULL)
            issues_add(issues, PATH_KEY(NULL, key), "is not what this model takes: \"%s\"",
                       known.first);
        else
            issues_add(issues, PATH_KEY(NULL, key),
                       "is not what this model takes: \"%s\" or \"%s\"", known.first, known.second);
    }
}

int model_rows_read(const LoadedModel *model, const char *text, size_t length, Issues *issues,
                    ModelInputs *inputs) {
    const Forecast *forecast = predictor_forecast(model->predictor);
    const Shape *shape = &model->input;
    if (forecast != NULL)
        return windows_read(forecast, model->columns, shape, text, length, "/inputs", issues,
                            &inputs->values, &inputs->rows);
    if (predictor_task(model->predictor)->rows == ROWS_SEQUENCES)
        return rows_read_texts(&model->vocabulary, shape->dim[0], text, length, "/texts", issues,
                               &inputs->values, &inputs->lengths, &inputs->rows);
    return rows_read(model->columns, shape, text, length, "/inputs", issues, &inputs->values,
                     &inputs->rows);
}

static int rows_take(const Document *document, const LoadedModel *model, Issues *issues,
                     ModelInputs *inputs) {
    const char *key = members_of(model).first;
    bool texts = strcmp(key, "texts") == 0;
    const char *text;
    size_t length;
    if (!document_lifted(document, texts ? "/texts" : "/inputs", &text, &length)) {
        ValueKind kind = value_kind(value_member(document_root(document), key));
        issues_add(issues, PATH_KEY(NULL, key),
                   kind == VALUE_MISSING ? "is missing: an array of %s" : "must be an array of %s",
                   texts ? "strings" : "rows");
        return ERR_INVALID;
    }
    return model_rows_read(model, text, length, issues, inputs);
}

int model_inputs_read(const Document *document, const LoadedModel *model, const char *const *more,
                      Issues *issues, ModelInputs *inputs) {
    const Task *task = predictor_task(model->predictor);
    check_members(document_root(document), members_of(model), more, issues);
    int error = task_graph_rows(task) == GRAPH_NODES
                    ? graph_request_read(document, model->archive, task, issues, &inputs->graphs)
                    : rows_take(document, model, issues, inputs);
    return error == OK && issues_any(issues) ? ERR_INVALID : error;
}

void model_inputs_finish(ModelInputs *inputs) {
    graph_request_finish(&inputs->graphs);
    memory_free(inputs->values);
    memory_free(inputs->lengths);
}
