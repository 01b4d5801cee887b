#include <criterion/criterion.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/table.h"

static const char *const names[] = {"train_loss", "learning_rate"};

static void encode(size_t rows, uint8_t **ret_bytes, size_t *ret_length) {
    Table table;
    cr_assert_eq(table_init(&table, names, 2), OK);
    for (size_t row = 0; row < rows; row++) {
        cr_assert_eq(
            table_add(&table, (int64_t)row * 10, (double[]){(double)row + 0.5, -(double)row}), OK);
    }
    cr_assert_eq(table_encode(&table, ret_bytes, ret_length), OK);
    table_finish(&table);
}

Test(table, reads_back_what_was_added) {
    uint8_t *bytes;
    size_t length;
    encode(100, &bytes, &length);
    TableView view;
    cr_assert_eq(table_view(bytes, length, &view), OK);
    cr_assert_eq(view.rows, 100u);
    cr_assert_eq(view.columns, 2);
    cr_assert_eq(table_column(&view, "learning_rate"), 1);
    cr_assert_eq(table_column(&view, "loss"), -1);
    for (size_t row = 0; row < 100; row++) {
        cr_assert_eq(table_step(&view, row), (int64_t)row * 10);
        cr_assert_eq(table_value(&view, 0, row), (double)row + 0.5);
        cr_assert_eq(table_value(&view, 1, row), -(double)row);
    }
    memory_free(bytes);
}

Test(table, keeps_its_memory_when_cleared) {
    Table table;
    cr_assert_eq(table_init(&table, names, 2), OK);
    cr_assert_eq(table_add(&table, 1, (double[]){1, 2}), OK);
    table_clear(&table);
    cr_assert_eq(table.rows, 0u);
    cr_assert_gt(table.capacity, 0u);
    table_finish(&table);
}

Test(table, refuses_every_shorter_or_longer_text) {
    uint8_t *bytes;
    size_t length;
    encode(3, &bytes, &length);
    TableView view;
    for (size_t cut = 0; cut < length; cut++) {
        cr_assert_eq(table_view(bytes, cut, &view), ERR_DAMAGED, "cut at %zu", cut);
    }
    uint8_t *longer = memory_array(length + 1, 1);
    memcpy(longer, bytes, length);
    cr_assert_eq(table_view(longer, length + 1, &view), ERR_DAMAGED);
    memory_free(longer);
    memory_free(bytes);
}

Test(table, any_bytes_are_refused_or_can_be_read_whole) {
    uint8_t *bytes;
    size_t length;
    encode(3, &bytes, &length);
    for (size_t at = 0; at < length; at++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes[at] ^= (uint8_t)(1 << bit);
            TableView view;
            if (table_view(bytes, length, &view) == OK) {
                for (size_t row = 0; row < view.rows; row++) {
                    (void)table_step(&view, row);
                    for (int column = 0; column < view.columns; column++) {
                        (void)table_value(&view, column, row);
                    }
                }
            }
            bytes[at] ^= (uint8_t)(1 << bit);
        }
    }
    memory_free(bytes);
}

Test(table, refuses_names_and_columns_beyond_its_bounds) {
    char name[TABLE_NAME_MAX + 2];
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = '\0';
    const char *const too_long[] = {name};
    Table table;
    cr_assert_eq(table_init(&table, too_long, 1), ERR_INVALID);
    cr_assert_eq(table_init(&table, names, TABLE_COLUMNS_MAX + 1), ERR_INVALID);
}
