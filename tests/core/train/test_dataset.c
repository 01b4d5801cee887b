#include "tests/core/sample.h"
#include <math.h>
#include "core/train/dataset.h"

TestSuite(dataset, .init = sample_begin, .fini = sample_end);

// Writes an archive of these sections and tells how opening it ends.
static int open_sections(const char *task, int rank, const int64_t *input_dims,
                         ArchiveType target_type, int64_t targets, const void *target,
                         const char *names, int64_t name_bytes) {
    static const float numbers[64];
    ArchiveWriter *writer;
    cr_assert_eq(archive_writer_create(sample_directory, "d", &writer), OK);
    archive_add_text(writer, "task", task);
    archive_add(writer, "inputs", ARCHIVE_F32, rank, input_dims, numbers);
    archive_add(writer, "targets", target_type, 1, &targets, target);
    if (names != NULL)
        archive_add(writer, "class_names", ARCHIVE_U8, 1, &name_bytes, names);
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    Dataset *dataset = NULL;
    int error = dataset_open(sample_directory, "d", true, &dataset);
    dataset_close(dataset);
    return error;
}

static const int64_t three_by_two[] = {3, 2};
static const char two_names[] = "a\0b";

Test(dataset, opens_what_is_whole) {
    SampleData data = sample_blobs(9, 3);
    Dataset *dataset = sample_dataset(&data);
    cr_assert_eq(dataset->rows, 9);
    cr_assert_eq(shape_elements(&dataset->task.input), 4);
    cr_assert_eq(dataset->task.outputs, 3);
    cr_assert(shape_equal(&dataset->task.input, &SHAPE(4)));
    cr_assert_str_eq(dataset_class_name(dataset, 2), "class 2");
    cr_assert_null(dataset_class_name(dataset, 3));
    dataset_close(dataset);
}

Test(dataset, opens_numbers_of_one_axis_as_one_output) {
    static const float targets[] = {1, 2, 3};
    cr_assert_eq(open_sections("regression", 2, three_by_two, ARCHIVE_F32, 3, targets, NULL, 0),
                 OK);
}

Test(dataset, refuses_class_numbers_beyond_the_names) {
    cr_assert_eq(open_sections("classification", 2, three_by_two, ARCHIVE_I32, 3,
                               (int32_t[]){0, 1, 1}, two_names, 4),
                 OK);
    cr_assert_eq(open_sections("classification", 2, three_by_two, ARCHIVE_I32, 3,
                               (int32_t[]){0, 2, 1}, two_names, 4),
                 ERR_DAMAGED);
    cr_assert_eq(open_sections("classification", 2, three_by_two, ARCHIVE_I32, 3,
                               (int32_t[]){0, -1, 1}, two_names, 4),
                 ERR_DAMAGED);
    cr_assert_eq(open_sections("classification", 2, three_by_two, ARCHIVE_I32, 3,
                               (int32_t[]){0, 1, 1}, two_names, 3),
                 ERR_DAMAGED, "the last name is not closed");
}

Test(dataset, refuses_sections_of_other_lengths) {
    cr_assert_eq(open_sections("classification", 2, three_by_two, ARCHIVE_I32, 2, (int32_t[]){0, 1},
                               two_names, 4),
                 ERR_DAMAGED);
    cr_assert_eq(open_sections("regression", 2, three_by_two, ARCHIVE_F32, 4, (float[]){1, 2, 3, 4},
                               NULL, 0),
                 ERR_DAMAGED);
}

Test(dataset, refuses_types_and_values_that_do_not_fit) {
    cr_assert_eq(
        open_sections("regression", 2, three_by_two, ARCHIVE_I32, 3, (int32_t[]){1, 2, 3}, NULL, 0),
        ERR_DAMAGED);
    cr_assert_eq(
        open_sections("regression", 2, three_by_two, ARCHIVE_F32, 3, (float[]){1, NAN, 3}, NULL, 0),
        ERR_DAMAGED);
    cr_assert_eq(
        open_sections("poetry", 2, three_by_two, ARCHIVE_F32, 3, (float[]){1, 2, 3}, NULL, 0),
        ERR_DAMAGED);
}

Test(dataset, is_not_found_where_there_is_none) {
    Dataset *dataset;
    cr_assert_eq(dataset_open(sample_directory, "nothing", true, &dataset), ERR_NOT_FOUND);
}
