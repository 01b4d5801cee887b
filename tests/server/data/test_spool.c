#include <criterion/criterion.h>
#include "server/data/spool.h"
#include "tests/server/data/intake_help.h"

TestSuite(spool, .init = folder_make, .fini = folder_remove);

// `count` numbers, added and taken in pieces of other sizes, several times over.
static void expect_back(int64_t count) {
    Spool spool;
    spool_init(&spool, directory);
    for (int64_t i = 0; i < count; i++) {
        cr_assert_eq(spool_add(&spool, &i, sizeof i), OK);
    }
    cr_assert_eq(spool.length, (uint64_t)count * sizeof(int64_t));
    for (int again = 0; again < 3; again++) {
        cr_assert_eq(spool_rewind(&spool), OK);
        for (int64_t i = 0; i + 3 <= count - (again == 1 ? count / 2 : 0); i += 3) {
            int64_t numbers[3];
            cr_assert_eq(spool_take(&spool, numbers, sizeof numbers), OK);
            cr_assert(numbers[0] == i && numbers[1] == i + 1 && numbers[2] == i + 2);
        }
    }
    cr_assert_eq(folder_files(false), 0, "its file has no name");
    spool_finish(&spool);
}

Test(spool, gives_back_what_was_added_as_often_as_wanted) {
    static const int64_t counts[] = {0, 1, 3, 8191, 8192, 8193, 16384, 100000};
    for (size_t i = 0; i < ARRAY_LENGTH(counts); i++) {
        expect_back(counts[i]);
    }
}

Test(spool, goes_into_an_archive) {
    static const int64_t counts[] = {1, 8192, 50000};
    for (size_t c = 0; c < ARRAY_LENGTH(counts); c++) {
        int64_t count = counts[c];
        Spool spool;
        spool_init(&spool, directory);
        for (int64_t i = 0; i < count; i++) {
            cr_assert_eq(spool_add(&spool, &i, sizeof i), OK);
        }
        ArchiveWriter *writer;
        Archive *archive;
        cr_assert_eq(archive_writer_create(directory, "datasets/x.bpa", &writer), OK);
        cr_assert_eq(archive_begin(writer, "numbers", ARCHIVE_I64), OK);
        cr_assert_eq(spool_append(&spool, writer), OK);
        cr_assert_eq(archive_end(writer, 1, &count), OK);
        cr_assert_eq(archive_commit(writer, NULL), OK);
        archive_writer_destroy(writer);
        cr_assert_eq(archive_open(directory, "datasets/x.bpa", true, &archive), OK);
        const int64_t *numbers = archive_typed(archive, "numbers", ARCHIVE_I64)->data;
        for (int64_t i = 0; i < count; i++) {
            cr_assert_eq(numbers[i], i);
        }
        archive_close(archive);
        spool_finish(&spool);
    }
}
