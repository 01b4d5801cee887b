// Datasets of rows: {"inputs", "targets"} and what may stand beside them. The rows stream out of the lifted text into the
// draft, those of the test split behind the others. All that is wrong is said at once, as far as it can be told.
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/dataset.h"
#include "server/data/draft.h"
#include "server/data/intake_form.h"

typedef struct RowsIntake {
    const Body *body;
    Draft draft;
    Names class_names, feature_names;
} RowsIntake;

static int take_inputs(RowsIntake *intake, const char *key) {
    const Body *body = intake->body;
    Span span;
    if (body->arrays != NULL) {
        return body_array_inputs(body, key, &intake->draft);
    }
    if (!body_span(body, key, "row", &span)) {
        return OK;
    }
    Pointer pointer = body_pointer(body, key);
    Place place = {.before = pointer.text, .after = ""};
    int result = OK;
    for (span_enter(&span); result == OK && span_next(&span); place.row++) {
        result = draft_take_row(&intake->draft, &span, &place);
    }
    if (result == OK && place.row == 0) {
        BODY_ISSUE(body, key, "must have at least one row");
    }
    return result;
}

// One pair of inputs and targets, behind what the draft has already.
static int take_pair(RowsIntake *intake, const char *inputs, const char *targets) {
    Draft *draft = &intake->draft;
    int64_t rows_before = draft->rows;
    int64_t targets_before = draft->targets.rows;
    size_t issues_before = intake->body->issues->count;
    int result = take_inputs(intake, inputs);
    if (result == OK) {
        result = intake->body->arrays != NULL
                     ? body_array_targets(intake->body, targets, &draft->targets)
                     : body_targets(intake->body, targets, "row", &draft->targets);
    }
    if (result == OK) {
        body_match(intake->body, targets, draft->targets.rows - targets_before, inputs,
                   draft->rows - rows_before, issues_before);
    }
    return result;
}

static int name_features(RowsIntake *intake) {
    Draft *draft = &intake->draft;
    const Names *names = &intake->feature_names;
    if (names->count == 0 || draft->writer == NULL) {
        return OK;
    }
    if (draft->shape.rank != 1 || draft->width != (int64_t)names->count) {
        char text[SHAPE_TEXT];
        BODY_ISSUE(intake->body, "feature_names", "has %zu names for rows of shape %s",
                   names->count, shape_text(&draft->shape, text));
        return OK;
    }
    return columns_create(names, &draft->columns);
}

static int take_all(RowsIntake *intake) {
    const Body *body = intake->body;
    Draft *draft = &intake->draft;
    if (body->task != NULL && strcmp(body->task, "language_model") == 0) {
        BODY_ISSUE(body, "task", "a language model needs a \"text\", not rows");
    }
    int result = body_class_names(body, &intake->class_names);
    if (result == OK) {
        result = body_names(body, "feature_names", &intake->feature_names);
    }
    bool has_test = body_has_test(body);
    if (result == OK) {
        result = take_pair(intake, "inputs", "targets");
    }
    draft->test_from = draft->rows;
    if (result == OK && has_test) {
        result = take_pair(intake, "test_inputs", "test_targets");
    }
    if (result == OK) {
        result = name_features(intake);
    }
    if (result != OK || issues_any(body->issues)) {
        return result;
    }
    return has_test ? OK : body_splits(body, draft->rows, &draft->splits);
}

static int rows_take(const Body *body, DatasetRow *ret_row) {
    RowsIntake intake = {.body = body};
    draft_init(&intake.draft, body->directory, body->issues);
    int result = take_all(&intake);
    if (result == OK) {
        Pointer targets = body_pointer(body, "targets");
        Pointer task = body_pointer(body, "task");
        TargetsWish wish = {.task = body->task,
                            .class_names = &intake.class_names,
                            .pointer = targets.text,
                            .task_pointer = task.text};
        result = draft_seal(&intake.draft, body->name, &wish, ret_row);
    }
    names_finish(&intake.class_names);
    names_finish(&intake.feature_names);
    draft_finish(&intake.draft);
    return result;
}

static const char *const others[] = {
    "targets", "test_inputs", "test_targets", "splits", "feature_names", "class_names", NULL};

const IntakeForm intake_form_rows = {.key = "inputs", .others = others, .take = rows_take};
