// Memory: the targets and what the form keeps; inputs go into the file.
#include "server/data/draft.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/dataset.h"
#include "server/data/profile.h"

void draft_init(Draft *draft, int directory, Issues *issues) {
    *draft =
        (Draft){.directory = directory, .issues = issues, .form = &draft_rows, .section = "inputs"};
    id_make("ds_", draft->id);
    snprintf(draft->path, sizeof draft->path, "datasets/%s.bpa", draft->id);
    targets_init(&draft->targets, directory);
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

int draft_begin(Draft *draft) {
    return archive_writer_create(draft->directory, draft->path, &draft->writer);
}

// ---- sealing ----

static int write_test_splits(const Draft *draft) {
    enum { PIECE = 4096 };
    static const DatasetSplit kinds[] = {SPLIT_TRAIN, SPLIT_NONE, SPLIT_TEST};
    const int64_t ends[] = {draft->test_from - draft->apart, draft->test_from, draft->rows};
    int64_t row = 0;
    int result = archive_begin(draft->writer, "splits", ARCHIVE_U8);
    for (size_t kind = 0; kind < ARRAY_LENGTH(kinds); kind++) {
        uint8_t piece[PIECE];
        memset(piece, kinds[kind], sizeof piece);
        while (row < ends[kind] && result == OK) {
            int64_t count = ends[kind] - row < PIECE ? ends[kind] - row : PIECE;
            result = archive_append(draft->writer, piece, (size_t)count);
            row += count;
        }
    }
    return result == OK ? archive_end(draft->writer, 1, &draft->rows) : result;
}

static int write_splits(const Draft *draft) {
    if (draft->splits != NULL) {
        return archive_add(draft->writer, "splits", ARCHIVE_U8, 1, &draft->rows, draft->splits);
    }
    return draft->test_from > 0 && draft->test_from < draft->rows ? write_test_splits(draft) : OK;
}

static int write_archive(Draft *draft, bool has_targets, char sha256[HASH_TEXT]) {
    int result = draft->form->write(draft);
    if (result == OK && draft->form->name != NULL) {
        result = archive_add_text(draft->writer, "form", draft->form->name);
    }
    if (result == OK) {
        result = has_targets
                     ? targets_write(&draft->targets, draft->writer)
                     : archive_add_text(draft->writer, "task", task_name(draft->targets.task));
    }
    if (result == OK) {
        result = write_splits(draft);
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
    json_begin_object(&profile, NULL);
    int result = draft->form->profile(draft, archive, &profile);
    json_end_object(&profile);
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
    row->target_shape = draft->targets.task == TASK_REGRESSION ? shape_json(&draft->targets.shape)
                                                               : memory_string("[]");
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
    if (wish != NULL && !issues_any(draft->issues)) {
        result = targets_settle(&draft->targets, wish, draft->issues, &draft->findings);
    }
    if (result == OK && issues_any(draft->issues)) {
        result = draft->issues->failed ? ERR_NO_MEMORY : ERR_INVALID;
    }
    if (result != OK) {
        return result;
    }
    DatasetRow row = {0};
    result = write_archive(draft, wish != NULL, row.sha256);
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
