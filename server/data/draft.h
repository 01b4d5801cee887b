// A dataset in the making: rows go straight into its archive, targets are kept until all are there, then they are settled and
// the archive is sealed and profiled. Every form of intake fills one of these. For the files of server/data.
#pragma once
#include "core/base/archive.h"
#include "server/data/columns.h"
#include "server/data/findings.h"
#include "server/data/row_text.h"
#include "server/data/targets.h"
#include "server/store/tables.h"

typedef struct Draft {
    int directory;
    Issues *issues; // borrowed
    char id[ID_TEXT];
    char path[ID_TEXT + 16];
    ArchiveWriter *writer; // once the shape is known
    Shape shape;           // of one row
    int64_t width, rows;
    float *pending; // [pending_rows, width] rows that are not in the archive yet
    int64_t pending_rows, pending_used;
    Targets targets;
    Findings findings;
    Columns *columns; // owned; NULL: plain numbers
    uint8_t *splits;  // owned; [rows], NULL: none
} Draft;

void draft_init(Draft *draft, int directory, Issues *issues);
void draft_finish(Draft *draft); // an archive that was not sealed leaves no file
// Fixes the shape of all rows and opens the archive. Once.
int draft_open(Draft *draft, const Shape *shape);
// The place of the next row's numbers, zeroed [width], until the next call.
int draft_row(Draft *draft, float **ret_numbers);
// The next row out of JSON text; the first one fixes the shape.
int draft_take_row(Draft *draft, Span *span, const Place *place);
// Settles, seals, profiles. `name`: NULL or "": the id stands for it. ERR_INVALID where there are issues.
int draft_seal(Draft *draft, const char *name, const TargetsWish *wish, DatasetRow *ret_row);
