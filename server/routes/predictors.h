// Loaded models: the newest used few stay in memory, for any number of requests at a time.
#pragma once
#include "core/model/predictor.h"
#include "core/tokens/vocabulary.h"
#include "server/data/rows.h"
#include "server/routes/batcher.h"

typedef struct Predictors Predictors;

typedef struct LoadedModel { // borrowed until predictors_return, shared until predictors_leave
    Archive *archive;
    Value spec; // the job's `model` object, which the predictor was made of
    const Predictor *predictor;
    Batcher *batcher; // runs it
    Columns *columns;
    Vocabulary vocabulary; // of no tokens where it reads none
    Shape input;           // of one row as the user writes it
} LoadedModel;

int predictors_create(int directory, Predictors **ret_predictors);
void predictors_destroy(Predictors *predictors); // takes NULL; nobody borrows any more
// `id` is valid (id_valid). ERR_NOT_FOUND, ERR_DAMAGED, …
int predictors_borrow(Predictors *predictors, const char *id, LoadedModel **ret_model);
void predictors_return(Predictors *predictors, LoadedModel *model);
// Whether a prediction whose body has so many bytes would take well under a millisecond: the model is loaded, small, and has
// little else to do.
bool predictors_quick(Predictors *predictors, const char *id, size_t bytes);
// For those who keep it for longer than a request's handler runs; may be left by any thread. ERR_UNAVAILABLE: too many do
// already.
int predictors_share(Predictors *predictors, const char *id, LoadedModel **ret_model);
void predictors_leave(Predictors *predictors, LoadedModel *model);
// Counts memory that those who share take of their own: false where it would be too much, together with what others have.
// Whoever is alone may have any.
bool predictors_reserve(Predictors *predictors, size_t bytes);
void predictors_release(Predictors *predictors, size_t bytes);
void predictors_forget(Predictors *predictors, const char *id); // the model was deleted
