// Rows of numbers, which go into the archive as they come. Memory: the pending rows (about 256 KiB), and the profile's
// sets.
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/data/draft.h"
#include "server/data/profile.h"

enum { PENDING_NUMBERS = 65536 };

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
    int result = draft_begin(draft);
    return result == OK ? archive_begin(draft->writer, draft->section, ARCHIVE_F32) : result;
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

const float *draft_last_row(const Draft *draft) {
    return draft->pending + (draft->pending_used - 1) * draft->width;
}

int draft_end_rows(Draft *draft) {
    int64_t dims[SHAPE_RANK_MAX + 1] = {draft->rows};
    memcpy(dims + 1, draft->shape.dim, (size_t)draft->shape.rank * sizeof *dims);
    int result = flush(draft);
    return result == OK ? archive_end(draft->writer, draft->shape.rank + 1, dims) : result;
}

// ---- columns ----

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
    return result;
}

int draft_write_columns(const Draft *draft) {
    int result = draft->columns != NULL ? write_feature_names(draft) : OK;
    if (result != OK || draft->columns == NULL) {
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

// ---- the form ----

static int write_rows(Draft *draft) {
    int result = draft_end_rows(draft);
    return result == OK ? draft_write_columns(draft) : result;
}

static int profile_rows(Draft *draft, const Archive *archive, JsonOut *out) {
    ProfileInputs inputs = {.numbers = archive_typed(archive, "inputs", ARCHIVE_F32)->data,
                            .rows = draft->rows,
                            .shape = draft->shape,
                            .mapped = true};
    return profile_write(&inputs, draft->columns, &draft->targets, out, &draft->findings);
}

const DraftForm draft_rows = {.write = write_rows, .profile = profile_rows};
