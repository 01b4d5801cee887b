// From a worker's frames to the store. A frame is stored before it is accepted; all that is checked
// here is checked because a worker is not trusted: a net gone wild may have overwritten its memory.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/log.h"
#include "server/base/table.h"
#include "server/jobs/series.h"
#include "server/jobs/slot.h"
#include "server/json/document.h"
#include "server/store/job_result.h"

enum { BATCH_MAX = 64 }; // records appended in one change

// ---- problems ----

static char *problem_text(const char *title, int status, const char *code, const char *detail) {
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    json_string(&out, "type", "about:blank");
    json_string(&out, "title", title);
    json_integer(&out, "status", status);
    json_string(&out, "detail", detail);
    json_string(&out, "code", code);
    json_end_object(&out);
    return text_take(&out.text);
}

// ---- the diagnosis that a job ends with: its findings in short ----

static int severity_of(Value finding) {
    static const char *const severities[] = {"info", "warning", "critical"};
    const char *severity = value_string(value_member(finding, "severity"));
    for (int i = 0; i < (int)ARRAY_LENGTH(severities); i++)
        if (severity != NULL && strcmp(severity, severities[i]) == 0)
            return i;
    return 0;
}

// {"verdict", "codes"} of a diagnosis {"findings"}.
static void verdict_write(Value diagnosis, JsonOut *out) {
    static const char *const verdicts[] = {"healthy", "warning", "critical"};
    int worst = 0;
    json_begin_object(out, NULL);
    json_begin_array(out, "codes");
    VALUE_FOREACH(finding, value_member(diagnosis, "findings")) {
        int severity = severity_of(finding);
        worst = severity > worst ? severity : worst;
        json_string(out, NULL, value_string(value_member(finding, "code")));
    }
    json_end_array(out);
    json_string(out, "verdict", verdicts[worst]);
    json_end_object(out);
}

static int diagnosis_make(Store *store, const char *job, char **ret_text) {
    Document *document = NULL;
    AUTO_FREE char *body = NULL;
    Issues issues;
    JsonOut out;
    issues_init(&issues);
    json_init(&out);
    int result = diagnoses_get(store, job, &body);
    if (result == OK)
        result = document_parse(body, strlen(body), NULL, &issues, &document);
    if (result == OK || result == ERR_NOT_FOUND) {
        verdict_write(result == OK ? document_root(document) : VALUE_NONE, &out);
        result = out.text.failed ? ERR_NO_MEMORY : OK;
    }
    document_destroy(document);
    issues_finish(&issues);
    if (result == OK)
        *ret_text = text_take(&out.text);
    else
        json_finish(&out);
    return result;
}

// ---- frames that are records ----

static int columns_check(const TableView *view, bool gradients) {
    for (int i = 0; i < view->columns; i++) {
        int known = gradients ? gradient_find(view->names[i]) : metric_find(view->names[i]);
        if (known < 0)
            return ERR_DAMAGED;
    }
    return gradients && table_column(view, "layer") < 0 ? ERR_DAMAGED : OK;
}

// The frame as a record, checked. A frame that holds no row is none: ret_record's kind is NULL.
static int table_record(Slot *slot, const Frame *frame, Record *ret_record) {
    TableView view;
    bool gradients = frame->type == FRAME_GRADIENTS;
    int result = table_view(frame->body, frame->length, &view);
    if (result == OK)
        result = columns_check(&view, gradients);
    if (result != OK || view.rows == 0)
        return result;
    int64_t last = 1;
    for (size_t row = 0; row < view.rows; row++) { // steps start at 1 and never go back
        int64_t step = table_step(&view, row);
        if (step < last || step > INT64_MAX / 2)
            return ERR_DAMAGED;
        last = step;
    }
    *ret_record = (Record){.kind = gradients ? "gradients" : "metrics",
                           .first_step = table_step(&view, 0),
                           .last_step = last,
                           .body = frame->body,
                           .length = frame->length};
    if (!gradients && last > slot->step) {
        slot->step = last;
        slot->exact = false;
    }
    return OK;
}

static int json_parse(const Frame *frame, Document **ret_document) {
    Issues issues;
    issues_init(&issues);
    int result =
        document_parse((const char *)frame->body, frame->length, NULL, &issues, ret_document);
    issues_finish(&issues);
    if (result == OK && value_kind(document_root(*ret_document)) != VALUE_OBJECT) {
        document_destroy(*ret_document);
        return ERR_DAMAGED;
    }
    return result == OK || result == ERR_NO_MEMORY ? result : ERR_DAMAGED;
}

static int finding_record(const Frame *frame, Record *ret_record) {
    Document *document = NULL;
    int result = json_parse(frame, &document);
    if (result != OK)
        return result;
    int64_t step = 0;
    value_integer(value_member(document_root(document), "first_step"), 0, INT64_MAX / 2, &step);
    document_destroy(document);
    *ret_record = (Record){.kind = "finding",
                           .first_step = step,
                           .last_step = step,
                           .body = frame->body,
                           .length = frame->length};
    return OK;
}

// Kept as it came, once it is known to be one: what stands in it is for people.
static int diagnosis_frame(Store *store, Slot *slot, const Frame *frame, Value root) {
    if (value_kind(value_member(root, "findings")) != VALUE_ARRAY)
        return ERR_DAMAGED;
    return diagnoses_put(store, slot->row.id, slot->row.attempt, (const char *)frame->body,
                         frame->length);
}

static int histograms_frame(Store *store, Slot *slot, const Frame *frame, Value root) {
    int64_t step, interval;
    if (!value_integer(value_member(root, "step"), 1, INT64_MAX / 2, &step) ||
        !value_integer(value_member(root, "interval"), 1, INT64_MAX / 2, &interval) ||
        value_kind(value_member(root, "layers")) != VALUE_OBJECT)
        return ERR_DAMAGED;
    const HistogramsRow row = {step, interval, (const char *)frame->body, frame->length};
    return histograms_put(store, slot->row.id, slot->row.attempt, &row);
}

static int step_frame(Slot *slot, const Frame *frame) {
    int64_t step;
    if (frame->length != sizeof step)
        return ERR_DAMAGED;
    memcpy(&step, frame->body, sizeof step);
    if (step < slot->step)
        return OK; // looked at again after a full disk
    slot->step = step;
    slot->exact = true;
    return OK;
}

static bool is_record(const Frame *frame) {
    return frame->type == FRAME_METRICS || frame->type == FRAME_GRADIENTS ||
           frame->type == FRAME_FINDING;
}

// ---- the other frames ----

// NULL where there is no such member; ERR_NO_MEMORY.
static int member_text(Value object, const char *key, char **ret_text) {
    Value member = value_member(object, key);
    JsonOut out;
    *ret_text = NULL;
    if (value_kind(member) == VALUE_MISSING || value_kind(member) == VALUE_NULL)
        return OK;
    json_init(&out);
    ValueWriter writer = json_writer(&out);
    write_value(&writer, NULL, member);
    *ret_text = text_take(&out.text);
    return *ret_text != NULL ? OK : ERR_NO_MEMORY;
}

typedef struct Standing { // members that PROGRESS and FINISHED share
    char *progress, *metrics, *best;
} Standing;

static int standing_read(Value root, Standing *standing) {
    *standing = (Standing){0};
    int result = member_text(root, "progress", &standing->progress);
    if (result == OK)
        result = member_text(root, "metrics", &standing->metrics);
    return result == OK ? member_text(root, "best", &standing->best) : result;
}

static void standing_finish(Standing *standing) {
    memory_free(standing->progress);
    memory_free(standing->metrics);
    memory_free(standing->best);
}

static int started_frame(Store *store, Slot *slot, Value root) {
    int64_t step;
    if (!value_integer(value_member(root, "step"), 0, INT64_MAX / 2, &step))
        return ERR_DAMAGED;
    slot->step = step;
    slot->exact = slot->row.deaths > 0; // then it tells every step
    return records_forget_after(store, slot->row.id, slot->row.attempt, step);
}

static int progress_frame(Store *store, Slot *slot, Value root) {
    Standing standing;
    value_integer(value_member(root, "samples"), 0, INT64_MAX / 2, &slot->samples);
    int result = standing_read(root, &standing);
    if (result == OK)
        result = jobs_progress(store, slot->row.id, slot->row.attempt, slot_ran(slot),
                               standing.progress, standing.metrics, standing.best);
    standing_finish(&standing);
    return result;
}

static bool sha256_plausible(const char *text) {
    return text != NULL && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

// A job that leaves a result and no model.
static int result_frame(Store *store, Slot *slot, Value root) {
    Standing standing;
    value_integer(value_member(root, "samples"), 0, INT64_MAX / 2, &slot->samples);
    char *diagnosis = NULL, *result_text = NULL;
    int result = standing_read(root, &standing);
    if (result == OK)
        result = member_text(root, "result", &result_text);
    if (result == OK)
        result = diagnosis_make(store, slot->row.id, &diagnosis);
    if (result == OK)
        result = jobs_succeed_with(store, slot->row.id, slot->row.attempt, standing.progress,
                                   standing.metrics, standing.best, diagnosis, result_text);
    if (result == OK)
        slot->outcome = OUTCOME_STORED;
    memory_free(diagnosis);
    memory_free(result_text);
    standing_finish(&standing);
    return result;
}

static int finished_frame(Store *store, Slot *slot, Value root) {
    if (value_kind(value_member(root, "result")) == VALUE_OBJECT)
        return result_frame(store, slot, root);
    DatasetRow dataset;
    Standing standing;
    Value model = value_member(root, "model");
    const char *sha256 = value_string(value_member(model, "sha256"));
    ModelRow row = {.name = slot->row.name, .spec = slot->row.spec, .created_at = time_now()};
    if (!sha256_plausible(sha256) ||
        value_kind(value_member(model, "input_shape")) != VALUE_ARRAY ||
        !value_integer(value_member(model, "parameters"), 0, INT64_MAX / 2, &row.parameters) ||
        !value_integer(value_member(model, "bytes"), 0, INT64_MAX / 2, &row.bytes))
        return ERR_DAMAGED;
    int result = datasets_get(store, slot->row.dataset, &dataset);
    if (result != OK)
        return result;
    value_integer(value_member(root, "samples"), 0, INT64_MAX / 2, &slot->samples);
    char *diagnosis = NULL, *confusion = NULL;
    snprintf(row.id, sizeof row.id, "%s", slot->model);
    snprintf(row.job, sizeof row.job, "%s", slot->row.id);
    snprintf(row.sha256, sizeof row.sha256, "%s", sha256);
    row.classes = dataset.classes;
    result = standing_read(root, &standing);
    if (result == OK)
        result = member_text(model, "input_shape", &row.input_shape);
    if (result == OK)
        result = member_text(model, "metrics", &row.metrics);
    if (result == OK)
        result = member_text(root, "confusion", &confusion);
    if (result == OK)
        result = diagnosis_make(store, slot->row.id, &diagnosis);
    if (result == OK)
        result = jobs_succeed(store, slot->row.id, slot->row.attempt, standing.progress,
                              standing.metrics, standing.best, diagnosis, confusion, &row);
    if (result == OK)
        slot->outcome = OUTCOME_STORED;
    memory_free(confusion);
    memory_free(diagnosis);
    memory_free(row.input_shape);
    memory_free(row.metrics);
    standing_finish(&standing);
    dataset_row_finish(&dataset);
    return result;
}

static int failed_store(Store *store, Slot *slot, const char *title, int status, const char *code,
                        const char *detail) {
    char *error = problem_text(title, status, code, detail), *diagnosis = NULL;
    int result = error != NULL ? diagnosis_make(store, slot->row.id, &diagnosis) : ERR_NO_MEMORY;
    if (result == OK)
        result = jobs_end(store, slot->row.id, slot->row.attempt, "failed", error, diagnosis);
    memory_free(diagnosis);
    memory_free(error);
    return result;
}

// Errors that another try may not meet end the job only when they come thrice, as a death does.
static int failed_frame(Store *store, Slot *slot, Value root) {
    static const struct {
        const char *code, *title;
        int status;
    } lasting[] = {
        {"out_of_memory", "The job did not fit into its memory", 422},
        {"diverged", "The training diverged", 422},
        {"invalid", "The job cannot be trained", 422},
        {"damaged", "The dataset's file is damaged", 500},
        {"not_found", "The dataset's file is gone", 500},
    };
    const char *code = value_string(value_member(root, "code"));
    const char *detail = value_string(value_member(root, "detail"));
    if (code == NULL || detail == NULL)
        return ERR_DAMAGED;
    for (size_t i = 0; i < ARRAY_LENGTH(lasting); i++) {
        if (strcmp(code, lasting[i].code) != 0)
            continue;
        int result = failed_store(store, slot, lasting[i].title, lasting[i].status, code, detail);
        if (result == OK)
            slot->outcome = OUTCOME_STORED;
        return result;
    }
    snprintf(slot->code, sizeof slot->code, "%s", code);
    snprintf(slot->detail, sizeof slot->detail, "%s", detail);
    return OK;
}

static int stopped_frame(Store *store, Slot *slot) {
    int result = jobs_requeue(store, slot->row.id, slot->row.attempt, slot_ran(slot));
    if (result == OK)
        slot->outcome = OUTCOME_STORED;
    return result;
}

static int other_frame(Store *store, Slot *slot, const Frame *frame) {
    Document *document = NULL;
    int result = json_parse(frame, &document);
    if (result != OK)
        return result;
    Value root = document_root(document);
    switch (frame->type) {
    case FRAME_STARTED:
        result = started_frame(store, slot, root);
        break;
    case FRAME_PROGRESS:
        result = progress_frame(store, slot, root);
        break;
    case FRAME_DIAGNOSIS:
        result = diagnosis_frame(store, slot, frame, root);
        break;
    case FRAME_HISTOGRAMS:
        result = histograms_frame(store, slot, frame, root);
        break;
    case FRAME_FINISHED:
        result = finished_frame(store, slot, root);
        break;
    case FRAME_FAILED:
        result = failed_frame(store, slot, root);
        break;
    case FRAME_STOPPED:
        result = slot->outcome == OUTCOME_REQUEUE ? stopped_frame(store, slot) : OK;
        break;
    default:
        result = ERR_DAMAGED;
    }
    document_destroy(document);
    return result;
}

// Takes the records that stand at the reader's front as one change. ret_other: the frame that
// followed them, if any.
static int records_take(Store *store, Slot *slot, Frame *ret_other, bool *ret_has_other) {
    Record records[BATCH_MAX];
    size_t count = 0, accepted = slot->reader.cursor;
    int result = OK;
    *ret_has_other = false;
    while (count < BATCH_MAX) {
        Record record = {0};
        Frame frame;
        result = frame_next(&slot->reader, &frame);
        if (result != OK)
            break;
        if (frame.attempt != (uint32_t)slot->row.attempt)
            return ERR_DAMAGED;
        if (frame.type == FRAME_BEAT) {
            accepted = slot->reader.cursor;
            continue;
        }
        if (frame.type == FRAME_STEP) {
            result = step_frame(slot, &frame);
            if (result != OK)
                return result;
            accepted = slot->reader.cursor;
            continue;
        }
        if (!is_record(&frame)) {
            slot->reader.cursor = accepted;
            *ret_other = frame;
            *ret_has_other = true;
            break;
        }
        result = frame.type == FRAME_FINDING ? finding_record(&frame, &record)
                                             : table_record(slot, &frame, &record);
        if (result != OK)
            return result;
        if (record.kind != NULL)
            records[count++] = record;
        accepted = slot->reader.cursor;
    }
    if (result != OK && result != ERR_NOT_FOUND)
        return result;
    return count > 0 ? records_append(store, slot->row.id, slot->row.attempt, records, count) : OK;
}

int deliver_frames(Store *store, Slot *slot) {
    for (;;) {
        Frame other;
        bool has_other;
        size_t before = slot->reader.start;
        int result = records_take(store, slot, &other, &has_other);
        if (result == OK) {
            frame_accept(&slot->reader);
            if (has_other) {
                result = slot->outcome == OUTCOME_STORED ? ERR_DAMAGED
                                                         : other_frame(store, slot, &other);
                if (result == OK) {
                    frame_next(&slot->reader, &other);
                    frame_accept(&slot->reader);
                }
            }
        }
        if (result != OK) {
            frame_rewind(&slot->reader);
            return result;
        }
        if (slot->reader.start == before)
            return OK;
        slot->delivered++;
    }
}

// ---- the end of a process ----

static void death_describe(const Slot *slot, char *text, size_t size) {
    long long step = slot->step;
    if (strcmp(slot->code, "silent") == 0)
        snprintf(text, size, "the worker hung near step %lld: %s", step, slot->detail);
    else if (slot->detail[0] != '\0')
        snprintf(text, size, "the worker gave up near step %lld: %s", step, slot->detail);
    else if (WIFSIGNALED(slot->exit_status))
        snprintf(text, size, "the worker was ended by SIG%s near step %lld",
                 sigabbrev_np(WTERMSIG(slot->exit_status)), step);
    else
        snprintf(text, size, "the worker ended with status %d near step %lld",
                 WEXITSTATUS(slot->exit_status), step);
}

static char *interruption_text(const Slot *slot, const char *code, const char *detail) {
    char at[TIME_TEXT];
    JsonOut out;
    time_text(time_now(), at);
    json_init(&out);
    json_begin_object(&out, NULL);
    json_string(&out, "code", code);
    json_string(&out, "detail", detail);
    json_integer(&out, "attempt", slot->row.attempt);
    json_integer(&out, "step", slot->step < 0 ? 0 : slot->step);
    json_string(&out, "at", at);
    json_end_object(&out);
    return text_take(&out.text);
}

static int death_store(Store *store, Slot *slot) {
    char detail[400], last[440];
    const char *code = slot->code[0] != '\0' ? slot->code : "worker_died";
    bool failed = false;
    death_describe(slot, detail, sizeof detail);
    snprintf(last, sizeof last, "%s, three times", detail);
    char *interruption = interruption_text(slot, code, detail);
    char *error = problem_text("The worker died three times at one step", 500, code, last);
    char *diagnosis = NULL;
    int result = error != NULL && interruption != NULL
                     ? diagnosis_make(store, slot->row.id, &diagnosis)
                     : ERR_NO_MEMORY;
    const JobDeath death = {slot->step, slot->exact, interruption, error, diagnosis};
    if (result == OK)
        result = jobs_worker_died(store, slot->row.id, slot->row.attempt, slot_ran(slot), &death,
                                  &failed);
    if (result == OK)
        log_job_warning(slot->row.id, "%s", detail);
    memory_free(diagnosis);
    memory_free(error);
    memory_free(interruption);
    return result;
}

int deliver_end(Store *store, Slot *slot) {
    switch (slot->outcome) {
    case OUTCOME_STORED:
        return OK;
    case OUTCOME_REQUEUE:
        return jobs_requeue(store, slot->row.id, slot->row.attempt, slot_ran(slot));
    case OUTCOME_CANCELLED:
        return jobs_end(store, slot->row.id, slot->row.attempt, "cancelled", NULL, NULL);
    case OUTCOME_TIME_LIMIT:
        return failed_store(store, slot, "The job ran out of its time", 422, "time_limit",
                            "max_seconds passed before the training ended");
    case OUTCOME_DIED:
        return death_store(store, slot);
    }
    return ERR_INTERNAL;
}
