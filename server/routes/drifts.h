// What models are asked about, beside what they have learned on: counted per model, in bounded memory.
//
// Counts are a window that fades: at ROWS_WINDOW rows all are halved, so that some thousands of the newest rows decide and a shift
// shows however long all was well. The models asked last stay in memory; the others' counts lie in the store, where all of them go
// every few seconds (drifts_flush) and at the end: a crash forgets the rows of the last seconds and nothing else.
#pragma once
#include "server/routes/language.h"
#include "server/routes/model_inputs.h"
#include "server/store/store.h"

typedef struct Drifts Drifts;

int drifts_create(Store *store, Drifts **ret_drifts);
void drifts_destroy(Drifts *drifts); // flushes; takes NULL
void drifts_flush(Drifts *drifts);
// Counts the rows and writes a member "drift" into the open object, where there is something to note (then true): a number far outside of the
// training range, or rows (these, or the last ones asked about) that are spread otherwise than the training rows.
bool drifts_note(Drifts *drifts, const char *id, const LoadedModel *model,
                 const ModelInputs *inputs, Language language, JsonOut *out);
// All that is known, as an object. ERR_NOT_FOUND: the model keeps nothing to compare with.
int drifts_write(Drifts *drifts, const char *id, const LoadedModel *model, JsonOut *out);
// Begins to count anew.
int drifts_reset(Drifts *drifts, const char *id, const LoadedModel *model);
