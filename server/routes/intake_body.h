// Datasets out of a request's body, for the routes that take one: POST /v1/datasets, and jobs with
// an inline dataset.
#pragma once
#include "core/base/issues.h"
#include "core/base/value.h"
#include "server/json/document.h"
#include "server/routes/routes.h"
#include "server/store/tables.h"

// The dataset that a job's body names or holds. An inline one is taken in and stored (`made`), so
// that the job can stand on it; whoever does not keep the job takes it back by dataset_drop.
typedef struct DatasetTaken {
    char id[ID_TEXT]; // "" where there is none
    bool made;
} DatasetTaken;
// ERR_INVALID with issues; other errors without.
int dataset_take(const Services *services, const Document *document, Issues *issues,
                 DatasetTaken *ret_taken);
void dataset_drop(const Services *services, DatasetTaken *taken);
