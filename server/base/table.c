// Tables of doubles over steps: grown row by row by the one side, read out of untrusted bytes by
// the other.
//
// What always holds of a view: every offset that table_step and table_value can reach lies within
// the bytes, for rows below view->rows and columns below view->columns.
#include "server/base/table.h"
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

enum { TABLE_HEAD = sizeof(uint32_t) + sizeof(uint16_t), TABLE_FIRST_ROWS = 16 };

int table_init(Table *table, const char *const *names, int columns) {
    if (columns < 0 || columns > TABLE_COLUMNS_MAX) {
        return ERR_INVALID;
    }
    for (int column = 0; column < columns; column++) {
        if (strlen(names[column]) > TABLE_NAME_MAX) {
            return ERR_INVALID;
        }
    }
    *table = (Table){.names = names, .columns = columns};
    return OK;
}

void table_finish(Table *table) {
    memory_free(table->steps);
    memory_free(table->values);
    *table = (Table){0};
}

static int table_grow(Table *table) {
    size_t capacity = table->capacity > 0 ? table->capacity * 2 : TABLE_FIRST_ROWS;
    size_t cells;
    if (!size_multiply(capacity, (size_t)table->columns, &cells)) {
        return ERR_NO_MEMORY;
    }
    double *values = memory_array(cells, sizeof *values);
    if (values == NULL) {
        return ERR_NO_MEMORY;
    }
    int64_t *steps = memory_resize(table->steps, table->rows, capacity, sizeof *steps);
    if (steps == NULL) {
        memory_free(values);
        return ERR_NO_MEMORY;
    }
    for (int column = 0; column < table->columns && table->rows > 0; column++) {
        memcpy(values + (size_t)column * capacity, table->values + (size_t)column * table->capacity,
               table->rows * sizeof *values);
    }
    memory_free(table->values);
    table->steps = steps;
    table->values = values;
    table->capacity = capacity;
    return OK;
}

int table_add(Table *table, int64_t step, const double *values) {
    if (table->rows == table->capacity) {
        int result = table_grow(table);
        if (result != OK) {
            return result;
        }
    }
    table->steps[table->rows] = step;
    for (int column = 0; column < table->columns; column++) {
        table->values[(size_t)column * table->capacity + table->rows] = values[column];
    }
    table->rows++;
    return OK;
}

void table_clear(Table *table) {
    table->rows = 0;
}

static uint8_t *put(uint8_t *at, const void *data, size_t length) {
    if (length > 0) {
        memcpy(at, data, length);
    }
    return at + length;
}

int table_encode(const Table *table, uint8_t **ret_bytes, size_t *ret_length) {
    size_t cells, length;
    if (table->rows > UINT32_MAX ||
        !size_multiply(table->rows, (size_t)table->columns + 1, &cells) ||
        !size_multiply(cells, sizeof(double), &length) || !size_add(length, TABLE_HEAD, &length)) {
        return ERR_TOO_LARGE;
    }
    for (int column = 0; column < table->columns; column++) {
        length += sizeof(uint16_t) + strlen(table->names[column]);
    }
    uint8_t *bytes = memory_array(length, 1);
    if (bytes == NULL) {
        return ERR_NO_MEMORY;
    }
    uint32_t rows = (uint32_t)table->rows;
    uint16_t columns = (uint16_t)table->columns;
    uint8_t *at = put(bytes, &rows, sizeof rows);
    at = put(at, &columns, sizeof columns);
    for (int column = 0; column < table->columns; column++) {
        uint16_t name_length = (uint16_t)strlen(table->names[column]);
        at = put(at, &name_length, sizeof name_length);
        at = put(at, table->names[column], name_length);
    }
    at = put(at, table->steps, table->rows * sizeof(int64_t));
    for (int column = 0; column < table->columns; column++) {
        at =
            put(at, table->values + (size_t)column * table->capacity, table->rows * sizeof(double));
    }
    *ret_bytes = bytes;
    *ret_length = length;
    return OK;
}

int table_view(const void *bytes, size_t length, TableView *ret_view) {
    const uint8_t *at = bytes;
    size_t left = length;
    uint32_t rows;
    uint16_t columns;
    if (left < TABLE_HEAD) {
        return ERR_DAMAGED;
    }
    memcpy(&rows, at, sizeof rows);
    memcpy(&columns, at + sizeof rows, sizeof columns);
    at += TABLE_HEAD;
    left -= TABLE_HEAD;
    if (columns > TABLE_COLUMNS_MAX) {
        return ERR_DAMAGED;
    }
    TableView view = {.rows = rows, .columns = columns};
    for (int column = 0; column < columns; column++) {
        uint16_t name_length;
        if (left < sizeof name_length) {
            return ERR_DAMAGED;
        }
        memcpy(&name_length, at, sizeof name_length);
        at += sizeof name_length;
        left -= sizeof name_length;
        if (name_length > TABLE_NAME_MAX || name_length > left ||
            memchr(at, 0, name_length) != NULL) {
            return ERR_DAMAGED;
        }
        memcpy(view.names[column], at, name_length);
        at += name_length;
        left -= name_length;
    }
    size_t cells, wanted;
    if (!size_multiply(rows, (size_t)columns + 1, &cells) ||
        !size_multiply(cells, sizeof(double), &wanted) || wanted != left) {
        return ERR_DAMAGED;
    }
    view.steps = at;
    view.values = at + (size_t)rows * sizeof(int64_t);
    *ret_view = view;
    return OK;
}

int64_t table_step(const TableView *view, size_t row) {
    int64_t step;
    memcpy(&step, view->steps + row * sizeof step, sizeof step);
    return step;
}

double table_value(const TableView *view, int column, size_t row) {
    double value;
    memcpy(&value, view->values + ((size_t)column * view->rows + row) * sizeof value, sizeof value);
    return value;
}

int table_column(const TableView *view, const char *name) {
    for (int column = 0; column < view->columns; column++) {
        if (strcmp(view->names[column], name) == 0) {
            return column;
        }
    }
    return -1;
}
