#include "server/routes/predictors.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "core/base/archive_text.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/json/document.h"
#include "server/routes/common.h"

enum { LOADED_MAX = 8, SHARED_MAX = 64, QUICK_BYTES = 32 << 10, NUMBER_BYTES = 2 /* at least */ };
static const double QUICK_FLOPS = 1e7;

static const size_t RESERVED_MAX = (size_t)1 << 30; // bytes

typedef struct Entry {
    LoadedModel model; // first: what is borrowed
    char id[ID_TEXT];
    char *spec;         // text; the document borrows it
    Document *document; // of the spec
    Predictor *predictor;
    Batcher batcher;
    double flops;   // of a row
    int users;      // who borrows or shares it; guarded by Predictors.lock, as are the next two
    uint64_t used;  // when last, in borrowings
    bool forgotten; // freed with its last user
} Entry;

struct Predictors {
    int directory;
    pthread_mutex_t lock;     // guards entry[], users, used, forgotten, shared, reserved
    Entry *entry[LOADED_MAX]; // NULL: free
    uint64_t borrowings;
    int shared;      // how many share one
    size_t reserved; // bytes that they have of their own
};

static void entry_destroy(Entry *entry) {
    if (entry == NULL)
        return;
    columns_destroy(entry->model.columns);
    vocabulary_finish(&entry->model.vocabulary);
    batcher_finish(&entry->batcher);
    predictor_destroy(entry->predictor);
    document_destroy(entry->document);
    archive_close(entry->model.archive);
    memory_free(entry->spec);
    memory_free(entry);
}

// Floating-point operations of a row; infinite where a short body may ask for many.
static double flops_of(const Predictor *predictor) {
    const Model *model = predictor_model(predictor);
    const PlanOptions options = {.max_rows = 1, .output = model_output(model)};
    PlanCost cost;
    if (predictor_task(predictor)->rows != ROWS_ALIKE ||
        plan_cost(model_graph(model), &options, NULL, &cost) != OK)
        return INFINITY;
    return cost.forward_flops;
}

static int entry_load(int directory, const char *id, Entry **ret_entry) {
    Entry *entry = memory_new(Entry);
    char path[PATH_TEXT];
    Issues issues;
    if (entry == NULL)
        return ERR_NO_MEMORY;
    batcher_init(&entry->batcher);
    snprintf(entry->id, sizeof entry->id, "%s", id);
    issues_init(&issues);
    model_file(id, path);
    int error = archive_open(directory, path, true, &entry->model.archive);
    if (error == OK) {
        entry->spec = archive_text(entry->model.archive, "spec");
        error = entry->spec == NULL ? archive_text_error(entry->model.archive, "spec")
                                    : document_parse(entry->spec, strlen(entry->spec), NULL,
                                                     &issues, &entry->document);
    }
    if (error == OK) {
        entry->model.spec = value_member(document_root(entry->document), "model");
        error = predictor_create(entry->model.spec, entry->model.archive, BATCHER_ROWS_MAX,
                                 &entry->predictor);
    }
    if (error == OK) {
        entry->model.predictor = entry->batcher.predictor = entry->predictor;
        entry->model.batcher = &entry->batcher;
        entry->flops = flops_of(entry->predictor);
        error = vocabulary_load(entry->model.archive, &entry->model.vocabulary);
        error = error == ERR_NOT_FOUND ? OK : error; // it reads no tokens
    }
    if (error == OK) {
        entry->model.input = model_task(predictor_model(entry->model.predictor))->input;
        error = columns_load(entry->model.archive, &entry->model.columns);
    }
    issues_finish(&issues);
    if (error != OK)
        entry_destroy(entry);
    else
        *ret_entry = entry;
    return error == ERR_INVALID ? ERR_DAMAGED : error; // we wrote the file ourselves
}

int predictors_create(int directory, Predictors **ret_predictors) {
    Predictors *predictors = memory_new(Predictors);
    if (predictors == NULL)
        return ERR_NO_MEMORY;
    predictors->directory = directory;
    pthread_mutex_init(&predictors->lock, NULL);
    *ret_predictors = predictors;
    return OK;
}

void predictors_destroy(Predictors *predictors) {
    if (predictors == NULL)
        return;
    for (int i = 0; i < LOADED_MAX; i++)
        entry_destroy(predictors->entry[i]);
    pthread_mutex_destroy(&predictors->lock);
    memory_free(predictors);
}

// The caller holds the lock in the next two.
static Entry *entry_find(Predictors *predictors, const char *id) {
    for (int i = 0; i < LOADED_MAX; i++)
        if (predictors->entry[i] != NULL && strcmp(predictors->entry[i]->id, id) == 0)
            return predictors->entry[i];
    return NULL;
}

// Puts a loaded one in the place of the one not used for longest. Where all are in use it stays
// outside, for its one user.
static Entry *entry_keep(Predictors *predictors, Entry *entry) {
    int place = -1;
    for (int i = 0; i < LOADED_MAX; i++) {
        Entry *other = predictors->entry[i];
        if (other == NULL) {
            place = i;
            break;
        }
        if (other->users == 0 && (place < 0 || other->used < predictors->entry[place]->used))
            place = i;
    }
    if (place < 0) {
        entry->forgotten = true;
        return NULL;
    }
    Entry *evicted = predictors->entry[place];
    predictors->entry[place] = entry;
    return evicted;
}

// One more user of the model, which is loaded where it is not yet.
static int entry_use(Predictors *predictors, const char *id, Entry **ret_entry) {
    Entry *loaded = NULL, *evicted = NULL;
    pthread_mutex_lock(&predictors->lock);
    Entry *entry = entry_find(predictors, id);
    if (entry == NULL) {
        pthread_mutex_unlock(&predictors->lock);
        int error =
            entry_load(predictors->directory, id, &loaded); // reads files: not under the lock
        if (error != OK)
            return error;
        pthread_mutex_lock(&predictors->lock);
        entry = entry_find(predictors, id); // someone else may have been faster
        if (entry == NULL) {
            entry = TAKE(loaded);
            evicted = entry_keep(predictors, entry);
        }
    }
    entry->users++;
    entry->used = ++predictors->borrowings;
    pthread_mutex_unlock(&predictors->lock);
    entry_destroy(loaded);
    entry_destroy(evicted);
    *ret_entry = entry;
    return OK;
}

static void entry_leave(Predictors *predictors, Entry *entry) {
    pthread_mutex_lock(&predictors->lock);
    bool last = --entry->users == 0 && entry->forgotten;
    pthread_mutex_unlock(&predictors->lock);
    if (last)
        entry_destroy(entry);
}

int predictors_borrow(Predictors *predictors, const char *id, LoadedModel **ret_model) {
    Entry *entry;
    int error = entry_use(predictors, id, &entry);
    if (error != OK)
        return error;
    *ret_model = &entry->model;
    return OK;
}

void predictors_return(Predictors *predictors, LoadedModel *model) {
    entry_leave(predictors, (Entry *)model);
}

bool predictors_quick(Predictors *predictors, const char *id, size_t bytes) {
    if (bytes > QUICK_BYTES)
        return false;
    pthread_mutex_lock(&predictors->lock);
    Entry *entry = entry_find(predictors, id);
    bool quick = false;
    if (entry != NULL) {
        int64_t width = shape_elements(&entry->model.input);
        int64_t rows = (int64_t)bytes / NUMBER_BYTES / width + 1 + batcher_rows(&entry->batcher);
        quick = (double)rows * entry->flops <= QUICK_FLOPS;
    }
    pthread_mutex_unlock(&predictors->lock);
    return quick;
}

// How many share has changed by one; false where that would be too many.
static bool count_shared(Predictors *predictors, int change) {
    pthread_mutex_lock(&predictors->lock);
    bool room = predictors->shared + change <= SHARED_MAX;
    if (room)
        predictors->shared += change;
    pthread_mutex_unlock(&predictors->lock);
    return room;
}

int predictors_share(Predictors *predictors, const char *id, LoadedModel **ret_model) {
    Entry *entry;
    if (!count_shared(predictors, 1))
        return ERR_UNAVAILABLE;
    int error = entry_use(predictors, id, &entry);
    if (error != OK) {
        count_shared(predictors, -1);
        return error;
    }
    *ret_model = &entry->model;
    return OK;
}

void predictors_leave(Predictors *predictors, LoadedModel *model) {
    entry_leave(predictors, (Entry *)model);
    count_shared(predictors, -1);
}

bool predictors_reserve(Predictors *predictors, size_t bytes) {
    pthread_mutex_lock(&predictors->lock);
    size_t left = predictors->reserved < RESERVED_MAX ? RESERVED_MAX - predictors->reserved : 0;
    bool room = predictors->reserved == 0 || bytes <= left;
    if (room)
        predictors->reserved += bytes;
    pthread_mutex_unlock(&predictors->lock);
    return room;
}

void predictors_release(Predictors *predictors, size_t bytes) {
    pthread_mutex_lock(&predictors->lock);
    predictors->reserved -= bytes;
    pthread_mutex_unlock(&predictors->lock);
}

void predictors_forget(Predictors *predictors, const char *id) {
    Entry *free_now = NULL;
    pthread_mutex_lock(&predictors->lock);
    for (int i = 0; i < LOADED_MAX; i++) {
        Entry *entry = predictors->entry[i];
        if (entry == NULL || strcmp(entry->id, id) != 0)
            continue;
        predictors->entry[i] = NULL;
        entry->forgotten = true;
        if (entry->users == 0)
            free_now = entry;
    }
    pthread_mutex_unlock(&predictors->lock);
    entry_destroy(free_now);
}
