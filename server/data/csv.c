// A cell is a piece of the text wherever it can be; only "" inside quotes makes a copy.
#include "server/data/csv.h"
#include <string.h>
#include "core/base/error.h"

void csv_init(Csv *csv, const char *text, size_t length) {
    *csv = (Csv){.at = text, .end = text + length, .next_line = 1};
    text_init(&csv->unquoted);
}

void csv_finish(Csv *csv) {
    text_finish(&csv->unquoted);
}

// Over a line break, if one stands here.
static bool skip_break(Csv *csv) {
    size_t left = (size_t)(csv->end - csv->at);
    size_t length = left >= 1 && csv->at[0] == '\n'                         ? 1
                    : left >= 2 && csv->at[0] == '\r' && csv->at[1] == '\n' ? 2
                                                                            : 0;
    csv->at += length;
    csv->next_line += length > 0;
    return length > 0;
}

bool csv_record(Csv *csv) {
    while (skip_break(csv)) {
    }
    csv->line = csv->next_line;
    return csv->at < csv->end;
}

static int fail(Csv *csv, const char *error) {
    csv->error = error;
    const char *feed = memchr(csv->at, '\n', (size_t)(csv->end - csv->at));
    csv->at = feed != NULL ? feed : csv->end;
    skip_break(csv);
    return ERR_INVALID;
}

// Behind a cell's text: a comma, a line break or the end.
static int end_cell(Csv *csv, CsvCell *cell) {
    if (csv->at == csv->end || skip_break(csv)) {
        cell->last = true;
    } else if (*csv->at == ',') {
        csv->at++;
        cell->last = false;
    } else {
        return fail(csv, *csv->at == '\r' ? "a carriage return stands without a line feed"
                                          : "text stands behind the closing quote");
    }
    return OK;
}

static int read_quoted(Csv *csv, CsvCell *cell) {
    const char *start = ++csv->at;
    bool copied = false;
    for (;;) {
        const char *quote = memchr(csv->at, '"', (size_t)(csv->end - csv->at));
        if (quote == NULL) {
            csv->at = csv->end;
            return fail(csv, "a quoted cell does not end");
        }
        for (const char *c = csv->at; c < quote; c++) {
            csv->next_line += *c == '\n';
        }
        csv->at = quote + 1;
        if (csv->at < csv->end && *csv->at == '"') {
            if (!copied) {
                text_clear(&csv->unquoted);
            }
            text_add_bytes(&csv->unquoted, start,
                           (size_t)(csv->at - start)); // with one of the two quotes
            copied = true;
            start = ++csv->at;
            continue;
        }
        *cell = (CsvCell){.text = start, .length = (size_t)(quote - start)};
        if (copied) {
            text_add_bytes(&csv->unquoted, start, cell->length);
            cell->text = text_string(&csv->unquoted);
            cell->length = csv->unquoted.length;
            if (csv->unquoted.failed) {
                return ERR_NO_MEMORY;
            }
        }
        return end_cell(csv, cell);
    }
}

int csv_cell(Csv *csv, CsvCell *ret_cell) {
    CsvCell cell = {.text = csv->at};
    int result;
    if (csv->at < csv->end && *csv->at == '"') {
        result = read_quoted(csv, &cell);
    } else {
        while (csv->at < csv->end && *csv->at != ',' && *csv->at != '\n' && *csv->at != '\r') {
            if (*csv->at == '"') {
                return fail(csv, "a quote stands inside a cell that does not begin with one");
            }
            csv->at++;
        }
        cell.length = (size_t)(csv->at - cell.text);
        result = end_cell(csv, &cell);
    }
    if (result == OK) {
        *ret_cell = cell;
    }
    return result;
}
