#include "server/routes/common.h"

#include <stdio.h>
#include <string.h>
#include "core/base/descriptor.h"
#include "core/base/error.h"

Document *body_parse(Request *request, const char *const *lifted, bool object) {
    Source source = request_source(request);
    Document *document = NULL;
    Issues issues;
    issues_init(&issues);
    int error = document_parse_source(&source, lifted, &issues, &document);
    if (error == OK && object && value_kind(document_root(document)) != VALUE_OBJECT) {
        issues_add_at(&issues, "", "must be an object, not %s",
                      value_kind_name(value_kind(document_root(document))));
        answer_issues(request, 422, &issues);
        document_destroy(TAKE(document));
    } else if (error == ERR_INVALID || error == ERR_CONFLICT) {
        answer_issues(request, error == ERR_INVALID ? 400 : 422,
                      &issues); // not JSON, or ambiguous JSON
    } else if (error != OK) {
        answer_error(request, error,
                     error == ERR_TOO_LARGE ? "The body has too much outside its arrays of rows."
                                            : NULL);
    }
    issues_finish(&issues);
    return document;
}

bool id_valid(const char *prefix, const char *id) {
    size_t length = strlen(prefix);
    return strncmp(id, prefix, length) == 0 && id[length] != '\0' && strlen(id) < ID_TEXT &&
           strspn(id + length, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
               strlen(id + length);
}

int request_model(Request *request, char ret_id[ID_TEXT]) {
    int error =
        models_resolve(request_services(request)->store, request_param(request, "id"), ret_id);
    return error == OK && !id_valid("mdl_", ret_id) ? ERR_NOT_FOUND : error;
}

LoadedModel *request_borrow(Request *request, char ret_id[ID_TEXT]) {
    LoadedModel *model;
    int error = request_model(request, ret_id);
    if (error == OK)
        error = predictors_borrow(request_services(request)->predictors, ret_id, &model);
    if (error == OK) {
        pool_give_way(request_services(request)->pool);
        return model;
    }
    answer_error(request, error, error == ERR_NOT_FOUND ? "There is no such model." : NULL);
    return NULL;
}

void keys_check(Value object, const char *const *known, Issues *issues) {
    size_t count = 0;
    while (known[count] != NULL)
        count++;
    VALUE_FOREACH(member, object) {
        const char *key = value_key(member);
        bool found = false;
        for (size_t i = 0; i < count; i++)
            found = found || strcmp(known[i], key) == 0;
        if (found)
            continue;
        const char *nearest = nearest_name(key, known, count);
        if (nearest != NULL)
            issues_add(issues, PATH_KEY(NULL, key), "is unknown; \"%s\" is meant?", nearest);
        else
            issues_add(issues, PATH_KEY(NULL, key), "is unknown");
    }
}

void list_begin(List *list, int limit) {
    *list = (List){.limit = limit};
    json_init(&list->out);
    json_begin_object(&list->out, NULL);
    json_begin_array(&list->out, "items");
}

bool list_room(List *list, const char *id) {
    if (list->count == list->limit) {
        list->more = true;
        return false;
    }
    list->count++;
    snprintf(list->last, sizeof list->last, "%s", id);
    return true;
}

void answer_list(Request *request, List *list, int error) {
    json_end_array(&list->out);
    json_string(&list->out, "next", list->more ? list->last : NULL);
    json_end_object(&list->out);
    if (error < 0) // a positive one is the callback's "no more"
        answer_error(request, error, NULL);
    else
        answer_json(request, 200, &list->out);
    json_finish(&list->out);
}

void dataset_file(const char *id, char path[PATH_TEXT]) {
    snprintf(path, PATH_TEXT, "datasets/%s.bpa", id);
}

void model_file(const char *id, char path[PATH_TEXT]) {
    snprintf(path, PATH_TEXT, "models/%s.bpa", id);
}
