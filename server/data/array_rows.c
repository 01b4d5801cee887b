// Rows and targets of a multipart body, whose members are files of arrays: the same draft as from JSON, number for number.
#include <float.h>
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/data/array_file.h"
#include "server/data/draft.h"
#include "server/data/intake_form.h"

enum { PIECE = 1024 };

const Source *arrays_find(const Arrays *arrays, const char *key) {
    for (size_t i = 0; arrays != NULL && i < arrays->count; i++) {
        if (strcmp(arrays->items[i].key, key) == 0) {
            return &arrays->items[i].bytes;
        }
    }
    return NULL;
}

typedef struct ArrayRows {
    const Body *body;
    Place place;
    ArrayFile file;
    Shape shape; // of a row
    int64_t width;
} ArrayRows;

// What the file said, as an issue; OK where more can be found wrong.
static int say(const ArrayRows *array, const char *key, int result) {
    if (result == ERR_INVALID || result == ERR_TOO_LARGE) {
        BODY_ISSUE(array->body, key, "%s", array->file.why);
    }
    return result == ERR_INVALID ? OK : result;
}

// Opens the member and looks at its sizes; *ret_found false, with an issue, where there is nothing to read.
static int open_array(ArrayRows *array, const char *key, bool *ret_found) {
    const Source *source = arrays_find(array->body->arrays, key);
    *ret_found = false;
    if (source == NULL) {
        BODY_ISSUE(array->body, key, "is required: a part with an IDX or NPY file");
        return OK;
    }
    int result = array_file_open(&array->file, source, array->body->arrays->left);
    if (result != OK) {
        array_file_close(&array->file);
        return say(array, key, result);
    }
    int rank = array->file.rank - 1;
    array->shape = SHAPE(1);
    if (rank > 0) {
        array->shape.rank = rank;
        memcpy(array->shape.dim, array->file.dims + 1, (size_t)rank * sizeof *array->shape.dim);
    }
    array->width = shape_elements(&array->shape);
    if (array->width == 0 || array->width > ROW_NUMBERS_MAX) {
        BODY_ISSUE(array->body, key, "has rows of more than %d numbers", ROW_NUMBERS_MAX);
        array_file_close(&array->file);
        return OK;
    }
    *ret_found = true;
    return OK;
}

static int close_array(ArrayRows *array, const char *key, int result) {
    if (result == OK) {
        result = array_file_end(&array->file);
    }
    array_file_close(&array->file);
    return say(array, key, result);
}

// The indices of a row's number.
static void place_number(const ArrayRows *array, int64_t index, const char *format, double number) {
    int64_t indices[SHAPE_RANK_MAX];
    int rank = array->file.rank - 1;
    for (int axis = rank - 1; axis >= 0; axis--) {
        indices[axis] = index % array->shape.dim[axis];
        index /= array->shape.dim[axis];
    }
    place_issue(&array->place, indices, rank, array->body->issues, format, number);
}

// The next row; NaN stays one. Infinity is an issue.
static int read_row(ArrayRows *array, float *ret_numbers) {
    double piece[PIECE];
    for (int64_t from = 0; from < array->width; from += PIECE) {
        int64_t left = array->width - from, count = left < PIECE ? left : PIECE;
        int result = array_file_read(&array->file, piece, (size_t)count);
        if (result != OK) {
            return result;
        }
        for (int64_t i = 0; i < count; i++) {
            if (fabs(piece[i]) > (double)FLT_MAX) {
                place_number(array, from + i, "%g is beyond the range of single precision",
                             piece[i]);
            }
            ret_numbers[from + i] = (float)piece[i];
        }
    }
    return OK;
}

static int read_inputs(ArrayRows *array, Draft *draft) {
    int result = draft->writer == NULL ? draft_open(draft, &array->shape) : OK;
    for (; array->place.row < array->file.dims[0] && result == OK; array->place.row++) {
        float *numbers;
        result = draft_row(draft, &numbers);
        if (result == OK) {
            result = read_row(array, numbers);
        }
    }
    return result;
}

int body_array_inputs(const Body *body, const char *key, Draft *draft) {
    Pointer pointer = body_pointer(body, key);
    ArrayRows array = {.body = body, .place = {.before = pointer.text, .after = ""}};
    bool found;
    int result = open_array(&array, key, &found);
    if (result != OK || !found) {
        return result;
    }
    if (draft->writer != NULL && !shape_equal(&draft->shape, &array.shape)) {
        char wanted[SHAPE_TEXT], given[SHAPE_TEXT];
        BODY_ISSUE(body, key, "has rows of shape %s, but those of inputs have %s",
                   shape_text(&array.shape, given), shape_text(&draft->shape, wanted));
        array_file_close(&array.file);
        return OK;
    }
    return close_array(&array, key, read_inputs(&array, draft));
}

// ---- targets ----

static int read_bare(ArrayRows *array, Targets *targets) {
    int result = OK;
    for (; array->place.row < array->file.dims[0] && result == OK; array->place.row++) {
        double number;
        result = array_file_read(&array->file, &number, 1);
        if (result == OK && isnan(number)) {
            place_number(array, 0, "a target must not be missing (%g)", number);
        }
        if (result == OK) {
            result = targets_take_number(targets, number, &array->place, array->body->issues);
        }
    }
    return result;
}

static int read_arrays(ArrayRows *array, Targets *targets) {
    AUTO_FREE float *numbers = memory_array((size_t)array->width, sizeof *numbers);
    int result = numbers != NULL ? OK : ERR_NO_MEMORY;
    for (; array->place.row < array->file.dims[0] && result == OK; array->place.row++) {
        result = read_row(array, numbers);
        for (int64_t i = 0; i < array->width && result == OK; i++) {
            if (isnan(numbers[i])) {
                place_number(array, i, "a target must not be missing (%g)", (double)numbers[i]);
            }
        }
        if (result == OK) {
            result = targets_take_array(targets, numbers, &array->shape);
        }
    }
    return result;
}

int body_array_targets(const Body *body, const char *key, Targets *targets) {
    Pointer pointer = body_pointer(body, key);
    ArrayRows array = {.body = body, .place = {.before = pointer.text, .after = ""}};
    bool found;
    int result = open_array(&array, key, &found);
    if (result != OK || !found) {
        return result;
    }
    bool bare = array.file.rank == 1;
    if (targets->form != TARGETS_NONE && (bare != (targets->form == TARGETS_NUMBERS) ||
                                          (!bare && !shape_equal(&targets->shape, &array.shape)))) {
        BODY_ISSUE(body, key, "must have rows like those of targets");
        array_file_close(&array.file);
        return OK;
    }
    return close_array(&array, key,
                       bare ? read_bare(&array, targets) : read_arrays(&array, targets));
}
