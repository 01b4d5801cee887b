// text/csv with a header. Three passes over the text: what kind each column is, which categories
// the text columns have (only where there are any), and the rows themselves; so nothing but the
// categories is kept in memory.
//
// A column is of numbers if every cell of it that is not empty is one; else it is text, which as an
// input becomes one-hot. Empty cells are missing; a target must not be.
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include "core/base/descriptor.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "server/data/csv.h"
#include "server/data/draft.h"
#include "server/data/intake.h"
#include "server/json/numbers.h"

enum {
    CSV_COLUMNS_MAX = 20000,
    CSV_CATEGORIES_MAX = 256, // of one column
    CSV_WIDTH_MAX = 1 << 20,  // numbers of a row, with all categories
    CSV_SHOWN = 40,           // bytes of a cell in a message
};

typedef struct CsvColumn {
    bool target;
    bool text;        // a cell of it is no number
    size_t text_line; // the first such cell's
    size_t column;    // inputs: index in Draft.columns
    size_t order;     // targets: place among them
} CsvColumn;

typedef struct Import {
    Source source;     // behind the byte order mark and the header
    size_t first_line; // of it
    bool regression;   // was asked for
    Issues *issues;
    Draft *draft;
    Names names;        // of all columns
    CsvColumn *columns; // [names.count]
    size_t target_count;
    Text scratch;
} Import;

__attribute__((format(printf, 4, 5))) static void
cell_issue(const Import *import, size_t line, size_t column, const char *format, ...) {
    Text detail;
    if (import->issues->count >= ISSUES_MAX) {
        import->issues->omitted++; // as issues_add_at would, without making the text
        return;
    }
    text_init(&detail);
    va_list list;
    va_start(list, format);
    text_add_format_list(&detail, format, list);
    va_end(list);
    import->issues->failed |= detail.failed;
    if (column < import->names.count) {
        issues_add_at(import->issues, "", "line %zu, column \"%s\": %s", line,
                      import->names.items[column], text_string(&detail));
    } else {
        issues_add_at(import->issues, "", "line %zu: %s", line, text_string(&detail));
    }
    text_finish(&detail);
}

static int shown(const CsvCell *cell) {
    size_t length = 0;
    while (length < cell->length && length < CSV_SHOWN) {
        size_t step = utf8_character(cell->text + length, cell->length - length);
        if (step == 0 || length + step > CSV_SHOWN) {
            break;
        }
        length += step;
    }
    return (int)length;
}

static bool is_empty(const CsvCell *cell) {
    for (size_t i = 0; i < cell->length; i++) {
        if (cell->text[i] != ' ' && cell->text[i] != '\t') {
            return false;
        }
    }
    return true;
}

// ---- the header ----

static int read_header(Import *import, Csv *csv) {
    if (!csv_record(csv)) {
        issues_add_at(import->issues, "",
                      "the text is empty: its first line must name the columns");
        return OK;
    }
    for (CsvCell cell = {0}; !cell.last;) {
        int result = csv_cell(csv, &cell);
        if (result != OK) {
            if (result == ERR_INVALID) {
                cell_issue(import, csv->line, SIZE_MAX, "%s", csv->error);
                result = OK;
            }
            return result;
        }
        size_t number = import->names.count + 1;
        int32_t index;
        if (is_empty(&cell) || cell.length > TARGETS_NAME_MAX) {
            cell_issue(import, csv->line, SIZE_MAX,
                       "the name of column %zu must have 1 to %d bytes", number, TARGETS_NAME_MAX);
            return OK; // from here on names and columns would not match
        }
        result = names_add(&import->names, cell.text, cell.length, CSV_COLUMNS_MAX, &index);
        if (result == ERR_TOO_LARGE) {
            cell_issue(import, csv->line, SIZE_MAX, "there are more than %d columns",
                       CSV_COLUMNS_MAX);
            return OK;
        }
        if (result != OK) {
            return result;
        }
        if (import->names.count < number) {
            cell_issue(import, csv->line, SIZE_MAX,
                       "the columns %d and %zu are both called \"%.*s\"", index + 1, number,
                       (int)cell.length, cell.text);
            return OK;
        }
    }
    import->source.text = csv->at;
    import->source.length = (size_t)(csv->end - csv->at);
    import->first_line = csv->next_line;
    return OK;
}

// A target that is no column: which one may be meant, or else which there are.
static void say_unknown(Import *import, const char *name, size_t length) {
    enum { SHOWN = 8 };
    const Names *names = &import->names;
    Text fix;
    text_init(&fix);
    text_clear(&import->scratch);
    text_add_bytes(&import->scratch, name, length);
    const char *nearest = nearest_name(text_string(&import->scratch),
                                       (const char *const *)names->items, names->count);
    if (nearest != NULL) {
        text_add_format(&fix, "did you mean \"%s\"?", nearest);
    } else {
        text_add(&fix, "the columns are ");
        for (size_t i = 0; i < names->count && i < SHOWN; i++) {
            text_add_format(&fix, "%s\"%s\"", i > 0 ? ", " : "", names->items[i]);
        }
        text_add(&fix, names->count > SHOWN ? ", …" : "");
    }
    issues_add_at(import->issues, "", "target: there is no column \"%.*s\"; %s",
                  (int)(length < TARGETS_NAME_MAX ? length : TARGETS_NAME_MAX), name,
                  text_string(&fix));
    import->issues->failed |= fix.failed;
    text_finish(&fix);
}

static void mark_target(Import *import, const char *name, size_t length) {
    int32_t index = names_find(&import->names, name, length);
    if (index >= 0 && import->columns[index].target) {
        issues_add_at(import->issues, "", "target names the column \"%.*s\" twice", (int)length,
                      name);
    } else if (index >= 0) {
        import->columns[index].target = true;
        import->columns[index].order = import->target_count++;
    } else {
        say_unknown(import, name, length);
    }
}

static int choose_targets(Import *import, const char *target) {
    size_t count = import->names.count;
    import->columns = memory_array(count, sizeof *import->columns);
    if (import->columns == NULL) {
        return ERR_NO_MEMORY;
    }
    if (count < 2) {
        issues_add_at(import->issues, "",
                      "line 1: there must be at least two columns, an input and the target%s",
                      count == 1 && strpbrk(import->names.items[0], ";\t|") != NULL
                          ? "; are the cells separated by something else than commas?"
                          : "");
        return OK;
    }
    if (target == NULL || *target == '\0') {
        target = import->names.items[count - 1];
        mark_target(import, target, strlen(target));
        return OK;
    }
    // A name with a comma in it is taken whole where there is such a column.
    if (names_find(&import->names, target, strlen(target)) >= 0) {
        mark_target(import, target, strlen(target));
        return OK;
    }
    for (;;) {
        size_t length = strcspn(target, ",");
        mark_target(import, target, length);
        if (target[length] == '\0') {
            break;
        }
        target += length + 1;
    }
    if (import->target_count == count) {
        issues_add_at(import->issues, "", "target names every column: none is left as an input");
    }
    return OK;
}

// ---- passes over the rows ----

typedef int (*SeeCell)(Import *import, size_t line, size_t column, const CsvCell *cell,
                       void *context);

// Calls `see` for every cell, and `end` (may be NULL) behind each record of the right length.
static int walk(Import *import, SeeCell see, int (*end)(Import *import, size_t line, void *context),
                void *context) {
    Csv csv;
    csv_init(&csv, &import->source);
    csv.next_line = import->first_line;
    size_t wanted = import->names.count;
    int result = OK;
    while (result == OK && csv_record(&csv)) {
        size_t line = csv.line;
        size_t count = 0;
        CsvCell cell = {0};
        while (result == OK && !cell.last) {
            result = csv_cell(&csv, &cell);
            if (result == OK && count < wanted) {
                result = see(import, line, count, &cell, context);
            }
            count++;
        }
        if (result == ERR_INVALID) {
            cell_issue(import, line, count - 1, "%s", csv.error);
            result = OK;
        } else if (result == OK && count != wanted) {
            cell_issue(import, line, SIZE_MAX, "has %zu cells where the header has %zu%s", count,
                       wanted,
                       count > wanted ? ": a cell with a comma in it must stand in double quotes"
                                      : ": a missing value is an empty cell, with its comma");
        } else if (result == OK && end != NULL) {
            result = end(import, line, context);
        }
    }
    csv_finish(&csv);
    return result;
}

static int see_kind(Import *import, size_t line, size_t index, const CsvCell *cell, void *context) {
    (void)context;
    CsvColumn *column = &import->columns[index];
    if (is_empty(cell)) {
        if (column->target) {
            cell_issue(import, line, index,
                       "a target must not be missing: fill it in, or leave the row out");
        }
        return OK;
    }
    double number;
    int result = column->text ? OK : number_read_cell(cell->text, cell->length, &number);
    if (result == ERR_TOO_LARGE ||
        (result == OK && !column->text && !isfinite((double)(float)number))) {
        cell_issue(import, line, index, "%.*s is beyond the range of single precision", shown(cell),
                   cell->text);
        return OK;
    }
    if (result == ERR_INVALID) {
        column->text = true;
        column->text_line = line;
        if (column->target && (import->target_count > 1 || import->regression)) {
            cell_issue(import, line, index, "%s must all be numbers, not \"%.*s\"",
                       import->regression ? "the targets of a regression" : "several targets",
                       shown(cell), cell->text);
        }
        return OK;
    }
    return result;
}

static int see_category(Import *import, size_t line, size_t index, const CsvCell *cell,
                        void *context) {
    (void)context;
    CsvColumn *column = &import->columns[index];
    if (column->target || !column->text || is_empty(cell)) {
        return OK;
    }
    Names *values = &import->draft->columns->items[column->column].values;
    int32_t value;
    int result = names_add(values, cell->text, cell->length, CSV_CATEGORIES_MAX, &value);
    if (result == ERR_TOO_LARGE) {
        cell_issue(
            import, line, index,
            "more than %d different texts are too many for categories (line %zu has the first cell "
            "that is no number): leave the column out, or mend it",
            CSV_CATEGORIES_MAX, column->text_line);
        column->target = true; // said once; with an issue there are no further passes
        result = OK;
    }
    return result;
}

typedef struct Filling {
    float *numbers; // [width] the row's place in the draft
    float *targets; // [target_count]
} Filling;

static int fill_target(Import *import, size_t line, size_t index, const CsvCell *cell,
                       Filling *filling) {
    const CsvColumn *column = &import->columns[index];
    Place place = {.before = "", .row = import->draft->rows - 1, .after = "", .line = line};
    if (column->text) {
        return targets_take_name(&import->draft->targets, cell->text, cell->length, &place,
                                 import->issues);
    }
    double number = 0;
    int result = number_read_cell(cell->text, cell->length, &number);
    if (result == OK && import->target_count == 1) {
        return targets_take_number(&import->draft->targets, number, &place, import->issues);
    }
    filling->targets[column->order] = (float)number;
    return result;
}

static int fill_cell(Import *import, size_t line, size_t index, const CsvCell *cell,
                     void *context) {
    Filling *filling = context;
    if (index == 0) {
        int result = draft_row(import->draft, &filling->numbers);
        if (result != OK) {
            return result;
        }
    }
    const CsvColumn *of_cell = &import->columns[index];
    if (of_cell->target) {
        return fill_target(import, line, index, cell, filling);
    }
    const Column *column = &import->draft->columns->items[of_cell->column];
    float *number = filling->numbers + column->offset;
    if (column->category) {
        size_t value = is_empty(cell)
                           ? column->values.count
                           : (size_t)names_find(&column->values, cell->text, cell->length);
        number[value] = 1;
        return OK;
    }
    double value = NAN;
    int result = is_empty(cell) ? OK : number_read_cell(cell->text, cell->length, &value);
    *number = (float)value;
    return result;
}

static int end_row(Import *import, size_t line, void *context) {
    (void)line;
    const Filling *filling = context;
    if (import->target_count == 1) {
        return OK;
    }
    return targets_take_array(&import->draft->targets, filling->targets,
                              &SHAPE((int64_t)import->target_count));
}

// ---- the whole ----

static int make_columns(Import *import) {
    Names inputs = {0};
    int result = OK;
    for (size_t i = 0; i < import->names.count && result == OK; i++) {
        if (!import->columns[i].target) {
            const char *name = import->names.items[i];
            int32_t index = 0;
            result = names_add(&inputs, name, strlen(name), SIZE_MAX, &index);
            import->columns[i].column = (size_t)index;
        }
    }
    if (result == OK) {
        result = columns_create(&inputs, &import->draft->columns);
    }
    names_finish(&inputs);
    return result;
}

static int make_categories(Import *import) {
    bool any = false;
    Columns *columns = import->draft->columns;
    for (size_t i = 0; i < import->names.count; i++) {
        const CsvColumn *column = &import->columns[i];
        if (!column->target && column->text) {
            columns->items[column->column].category = true;
            any = true;
        }
    }
    int result = any ? walk(import, see_category, NULL, NULL) : OK;
    for (size_t i = 0; i < columns->count && result == OK; i++) {
        result = names_sort(&columns->items[i].values, NULL);
    }
    columns_place(columns);
    if (columns->width > CSV_WIDTH_MAX) {
        issues_add_at(import->issues, "",
                      "the columns' categories make %lld numbers a row, more than %d",
                      (long long)columns->width, CSV_WIDTH_MAX);
    }
    return result;
}

static int fill(Import *import) {
    Filling filling = {.targets = memory_array(import->target_count, sizeof *filling.targets)};
    int result = filling.targets != NULL ? OK : ERR_NO_MEMORY;
    if (result == OK) {
        result = draft_open(import->draft, &SHAPE(import->draft->columns->width));
    }
    if (result == OK) {
        result = walk(import, fill_cell, end_row, &filling);
    }
    memory_free(filling.targets);
    if (result == OK && import->draft->rows == 0) {
        issues_add_at(import->issues, "", "there is no row behind the header");
    }
    return result;
}

// The first byte that is no text (NUL, or no UTF-8), from piece to piece; NULL where all is.
static const char *find_wrong(const Source *source) {
    enum { PIECE = 1 << 20, CHARACTER = 4 };
    const char *passed = source_start(source), *at = source->text, *end = at + source->length;
    while (at < end) {
        size_t left = (size_t)(end - at), piece = left < PIECE ? left : PIECE;
        size_t right = utf8_check(at, piece);
        const char *zero = memchr(at, '\0', right);
        if (zero != NULL) {
            return zero;
        }
        // The last character of a piece may go on in the next one.
        if (right < piece && (piece == left || right + CHARACTER <= piece)) {
            return at + right;
        }
        at += right;
        source_pass(&passed, at);
    }
    return NULL;
}

static void say_wrong(Import *import, const char *wrong) {
    const Source *source = &import->source;
    const char *passed = source_start(source);
    size_t line = 1;
    for (const char *c = source->text; c < wrong; c++) {
        line += *c == '\n';
        source_pass(&passed, c);
    }
    issues_add_at(import->issues, "", "line %zu: %s; the text must be UTF-8", line,
                  *wrong == '\0' ? "a NUL byte is not text" : "this is not UTF-8");
}

static int import_text(Import *import, const char *target) {
    Source *source = &import->source;
    const char *wrong = find_wrong(source);
    if (wrong != NULL) {
        say_wrong(import, wrong);
        return OK;
    }
    if (source->length >= 3 && memcmp(source->text, "\xEF\xBB\xBF", 3) == 0) {
        source->text += 3;
        source->length -= 3;
    }
    Csv csv;
    csv_init(&csv, source);
    int result = read_header(import, &csv);
    csv_finish(&csv);
    if (result == OK && !issues_any(import->issues)) {
        result = choose_targets(import, target);
    }
    int (*const steps[])(Import *) = {make_columns, make_categories, fill};
    if (result == OK && !issues_any(import->issues)) {
        result = walk(import, see_kind, NULL, NULL);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(steps) && result == OK && !issues_any(import->issues);
         i++) {
        result = steps[i](import);
    }
    return result;
}

int intake_csv(int directory, const Source *source, const IntakeWish *wish, Issues *issues,
               DatasetRow *ret_row) {
    Draft draft;
    draft_init(&draft, directory, issues);
    Import import = {.source = *source,
                     .regression = wish->task != NULL && strcmp(wish->task, "regression") == 0,
                     .issues = issues,
                     .draft = &draft};
    text_init(&import.scratch);
    int result = import_text(&import, wish->target);
    if (result == OK) {
        TargetsWish targets = {.task = wish->task, .pointer = "", .task_pointer = ""};
        result = draft_seal(&draft, wish->name, &targets, ret_row);
    }
    names_finish(&import.names);
    memory_free(import.columns);
    text_finish(&import.scratch);
    draft_finish(&draft);
    return result;
}
