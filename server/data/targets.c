// The first target fixes the form of all; what they mean is settled when all are there.
#include "server/data/targets.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

static const char *const form_names[] = {
    [TARGETS_NAMES] = "a string", [TARGETS_NUMBERS] = "a number", [TARGETS_ARRAYS] = "an array"};

void targets_init(Targets *targets) {
    *targets = (Targets){0};
    text_init(&targets->scratch);
}

void targets_finish(Targets *targets) {
    memory_free(targets->classes);
    memory_free(targets->numbers);
    memory_free(targets->values);
    memory_free(targets->missing);
    names_finish(&targets->names);
    text_finish(&targets->scratch);
    for (int64_t i = 0; i < targets->class_count; i++) {
        memory_free(targets->class_names[i]);
    }
    memory_free(targets->class_names);
    memory_free(targets->class_rows);
    *targets = (Targets){0};
}

// ---- taking ----

static int reserve(Targets *targets) {
    if (targets->rows < targets->capacity) {
        return OK;
    }
    size_t rows = (size_t)targets->rows;
    size_t capacity = rows > 0 ? rows + rows / 2 + 1 : 1024;
    size_t width = targets->form == TARGETS_ARRAYS ? (size_t)targets->width : 1;
    size_t cells;
    void **array;
    size_t size;
    switch (targets->form) {
    case TARGETS_NAMES:
        array = (void **)&targets->classes;
        size = sizeof *targets->classes;
        break;
    case TARGETS_NUMBERS:
        array = (void **)&targets->numbers;
        size = sizeof *targets->numbers;
        break;
    default:
        array = (void **)&targets->values;
        size = sizeof *targets->values;
    }
    if (!size_multiply(capacity, width, &cells)) {
        return ERR_NO_MEMORY;
    }
    // Rows whose target was no target at all have no place yet.
    void *grown = memory_resize(*array, *array != NULL ? rows * width : 0, cells, size);
    if (grown == NULL) {
        return ERR_NO_MEMORY;
    }
    *array = grown;
    targets->capacity = (int64_t)capacity;
    return OK;
}

// Whether a target of `form` may come next; else an issue, and the row counts as taken.
static bool fits(Targets *targets, TargetsForm form, const Place *place, Issues *issues,
                 int *ret_result) {
    if (targets->form == TARGETS_NONE) {
        targets->form = form;
    }
    *ret_result = reserve(targets);
    if (*ret_result != OK) {
        return false;
    }
    if (targets->form != form) {
        place_issue(place, NULL, 0, issues, "must be %s like the first target, not %s",
                    form_names[targets->form], form_names[form]);
        targets->rows++;
        return false;
    }
    return true;
}

int targets_take_name(Targets *targets, const char *text, size_t length, const Place *place,
                      Issues *issues) {
    int result;
    if (!fits(targets, TARGETS_NAMES, place, issues, &result)) {
        return result;
    }
    int32_t number = 0;
    if (length == 0 || length > TARGETS_NAME_MAX) {
        place_issue(place, NULL, 0, issues, "a class name must have 1 to %d bytes, not %zu",
                    TARGETS_NAME_MAX, length);
    } else {
        result = names_add(&targets->names, text, length, TARGETS_CLASSES_MAX, &number);
        if (result == ERR_TOO_LARGE) {
            place_issue(place, NULL, 0, issues, "there are more than %d classes",
                        TARGETS_CLASSES_MAX);
            result = OK;
        }
    }
    targets->classes[targets->rows++] = number;
    return result;
}

int targets_take_number(Targets *targets, double number, const Place *place, Issues *issues) {
    int result;
    if (fits(targets, TARGETS_NUMBERS, place, issues, &result)) {
        float single;
        row_float(number, place, NULL, 0, issues, &single);
        targets->numbers[targets->rows++] = number;
    }
    return result;
}

int targets_take_array(Targets *targets, const float *values, int64_t width) {
    if (targets->form == TARGETS_NONE) {
        targets->form = TARGETS_ARRAYS;
        targets->width = width;
        targets->shape = SHAPE(width);
    }
    int result = reserve(targets);
    if (result == OK) {
        memcpy(targets->values + targets->rows++ * width, values, (size_t)width * sizeof *values);
    }
    return result;
}

static int take_array(Targets *targets, Span *span, const Place *place, Issues *issues) {
    if (targets->form == TARGETS_NONE) {
        Shape shape;
        if (!row_shape(*span, place, issues, &shape)) {
            span_skip(span);
            targets->rows++;
            return OK;
        }
        targets->shape = shape;
        targets->width = shape_elements(&shape);
    }
    int result;
    if (!fits(targets, TARGETS_ARRAYS, place, issues, &result)) {
        span_skip(span);
        return result;
    }
    float *values = targets->values + targets->rows++ * targets->width;
    row_text_read(span, &targets->shape, place, issues, values);
    for (int64_t i = 0; i < targets->width; i++) {
        if (isnan(values[i])) {
            place_issue(place, NULL, 0, issues, "a target must not have missing numbers");
            break;
        }
    }
    return OK;
}

// Remembers whether the row that comes next has a target.
static int note_gap(Targets *targets, bool missing) {
    if (targets->rows == targets->missing_capacity) {
        size_t rows = (size_t)targets->rows, capacity = rows + rows / 2 + 1024;
        uint8_t *grown = memory_resize(targets->missing, rows, capacity, 1);
        if (grown == NULL) {
            return ERR_NO_MEMORY;
        }
        targets->missing = grown;
        targets->missing_capacity = (int64_t)capacity;
    }
    targets->missing[targets->rows] = missing;
    targets->missing_count += missing;
    return OK;
}

// A row whose target is none, or is wrong: it has its place where targets have one already.
static int pass_row(Targets *targets, Span *span) {
    span_skip(span);
    int result = targets->form == TARGETS_NONE ? OK : reserve(targets);
    if (result == OK) {
        targets->rows++;
    }
    return result;
}

int targets_take(Targets *targets, Span *span, const Place *place, Issues *issues) {
    ValueKind kind = span_kind(span);
    double number = 0;
    int result = targets->gaps ? note_gap(targets, kind == VALUE_NULL) : OK;
    if (result != OK) {
        return result;
    }
    if (targets->gaps && kind == VALUE_NULL) {
        return pass_row(targets, span);
    }
    switch (kind) {
    case VALUE_STRING:
        span_string(span, &targets->scratch);
        if (targets->scratch.failed) {
            return ERR_NO_MEMORY;
        }
        return targets_take_name(targets, text_string(&targets->scratch), targets->scratch.length,
                                 place, issues);
    case VALUE_NUMBER:
        result = span_number(span, &number);
        return result == OK ? targets_take_number(targets, number, place, issues) : result;
    case VALUE_ARRAY:
        return take_array(targets, span, place, issues);
    default:
        place_issue(place, NULL, 0, issues,
                    "must be a string, a number or an array of numbers, not %s",
                    value_kind_name(kind));
        return pass_row(targets, span);
    }
}

// ---- settling ----

static bool has_target(const Targets *targets, int64_t row) {
    return targets->missing == NULL || !targets->missing[row];
}

static bool is_whole(double number) {
    return number == floor(number) && fabs(number) <= 9007199254740992.0;
}

// The distinct numbers in order, up to `maximum`; ret_count is maximum + 1 where there are more.
static int distinct_numbers(const Targets *targets, size_t maximum, double **ret_distinct,
                            size_t *ret_count) {
    const double *numbers = targets->numbers;
    double *distinct = memory_array(maximum + 1, sizeof *distinct);
    if (distinct == NULL) {
        return ERR_NO_MEMORY;
    }
    size_t count = 0;
    for (int64_t row = 0; row < targets->rows && count <= maximum; row++) {
        if (!has_target(targets, row)) {
            continue;
        }
        size_t low = 0;
        size_t high = count;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (distinct[middle] < numbers[row]) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low == count || distinct[low] != numbers[row]) {
            memmove(distinct + low + 1, distinct + low, (count - low) * sizeof *distinct);
            distinct[low] = numbers[row];
            count++;
        }
    }
    *ret_distinct = distinct;
    *ret_count = count;
    return OK;
}

static int make_classes(Targets *targets, size_t count) {
    targets->class_names = memory_array(count, sizeof *targets->class_names);
    targets->class_rows = memory_array(count, sizeof *targets->class_rows);
    if (targets->class_names == NULL || targets->class_rows == NULL) {
        return ERR_NO_MEMORY;
    }
    targets->class_count = (int64_t)count;
    targets->task = TASK_CLASSIFICATION;
    return OK;
}

static int name_class(Targets *targets, size_t index, const char *name) {
    targets->class_names[index] = memory_string(name);
    return targets->class_names[index] != NULL ? OK : ERR_NO_MEMORY;
}

static int name_classes(Targets *targets, const Names *names) {
    int result = make_classes(targets, names->count);
    for (size_t i = 0; i < names->count && result == OK; i++) {
        result = name_class(targets, i, names->items[i]);
    }
    return result;
}

static int settle_names(Targets *targets, const TargetsWish *wish, Issues *issues) {
    AUTO_FREE int32_t *moved = NULL; // number in `names` → class
    const Names *classes = &targets->names;
    int result;
    if (wish->class_names != NULL && wish->class_names->count > 0) {
        classes = wish->class_names;
        moved = memory_array(targets->names.count, sizeof *moved);
        if (moved == NULL) {
            return ERR_NO_MEMORY;
        }
        for (size_t i = 0; i < targets->names.count; i++) {
            const char *name = targets->names.items[i];
            moved[i] = names_find(classes, name, strlen(name));
            if (moved[i] < 0) {
                issues_add_at(issues, wish->pointer, "\"%s\" is not one of class_names", name);
                moved[i] = 0;
            }
        }
    } else {
        result = names_sort(&targets->names, &moved);
        if (result != OK) {
            return result;
        }
    }
    result = name_classes(targets, classes);
    for (int64_t row = 0; row < targets->rows && result == OK; row++) {
        targets->classes[row] = has_target(targets, row) ? moved[targets->classes[row]] : -1;
    }
    return result;
}

// Bare numbers as classes: indices of given names, or the distinct ones in order.
static int settle_class_numbers(Targets *targets, const TargetsWish *wish, const double *distinct,
                                size_t count, Issues *issues) {
    const Names *given = wish->class_names;
    bool indices = given != NULL && given->count > 0;
    targets->classes = memory_array((size_t)targets->rows, sizeof *targets->classes);
    if (targets->classes == NULL) {
        return ERR_NO_MEMORY;
    }
    if (indices) {
        for (size_t i = 0; i < count; i++) {
            if (distinct[i] < 0 || distinct[i] >= (double)given->count) {
                issues_add_at(issues, wish->pointer, "%.0f is not an index of the %zu class_names",
                              distinct[i], given->count);
            }
        }
    }
    int result = indices ? name_classes(targets, given) : make_classes(targets, count);
    for (size_t i = 0; i < count && result == OK && !indices; i++) {
        char name[32];
        snprintf(name, sizeof name, "%.0f", distinct[i] + 0.0); // no "-0"
        result = name_class(targets, i, name);
    }
    for (int64_t row = 0; row < targets->rows && result == OK && !issues_any(issues); row++) {
        double number = targets->numbers[row];
        if (!has_target(targets, row)) {
            targets->classes[row] = -1;
            continue;
        }
        size_t low = 0;
        size_t high = count;
        while (!indices && low + 1 < high) {
            size_t middle = (low + high) / 2;
            if (distinct[middle] <= number) {
                low = middle;
            } else {
                high = middle;
            }
        }
        targets->classes[row] = indices ? (int32_t)number : (int32_t)low;
    }
    return result;
}

// Numbers that are none are NaN.
static void mark_gaps(Targets *targets) {
    for (int64_t row = 0; row < targets->rows; row++) {
        for (int64_t i = 0; !has_target(targets, row) && i < targets->width; i++) {
            targets->values[row * targets->width + i] = NAN;
        }
    }
}

static int settle_regression(Targets *targets) {
    targets->task = TASK_REGRESSION;
    if (targets->form == TARGETS_ARRAYS) {
        mark_gaps(targets);
        return OK;
    }
    targets->width = 1;
    targets->shape = SHAPE(1);
    targets->values = memory_array((size_t)targets->rows, sizeof *targets->values);
    if (targets->values == NULL) {
        return ERR_NO_MEMORY;
    }
    for (int64_t row = 0; row < targets->rows; row++) {
        targets->values[row] = (float)targets->numbers[row];
    }
    mark_gaps(targets);
    return OK;
}

static int settle_numbers(Targets *targets, const TargetsWish *wish, bool want_classes,
                          bool want_numbers, Issues *issues, Findings *findings) {
    for (int64_t row = 0; row < targets->rows && !want_numbers; row++) {
        if (has_target(targets, row) && !is_whole(targets->numbers[row])) {
            if (want_classes) {
                issues_add_at(issues, wish->pointer,
                              "classes are names or whole numbers, but target %lld is %g",
                              (long long)row, targets->numbers[row]);
                return OK;
            }
            want_numbers = true;
        }
    }
    if (want_numbers) {
        return settle_regression(targets);
    }
    AUTO_FREE double *distinct = NULL;
    size_t count;
    size_t maximum = want_classes ? TARGETS_CLASSES_MAX : TARGETS_INFERRED_MAX;
    int result = distinct_numbers(targets, maximum, &distinct, &count);
    if (result != OK) {
        return result;
    }
    if (count <= maximum) {
        return settle_class_numbers(targets, wish, distinct, count, issues);
    }
    if (want_classes) {
        issues_add_at(issues, wish->pointer, "there are more than %d classes", TARGETS_CLASSES_MAX);
        return OK;
    }
    findings_add(
        findings, "task_inferred", "info", "{\"task\":\"regression\",\"distinct_at_least\":51}",
        "The targets are whole numbers of more than %d distinct values, so they are taken for "
        "quantities to be predicted, not for classes. \"task\": \"classification\" says "
        "otherwise.",
        TARGETS_INFERRED_MAX);
    return settle_regression(targets);
}

int targets_settle(Targets *targets, const TargetsWish *wish, Issues *issues, Findings *findings) {
    bool named = wish->class_names != NULL && wish->class_names->count > 0;
    bool want_classes = wish->task != NULL ? strcmp(wish->task, "classification") == 0 : named;
    bool want_numbers = wish->task != NULL && strcmp(wish->task, "regression") == 0;
    int result;
    if (targets->form == TARGETS_NONE) {
        issues_add_at(issues, wish->pointer, "must have at least one target that is not null");
        return OK;
    }
    if (targets->form == TARGETS_NAMES && want_numbers) {
        issues_add_at(issues, wish->task_pointer,
                      "regression needs numbers as targets, but they are strings");
        return OK;
    }
    if (targets->form == TARGETS_ARRAYS && want_classes) {
        issues_add_at(
            issues, wish->task_pointer,
            "classification needs one name or whole number a row, but the targets are arrays");
        return OK;
    }
    if (targets->form == TARGETS_NAMES) {
        result = settle_names(targets, wish, issues);
    } else if (targets->form == TARGETS_ARRAYS) {
        result = settle_regression(targets);
    } else {
        result = settle_numbers(targets, wish, want_classes, want_numbers, issues, findings);
    }
    if (result == OK && !issues_any(issues) && targets->task == TASK_CLASSIFICATION) {
        if (targets->class_count < 2) {
            issues_add_at(issues, wish->pointer, "there must be at least two classes, not %lld",
                          (long long)targets->class_count);
        }
        for (int64_t row = 0; row < targets->rows; row++) {
            if (targets->classes[row] >= 0) {
                targets->class_rows[targets->classes[row]]++;
            }
        }
    }
    return result;
}

// ---- writing ----

int targets_write(const Targets *targets, ArchiveWriter *writer) {
    int result = archive_add_text(writer, "task", task_name(targets->task));
    if (result != OK) {
        return result;
    }
    if (targets->task != TASK_CLASSIFICATION) {
        return archive_add(writer, "targets", ARCHIVE_F32, 2,
                           (int64_t[]){targets->rows, targets->width}, targets->values);
    }
    result = archive_add(writer, "targets", ARCHIVE_I32, 1, &targets->rows, targets->classes);
    if (result == OK) {
        result = archive_begin(writer, "class_names", ARCHIVE_U8);
    }
    int64_t bytes = 0;
    for (int64_t i = 0; i < targets->class_count && result == OK; i++) {
        size_t length = strlen(targets->class_names[i]) + 1;
        result = archive_append(writer, targets->class_names[i], length);
        bytes += (int64_t)length;
    }
    return result == OK ? archive_end(writer, 1, &bytes) : result;
}
