// The first target fixes the form of all; what they mean is settled when all are there, in further walks over the cells,
// which lie on disk.
#include "server/data/targets.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

static const char *const form_names[] = {
    [TARGETS_NAMES] = "a string", [TARGETS_NUMBERS] = "a number", [TARGETS_ARRAYS] = "an array"};

void targets_init(Targets *targets, int directory) {
    *targets = (Targets){0};
    spool_init(&targets->cells, directory);
    text_init(&targets->scratch);
}

void targets_finish(Targets *targets) {
    spool_finish(&targets->cells);
    memory_free(targets->array);
    memory_free(targets->missing);
    names_finish(&targets->names);
    text_finish(&targets->scratch);
    for (int64_t i = 0; i < targets->class_count; i++) {
        memory_free(targets->class_names[i]);
    }
    memory_free(targets->class_names);
    memory_free(targets->class_rows);
    memory_free(targets->moved);
    memory_free(targets->distinct);
    targets_init(targets, -1);
}

// ---- taking ----

static size_t cell_bytes(const Targets *targets) {
    switch (targets->form) {
    case TARGETS_NAMES:
        return sizeof(int32_t);
    case TARGETS_NUMBERS:
        return sizeof(double);
    default:
        return (size_t)targets->width * sizeof(float);
    }
}

// The cell of a row that has no target, or a wrong one.
static int add_blank(Targets *targets) {
    static const double zero;
    return spool_add(&targets->cells,
                     targets->form == TARGETS_ARRAYS ? (const void *)targets->array : &zero,
                     cell_bytes(targets));
}

// The first target fixes the form of all, also of rows before it that have none.
static int set_form(Targets *targets, TargetsForm form) {
    int result = OK;
    targets->form = form;
    if (form == TARGETS_ARRAYS) {
        targets->array = memory_array((size_t)targets->width, sizeof *targets->array);
        result = targets->array != NULL ? OK : ERR_NO_MEMORY;
    }
    for (int64_t row = 0; row < targets->rows && result == OK; row++) {
        result = add_blank(targets);
    }
    return result;
}

// Whether a target of `form` may come next; else an issue, and the row counts as taken.
static bool fits(Targets *targets, TargetsForm form, const Place *place, Issues *issues,
                 int *ret_result) {
    *ret_result = targets->form == TARGETS_NONE ? set_form(targets, form) : OK;
    if (*ret_result != OK) {
        return false;
    }
    if (targets->form != form) {
        place_issue(place, NULL, 0, issues, "must be %s like the first target, not %s",
                    form_names[targets->form], form_names[form]);
        targets->rows++; // with an issue no cell is read
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
    targets->rows++;
    return result == OK ? spool_add(&targets->cells, &number, sizeof number) : result;
}

int targets_take_number(Targets *targets, double number, const Place *place, Issues *issues) {
    int result;
    if (fits(targets, TARGETS_NUMBERS, place, issues, &result)) {
        float single;
        row_float(number, place, NULL, 0, issues, &single);
        targets->rows++;
        result = spool_add(&targets->cells, &number, sizeof number);
    }
    return result;
}

int targets_take_array(Targets *targets, const float *values, const Shape *shape) {
    int result = OK;
    if (targets->form == TARGETS_NONE) {
        targets->width = shape_elements(shape);
        targets->shape = *shape;
        result = set_form(targets, TARGETS_ARRAYS);
    }
    targets->rows++;
    return result == OK ? spool_add(&targets->cells, values, cell_bytes(targets)) : result;
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
    float *values = targets->array;
    row_text_read(span, &targets->shape, place, issues, values);
    for (int64_t i = 0; i < targets->width; i++) {
        if (isnan(values[i])) {
            place_issue(place, NULL, 0, issues, "a target must not have missing numbers");
            break;
        }
    }
    targets->rows++;
    return spool_add(&targets->cells, values, cell_bytes(targets));
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
    int result = targets->form == TARGETS_NONE ? OK : add_blank(targets);
    targets->rows++;
    return result;
}

// Whether a string is longer than a class's name can be, however it is escaped: it is not even copied.
static bool is_long(Span span) {
    const char *start = span.at;
    span_skip(&span);
    return span.at - start > 6 * TARGETS_NAME_MAX + 2;
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
        if (is_long(*span)) {
            place_issue(place, NULL, 0, issues, "a class name must have 1 to %d bytes",
                        TARGETS_NAME_MAX);
            return pass_row(targets, span);
        }
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

typedef union Cell {
    int32_t name; // its number in `names`
    double number;
} Cell;

// Of names and numbers: the next row's.
static int next_cell(Targets *targets, Cell *ret_cell) {
    return spool_take(&targets->cells, ret_cell, cell_bytes(targets));
}

static bool has_target(const Targets *targets, int64_t row) {
    return targets->missing == NULL || !targets->missing[row];
}

static bool is_whole(double number) {
    return number == floor(number) && fabs(number) <= 9007199254740992.0;
}

// The distinct numbers in order, up to `maximum`; ret_count is maximum + 1 where there are more.
static int distinct_numbers(Targets *targets, size_t maximum, double **ret_distinct,
                            size_t *ret_count) {
    AUTO_FREE double *distinct = memory_array(maximum + 1, sizeof *distinct);
    if (distinct == NULL) {
        return ERR_NO_MEMORY;
    }
    size_t count = 0;
    int result = spool_rewind(&targets->cells);
    for (int64_t row = 0; row < targets->rows && count <= maximum && result == OK; row++) {
        Cell cell;
        result = next_cell(targets, &cell);
        if (result != OK || !has_target(targets, row)) {
            continue;
        }
        double number = cell.number;
        size_t low = 0;
        size_t high = count;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (distinct[middle] < number) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low == count || distinct[low] != number) {
            memmove(distinct + low + 1, distinct + low, (count - low) * sizeof *distinct);
            distinct[low] = number;
            count++;
        }
    }
    if (result == OK) {
        *ret_distinct = TAKE(distinct);
        *ret_count = count;
    }
    return result;
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
    const Names *classes = &targets->names;
    if (wish->class_names != NULL && wish->class_names->count > 0) {
        classes = wish->class_names;
        int32_t *moved = memory_array(targets->names.count, sizeof *moved);
        if (moved == NULL) {
            return ERR_NO_MEMORY;
        }
        targets->moved = moved;
        for (size_t i = 0; i < targets->names.count; i++) {
            const char *name = targets->names.items[i];
            moved[i] = names_find(classes, name, strlen(name));
            if (moved[i] < 0) {
                issues_add_at(issues, wish->pointer, "\"%s\" is not one of class_names", name);
                moved[i] = 0;
            }
        }
    } else {
        int result = names_sort(&targets->names, &targets->moved);
        if (result != OK) {
            return result;
        }
    }
    return name_classes(targets, classes);
}

// Bare numbers as classes: indices of given names, or the distinct ones in order.
static int settle_class_numbers(Targets *targets, const TargetsWish *wish, const double *distinct,
                                size_t count, Issues *issues) {
    const Names *given = wish->class_names;
    bool indices = given != NULL && given->count > 0;
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
    return result;
}

static void settle_regression(Targets *targets) {
    targets->task = TASK_REGRESSION;
    if (targets->form == TARGETS_NUMBERS) {
        targets->width = 1;
        targets->shape = SHAPE(1);
    }
}

// Whether all are whole; *ret_row and *ret_number: the first that is not.
static int find_fraction(Targets *targets, bool *ret_found, int64_t *ret_row, double *ret_number) {
    int result = spool_rewind(&targets->cells);
    *ret_found = false;
    for (int64_t row = 0; row < targets->rows && result == OK && !*ret_found; row++) {
        Cell cell;
        result = next_cell(targets, &cell);
        if (result == OK && has_target(targets, row) && !is_whole(cell.number)) {
            *ret_found = true;
            *ret_row = row;
            *ret_number = cell.number;
        }
    }
    return result;
}

static int settle_numbers(Targets *targets, const TargetsWish *wish, bool want_classes,
                          bool want_numbers, Issues *issues, Findings *findings) {
    bool fraction = false;
    int64_t row = 0;
    double number = 0;
    int result = want_numbers ? OK : find_fraction(targets, &fraction, &row, &number);
    if (result != OK) {
        return result;
    }
    if (fraction && want_classes) {
        issues_add_at(issues, wish->pointer,
                      "classes are names or whole numbers, but target %lld is %g", (long long)row,
                      number);
        return OK;
    }
    if (want_numbers || fraction) {
        settle_regression(targets);
        return OK;
    }
    AUTO_FREE double *distinct = NULL;
    size_t count;
    size_t maximum = want_classes ? TARGETS_CLASSES_MAX : TARGETS_INFERRED_MAX;
    result = distinct_numbers(targets, maximum, &distinct, &count);
    if (result != OK) {
        return result;
    }
    if (count <= maximum) {
        result = settle_class_numbers(targets, wish, distinct, count, issues);
        bool named = wish->class_names != NULL && wish->class_names->count > 0;
        targets->distinct = named ? NULL : TAKE(distinct);
        return result;
    }
    if (want_classes) {
        issues_add_at(issues, wish->pointer, "there are more than %d classes", TARGETS_CLASSES_MAX);
        return OK;
    }
    findings_add(findings, "task_inferred", "info",
                 "{\"task\":\"regression\",\"distinct_at_least\":51}");
    settle_regression(targets);
    return OK;
}

// The class of a row's cell; −1 where the row has no target.
static int32_t class_of(const Targets *targets, int64_t row, Cell cell) {
    if (!has_target(targets, row)) {
        return -1;
    }
    if (targets->form == TARGETS_NAMES) {
        return targets->moved[cell.name];
    }
    if (targets->distinct == NULL) {
        return (int32_t)cell.number;
    }
    int64_t low = 0, high = targets->class_count;
    while (low + 1 < high) {
        int64_t middle = (low + high) / 2;
        if (targets->distinct[middle] <= cell.number) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (int32_t)low;
}

static int count_classes(Targets *targets) {
    int result = spool_rewind(&targets->cells);
    for (int64_t row = 0; row < targets->rows && result == OK; row++) {
        Cell cell;
        result = next_cell(targets, &cell);
        int32_t class = result == OK ? class_of(targets, row, cell) : -1;
        if (class >= 0) {
            targets->class_rows[class]++;
        }
    }
    return result;
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
        settle_regression(targets);
        result = OK;
    } else {
        result = settle_numbers(targets, wish, want_classes, want_numbers, issues, findings);
    }
    if (result == OK && !issues_any(issues) && targets->task == TASK_CLASSIFICATION) {
        if (targets->class_count < 2) {
            issues_add_at(issues, wish->pointer, "there must be at least two classes, not %lld",
                          (long long)targets->class_count);
        }
        result = count_classes(targets);
    }
    return result;
}

// ---- writing ----

static int write_classes(Targets *targets, ArchiveWriter *writer) {
    int result = archive_begin(writer, "targets", ARCHIVE_I32);
    for (int64_t row = 0; row < targets->rows && result == OK; row++) {
        Cell cell;
        result = next_cell(targets, &cell);
        if (result == OK) {
            int32_t class = class_of(targets, row, cell);
            result = archive_append(writer, &class, sizeof class);
        }
    }
    return result == OK ? archive_end(writer, 1, &targets->rows) : result;
}

// The numbers of the next row as they are learned; of a row without a target NaN.
static int next_numbers(Targets *targets, int64_t row, float *ret_numbers) {
    int result = OK;
    if (targets->form == TARGETS_ARRAYS) {
        result = spool_take(&targets->cells, ret_numbers, cell_bytes(targets));
    } else {
        Cell cell = {0};
        result = next_cell(targets, &cell);
        ret_numbers[0] = (float)cell.number;
    }
    for (int64_t i = 0; !has_target(targets, row) && i < targets->width; i++) {
        ret_numbers[i] = NAN;
    }
    return result;
}

static int write_numbers(Targets *targets, ArchiveWriter *writer) {
    AUTO_FREE float *numbers = memory_array((size_t)targets->width, sizeof *numbers);
    int result = numbers != NULL ? archive_begin(writer, "targets", ARCHIVE_F32) : ERR_NO_MEMORY;
    for (int64_t row = 0; row < targets->rows && result == OK; row++) {
        result = next_numbers(targets, row, numbers);
        if (result == OK) {
            result = archive_append(writer, numbers, (size_t)targets->width * sizeof *numbers);
        }
    }
    return result == OK ? archive_end(writer, 2, (int64_t[]){targets->rows, targets->width})
                        : result;
}

int targets_write(Targets *targets, ArchiveWriter *writer) {
    int result = archive_add_text(writer, "task", task_name(targets->task));
    if (result == OK) {
        result = spool_rewind(&targets->cells);
    }
    if (result != OK) {
        return result;
    }
    if (targets->task != TASK_CLASSIFICATION) {
        return write_numbers(targets, writer);
    }
    result = write_classes(targets, writer);
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
