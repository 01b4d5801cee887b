#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "server/data/array_file.h"

enum { PLENTY = 1 << 30 };

// "dims: numbers" of a file, or "!why".
static char *read_all(const void *bytes, size_t length, uint64_t left) {
    Text said;
    text_init(&said);
    char *copy = malloc(length + (length == 0)); // of its exact size: nothing reads on unseen
    memcpy(copy, bytes, length);
    Source source = source_in_memory(copy, length);
    ArrayFile file;
    int result = array_file_open(&file, &source, &left);
    for (int axis = 0; axis < file.rank && result == OK; axis++) {
        text_add_format(&said, "%lld,", (long long)file.dims[axis]);
    }
    text_add(&said, ":");
    for (int64_t i = 0; i < file.count && result == OK; i++) {
        double number = 0;
        result = array_file_read(&file, &number, 1);
        if (result == OK && i < 20) {
            text_add_format(&said, " %g", number);
        }
    }
    if (result == OK) {
        result = array_file_end(&file);
    }
    if (result != OK) {
        text_clear(&said);
        text_add_format(&said, "%s%s", result == ERR_TOO_LARGE ? "!!" : "!", file.why);
    }
    array_file_close(&file);
    free(copy);
    return text_take(&said);
}

static void expect(const void *bytes, size_t length, const char *wanted) {
    AUTO_FREE char *said = read_all(bytes, length, PLENTY);
    cr_assert_str_eq(said, wanted);
}

#define EXPECT(bytes, wanted) expect(bytes, sizeof(bytes) - 1, wanted)

static void add_npy(Text *file, int version, const char *head) {
    size_t length = strlen(head);
    text_add_bytes(file, "\x93NUMPY", 6);
    text_add_char(file, (char)version);
    text_add_char(file, 0);
    for (int i = 0; i < (version == 1 ? 2 : 4); i++) {
        text_add_char(file, (char)(length >> 8 * i));
    }
    text_add(file, head);
}

static void expect_npy(const char *head, const void *numbers, size_t bytes, const char *wanted) {
    for (int version = 1; version <= 3; version++) {
        Text file;
        text_init(&file);
        add_npy(&file, version, head);
        text_add_bytes(&file, numbers, bytes);
        expect(text_string(&file), file.length, wanted);
        text_finish(&file);
    }
}

Test(array_file, reads_idx_of_every_type) {
    EXPECT("\0\0\x08\x02\0\0\0\x02\0\0\0\x03\x01\x02\xff\0\x80\x7f", "2,3,: 1 2 255 0 128 127");
    EXPECT("\0\0\x09\x01\0\0\0\x02\xff\x7f", "2,: -1 127");
    EXPECT("\0\0\x0b\x01\0\0\0\x02\xff\xfe\x01\0", "2,: -2 256");
    EXPECT("\0\0\x0c\x01\0\0\0\x01\0\x01\0\x02", "1,: 65538");
    EXPECT("\0\0\x0d\x01\0\0\0\x01\x3f\xc0\0\0", "1,: 1.5");
    EXPECT("\0\0\x0e\x01\0\0\0\x01\xbf\xf8\0\0\0\0\0\0", "1,: -1.5");
}

Test(array_file, refuses_idx_that_is_none) {
    EXPECT("", "!is empty: it must be an IDX or NPY file, gzip or not");
    EXPECT("\0\0\x08", "!ends in its head: it is no whole IDX or NPY file");
    EXPECT("\0\0\x08\x01\0\0\0", "!ends in its head: it is no whole IDX or NPY file");
    EXPECT("\0\0\x07\x01\0\0\0\x01\x01",
           "!is IDX of the type 0x07; the types are 0x08 (u8), 0x09 (i8), 0x0B (i16), 0x0C (i32), "
           "0x0D (f32) and 0x0E (f64)");
    EXPECT("\0\0\x08\0\x01", "!has 0 axes; there must be 1 to 7");
    EXPECT("\0\0\x08\x08", "!has 8 axes; there must be 1 to 7");
    EXPECT("\0\0\x08\x02\0\0\0\x02\0\0\0\0", "!has an axis of no items (axis 1): it is empty");
    EXPECT("\0\0\x08\x01\0\0\0\x03\x01\x02",
           "!has 2 bytes of numbers where its head promises 3: was it cut off?");
    EXPECT("\0\0\x08\x01\0\0\0\x01\x01\x02",
           "!has 2 bytes of numbers where its head promises 1: was it cut off?");
    EXPECT("PK\x03\x04",
           "!is neither IDX nor NPY, gzip or not: save it by numpy.save(file, array)");
    AUTO_FREE char *huge =
        read_all("\0\0\x0e\x07\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                 "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                 32, PLENTY);
    cr_assert_eq(strncmp(huge, "!!unpacks to more bytes", 23), 0, "%s", huge);
}

Test(array_file, reads_npy_of_every_type) {
    const float f4[] = {1.5f, -2, NAN};
    expect_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }      \n", f4, sizeof f4,
               "3,: 1.5 -2 nan");
    const double f8[] = {1e300, 0.25};
    expect_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }\n", f8, sizeof f8,
               "1,2,: 1e+300 0.25");
    const int64_t i8[] = {-5, 1LL << 40};
    expect_npy("{\"shape\":(2,1,1),\"descr\":\"<i8\",\"fortran_order\":False}", i8, sizeof i8,
               "2,1,1,: -5 1.09951e+12");
    const uint64_t u8[] = {UINT64_MAX};
    expect_npy("{'descr': '<u8', 'fortran_order': False, 'shape': (1,)}", u8, sizeof u8,
               "1,: 1.84467e+19");
    const int32_t i4[] = {-70000};
    expect_npy("{'descr': '<i4', 'fortran_order': False, 'shape': (1,)}", i4, sizeof i4,
               "1,: -70000");
    const uint32_t u4[] = {4000000000u};
    expect_npy("{'descr': '<u4', 'fortran_order': False, 'shape': (1,)}", u4, sizeof u4,
               "1,: 4e+09");
    const int16_t i2[] = {-300};
    expect_npy("{'descr': '<i2', 'fortran_order': False, 'shape': (1,)}", i2, sizeof i2,
               "1,: -300");
    const uint16_t u2[] = {60000};
    expect_npy("{'descr': '<u2', 'fortran_order': False, 'shape': (1,)}", u2, sizeof u2,
               "1,: 60000");
    expect_npy("{'descr': '|i1', 'fortran_order': False, 'shape': (2,)}", "\xff\x01", 2,
               "2,: -1 1");
    expect_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}", "\xff\x01", 2,
               "2,: 255 1");
    expect_npy("{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}", "\0\x01", 2, "2,: 0 1");
}

Test(array_file, refuses_npy_with_the_way_out) {
    static const char *const cases[][2] = {
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }",
         "!has the type '>f4', which is not little-endian: save array.astype('<f4')"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }",
         "!is in Fortran order; it must be in C order: save numpy.ascontiguousarray(array)"},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }",
         "!has the type '<f2'; taken are f4, f8, i1, i2, i4, i8, u1, u2, u4, u8 and b1: save "
         "array.astype('float32'), or for class names their numbers, and send class_names"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
         "!is a structured array, or of a type with a long name: save one plain array, as by "
         "array.astype('float32')"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (), }",
         "!is a single number; it must have an axis of rows"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1)}",
         "!has more than 7 axes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
         "!has a head whose shape is not of whole numbers"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
         "!has a head whose shape is not of whole numbers"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 1}",
         "!has a head whose shape is no tuple"},
        {"{'descr': '<f4', 'fortran_order': None, 'shape': (1,)}",
         "!has a head whose fortran_order is not False"},
        {"{'descr': '<f4', 'fortran_order': False}",
         "!has a head that is not of 'descr', 'fortran_order' and 'shape'"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
         "!has a head that is not of 'descr', 'fortran_order' and 'shape'"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)",
         "!has a head that is not of 'descr', 'fortran_order' and 'shape'"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
         "!has a head that is not of 'descr', 'fortran_order' and 'shape'"},
        {"", "!has a head that is not of 'descr', 'fortran_order' and 'shape'"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        expect_npy(cases[i][0], "\0\0\x80\x3f", 4, cases[i][1]);
    }
    EXPECT("\x93NUMPY\x04\0\0\0", "!is no NPY file of version 1.0, 2.0 or 3.0");
    EXPECT("\x93NUMPY\x01\0\xff\xff{", "!ends in its head: it is no whole IDX or NPY file");
    EXPECT("\x93NUMPY\x02\0\xff\xff\xff\xff{", "!has a head of more than 65536 bytes");
}

// ---- gzip ----

static size_t pack(const void *bytes, size_t length, unsigned char *packed, size_t room) {
    z_stream stream = {0};
    cr_assert_eq(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)bytes;
    stream.avail_in = (uInt)length;
    stream.next_out = packed;
    stream.avail_out = (uInt)room;
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return room - stream.avail_out;
}

static const char idx[] = "\0\0\x08\x02\0\0\0\x02\0\0\0\x03\x01\x02\xff\0\x80\x7f";
enum { IDX_BYTES = sizeof idx - 1 };

Test(array_file, unpacks_gzip_of_one_member_or_several) {
    unsigned char packed[256];
    size_t length = pack(idx, IDX_BYTES, packed, sizeof packed);
    expect(packed, length, "2,3,: 1 2 255 0 128 127");
    length = pack(idx, 7, packed, sizeof packed);
    length += pack(idx + 7, IDX_BYTES - 7, packed + length, sizeof packed - length);
    expect(packed, length, "2,3,: 1 2 255 0 128 127");
}

Test(array_file, refuses_gzip_that_is_damaged_cut_off_or_goes_on) {
    unsigned char packed[256];
    size_t length = pack(idx, IDX_BYTES, packed, sizeof packed);
    for (size_t cut = 2; cut < length; cut++) {
        AUTO_FREE char *said = read_all(packed, cut, PLENTY);
        cr_assert_eq(said[0], '!', "cut at %zu: %s", cut, said);
    }
    for (size_t at = 0; at < length; at++) {
        if (at >= 4 && at < 10) {
            continue; // time, strength and system: free for anyone to write
        }
        unsigned char changed[256];
        memcpy(changed, packed, length);
        changed[at] ^= 0x55;
        AUTO_FREE char *said = read_all(changed, length, PLENTY);
        cr_assert_eq(said[0], '!', "flipped at %zu: %s", at, said);
    }
    packed[length] = 'x';
    expect(packed, length + 1, "!has bytes behind its gzip stream");
    length = pack("\0\0\x08\x01\0\0\0\x02\x01", 9, packed, sizeof packed);
    expect(packed, length,
           "!ends after 1 of the 2 numbers that its head promises: was it cut off?");
    length = pack("\0\0\x08\x01\0\0\0\x01\x01\x02", 10, packed, sizeof packed);
    expect(packed, length, "!has more numbers than the 1 that its head promises");
}

Test(array_file, a_bomb_is_too_large_whatever_its_head_says) {
    enum { BOMB = 4 << 20 };
    AUTO_FREE unsigned char *bytes = memory_array(BOMB, 1);
    AUTO_FREE unsigned char *packed = memory_array(64 << 10, 1);
    static const char *const heads[] = {"\0\0\x08\x01\0\x3f\xff\xf8",
                                        "\0\0\x08\x01\xff\xff\xff\xff"};
    for (size_t i = 0; i < ARRAY_LENGTH(heads); i++) {
        memcpy(bytes, heads[i], 8);
        size_t length = pack(bytes, BOMB, packed, 64 << 10);
        cr_assert_lt(length, 8u << 10);
        AUTO_FREE char *said = read_all(packed, length, 1 << 20);
        cr_assert_eq(strncmp(said, "!!unpacks to more bytes than a body may have", 44), 0, "%s",
                     said);
    }
}

Test(array_file, survives_the_failure_of_any_allocation) {
    unsigned char packed[256];
    Text npy;
    text_init(&npy);
    add_npy(&npy, 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }");
    text_add(&npy, "x");
    size_t length = pack(text_string(&npy), npy.length, packed, sizeof packed);
    text_finish(&npy);
    Source source = source_in_memory((char *)packed, length);
    for (long nth = 1;; nth++) {
        uint64_t left = PLENTY;
        double number;
        ArrayFile file;
        memory_fail_at(nth);
        int result = array_file_open(&file, &source, &left);
        if (result == OK) {
            result = array_file_read(&file, &number, 1);
        }
        memory_fail_at(0);
        array_file_close(&file);
        if (result == OK) {
            cr_assert_gt(nth, 1);
            break;
        }
        cr_assert_eq(result, ERR_NO_MEMORY);
    }
}

// Any head: an answer, and no read beyond the end.
Test(array_file, survives_any_byte_anywhere) {
    Text npy;
    text_init(&npy);
    add_npy(&npy, 1, "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 1), }");
    text_add(&npy, "abcd");
    const struct {
        const char *bytes;
        size_t length;
    } files[] = {{text_string(&npy), npy.length}, {idx, IDX_BYTES}};
    for (size_t f = 0; f < ARRAY_LENGTH(files); f++) {
        for (size_t cut = 0; cut < files[f].length; cut++) {
            AUTO_FREE char *said = read_all(files[f].bytes, cut, PLENTY);
            cr_assert_eq(said[0], '!');
        }
        for (size_t at = 0; at < files[f].length; at++) {
            for (int byte = 0; byte < 256; byte += 5) {
                AUTO_FREE char *changed = memory_array(files[f].length, 1);
                memcpy(changed, files[f].bytes, files[f].length);
                changed[at] = (char)byte;
                AUTO_FREE char *said = read_all(changed, files[f].length, 1 << 16);
                cr_assert_not_null(said);
            }
        }
    }
    text_finish(&npy);
}
