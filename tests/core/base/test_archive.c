#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/base/archive.h"
#include "core/base/error.h"
#include "core/base/memory.h"

static char folder[] = "/tmp/backpropd-archive-XXXXXX";
static int directory = -1;

static void make_folder(void) {
    cr_assert_not_null(mkdtemp(folder));
    directory = open(folder, O_RDONLY | O_DIRECTORY);
    cr_assert(directory >= 0);
}

static void remove_folder(void) {
    static const char *const files[] = {"a", "b", "a.tmp", "cut"};
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        unlinkat(directory, files[i], 0);
    }
    close(directory);
    rmdir(folder);
}

TestSuite(archive, .init = make_folder, .fini = remove_folder);

static const float numbers[] = {1, 2, 3, 4, 5, 6};

static void write_sample(const char *path, char sha256[HASH_TEXT]) {
    ArchiveWriter *writer;
    cr_assert_eq(archive_writer_create(directory, path, &writer), OK);
    cr_assert_eq(archive_add(writer, "inputs", ARCHIVE_F32, 2, (int64_t[]){2, 3}, numbers), OK);
    cr_assert_eq(archive_add_text(writer, "spec", "{\"a\":1}"), OK);
    cr_assert_eq(archive_begin(writer, "labels", ARCHIVE_I32), OK);
    cr_assert_eq(archive_append(writer, (int32_t[]){7}, 4), OK);
    cr_assert_eq(archive_append(writer, (int32_t[]){8, 9}, 8), OK);
    cr_assert_eq(archive_end(writer, 1, (int64_t[]){3}), OK);
    cr_assert_eq(archive_add(writer, "scalar", ARCHIVE_F64, 0, NULL, (double[]){0.5}), OK);
    cr_assert_eq(archive_add(writer, "empty", ARCHIVE_I64, 1, (int64_t[]){0}, NULL), OK);
    cr_assert_eq(archive_commit(writer, sha256), OK);
    archive_writer_destroy(writer);
}

Test(archive, gives_back_what_was_written) {
    char sha256[HASH_TEXT];
    write_sample("a", sha256);
    Archive *archive;
    cr_assert_eq(archive_open(directory, "a", true, &archive), OK);
    cr_assert_eq(archive_count(archive), 5);
    cr_assert_str_eq(archive_sha256(archive), sha256);
    const ArchiveSection *inputs = archive_typed(archive, "inputs", ARCHIVE_F32);
    cr_assert_not_null(inputs);
    cr_assert_eq(inputs->rank, 2);
    cr_assert_eq(inputs->dims[0], 2);
    cr_assert_eq(inputs->dims[1], 3);
    cr_assert_eq(inputs->bytes, sizeof(numbers));
    cr_assert_eq((uintptr_t)inputs->data % 64, 0);
    cr_assert_arr_eq(inputs->data, numbers, sizeof(numbers));
    cr_assert_arr_eq(archive_find(archive, "labels")->data, ((int32_t[]){7, 8, 9}), 12);
    cr_assert_eq(*(const double *)archive_find(archive, "scalar")->data, 0.5);
    cr_assert_eq(archive_find(archive, "empty")->bytes, 0);
    cr_assert_str_eq(archive_section(archive, 0)->name, "inputs");
    char *spec = archive_text(archive, "spec");
    cr_assert_str_eq(spec, "{\"a\":1}");
    memory_free(spec);
    cr_assert_null(archive_find(archive, "input"));
    cr_assert_null(archive_typed(archive, "inputs", ARCHIVE_F64));
    cr_assert_null(archive_text(archive, "inputs"));
    archive_close(archive);
}

Test(archive, same_content_has_the_same_sha256) {
    char first[HASH_TEXT], second[HASH_TEXT];
    write_sample("a", first);
    write_sample("b", second);
    cr_assert_str_eq(first, second);
}

Test(archive, may_hold_nothing) {
    ArchiveWriter *writer;
    Archive *archive;
    cr_assert_eq(archive_writer_create(directory, "a", &writer), OK);
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    cr_assert_eq(archive_open(directory, "a", true, &archive), OK);
    cr_assert_eq(archive_count(archive), 0);
    cr_assert_null(archive_find(archive, "a"));
    archive_close(archive);
}

Test(archive, carries_more_than_the_writers_buffer) {
    size_t count = 300000;
    int32_t *items = memory_array(count, sizeof(int32_t));
    for (size_t i = 0; i < count; i++) {
        items[i] = (int32_t)i;
    }
    ArchiveWriter *writer;
    Archive *archive;
    cr_assert_eq(archive_writer_create(directory, "a", &writer), OK);
    cr_assert_eq(archive_add_text(writer, "before", "x"), OK);
    cr_assert_eq(archive_begin(writer, "pieces", ARCHIVE_I32), OK);
    for (size_t i = 0; i < count; i += 1000) {
        cr_assert_eq(archive_append(writer, items + i, 4000), OK);
    }
    cr_assert_eq(archive_end(writer, 1, (int64_t[]){(int64_t)count}), OK);
    cr_assert_eq(archive_add(writer, "whole", ARCHIVE_I32, 1, (int64_t[]){(int64_t)count}, items),
                 OK);
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    cr_assert_eq(archive_open(directory, "a", true, &archive), OK);
    cr_assert_arr_eq(archive_find(archive, "pieces")->data, items, 4 * count);
    cr_assert_arr_eq(archive_find(archive, "whole")->data, items, 4 * count);
    archive_close(archive);
    memory_free(items);
}

Test(archive, is_there_whole_or_not_at_all) {
    ArchiveWriter *writer;
    Archive *archive;
    cr_assert_eq(archive_writer_create(directory, "a", &writer), OK);
    cr_assert_eq(archive_add_text(writer, "spec", "x"), OK);
    cr_assert_eq(faccessat(directory, "a", F_OK, 0), -1);
    archive_writer_destroy(writer);
    cr_assert_eq(faccessat(directory, "a.tmp", F_OK, 0), -1);
    cr_assert_eq(archive_open(directory, "a", false, &archive), ERR_NOT_FOUND);
}

static int first_failure(void (*misuse)(ArchiveWriter *writer)) {
    ArchiveWriter *writer;
    cr_assert_eq(archive_writer_create(directory, "a", &writer), OK);
    misuse(writer);
    int result = archive_commit(writer, NULL);
    archive_writer_destroy(writer);
    cr_assert_eq(faccessat(directory, "a", F_OK, 0), -1);
    return result;
}

static void add_twice(ArchiveWriter *writer) {
    archive_add_text(writer, "x", "1");
    archive_add_text(writer, "x", "2");
}

static void add_nameless(ArchiveWriter *writer) {
    archive_add_text(writer, "", "1");
}

static void add_with_control_character(ArchiveWriter *writer) {
    archive_add_text(writer, "a\nb", "1");
}

static void end_with_wrong_shape(ArchiveWriter *writer) {
    archive_begin(writer, "x", ARCHIVE_F32);
    archive_append(writer, numbers, sizeof(numbers));
    archive_end(writer, 1, (int64_t[]){5});
}

static void leave_open(ArchiveWriter *writer) {
    archive_begin(writer, "x", ARCHIVE_F32);
}

static void add_negative_axis(ArchiveWriter *writer) {
    archive_add(writer, "x", ARCHIVE_F32, 2, (int64_t[]){-1, -6}, numbers);
}

static void add_overflowing_shape(ArchiveWriter *writer) {
    archive_add(writer, "x", ARCHIVE_F64, 2, (int64_t[]){INT64_MAX, 4}, numbers);
}

static void append_outside(ArchiveWriter *writer) {
    archive_append(writer, numbers, 4);
}

Test(archive, writer_refuses_misuse) {
    void (*const misuses[])(ArchiveWriter *) = {
        add_twice,  add_nameless,      add_with_control_character, end_with_wrong_shape,
        leave_open, add_negative_axis, add_overflowing_shape,      append_outside,
    };
    for (size_t i = 0; i < ARRAY_LENGTH(misuses); i++) {
        cr_assert_eq(first_failure(misuses[i]), ERR_INVALID, "misuse %zu", i);
    }
}

static size_t read_file(const char *path, uint8_t *bytes, size_t limit) {
    int file = openat(directory, path, O_RDONLY);
    ssize_t got = read(file, bytes, limit);
    cr_assert(got > 0 && (size_t)got < limit);
    close(file);
    return (size_t)got;
}

static void write_file(const char *path, const uint8_t *bytes, size_t count) {
    int file = openat(directory, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_eq(write(file, bytes, count), (ssize_t)count);
    close(file);
}

Test(archive, notices_each_flipped_byte) {
    static uint8_t bytes[4096];
    write_sample("a", NULL);
    size_t count = read_file("a", bytes, sizeof(bytes));
    for (size_t i = 0; i < count; i++) {
        for (int bit = 0; bit < 8; bit++) {
            Archive *archive;
            bytes[i] ^= (uint8_t)(1 << bit);
            write_file("cut", bytes, count);
            cr_assert_eq(archive_open(directory, "cut", true, &archive), ERR_DAMAGED,
                         "bit %d of byte %zu", bit, i);
            bytes[i] ^= (uint8_t)(1 << bit);
        }
    }
}

Test(archive, notices_a_cut_at_each_length_even_unverified) {
    static uint8_t bytes[4096];
    write_sample("a", NULL);
    size_t count = read_file("a", bytes, sizeof(bytes));
    for (size_t length = 0; length < count; length++) {
        Archive *archive;
        write_file("cut", bytes, length);
        cr_assert_eq(archive_open(directory, "cut", false, &archive), ERR_DAMAGED, "length %zu",
                     length);
    }
    bytes[count] = 0;
    Archive *archive;
    write_file("cut", bytes, count + 1);
    cr_assert_eq(archive_open(directory, "cut", false, &archive), ERR_DAMAGED);
}

// A hostile file has a right seal: whatever structure an unverified reader accepts must stay inside
// the file.
Test(archive, accepts_no_section_outside_the_file) {
    static uint8_t bytes[4096];
    write_sample("a", NULL);
    size_t count = read_file("a", bytes, sizeof(bytes));
    for (size_t i = 0; i < count; i++) {
        uint8_t kept = bytes[i];
        for (int value = 0; value < 256; value += 5) {
            bytes[i] = (uint8_t)value;
            write_file("cut", bytes, count);
            Archive *archive;
            if (archive_open(directory, "cut", false, &archive) != OK) {
                continue;
            }
            const uint8_t *end = NULL;
            for (size_t s = 0; s < archive_count(archive); s++) {
                const ArchiveSection *section = archive_section(archive, s);
                const uint8_t *data = section->data;
                cr_assert(end == NULL || data >= end);
                end = data + section->bytes;
                cr_assert_eq(archive_find(archive, section->name), section);
            }
            archive_close(archive);
        }
        bytes[i] = kept;
    }
}

Test(archive, refuses_a_link_and_a_folder) {
    write_sample("a", NULL);
    Archive *archive;
    cr_assert_eq(symlinkat("a", directory, "b"), 0);
    cr_assert_eq(archive_open(directory, "b", false, &archive), ERR_IO);
    cr_assert_eq(archive_open(AT_FDCWD, folder, false, &archive), ERR_IO);
}

Test(archive, survives_each_failed_allocation) {
    for (long nth = 1; nth < 40; nth++) {
        ArchiveWriter *writer = NULL;
        memory_fail_at(nth);
        int result = archive_writer_create(directory, "a", &writer);
        if (result == OK) {
            archive_add_text(writer, "spec", "x");
            archive_add(writer, "inputs", ARCHIVE_F32, 1, (int64_t[]){6}, numbers);
            result = archive_commit(writer, NULL);
        }
        archive_writer_destroy(writer);
        Archive *archive = NULL;
        if (result == OK) {
            result = archive_open(directory, "a", true, &archive);
        }
        archive_close(archive);
        memory_fail_at(0);
        cr_assert(result == OK || result == ERR_NO_MEMORY, "allocation %ld: %d", nth, result);
        cr_assert_eq(faccessat(directory, "a.tmp", F_OK, 0), -1);
        unlinkat(directory, "a", 0);
    }
}
