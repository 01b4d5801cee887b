// Tables of named double columns over steps: how metrics and gradient statistics travel from the worker to the server
// and lie in the store. One record holds one table.
//
//   u32 rows, u16 columns, then per column: u16 length and its name; i64 steps[rows]; f64 values[columns][rows]
//   (little-endian, no padding). The reader treats the bytes as untrusted.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { TABLE_COLUMNS_MAX = 64, TABLE_NAME_MAX = 63 };

typedef struct Table {        // growing, one row at a time
    const char *const *names; // [columns], borrowed
    int columns;
    size_t rows, capacity;
    int64_t *steps; // [rows]
    double *values; // [columns][capacity]
} Table;

int table_init(Table *table, const char *const *names, int columns);
void table_finish(Table *table);
int table_add(Table *table, int64_t step, const double *values); // values [columns]
void table_clear(Table *table);                                  // rows 0, memory kept
int table_encode(const Table *table, uint8_t **ret_bytes, size_t *ret_length); // memory_free

typedef struct TableView { // a checked view of encoded bytes, which it borrows
    size_t rows;
    int columns;
    char names[TABLE_COLUMNS_MAX][TABLE_NAME_MAX + 1];
    const uint8_t *steps, *values; // unaligned: read by the functions below
} TableView;

int table_view(const void *bytes, size_t length, TableView *ret_view); // ERR_DAMAGED
int64_t table_step(const TableView *view, size_t row);
double table_value(const TableView *view, int column, size_t row);
int table_column(const TableView *view, const char *name); // −1
