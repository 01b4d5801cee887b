#include <criterion/criterion.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/data/csv.h"

// All cells as text: "line:cell|cell|" a record, "!error" where one breaks.
static void expect(const char *text, const char *wanted) {
    Csv csv;
    Source source = source_in_memory(text, strlen(text));
    csv_init(&csv, &source);
    Text said;
    text_init(&said);
    while (csv_record(&csv)) {
        text_add_format(&said, "%zu:", csv.line);
        int result;
        CsvCell cell = {0};
        do {
            result = csv_cell(&csv, &cell);
            if (result == OK) {
                text_add_bytes(&said, cell.text, cell.length);
                text_add_char(&said, '|');
            } else {
                text_add_format(&said, "!%s", csv.error);
            }
        } while (result == OK && !cell.last);
    }
    cr_assert_str_eq(text_string(&said), wanted);
    text_finish(&said);
    csv_finish(&csv);
}

Test(csv, cuts_cells_as_rfc_4180_says) {
    expect("a,b\r\nc,d", "1:a|b|2:c|d|");
    expect("a,b\n", "1:a|b|");
    expect(",\n,,", "1:||2:|||");
    expect("\"a,b\",\"c\nd\"\ne", "1:a,b|c\nd|3:e|");
    expect("\"a\"\"b\"\"\",\"\"\n\"\"\"\"", "1:a\"b\"||2:\"|");
    expect(" a ,b", "1: a |b|");
    expect("\n\r\na\n\n\nb\n", "3:a|6:b|");
    expect("a,", "1:a||");
    expect("", "");
}

Test(csv, goes_on_behind_a_line_that_breaks) {
    expect("\"a\"b,c\nd", "1:!text stands behind the closing quote2:d|");
    expect("a\"b\nd", "1:!a quote stands inside a cell that does not begin with one2:d|");
    expect("a\rb\nd",
           "1:!a carriage return stands without a line feed: lines end in LF or CRLF2:d|");
    expect("a,\"b\nd", "1:a|!a quoted cell does not end: its closing quote is missing");
}
