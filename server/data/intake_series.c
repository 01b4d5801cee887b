// Series: {"series", "window", "horizon"} and what may stand beside them. The steps stream out of the lifted text into the
// archive as they are, those of a series for testing ("test_inputs") behind them; windows are cut out of it when batches are
// made (core/train/forms/series.c).
#include <math.h>
#include <string.h>
#include "core/base/descriptor.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/model/forecast.h"
#include "server/data/draft.h"
#include "server/data/intake_form.h"
#include "server/data/profile.h"

enum { DEFAULT_WINDOW = 24, DEFAULT_HORIZON = 1, STEPS_MAX = INT32_MAX };

typedef struct SeriesIntake {
    const Body *body;
    Draft draft;
    Names columns;
    int64_t test_from; // the first step of the series for testing; all steps: there is none
    int64_t window, horizon, windows;
    Forecast forecast;
    int32_t *target; // [forecast.targets], owned
    int64_t numbers; // that are not missing
    // The first number without a logarithm where one is taken, and how many there are.
    const char *first_key; // in which member
    int64_t first_row, first_column, without_log;
    float first;
    bool first_bare; // it stands without brackets
} SeriesIntake;

// ---- the steps ----

static void look_at_step(SeriesIntake *intake, const char *key, int64_t row, bool bare) {
    const Draft *draft = &intake->draft;
    if (draft->pending == NULL) {
        return;
    }
    const float *numbers = draft_last_row(draft);
    bool logs = transform_takes_logs(intake->forecast.transform);
    for (int64_t column = 0; column < draft->width; column++) {
        intake->numbers += !isnan(numbers[column]);
        if (logs && numbers[column] <= 0 && intake->without_log++ == 0) {
            intake->first_key = key;
            intake->first_row = row;
            intake->first_column = column;
            intake->first = numbers[column];
            intake->first_bare = bare;
        }
    }
}

static void say_without_logs(const SeriesIntake *intake) {
    Pointer pointer = body_pointer(intake->body, intake->first_key);
    Place place = {.before = pointer.text, .row = intake->first_row, .after = ""};
    Text others;
    text_init(&others);
    if (intake->without_log > 1) {
        text_add_format(&others, "; %lld more are not", (long long)intake->without_log - 1);
    }
    place_issue(&place, &intake->first_column, intake->first_bare ? 0 : 1, intake->body->issues,
                "must be above 0 for the transform \"%s\", not %g%s",
                transform_name(intake->forecast.transform), (double)intake->first,
                text_string(&others));
    text_finish(&others);
}

static int take_steps(SeriesIntake *intake, const char *key) {
    const Body *body = intake->body;
    Draft *draft = &intake->draft;
    Span span;
    if (!body_span(body, key, "step", &span)) {
        return OK;
    }
    Pointer pointer = body_pointer(body, key);
    Place place = {.before = pointer.text, .after = ""};
    int64_t numbers_before = intake->numbers;
    int result = OK;
    for (span_enter(&span); result == OK && span_next(&span); place.row++) {
        bool bare = span_kind(&span) != VALUE_ARRAY;
        result = draft_take_row(draft, &span, &place);
        if (result == OK) {
            look_at_step(intake, key, place.row, bare);
        }
    }
    if (result == OK && place.row == 0 && draft->writer != NULL) {
        issues_add_at(body->issues, pointer.text, "must have at least one step");
    }
    if (result == OK && draft->shape.rank > 1) {
        issues_add_at(body->issues, pointer.text,
                      "must be a list of numbers, or of lists with a number for each column");
    }
    if (result == OK && draft->pending != NULL && place.row > 0 &&
        intake->numbers == numbers_before) {
        issues_add_at(body->issues, pointer.text, "has no number: every step is missing");
    }
    return result;
}

// ---- window, horizon, transform ----

static void read_options(SeriesIntake *intake) {
    const Body *body = intake->body;
    intake->window = DEFAULT_WINDOW;
    intake->horizon = DEFAULT_HORIZON;
    body_integer(body, "window", 1, STEPS_MAX, &intake->window);
    body_integer(body, "horizon", 1, STEPS_MAX, &intake->horizon);
    const char *transform = body_string(body, "transform", INTAKE_NAME_MAX);
    if (transform != NULL && transform_parse(transform, &intake->forecast.transform) != OK) {
        BODY_ISSUE(body, "transform",
                   "must be \"none\", \"log\", \"difference\" or \"log_difference\", not \"%s\"",
                   transform);
    }
    if (intake->window == 1 && transform_takes_differences(intake->forecast.transform)) {
        BODY_ISSUE(body, "window",
                   "must be at least 2 for the transform \"%s\": one step has no difference",
                   transform_name(intake->forecast.transform));
    }
    if (body->task != NULL && strcmp(body->task, "regression") != 0) {
        BODY_ISSUE(body, "task", "a series is \"regression\", not \"%s\": its targets are numbers",
                   body->task);
    }
}

static void check_length(const SeriesIntake *intake, const char *key, int64_t steps) {
    int64_t least = intake->window + intake->horizon;
    if (steps < least) {
        BODY_ISSUE(intake->body, key,
                   "has %lld steps; a window of %lld and a horizon of %lld take at least %lld",
                   (long long)steps, (long long)intake->window, (long long)intake->horizon,
                   (long long)least);
    }
}

// Windows over both series are rows as well, but train and judge nothing.
static void place_windows(SeriesIntake *intake) {
    Draft *draft = &intake->draft;
    check_length(intake, "series", intake->test_from);
    if (intake->test_from < draft->rows) {
        check_length(intake, "test_inputs", draft->rows - intake->test_from);
        draft->test_from = intake->test_from;
        draft->apart = intake->window + intake->horizon - 1;
    }
    if (draft->rows > STEPS_MAX) {
        BODY_ISSUE(intake->body, "series", "has more than %d steps, with those for testing",
                   STEPS_MAX);
    }
    intake->windows = draft->rows - intake->window - intake->horizon + 1;
}

// ---- columns ----

static int name_columns(SeriesIntake *intake) {
    Draft *draft = &intake->draft;
    if (intake->columns.count == 0) {
        return OK;
    }
    if ((int64_t)intake->columns.count != draft->width) {
        BODY_ISSUE(intake->body, "columns", "has %zu names for a series of %lld columns",
                   intake->columns.count, (long long)draft->width);
        return OK;
    }
    return columns_create(&intake->columns, &draft->columns);
}

// The column that an item of target_columns means; −1, with an issue, where it means none.
static int64_t find_column(const SeriesIntake *intake, Value item, const Place *place) {
    const Names *names = &intake->columns;
    Issues *issues = intake->body->issues;
    const char *name = value_string(item);
    int64_t column;
    if (name == NULL) {
        if (value_integer(item, 0, intake->draft.width - 1, &column)) {
            return column;
        }
        place_issue(place, NULL, 0, issues, "must be a column's name, or its number from 0 to %lld",
                    (long long)intake->draft.width - 1);
        return -1;
    }
    column = names_find(names, name, strlen(name));
    if (column >= 0) {
        return column;
    }
    const char *nearest = nearest_name(name, (const char *const *)names->items, names->count);
    if (names->count == 0) {
        place_issue(place, NULL, 0, issues, "\"%s\" is no column: \"columns\" gives none a name",
                    name);
    } else if (nearest != NULL) {
        place_issue(place, NULL, 0, issues, "there is no column \"%s\"; did you mean \"%s\"?", name,
                    nearest);
    } else {
        place_issue(place, NULL, 0, issues, "there is no column \"%s\"", name);
    }
    return -1;
}

static bool is_target(const SeriesIntake *intake, int64_t column) {
    for (int64_t i = 0; i < intake->forecast.targets; i++) {
        if (intake->target[i] == column) {
            return true;
        }
    }
    return false;
}

static void read_targets(SeriesIntake *intake, Value list) {
    Pointer pointer = body_pointer(intake->body, "target_columns");
    Place place = {.before = pointer.text, .after = ""};
    VALUE_FOREACH(item, list) {
        int64_t column = find_column(intake, item, &place);
        if (column >= 0 && is_target(intake, column)) {
            place_issue(&place, NULL, 0, intake->body->issues, "this column stands twice");
        } else if (column >= 0) {
            intake->target[intake->forecast.targets++] = (int32_t)column;
        }
        place.row++;
    }
}

static int choose_targets(SeriesIntake *intake) {
    const Body *body = intake->body;
    int64_t width = intake->draft.width;
    intake->target = memory_array((size_t)width, sizeof *intake->target);
    if (intake->target == NULL) {
        return ERR_NO_MEMORY;
    }
    intake->forecast.target = intake->target;
    Value list = value_member(body->value, "target_columns");
    if (!body_given(body, "target_columns")) {
        for (int64_t column = 0; column < width; column++) {
            intake->target[intake->forecast.targets++] = (int32_t)column;
        }
    } else if (value_kind(list) != VALUE_ARRAY || value_length(list) == 0) {
        BODY_ISSUE(body, "target_columns", "must be an array of at least one column");
    } else {
        read_targets(intake, list);
    }
    return OK;
}

// ---- the archive ----

static int write_series(Draft *draft) {
    const SeriesIntake *intake = draft->inputs;
    int64_t one = 1;
    int result = draft_end_rows(draft);
    if (result == OK) {
        result = archive_add(draft->writer, "series.window", ARCHIVE_I64, 1, &one, &intake->window);
    }
    if (result == OK) {
        result =
            archive_add(draft->writer, "series.horizon", ARCHIVE_I64, 1, &one, &intake->horizon);
    }
    if (result == OK) {
        result = forecast_save(&intake->forecast, draft->writer);
    }
    if (result == OK) {
        result = draft_write_columns(draft);
    }
    // From here on a row is a window.
    draft->rows = intake->windows;
    draft->shape = SHAPE(intake->window, intake->forecast.columns);
    return result;
}

static int profile_series(Draft *draft, const Archive *archive, JsonOut *out) {
    const ArchiveSection *series = archive_typed(archive, "series", ARCHIVE_F32);
    ProfileInputs inputs = {.numbers = series->data,
                            .rows = series->dims[0],
                            .shape = SHAPE(series->dims[1]),
                            .mapped = true};
    return profile_write(&inputs, draft->columns, &draft->targets, out, &draft->findings);
}

static const DraftForm draft_series = {
    .name = "series", .write = write_series, .profile = profile_series};

// ---- the whole ----

static int take_all(SeriesIntake *intake) {
    const Body *body = intake->body;
    Draft *draft = &intake->draft;
    read_options(intake);
    int result = body_names(body, "columns", &intake->columns);
    if (result == OK) {
        result = take_steps(intake, "series");
    }
    bool has_test = body_given(body, "test_inputs");
    if (has_test && body_given(body, "splits")) {
        BODY_ISSUE(body, "splits", "give test_inputs, or splits, not both");
    }
    intake->test_from = draft->rows;
    if (result == OK && has_test) {
        result = take_steps(intake, "test_inputs");
    }
    if (intake->without_log > 0) {
        say_without_logs(intake);
    }
    if (result != OK || draft->writer == NULL || draft->shape.rank > 1) {
        return result;
    }
    intake->forecast.columns = draft->width;
    place_windows(intake);
    result = name_columns(intake);
    if (result == OK) {
        result = choose_targets(intake);
    }
    if (result == OK && !has_test && !issues_any(body->issues)) {
        result = body_splits(body, intake->windows, &draft->splits);
    }
    return result;
}

static int series_take(const Body *body, DatasetRow *ret_row) {
    SeriesIntake intake = {.body = body};
    draft_init(&intake.draft, body->directory, body->issues);
    intake.draft.form = &draft_series;
    intake.draft.inputs = &intake;
    intake.draft.section = "series";
    int result = take_all(&intake);
    if (result == OK && intake.draft.writer == NULL && !issues_any(body->issues)) {
        BODY_ISSUE(body, "series", "must have at least one step");
    }
    if (result == OK) {
        intake.draft.targets.task = TASK_REGRESSION;
        intake.draft.targets.shape = intake.forecast.targets == 1
                                         ? SHAPE(intake.horizon)
                                         : SHAPE(intake.horizon, intake.forecast.targets);
        result = draft_seal(&intake.draft, body->name, NULL, ret_row);
    }
    names_finish(&intake.columns);
    memory_free(intake.target);
    draft_finish(&intake.draft);
    return result;
}

static const char *const others[] = {"window",    "horizon", "columns",     "target_columns",
                                     "transform", "splits",  "test_inputs", NULL};

const IntakeForm intake_form_series = {.key = "series", .others = others, .take = series_take};
