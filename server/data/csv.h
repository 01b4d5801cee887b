// Reading CSV (RFC 4180) cell by cell: commas, double quotes, "" for a quote inside them, LF or CRLF. For the files of
// server/data. Lines that are wholly empty are passed over.
#pragma once
#include "core/base/text.h"
#include "server/base/source.h"

enum { CSV_CELL_MAX = 1 << 20 }; // bytes of a cell, its quotes among them

typedef struct Csv {
    const char *at, *end;
    const char *passed; // for source_pass
    size_t line;        // of the record that is read, from 1
    size_t next_line;   // line breaks inside quotes count
    Text unquoted;      // a cell whose quotes had to be undone
    const char *error;  // why csv_cell failed
} Csv;

typedef struct CsvCell {
    const char *text; // until the next call
    size_t length;
    bool last; // of its record
} CsvCell;

void csv_init(Csv *csv, const Source *source);
void csv_finish(Csv *csv);
bool csv_record(Csv *csv); // on to the next record; false at the end
// The next cell of the record. ERR_INVALID: `error` says why, and the rest of the line is passed over; ERR_NO_MEMORY.
int csv_cell(Csv *csv, CsvCell *ret_cell);
