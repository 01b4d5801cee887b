// Loaded models: the newest used few stay in memory, each for one request at a time.
#pragma once
#include "core/model/predictor.h"
#include "server/data/rows.h"

typedef struct Predictors Predictors;

typedef struct LoadedModel { // borrowed until predictors_return
    Archive *archive;
    Predictor *predictor;
    Columns *columns;
    Shape input; // of one row as the user writes it
} LoadedModel;

int predictors_create(int directory, Predictors **ret_predictors);
void predictors_destroy(Predictors *predictors); // takes NULL; nobody borrows any more
// Waits while another request uses the same model. `id` is valid (id_valid). ERR_NOT_FOUND,
// ERR_DAMAGED, …
int predictors_borrow(Predictors *predictors, const char *id, LoadedModel **ret_model);
void predictors_return(Predictors *predictors, LoadedModel *model);
void predictors_forget(Predictors *predictors, const char *id); // the model was deleted
