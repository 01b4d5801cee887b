#include "server/routes/drifts.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/model/drift.h"
#include "server/base/log.h"
#include "server/data/columns.h"
#include "server/store/tables.h"

enum { ENTRIES_MAX = 32, ROWS_WINDOW = 4096, NOTED_MAX = 20, TEST_PARTS = 20 };

typedef struct Entry {
    char id[ID_TEXT]; // "": free
    DriftCounts counts;
    int64_t features;
    int64_t since, rows; // in all
    bool changed;        // since it was stored
    bool *drifted;       // [features] whose last rows are spread otherwise …
    bool any;            // … one at least …
    int64_t tested;      // … as of so many rows of the window; 0: not tested yet
    char *note
        [LANGUAGES]; // what answers then say of them, written when it is first wanted; NULL: not yet
    uint64_t used;
} Entry;

struct Drifts {
    Store *store;
    pthread_mutex_t lock; // guards all below; nothing else is locked while it is held
    Entry entries[ENTRIES_MAX];
    uint64_t uses;
};

int drifts_create(Store *store, Drifts **ret_drifts) {
    Drifts *drifts = memory_new(Drifts);
    if (drifts == NULL)
        return ERR_NO_MEMORY;
    drifts->store = store;
    pthread_mutex_init(&drifts->lock, NULL);
    *ret_drifts = drifts;
    return OK;
}

static void notes_forget(Entry *entry) {
    for (int l = 0; l < LANGUAGES; l++)
        memory_free(TAKE(entry->note[l]));
}

static void entry_finish(Entry *entry) {
    drift_counts_finish(&entry->counts);
    memory_free(entry->drifted);
    notes_forget(entry);
    *entry = (Entry){0};
}

// ---- to and from the store ----

static size_t numbers_of(int64_t features) {
    return 1 + (size_t)features * (DRIFT_BINS + 1);
}

static int entry_row(const Entry *entry, DriftRow *ret_row) {
    size_t features = (size_t)entry->features, numbers = numbers_of(entry->features);
    int64_t *body = memory_array(numbers, sizeof *body);
    if (body == NULL)
        return ERR_NO_MEMORY;
    body[0] = entry->counts.rows;
    memcpy(body + 1, entry->counts.bins, features * DRIFT_BINS * sizeof *body);
    memcpy(body + 1 + features * DRIFT_BINS, entry->counts.outside, features * sizeof *body);
    *ret_row = (DriftRow){entry->since, entry->rows, body, numbers * sizeof *body};
    return OK;
}

static void entry_take(Entry *entry, const DriftRow *row) {
    size_t features = (size_t)entry->features;
    const int64_t *body = row->body;
    if (row->length != numbers_of(entry->features) * sizeof *body)
        return; // of another program: begin anew
    entry->since = row->since;
    entry->rows = row->rows;
    entry->counts.rows = body[0];
    memcpy(entry->counts.bins, body + 1, features * DRIFT_BINS * sizeof *body);
    memcpy(entry->counts.outside, body + 1 + features * DRIFT_BINS, features * sizeof *body);
}

// Stores what an entry held; the lock is not held.
static void row_store(Drifts *drifts, const char *id, DriftRow *row) {
    int error = drifts_put(drifts->store, id, row);
    if (error != OK && error != ERR_NOT_FOUND) // the model was deleted meanwhile
        log_warning("%s: what was counted of its inputs: %s", id, error_text(error));
    memory_free(row->body);
}

void drifts_flush(Drifts *drifts) {
    for (int i = 0; i < ENTRIES_MAX; i++) {
        char id[ID_TEXT] = "";
        DriftRow row;
        pthread_mutex_lock(&drifts->lock);
        Entry *entry = &drifts->entries[i];
        if (entry->id[0] != '\0' && entry->changed && entry_row(entry, &row) == OK) {
            entry->changed = false;
            snprintf(id, sizeof id, "%s", entry->id);
        }
        pthread_mutex_unlock(&drifts->lock);
        if (id[0] != '\0')
            row_store(drifts, id, &row);
    }
}

void drifts_destroy(Drifts *drifts) {
    if (drifts == NULL)
        return;
    drifts_flush(drifts);
    for (int i = 0; i < ENTRIES_MAX; i++)
        entry_finish(&drifts->entries[i]);
    pthread_mutex_destroy(&drifts->lock);
    memory_free(drifts);
}

// ---- entries ----

// The lock is held.
static Entry *entry_find(Drifts *drifts, const char *id) {
    for (int i = 0; i < ENTRIES_MAX; i++)
        if (strcmp(drifts->entries[i].id, id) == 0)
            return &drifts->entries[i];
    return NULL;
}

// Puts `made` in the place of the one not used for longest, which it then holds.
static Entry *entry_place(Drifts *drifts, Entry *made) {
    Entry *place = &drifts->entries[0];
    for (int i = 1; i < ENTRIES_MAX; i++)
        if (drifts->entries[i].used < place->used)
            place = &drifts->entries[i];
    Entry evicted = *place;
    *place = *made;
    *made = evicted;
    return place;
}

static int entry_load(Drifts *drifts, const char *id, int64_t features, Entry *ret_entry) {
    Entry entry = {.features = features, .since = time_now()};
    DriftRow row;
    snprintf(entry.id, sizeof entry.id, "%s", id);
    entry.drifted = memory_array((size_t)features, sizeof *entry.drifted);
    if (entry.drifted == NULL || drift_counts_init(&entry.counts, features, true) != OK) {
        memory_free(entry.drifted);
        return ERR_NO_MEMORY;
    }
    if (drifts_get(drifts->store, id, &row) == OK) {
        entry_take(&entry, &row);
        memory_free(row.body);
    }
    *ret_entry = entry;
    return OK;
}

// The model's entry with the lock held, which the caller lets go; NULL without it, where there is no memory.
static Entry *entry_lock(Drifts *drifts, const char *id, int64_t features) {
    Entry other = {0};
    pthread_mutex_lock(&drifts->lock);
    Entry *entry = entry_find(drifts, id);
    if (entry == NULL) {
        pthread_mutex_unlock(&drifts->lock); // the store is asked without it
        if (entry_load(drifts, id, features, &other) != OK)
            return NULL;
        pthread_mutex_lock(&drifts->lock);
        entry = entry_find(drifts, id); // someone else may have been faster
        if (entry == NULL)
            entry = entry_place(drifts, &other);
    }
    entry->used = ++drifts->uses;
    if (other.changed && other.id[0] != '\0') { // evicted
        DriftRow row;
        bool kept = entry_row(&other, &row) == OK;
        pthread_mutex_unlock(&drifts->lock);
        if (kept)
            row_store(drifts, other.id, &row);
        entry_finish(&other);
        return entry_lock(drifts, id, features);
    }
    entry_finish(&other);
    return entry;
}

// ---- counting ----

static int64_t rows_of(const LoadedModel *model, const ModelInputs *inputs) {
    bool graphs = predictor_task(model->predictor)->rows == ROWS_GRAPHS;
    return graphs ? inputs->graphs.data.graphs : inputs->rows;
}

// Into `all` too, where it is not NULL.
static int count_inputs(const LoadedModel *model, const ModelInputs *inputs,
                        const DriftReference *reference, DriftCounts *own, DriftCounts *all) {
    const Task *task = predictor_task(model->predictor);
    const Forecast *forecast = predictor_forecast(model->predictor);
    int64_t width = predictor_input_width(model->predictor), rows = rows_of(model, inputs);
    AUTO_FREE double *numbers = memory_array((size_t)reference->features, sizeof *numbers);
    AUTO_FREE float *window = memory_array((size_t)width, sizeof *window);
    if (numbers == NULL || window == NULL)
        return ERR_NO_MEMORY;
    for (int64_t r = 0; r < rows; r++) {
        if (task->rows == ROWS_GRAPHS)
            drift_describe_graph(task, &inputs->graphs.data, r, numbers);
        else
            drift_describe(task, forecast, inputs->values + r * width,
                           inputs->lengths != NULL ? inputs->lengths[r] : 0, window, numbers);
        drift_count(reference, numbers, own);
        if (all != NULL)
            drift_count(reference, numbers, all);
    }
    return OK;
}

// ERR_NOT_FOUND: it keeps none, or rows are not described so.
static int reference_of(const LoadedModel *model, DriftReference *ret_reference) {
    const Task *task = predictor_task(model->predictor);
    int error = drift_load(model->archive, ret_reference);
    if (error != OK)
        return error;
    return ret_reference->features == drift_width(task, predictor_forecast(model->predictor))
               ? OK
               : ERR_DAMAGED;
}

// ---- telling ----

static void feature_name(const LoadedModel *model, int64_t feature, char *name, size_t size) {
    static const char *const images[] = {"mean", "deviation"},
                             *const texts[] = {"tokens", "unknown share"},
                             *const graphs[] = {"nodes", "edges"};
    const Task *task = predictor_task(model->predictor);
    const Columns *columns = model->columns;
    bool forecasts = predictor_forecast(model->predictor) != NULL;
    snprintf(name, size, "%lld", (long long)feature);
    if (task->rows == ROWS_SEQUENCES)
        snprintf(name, size, "%s", texts[feature]);
    else if (task->rows == ROWS_GRAPHS && feature < 2)
        snprintf(name, size, "%s", graphs[feature]);
    else if (task->rows == ROWS_GRAPHS)
        snprintf(name, size, "mean of feature %lld", (long long)feature - 2);
    else if (!forecasts && task->input.rank > 1)
        snprintf(name, size, "%s", images[feature]);
    for (size_t c = 0; columns != NULL && task->rows == ROWS_ALIKE &&
                       (forecasts || task->input.rank == 1) && c < columns->count;
         c++) {
        const Column *column = &columns->items[c];
        int64_t place = feature - column->offset;
        if (place < 0 || place >= column_width(column))
            continue;
        if (!column->category)
            snprintf(name, size, "%s", column->name);
        else
            snprintf(name, size, "%s=%s", column->name,
                     (size_t)place < column->values.count ? column->values.items[place]
                                                          : "missing");
    }
}

typedef struct Note {
    JsonOut features;
    int64_t count;
    char first[128];
    bool outside, distribution;
    int64_t rows; // of which the distribution speaks
} Note;

static void note_feature(Note *note, const LoadedModel *model, int64_t feature,
                         const DriftTest *test, int64_t outside) {
    char name[128];
    feature_name(model, feature, name, sizeof name);
    if (note->count == 0)
        snprintf(note->first, sizeof note->first, "%s", name);
    note->outside |= outside > 0;
    note->distribution |= test->distribution;
    if (note->count++ >= NOTED_MAX)
        return;
    json_begin_object(&note->features, NULL);
    json_string(&note->features, "feature", name);
    json_integer(&note->features, "outside", outside);
    json_boolean(&note->features, "distribution", test->distribution);
    if (test->distribution) {
        json_number(&note->features, "index", test->index);
        json_number(&note->features, "p", test->p);
    }
    json_end_object(&note->features);
}

static void note_write(const Note *note, Language language, JsonOut *out) {
    char features[160];
    Text text;
    text_init(&text);
    snprintf(features, sizeof features, "%s%s", note->first, note->count > 1 ? ", …" : "");
    const TextPlace places[] = {{"count", NULL, (double)note->count},
                                {"features", features, 0},
                                {"rows", NULL, (double)llabs(note->rows)},
                                {0}};
    text_say(&text, language, "drift",
             !note->distribution ? "outside"
             : note->outside     ? "both"
                                 : "spread",
             !note->distribution ? NULL
             : note->rows < 0    ? "last"
                                 : "these",
             places);
    json_begin_object(out, NULL);
    json_string(out, "explanation", text_string(&text));
    json_raw(out, "features", text_string(&note->features.text));
    json_end_object(out);
    out->text.failed |= text.failed || note->features.text.failed;
    text_finish(&text);
}

// Whether the last rows are spread otherwise, feature by feature: looked at anew when they have become a twentieth more.
static void entry_test(Entry *entry, const LoadedModel *model, const DriftReference *reference) {
    int64_t rows = entry->counts.rows;
    bool distributions = predictor_forecast(model->predictor) == NULL;
    if (rows < DRIFT_ROWS_MIN || (entry->tested > 0 && rows >= entry->tested &&
                                  rows <= entry->tested + entry->tested / TEST_PARTS))
        return;
    entry->tested = rows;
    entry->any = false;
    notes_forget(entry);
    for (int64_t f = 0; f < reference->features; f++) {
        DriftTest test;
        drift_test(reference, &entry->counts, f, distributions, &test);
        entry->drifted[f] = test.distribution;
        entry->any |= test.distribution;
    }
}

// The note as a JSON object, to be freed; NULL where there is nothing to say, or no memory. Of the request's own rows where
// they are enough, else of the last ones.
static char *note_text(const Entry *entry, const LoadedModel *model,
                       const DriftReference *reference, const DriftCounts *own, Language language) {
    bool distributions = predictor_forecast(model->predictor) == NULL;
    bool enough = own->rows >= DRIFT_ROWS_MIN;
    Note note = {.rows = enough ? own->rows : -entry->tested};
    JsonOut out;
    json_init(&note.features);
    json_init(&out);
    json_begin_array(&note.features, NULL);
    for (int64_t f = 0; f < reference->features; f++) {
        DriftTest test = {.distribution = false};
        if (enough || entry->drifted[f])
            drift_test(reference, enough ? own : &entry->counts, f, distributions, &test);
        if (own->outside[f] > 0 || test.distribution)
            note_feature(&note, model, f, &test, own->outside[f]);
    }
    json_end_array(&note.features);
    if (note.count > 0)
        note_write(&note, language, &out);
    char *text = note.count > 0 ? text_take(&out.text) : NULL;
    json_finish(&note.features);
    json_finish(&out);
    return text;
}

static bool any_outside(const DriftCounts *counts, int64_t features) {
    for (int64_t f = 0; f < features; f++)
        if (counts->outside[f] > 0)
            return true;
    return false;
}

static bool note_entry(Entry *entry, const LoadedModel *model, const DriftReference *reference,
                       const DriftCounts *own, Language language, JsonOut *out) {
    if (own->rows >= DRIFT_ROWS_MIN || any_outside(own, reference->features)) {
        AUTO_FREE char *note = note_text(entry, model, reference, own, language);
        if (note != NULL)
            json_raw(out, "drift", note);
        return note != NULL;
    }
    if (entry->any) { // the same for every request until it is tested again
        char **note = &entry->note[language];
        if (*note == NULL)
            *note = note_text(entry, model, reference, own, language);
        if (*note != NULL)
            json_raw(out, "drift", *note);
        return *note != NULL;
    }
    return false;
}

bool drifts_note(Drifts *drifts, const char *id, const LoadedModel *model,
                 const ModelInputs *inputs, Language language, JsonOut *out) {
    bool noted = false;
    bool many = rows_of(model, inputs) >= DRIFT_ROWS_MIN; // few prove nothing by themselves
    DriftReference reference;
    DriftCounts own = {0};
    Entry *entry = NULL;
    int error = reference_of(model, &reference);
    if (error == OK)
        error = drift_counts_init(&own, reference.features, many);
    if (error == OK && many)
        error = count_inputs(model, inputs, &reference, &own, NULL);
    if (error == OK)
        entry = entry_lock(drifts, id, reference.features);
    if (entry != NULL && many)
        drift_counts_add(&entry->counts, &own, reference.features);
    else if (entry != NULL)
        error = count_inputs(model, inputs, &reference, &own, &entry->counts);
    if (entry != NULL && error == OK) {
        entry->rows += own.rows;
        entry->changed = true;
        entry_test(entry, model, &reference);
        noted = note_entry(entry, model, &reference, &own, language, out);
        while (entry->counts.rows >= ROWS_WINDOW)
            drift_counts_halve(&entry->counts, reference.features);
    }
    if (entry != NULL)
        pthread_mutex_unlock(&drifts->lock);
    drift_counts_finish(&own);
    return noted;
}

// ---- the whole ----

static void write_bins(const DriftReference *reference, const DriftCounts *counts, int64_t feature,
                       JsonOut *out) {
    const float *edges = reference->edges + feature * DRIFT_EDGES;
    json_begin_array(out, "edges");
    for (int i = 0; i < DRIFT_EDGES && !isnan(edges[i]); i++)
        json_float(out, NULL, edges[i]);
    json_end_array(out);
    json_begin_array(out, "training");
    for (int b = 0; b < DRIFT_BINS; b++)
        if (b == DRIFT_MISSING || b == 0 || !isnan(edges[b - 1]))
            json_integer(out, NULL, reference->counts[feature * DRIFT_BINS + b]);
    json_end_array(out);
    json_begin_array(out, "asked");
    for (int b = 0; b < DRIFT_BINS; b++)
        if (b == DRIFT_MISSING || b == 0 || !isnan(edges[b - 1]))
            json_integer(out, NULL, counts->bins[feature * DRIFT_BINS + b]);
    json_end_array(out);
}

static void write_feature(const LoadedModel *model, const DriftReference *reference,
                          const DriftCounts *counts, int64_t feature, JsonOut *out) {
    char name[128];
    DriftTest test;
    feature_name(model, feature, name, sizeof name);
    drift_test(reference, counts, feature, predictor_forecast(model->predictor) == NULL, &test);
    json_begin_object(out, NULL);
    json_string(out, "feature", name);
    json_boolean(out, "drifted", test.outside || test.distribution);
    json_number(out, "index", test.index);
    json_number(out, "p", test.p);
    json_integer(out, "outside", counts->outside[feature]);
    json_begin_array(out, "range");
    json_float(out, NULL, reference->range[2 * feature]);
    json_float(out, NULL, reference->range[2 * feature + 1]);
    json_end_array(out);
    write_bins(reference, counts, feature, out);
    json_end_object(out);
}

int drifts_write(Drifts *drifts, const char *id, const LoadedModel *model, JsonOut *out) {
    DriftReference reference;
    DriftCounts counts; // a copy: writing takes too long to hold the lock
    char since[TIME_TEXT];
    int error = reference_of(model, &reference);
    if (error == OK)
        error = drift_counts_init(&counts, reference.features, true);
    if (error != OK)
        return error;
    Entry *entry = entry_lock(drifts, id, reference.features);
    if (entry == NULL) {
        drift_counts_finish(&counts);
        return ERR_NO_MEMORY;
    }
    drift_counts_add(&counts, &entry->counts, reference.features);
    time_text(entry->since, since);
    int64_t rows = entry->rows;
    pthread_mutex_unlock(&drifts->lock);
    json_begin_object(out, NULL);
    json_string(out, "since", since);
    json_integer(out, "rows", rows);
    json_integer(out, "window_rows", counts.rows);
    json_integer(out, "training_rows", reference.rows);
    json_begin_array(out, "features");
    for (int64_t f = 0; f < reference.features; f++)
        write_feature(model, &reference, &counts, f, out);
    json_end_array(out);
    json_end_object(out);
    drift_counts_finish(&counts);
    return OK;
}

int drifts_reset(Drifts *drifts, const char *id, const LoadedModel *model) {
    DriftReference reference;
    int error = reference_of(model, &reference);
    if (error != OK)
        return error;
    Entry *entry = entry_lock(drifts, id, reference.features);
    if (entry == NULL)
        return ERR_NO_MEMORY;
    size_t features = (size_t)reference.features;
    entry->counts.rows = entry->rows = 0;
    memset(entry->counts.bins, 0, features * DRIFT_BINS * sizeof *entry->counts.bins);
    memset(entry->counts.outside, 0, features * sizeof *entry->counts.outside);
    memset(entry->drifted, 0, features * sizeof *entry->drifted);
    entry->any = false;
    entry->tested = 0;
    entry->since = time_now();
    entry->changed = true;
    pthread_mutex_unlock(&drifts->lock);
    return OK;
}
