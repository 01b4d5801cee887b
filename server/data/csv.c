// A cell is a piece of the text wherever it can be; only "" inside quotes makes a copy.
#include "server/data/csv.h"
#include <string.h>
#include "core/base/error.h"

void csv_init(Csv *csv, const Source *source) {
    *csv = (Csv){.at = source->text,
                 .end = source->text + source->length,
                 .passed = source_start(source),
                 .next_line = 1};
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
        source_pass(&csv->passed, csv->at);
    }
    csv->line = csv->next_line;
    return csv->at < csv->end;
}

static int fail(Csv *csv, const char *error) {
    csv->error = error;
    const char *feed = NULL;
    while (feed == NULL && csv->at < csv->end) {
        size_t left = (size_t)(csv->end - csv->at),
               piece = left < CSV_CELL_MAX ? left : CSV_CELL_MAX;
        feed = memchr(csv->at, '\n', piece);
        csv->at = feed != NULL ? feed : csv->at + piece;
        source_pass(&csv->passed, csv->at);
    }
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
        return fail(csv, *csv->at == '\r'
                             ? "a carriage return stands without a line feed: lines end in "
                               "LF or CRLF"
                             : "text stands behind the closing quote");
    }
    return OK;
}

// The end of what a cell that begins at `start` may fill.
static const char *cell_limit(const Csv *csv, const char *start) {
    return csv->end - start > CSV_CELL_MAX ? start + CSV_CELL_MAX : csv->end;
}

static int read_quoted(Csv *csv, CsvCell *cell) {
    const char *limit = cell_limit(csv, csv->at);
    const char *start = ++csv->at;
    bool copied = false;
    for (;;) {
        const char *quote =
            csv->at < limit ? memchr(csv->at, '"', (size_t)(limit - csv->at)) : NULL;
        if (quote == NULL && limit < csv->end) {
            return fail(csv, "a quoted cell has more than 1 MiB: is its closing quote missing?");
        }
        if (quote == NULL) {
            csv->at = csv->end;
            return fail(csv, "a quoted cell does not end: its closing quote is missing");
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
    source_pass(&csv->passed, csv->at);
    if (csv->at < csv->end && *csv->at == '"') {
        result = read_quoted(csv, &cell);
    } else {
        const char *limit = cell_limit(csv, csv->at);
        while (csv->at < limit && *csv->at != ',' && *csv->at != '\n' && *csv->at != '\r') {
            if (*csv->at == '"') {
                return fail(csv, "a quote stands inside a cell that does not begin with one");
            }
            csv->at++;
        }
        if (csv->at == limit && limit < csv->end) {
            return fail(csv, "a cell has more than 1 MiB: are the cells separated by commas, and "
                             "the lines by line feeds?");
        }
        cell.length = (size_t)(csv->at - cell.text);
        result = end_cell(csv, &cell);
    }
    if (result == OK) {
        *ret_cell = cell;
    }
    return result;
}
