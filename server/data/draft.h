// A dataset in the making: rows go straight into its archive, targets are kept until all are there, then they are settled and
// the archive is sealed and profiled. Every form of intake fills one of these. For the files of server/data.
#pragma once
#include "core/base/archive.h"
#include "server/data/columns.h"
#include "server/data/findings.h"
#include "server/data/row_text.h"
#include "server/data/targets.h"
#include "server/store/tables.h"

typedef struct Draft Draft;

// What a form does its own way.
typedef struct DraftForm {
    const char *name; // the archive's "form" (core/train/forms); NULL: rows
    // Everything has been checked: adds the sections of its inputs. draft_begin comes first.
    int (*write)(Draft *draft);
    // Members of the profile's object, "classes" among them; what one should be wary of goes to draft->findings.
    int (*profile)(Draft *draft, const Archive *archive, JsonOut *out);
} DraftForm;

struct Draft {
    int directory;
    Issues *issues; // borrowed
    char id[ID_TEXT];
    char path[ID_TEXT + 16];
    const DraftForm *form; // rows, unless another is set
    void *inputs;          // the form's own; borrowed
    ArchiveWriter *writer; // once something is in the archive
    Shape shape;           // of one row
    int64_t rows;
    Targets targets;
    Findings findings;
    Columns *columns; // owned; NULL: plain numbers
    uint8_t *splits;  // owned; [rows], NULL: none
    // Without `splits`: rows from here on are for testing (0, or all rows: none), and so many before it are for nothing.
    int64_t test_from, apart;
    // rows of numbers:
    const char *section; // of the archive, that they go to
    int64_t width;
    float *pending; // [pending_rows, width] rows that are not in the archive yet
    int64_t pending_rows, pending_used;
};

void draft_init(Draft *draft, int directory, Issues *issues);
void draft_finish(Draft *draft); // an archive that was not sealed leaves no file
int draft_begin(Draft *draft);   // opens the archive; once
// Settles, writes, seals, profiles. `name`: NULL or "": the id stands for it. wish NULL: there are no targets, and
// draft->targets.task says the task. ERR_INVALID where there are issues.
int draft_seal(Draft *draft, const char *name, const TargetsWish *wish, DatasetRow *ret_row);

// ---- rows of numbers ----

// Fixes the shape of all rows and opens the archive. Once.
int draft_open(Draft *draft, const Shape *shape);
// The place of the next row's numbers, zeroed [width], until the next call.
int draft_row(Draft *draft, float **ret_numbers);
// The next row out of JSON text; the first one fixes the shape.
int draft_take_row(Draft *draft, Span *span, const Place *place);
const float *draft_last_row(const Draft *draft); // [width]; there is one

// Ends their section. ERR_…
int draft_end_rows(Draft *draft);
// Sections "feature_names" and "columns", where draft->columns are.
int draft_write_columns(const Draft *draft);

extern const DraftForm draft_rows;
