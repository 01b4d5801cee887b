#include "server/routes/intake_body.h"

#include <stdio.h>
#include <unistd.h>
#include "core/base/error.h"
#include "server/base/log.h"
#include "server/data/intake.h"
#include "server/routes/common.h"

int dataset_take(const Services *services, const Document *document, Issues *issues,
                 DatasetTaken *ret_taken) {
    Value value = value_member(document_root(document), "dataset");
    const char *id = value_string(value);
    *ret_taken = (DatasetTaken){.made = false};
    if (id != NULL) {
        DatasetRow row;
        int error = id_valid("ds_", id) ? datasets_get(services->store, id, &row) : ERR_NOT_FOUND;
        if (error == ERR_NOT_FOUND) {
            issues_add_at(issues, "/dataset", "there is no dataset \"%.60s\"", id);
            return ERR_INVALID;
        }
        if (error != OK)
            return error;
        snprintf(ret_taken->id, sizeof ret_taken->id, "%s", row.id);
        dataset_row_finish(&row);
        return OK;
    }
    if (value_kind(value) != VALUE_OBJECT) {
        issues_add_at(issues, "/dataset", "must be a dataset's id or an inline dataset, %s%s",
                      value_kind(value) == VALUE_MISSING ? "" : "not ",
                      value_kind(value) == VALUE_MISSING ? "and is missing"
                                                         : value_kind_name(value_kind(value)));
        return ERR_INVALID;
    }
    DatasetRow row = {0};
    int error =
        intake_json(store_directory(services->store), document, value, "/dataset", issues, &row);
    if (error != OK)
        return error;
    error = datasets_insert(services->store, &row);
    snprintf(ret_taken->id, sizeof ret_taken->id, "%s", row.id);
    ret_taken->made = error == OK;
    if (error != OK) {
        char path[PATH_TEXT];
        dataset_file(row.id, path);
        unlinkat(store_directory(services->store), path, 0);
        ret_taken->id[0] = '\0';
    }
    dataset_row_finish(&row);
    return error;
}

void dataset_drop(const Services *services, DatasetTaken *taken) {
    enum { ATTEMPTS = 3 }; // what was wanting, memory most likely, may be there a moment later
    int error = taken->made ? ERR_UNAVAILABLE : OK;
    for (int i = 0; i < ATTEMPTS && error != OK && error != ERR_NOT_FOUND; i++)
        error = datasets_delete(services->store, taken->id); // with its file
    if (error != OK && error != ERR_NOT_FOUND)
        log_warning("%s is left over from a request that needs it no more: %s", taken->id,
                    error_text(error));
    taken->made = false;
}
