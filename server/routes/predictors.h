// Loaded models: the newest used few stay in memory, each for one request at a time to predict with, and for others that
// only read it.
#pragma once
#include "core/model/predictor.h"
#include "core/tokens/vocabulary.h"
#include "server/data/rows.h"

typedef struct Predictors Predictors;

typedef struct LoadedModel { // borrowed until predictors_return, shared until predictors_leave
    Archive *archive;
    Value spec; // the job's `model` object, which the predictor was made of
    Predictor *predictor;
    Columns *columns;
    Vocabulary vocabulary; // of no tokens where it reads none
    Shape input;           // of one row as the user writes it
} LoadedModel;

int predictors_create(int directory, Predictors **ret_predictors);
void predictors_destroy(Predictors *predictors); // takes NULL; nobody borrows any more
// Waits while another request uses the same model. `id` is valid (id_valid). ERR_NOT_FOUND,
// ERR_DAMAGED, …
int predictors_borrow(Predictors *predictors, const char *id, LoadedModel **ret_model);
void predictors_return(Predictors *predictors, LoadedModel *model);
// For those who only read what is loaded, and run nothing in the predictor: does not wait, and may be left by any thread.
// ERR_UNAVAILABLE: too many do already.
int predictors_share(Predictors *predictors, const char *id, LoadedModel **ret_model);
void predictors_leave(Predictors *predictors, LoadedModel *model);
// Counts memory that those who share take of their own: false where it would be too much, together with what others have.
// Whoever is alone may have any.
bool predictors_reserve(Predictors *predictors, size_t bytes);
void predictors_release(Predictors *predictors, size_t bytes);
void predictors_forget(Predictors *predictors, const char *id); // the model was deleted
