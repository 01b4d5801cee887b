#include "server/routes/event_batches.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/jobs/jobs.h"
#include "server/json/document.h"
#include "server/routes/language.h"
#include "server/store/tables.h"

enum {
    KEPT = 16,
    KEPT_MS = 1000, // a resumed run takes records back: nothing is kept for long
    RECORDS_AT_ONCE = 256,
    BYTES_AT_ONCE = 32 << 10, // a viewer who is slow to read holds so much
};

typedef struct Batch {
    char job[ID_TEXT];
    Language language;
    int64_t after, last; // seq before it, and of its last record
    bool end;
    int64_t made; // time_monotonic; 0: none here
    Text text;
} Batch;

struct EventBatches {
    pthread_mutex_t lock; // guards all of it
    Batch batch[KEPT];
    int next; // to be replaced
};

int event_batches_create(EventBatches **ret_batches) {
    EventBatches *batches = memory_new(EventBatches);
    if (batches == NULL)
        return ERR_NO_MEMORY;
    pthread_mutex_init(&batches->lock, NULL);
    *ret_batches = batches;
    return OK;
}

void event_batches_destroy(EventBatches *batches) {
    if (batches == NULL)
        return;
    for (int i = 0; i < KEPT; i++)
        text_finish(&batches->batch[i].text);
    pthread_mutex_destroy(&batches->lock);
    memory_free(batches);
}

static bool batch_find(EventBatches *batches, const char *job, Language language, int64_t seq,
                       Text *out, int64_t *ret_seq, bool *ret_end) {
    bool found = false;
    int64_t now = time_monotonic();
    pthread_mutex_lock(&batches->lock);
    for (int i = 0; i < KEPT && !found; i++) {
        const Batch *batch = &batches->batch[i];
        found = batch->made != 0 && now - batch->made < KEPT_MS && batch->after == seq &&
                batch->language == language && strcmp(batch->job, job) == 0;
        if (found) {
            text_add_bytes(out, batch->text.data, batch->text.length);
            *ret_seq = batch->last;
            *ret_end = batch->end;
        }
    }
    pthread_mutex_unlock(&batches->lock);
    return found;
}

// Takes the batch's text.
static void batch_keep(EventBatches *batches, Batch *batch) {
    pthread_mutex_lock(&batches->lock);
    Batch old = batches->batch[batches->next];
    batches->batch[batches->next] = *batch;
    batches->next = (batches->next + 1) % KEPT;
    pthread_mutex_unlock(&batches->lock);
    text_finish(&old.text);
}

// ---- reading ----

// Records are copied first and written as events after: writing one may read the store, and whoever waits for a second
// reader while holding one can wait for ever.
typedef struct Copies {
    Record record[RECORDS_AT_ONCE];
    size_t count, bytes;
    bool failed;
} Copies;

static int copy_record(void *context, const Record *record) {
    Copies *copies = context;
    Record *copy = &copies->record[copies->count];
    *copy = *record;
    char *kind = memory_string(record->kind);
    void *body = memory_array(record->length, 1);
    copy->kind = kind;
    copy->body = body;
    copies->count++;
    if (kind == NULL || body == NULL) {
        copies->failed = true;
        return 1;
    }
    memcpy(body, record->body, record->length);
    copies->bytes += record->length;
    return copies->count == RECORDS_AT_ONCE || copies->bytes >= BYTES_AT_ONCE;
}

static void copies_destroy(Copies *copies) {
    for (size_t i = 0; i < copies->count; i++) {
        memory_free((void *)copies->record[i].kind);
        memory_free((void *)copies->record[i].body);
    }
    memory_free(copies);
}

// A finding was recorded as its worker told it, in English.
static int write_finding(const Record *record, Language language, JsonOut *out) {
    Document *document = NULL;
    Issues issues;
    issues_init(&issues);
    int error = document_parse(record->body, record->length, NULL, &issues, &document);
    issues_finish(&issues);
    if (error == OK)
        finding_tell(out, document_root(document), NULL, language);
    document_destroy(document);
    return error == OK && out->text.failed ? ERR_NO_MEMORY : error;
}

static int write_event(Store *store, const char *job, const Record *record, Batch *batch) {
    JsonOut json;
    json_init(&json);
    int error = strcmp(record->kind, "finding") == 0
                    ? write_finding(record, batch->language, &json)
                    : record_write_event(store, job, record, &json);
    if (error == OK) {
        text_add_format(&batch->text, "id: %lld\nevent: %s\ndata: ", (long long)record->seq,
                        record->kind);
        text_add_bytes(&batch->text, json.text.data, json.text.length);
        text_add(&batch->text, "\n\n");
        batch->last = record->seq;
        batch->end = strcmp(record->kind, "end") == 0;
    }
    json_finish(&json);
    return error == OK && batch->text.failed ? ERR_NO_MEMORY : error;
}

static int batch_read(Store *store, Batch *batch) {
    Copies *copies = memory_new(Copies);
    if (copies == NULL)
        return ERR_NO_MEMORY;
    int error =
        records_since(store, batch->job, NULL, batch->after, RECORDS_AT_ONCE, copy_record, copies);
    if (error >= 0) // positive: copy_record has enough
        error = copies->failed ? ERR_NO_MEMORY : OK;
    for (size_t i = 0; i < copies->count && error == OK && !batch->end; i++)
        error = write_event(store, batch->job, &copies->record[i], batch);
    copies_destroy(copies);
    return error;
}

int event_batches_read(EventBatches *batches, Store *store, const char *job, Language language,
                       int64_t seq, Text *out, int64_t *ret_seq, bool *ret_end) {
    if (batch_find(batches, job, language, seq, out, ret_seq, ret_end))
        return OK;
    Batch batch = {.language = language, .after = seq, .last = seq, .made = time_monotonic()};
    snprintf(batch.job, sizeof batch.job, "%s", job);
    text_init(&batch.text);
    int error = batch_read(store, &batch);
    if (error == OK) {
        text_add_bytes(out, batch.text.data, batch.text.length);
        *ret_seq = batch.last;
        *ret_end = batch.end;
    }
    if (error == OK && batch.text.length > 0)
        batch_keep(batches, &batch);
    else
        text_finish(&batch.text);
    return error;
}
