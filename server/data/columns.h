// The columns of a table: which numbers of a row each of them is. For the files of server/data.
//
// A number is one place. A category is one-hot: a place for each of its values in code-point order, and one behind them for
// "missing". As text: [{"name": "age", "kind": "number"}, {"name": "color", "kind": "category", "values": ["blue", "red"]}].
#pragma once
#include "server/base/json_out.h"
#include "core/base/names.h"
#include "server/data/rows.h"

typedef struct Column {
    const char *name; // one of Columns.names
    bool category;
    Names values;   // of a category, in code-point order
    int64_t offset; // of its first number in a row
} Column;

struct Columns {
    Column *items; // [count]
    size_t count;
    Names names;   // of the columns, in their order
    int64_t width; // numbers of a row
};

// Number columns of these names (borrowed); columns_place after changing their kinds.
int columns_create(const Names *names, Columns **ret_columns);
void columns_place(Columns *columns); // offsets and width
static inline int64_t column_width(const Column *column) {
    return column->category ? (int64_t)column->values.count + 1 : 1;
}
void columns_write(const Columns *columns, JsonOut *out);
