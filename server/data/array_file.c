// The head is read byte by byte, the numbers in pieces of whole numbers, which a function of their type turns into doubles.
#include "server/data/array_file.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

enum { NUMBER_MAX = 8, NPY_HEAD_MAX = 64 << 10, PIECE_NUMBERS = 2048 };

// ---- types ----

#define NUMBER(name, Type)                                                                         \
    static double name(const unsigned char *raw) {                                                 \
        Type value;                                                                                \
        memcpy(&value, raw, sizeof value);                                                         \
        return (double)value;                                                                      \
    }
NUMBER(number_u1, uint8_t)
NUMBER(number_i1, int8_t)
NUMBER(number_u2, uint16_t)
NUMBER(number_i2, int16_t)
NUMBER(number_u4, uint32_t)
NUMBER(number_i4, int32_t)
NUMBER(number_u8, uint64_t)
NUMBER(number_i8, int64_t)
NUMBER(number_f4, float)
NUMBER(number_f8, double)

static double number_b1(const unsigned char *raw) {
    return *raw != 0;
}

static const ArrayType types[] = {
    {"u1", 0x08, "|<>=", 1, number_u1}, {"i1", 0x09, "|<>=", 1, number_i1},
    {"i2", 0x0B, "<", 2, number_i2},    {"i4", 0x0C, "<", 4, number_i4},
    {"f4", 0x0D, "<", 4, number_f4},    {"f8", 0x0E, "<", 8, number_f8},
    {"u2", 0, "<", 2, number_u2},       {"u4", 0, "<", 4, number_u4},
    {"u8", 0, "<", 8, number_u8},       {"i8", 0, "<", 8, number_i8},
    {"b1", 0, "|<>=", 1, number_b1},
};

__attribute__((format(printf, 3, 4))) static int fail(ArrayFile *file, int result,
                                                      const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(file->why, sizeof file->why, format, list);
    va_end(list);
    return result;
}

// ---- bytes ----

static int too_large(ArrayFile *file) {
    return fail(
        file, ERR_TOO_LARGE,
        "unpacks to more bytes than a body may have, which are for all parts together: post "
        "less, or start the server with a larger --max-body");
}

// Up to `bytes`; fewer only at the end.
static int read_up_to(ArrayFile *file, void *ret_data, size_t bytes, size_t *ret_count) {
    char *to = ret_data;
    size_t done = 0, count = 1;
    while (done < bytes && count > 0) {
        int result = unpack_read(&file->unpack, to + done, bytes - done, &count);
        if (result != OK) {
            return result == ERR_TOO_LARGE ? too_large(file)
                   : result == ERR_INVALID ? fail(file, result, "%s", file->unpack.error)
                                           : result;
        }
        done += count;
    }
    *ret_count = done;
    return OK;
}

static int read_head(ArrayFile *file, void *ret_data, size_t bytes) {
    size_t count = 0;
    int result = read_up_to(file, ret_data, bytes, &count);
    return result == OK && count < bytes
               ? fail(file, ERR_INVALID, "ends in its head: it is no whole IDX or NPY file")
               : result;
}

// ---- IDX ----

static int read_idx(ArrayFile *file, const unsigned char magic[4]) {
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        if (types[i].idx == magic[2]) {
            file->type = &types[i];
        }
    }
    if (file->type == NULL) {
        return fail(file, ERR_INVALID,
                    "is IDX of the type 0x%02X; the types are 0x08 (u8), 0x09 (i8), 0x0B (i16), "
                    "0x0C (i32), 0x0D (f32) and 0x0E (f64)",
                    magic[2]);
    }
    file->big_endian = true;
    file->rank = magic[3];
    if (file->rank < 1 || file->rank > ARRAY_RANK_MAX) {
        return fail(file, ERR_INVALID, "has %d axes; there must be 1 to %d", file->rank,
                    ARRAY_RANK_MAX);
    }
    for (int axis = 0; axis < file->rank; axis++) {
        unsigned char size[4];
        int result = read_head(file, size, sizeof size);
        if (result != OK) {
            return result;
        }
        file->dims[axis] =
            (int64_t)size[0] << 24 | (int64_t)size[1] << 16 | (int64_t)size[2] << 8 | size[3];
    }
    return OK;
}

// ---- NPY: the head is a Python dict of three literals ----

typedef struct Literal {
    const char *at, *end;
} Literal;

static void skip_blanks(Literal *text) {
    while (text->at < text->end && isspace((unsigned char)*text->at)) {
        text->at++;
    }
}

static bool take(Literal *text, char c) {
    skip_blanks(text);
    bool there = text->at < text->end && *text->at == c;
    text->at += there;
    return there;
}

static bool take_word(Literal *text, const char *word) {
    size_t length = strlen(word);
    skip_blanks(text);
    bool there = (size_t)(text->end - text->at) >= length && memcmp(text->at, word, length) == 0;
    text->at += there ? length : 0;
    return there;
}

// 'text' or "text", without escapes.
static bool take_string(Literal *text, char *ret_string, size_t size) {
    skip_blanks(text);
    if (text->at == text->end || (*text->at != '\'' && *text->at != '"')) {
        return false;
    }
    const char *start = text->at + 1;
    const char *stop = memchr(start, *text->at, (size_t)(text->end - start));
    if (stop == NULL || (size_t)(stop - start) >= size ||
        memchr(start, '\\', (size_t)(stop - start)) != NULL) {
        return false;
    }
    memcpy(ret_string, start, (size_t)(stop - start));
    ret_string[stop - start] = '\0';
    text->at = stop + 1;
    return true;
}

static bool take_size(Literal *text, int64_t *ret_size) {
    skip_blanks(text);
    int64_t size = 0;
    const char *start = text->at;
    for (; text->at < text->end && isdigit((unsigned char)*text->at); text->at++) {
        if (__builtin_mul_overflow(size, 10, &size) ||
            __builtin_add_overflow(size, *text->at - '0', &size)) {
            return false;
        }
    }
    *ret_size = size;
    return text->at > start;
}

static int read_descr(ArrayFile *file, Literal *text) {
    char descr[24];
    if (!take_string(text, descr, sizeof descr) || strlen(descr) < 2) {
        return fail(
            file, ERR_INVALID,
            "is a structured array, or of a type with a long name: save one plain array, as "
            "by array.astype('float32')");
    }
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        if (strcmp(types[i].npy, descr + 1) != 0) {
            continue;
        }
        if (strchr(types[i].order, descr[0]) == NULL) {
            return fail(file, ERR_INVALID,
                        "has the type '%s', which is not little-endian: save array.astype('<%s')",
                        descr, types[i].npy);
        }
        file->type = &types[i];
        return OK;
    }
    return fail(file, ERR_INVALID,
                "has the type '%s'; taken are f4, f8, i1, i2, i4, i8, u1, u2, u4, u8 and b1: save "
                "array.astype('float32'), or for class names their numbers, and send class_names",
                descr);
}

static int read_order(ArrayFile *file, Literal *text) {
    if (take_word(text, "False")) {
        return OK;
    }
    return take_word(text, "True")
               ? fail(file, ERR_INVALID,
                      "is in Fortran order; it must be in C order: save "
                      "numpy.ascontiguousarray(array)")
               : fail(file, ERR_INVALID, "has a head whose fortran_order is not False");
}

static int read_shape(ArrayFile *file, Literal *text) {
    bool more = take(text, '(');
    if (!more) {
        return fail(file, ERR_INVALID, "has a head whose shape is no tuple");
    }
    while (more && !take(text, ')')) {
        if (file->rank == ARRAY_RANK_MAX) {
            return fail(file, ERR_INVALID, "has more than %d axes", ARRAY_RANK_MAX);
        }
        if (!take_size(text, &file->dims[file->rank++])) {
            return fail(file, ERR_INVALID, "has a head whose shape is not of whole numbers");
        }
        more = take(text, ',');
        if (!more && !take(text, ')')) {
            return fail(file, ERR_INVALID, "has a head whose shape does not end");
        }
    }
    return file->rank > 0
               ? OK
               : fail(file, ERR_INVALID, "is a single number; it must have an axis of rows");
}

static int read_dict(ArrayFile *file, Literal *text) {
    static const struct {
        const char *key;
        int (*read)(ArrayFile *file, Literal *text);
    } members[] = {{"descr", read_descr}, {"fortran_order", read_order}, {"shape", read_shape}};
    bool seen[ARRAY_LENGTH(members)] = {false};
    size_t count = 0;
    bool more = take(text, '{');
    while (more && !take(text, '}')) {
        char key[24];
        size_t i = 0;
        bool named = take_string(text, key, sizeof key) && take(text, ':');
        while (named && i < ARRAY_LENGTH(members) && strcmp(members[i].key, key) != 0) {
            i++;
        }
        if (!named || i == ARRAY_LENGTH(members) || seen[i]) {
            return fail(file, ERR_INVALID,
                        "has a head that is not of 'descr', 'fortran_order' and 'shape'");
        }
        seen[i] = true;
        count++;
        int result = members[i].read(file, text);
        if (result != OK) {
            return result;
        }
        more = take(text, ',');
        if (!more && !take(text, '}')) {
            count = 0; // the dict does not end
            break;
        }
    }
    skip_blanks(text);
    return count == ARRAY_LENGTH(members) && text->at == text->end
               ? OK
               : fail(file, ERR_INVALID,
                      "has a head that is not of 'descr', 'fortran_order' and 'shape'");
}

// Behind the first four bytes.
static int read_npy(ArrayFile *file) {
    unsigned char start[4], length[4] = {0};
    int result = read_head(file, start, sizeof start);
    if (result != OK) {
        return result;
    }
    if (memcmp(start, "PY", 2) != 0 || start[2] < 1 || start[2] > 3 || start[3] != 0) {
        return fail(file, ERR_INVALID, "is no NPY file of version 1.0, 2.0 or 3.0");
    }
    result = read_head(file, length, start[2] == 1 ? 2 : 4);
    size_t bytes =
        length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 | (size_t)length[3] << 24;
    if (result == OK && bytes > NPY_HEAD_MAX) {
        return fail(file, ERR_INVALID, "has a head of more than %d bytes", NPY_HEAD_MAX);
    }
    AUTO_FREE char *head = result == OK ? memory_array(bytes + 1, 1) : NULL;
    if (result == OK && head == NULL) {
        return ERR_NO_MEMORY;
    }
    if (result == OK) {
        result = read_head(file, head, bytes);
    }
    return result == OK ? read_dict(file, &(Literal){head, head + bytes}) : result;
}

// ---- both ----

// The numbers in all, against what may come and, where it is known, what does.
static int check_size(ArrayFile *file) {
    size_t count = 1, bytes;
    for (int axis = 0; axis < file->rank; axis++) {
        if (file->dims[axis] == 0) {
            return fail(file, ERR_INVALID, "has an axis of no items (axis %d): it is empty", axis);
        }
        if (!size_multiply(count, (size_t)file->dims[axis], &count)) {
            return too_large(file);
        }
    }
    if (!size_multiply(count, file->type->bytes, &bytes) || bytes > *file->unpack.left ||
        bytes > INT64_MAX) {
        return too_large(file);
    }
    file->count = (int64_t)count;
    size_t there = (size_t)(file->unpack.end - file->unpack.at);
    return file->unpack.gzip || bytes == there
               ? OK
               : fail(file, ERR_INVALID,
                      "has %zu bytes of numbers where its head promises %zu: was it cut off?",
                      there, bytes);
}

int array_file_open(ArrayFile *file, const Source *source, uint64_t *left) {
    unsigned char magic[4];
    *file = (ArrayFile){.rank = 0};
    int result = unpack_open(&file->unpack, source, left);
    if (result != OK) {
        return result;
    }
    if (source->length == 0) {
        return fail(file, ERR_INVALID, "is empty: it must be an IDX or NPY file, gzip or not");
    }
    result = read_head(file, magic, sizeof magic);
    if (result != OK) {
        return result;
    }
    if (memcmp(magic, "\x93NUM", 4) == 0) {
        result = read_npy(file);
    } else if (magic[0] == 0 && magic[1] == 0) {
        result = read_idx(file, magic);
    } else {
        return fail(file, ERR_INVALID,
                    "is neither IDX nor NPY, gzip or not: save it by numpy.save(file, array)");
    }
    return result == OK ? check_size(file) : result;
}

void array_file_close(ArrayFile *file) {
    unpack_close(&file->unpack);
}

// Numbers as they lie in the file, at most a piece.
static int read_piece(ArrayFile *file, double *ret_numbers, size_t count) {
    unsigned char raw[PIECE_NUMBERS * NUMBER_MAX];
    size_t bytes = file->type->bytes, got = 0;
    int result = read_up_to(file, raw, count * bytes, &got);
    if (result != OK) {
        return result;
    }
    if (got < count * bytes) {
        return fail(file, ERR_INVALID,
                    "ends after %lld of the %lld numbers that its head promises: was it cut off?",
                    (long long)file->taken + (long long)(got / bytes), (long long)file->count);
    }
    for (size_t i = 0; i < count; i++) {
        unsigned char *number = raw + i * bytes;
        for (size_t low = 0; file->big_endian && low < bytes / 2; low++) {
            unsigned char swapped = number[low];
            number[low] = number[bytes - 1 - low];
            number[bytes - 1 - low] = swapped;
        }
        ret_numbers[i] = file->type->number(number);
    }
    file->taken += (int64_t)count;
    return OK;
}

int array_file_read(ArrayFile *file, double *ret_numbers, size_t count) {
    int result = OK;
    while (count > 0 && result == OK) {
        size_t piece = count < PIECE_NUMBERS ? count : PIECE_NUMBERS;
        result = read_piece(file, ret_numbers, piece);
        ret_numbers += piece;
        count -= piece;
    }
    return result;
}

int array_file_end(ArrayFile *file) {
    char more;
    size_t count = 0;
    int result = read_up_to(file, &more, 1, &count);
    return result == OK && count > 0
               ? fail(file, ERR_INVALID, "has more numbers than the %lld that its head promises",
                      (long long)file->count)
               : result;
}
