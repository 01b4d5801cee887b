// Memory: the pending rows (about 256 KiB), the targets, and the profile's sets; the inputs
// themselves are only ever in the file.
#include "server/data/draft.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/data/profile.h"

enum { PENDING_NUMBERS = 65536 };

void draft_init(Draft *draft, int directory, Issues *issues) {
    *draft = (Draft){.directory = directory, .issues = issues};
    id_make("ds_", draft->id);
    snprintf(draft->path, sizeof draft->path, "datasets/%s.bpa", draft->id);
    targets_init(&draft->targets);
    findings_init(&draft->findings);
}

void draft_finish(Draft *draft) {
    archive_writer_destroy(draft->writer);
    memory_free(draft->pending);
    targets_finish(&draft->targets);
    findings_finish(&draft->findings);
    columns_destroy(draft->columns);
    memory_free(draft->splits);
    *draft = (Draft){0};
}

int draft_open(Draft *draft, const Shape *shape) {
    draft->shape = *shape;
    draft->width = shape_elements(shape);
    draft->pending_rows = draft->width < PENDING_NUMBERS ? PENDING_NUMBERS / draft->width : 1;
    size_t numbers;
    if (!size_multiply((size_t)draft->pending_rows, (size_t)draft->width, &numbers)) {
        return ERR_NO_MEMORY;
    }
    draft->pending = memory_array(numbers, sizeof *draft->pending);
    if (draft->pending == NULL) {
        return ERR_NO_MEMORY;
    }
    int result = archive_writer_create(draft->directory, draft->path, &draft->writer);
    return result == OK ? archive_begin(draft->writer, "inputs", ARCHIVE_F32) : result;
}

static int flush(Draft *draft) {
    size_t bytes = (size_t)(draft->pending_used * draft->width) * sizeof *draft->pending;
    int result = archive_append(draft->writer, draft->pending, bytes);
    memset(draft->pending, 0, bytes);
    draft->pending_used = 0;
    return result;
}

int draft_row(Draft *draft, float **ret_numbers) {
    if (draft->pending_used == draft->pending_rows) {
        int result = flush(draft);
        if (result != OK) {
            return result;
        }
    }
    *ret_numbers = draft->pending + draft->pending_used * draft->width;
    draft->pending_used++;
    draft->rows++;
    return OK;
}

int draft_take_row(Draft *draft, Span *span, const Place *place) {
    if (draft->writer == NULL) {
        Shape shape;
        if (!row_shape(*span, place, draft->issues, &shape)) {
            span_skip(span);
            draft->rows++;
            return OK;
        }
        int result = draft_open(draft, &shape);
        if (result != OK) {
            return result;
        }
    }
    float *numbers;
    int result = draft_row(draft, &numbers);
    if (result == OK) {
        row_text_read(span, &draft->shape, place, draft->issues, numbers);
    }
    return result;
}

// ---- sealing ----

// NUL-terminated names one after the other: a column's, or of a category each value's.
static int write_feature_names(const Draft *draft) {
    Text names;
    text_init(&names);
    for (size_t i = 0; i < draft->columns->count; i++) {
        const Column *column = &draft->columns->items[i];
        if (!column->category) {
            text_add_bytes(&names, column->name, strlen(column->name) + 1);
            continue;
        }
        for (size_t value = 0; value <= column->values.count; value++) {
            text_add_format(&names, "%s=%s", column->name,
                            value < column->values.count ? column->values.items[value] : "");
            text_add_char(&names, '\0');
        }
    }
    int64_t length = (int64_t)names.length;
    int result = names.failed ? ERR_NO_MEMORY
                              : archive_add(draft->writer, "feature_names", ARCHIVE_U8, 1, &length,
                                            text_string(&names));
    text_finish(&names);
    if (result != OK) {
        return result;
    }
    JsonOut columns;
    json_init(&columns);
    columns_write(draft->columns, &columns);
    result = columns.text.failed
                 ? ERR_NO_MEMORY
                 : archive_add_text(draft->writer, "columns", text_string(&columns.text));
    json_finish(&columns);
    return result;
}

static int write_archive(Draft *draft, char sha256[HASH_TEXT]) {
    int64_t dims[SHAPE_RANK_MAX + 1] = {draft->rows};
    memcpy(dims + 1, draft->shape.dim, (size_t)draft->shape.rank * sizeof *dims);
    int result = flush(draft);
    if (result == OK) {
        result = archive_end(draft->writer, draft->shape.rank + 1, dims);
    }
    if (result == OK) {
        result = targets_write(&draft->targets, draft->writer);
    }
    if (result == OK && draft->splits != NULL) {
        result = archive_add(draft->writer, "splits", ARCHIVE_U8, 1, &draft->rows, draft->splits);
    }
    if (result == OK && draft->columns != NULL) {
        result = write_feature_names(draft);
    }
    return result == OK ? archive_commit(draft->writer, sha256) : result;
}

static char *shape_json(const Shape *shape) {
    char text[SHAPE_TEXT];
    return memory_string(shape_text(shape, text));
}

static char *classes_json(const Targets *targets) {
    if (targets->task != TASK_CLASSIFICATION) {
        return memory_string("null");
    }
    JsonOut out;
    json_init(&out);
    json_begin_array(&out, NULL);
    for (int64_t i = 0; i < targets->class_count; i++) {
        json_string(&out, NULL, targets->class_names[i]);
    }
    json_end_array(&out);
    return text_take(&out.text);
}

static int profile_archive(Draft *draft, const Archive *archive, DatasetRow *row) {
    JsonOut profile;
    json_init(&profile);
    int result =
        profile_write(archive_typed(archive, "inputs", ARCHIVE_F32)->data, draft->rows,
                      &draft->shape, draft->columns, &draft->targets, &profile, &draft->findings);
    if (result == OK) {
        row->profile = text_take(&profile.text);
        row->findings = findings_take(&draft->findings);
    }
    json_finish(&profile);
    return result;
}

static int fill_row(Draft *draft, const char *name, DatasetRow *row) {
    Archive *archive;
    int result = archive_open(draft->directory, draft->path, false, &archive);
    if (result != OK) {
        return result;
    }
    memcpy(row->id, draft->id, sizeof row->id);
    row->name = memory_string(name != NULL && *name != '\0' ? name : draft->id);
    row->task = memory_string(task_name(draft->targets.task));
    row->rows = draft->rows;
    row->bytes = (int64_t)archive_bytes(archive);
    row->created_at = time_now();
    row->input_shape = shape_json(&draft->shape);
    row->target_shape = draft->targets.task == TASK_CLASSIFICATION
                            ? memory_string("[]")
                            : shape_json(&draft->targets.shape);
    row->classes = classes_json(&draft->targets);
    result = profile_archive(draft, archive, row);
    archive_close(archive);
    if (result == OK && (row->name == NULL || row->task == NULL || row->input_shape == NULL ||
                         row->target_shape == NULL || row->classes == NULL ||
                         row->profile == NULL || row->findings == NULL)) {
        result = ERR_NO_MEMORY;
    }
    return result;
}

int draft_seal(Draft *draft, const char *name, const TargetsWish *wish, DatasetRow *ret_row) {
    int result = OK;
    if (!issues_any(draft->issues)) {
        result = targets_settle(&draft->targets, wish, draft->issues, &draft->findings);
    }
    if (result == OK && issues_any(draft->issues)) {
        result = draft->issues->failed ? ERR_NO_MEMORY : ERR_INVALID;
    }
    if (result != OK) {
        return result;
    }
    DatasetRow row = {0};
    result = write_archive(draft, row.sha256);
    if (result == OK) {
        result = fill_row(draft, name, &row);
    }
    if (result != OK) {
        dataset_row_finish(&row);
        unlinkat(draft->directory, draft->path, 0); // it may have got its name and then failed
        return result;
    }
    *ret_row = row;
    return OK;
}
