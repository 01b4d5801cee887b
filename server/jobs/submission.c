// What a POST of a job must hold. Everything is checked and every error kept: the job's own keys
// here, model and training by the core; only then is anything made. What comes out is a row ready
// to be queued, its spec complete: every default that was chosen stands in it, so that a later
// version with other defaults runs it alike.
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/descriptor.h"
#include "core/base/error.h"
#include "core/train/lr_range.h"
#include "server/base/machine.h"
#include "server/jobs/frames.h"
#include "server/jobs/jobs.h"
#include "server/json/document.h"

enum {
    NAME_MAX_BYTES = 200,
    TAGS_MAX = 32,
    TAG_MAX_BYTES = 64,
    PRIORITY_MAX = 10,
    THREADS_MAX = 256,
    SPEC_MAX_BYTES = FRAME_BODY_MAX / 2 - 4096, // it travels to the worker with its quotes escaped
};
static const double SECONDS_MAX = 1e9;

static const char *const known_keys[] = {
    "name",        "dataset",          "model", "training", "tags",    "priority", "threads",
    "max_seconds", "max_memory_bytes", "alias", "kind",     "lr_range"};

typedef struct Keys { // the job's own keys, read
    const char *name;
    int64_t priority, threads, max_memory_bytes; // 0: no bound
    double max_seconds;                          // 0: no bound
    const char *alias;                           // NULL: none
    Value tags;
} Keys;

static bool listed(const char *const *names, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static void keys_check(Value body, Issues *issues) {
    VALUE_FOREACH(member, body) {
        const char *key = value_key(member);
        if (listed(known_keys, ARRAY_LENGTH(known_keys), key))
            continue;
        const char *nearest = nearest_name(key, known_keys, ARRAY_LENGTH(known_keys));
        if (nearest != NULL)
            issues_add(issues, PATH_KEY(NULL, key), "unknown key; did you mean \"%s\"?", nearest);
        else
            issues_add(issues, PATH_KEY(NULL, key), "unknown key");
    }
}

static bool given(Value value) {
    return value_kind(value) != VALUE_MISSING && value_kind(value) != VALUE_NULL;
}

static int64_t integer_read(Value body, const char *key, int64_t minimum, int64_t maximum,
                            int64_t fallback, Issues *issues) {
    Value value = value_member(body, key);
    int64_t integer = fallback;
    if (given(value) && !value_integer(value, minimum, maximum, &integer))
        issues_add(issues, PATH_KEY(NULL, key), "must be a whole number from %lld to %lld",
                   (long long)minimum, (long long)maximum);
    return integer;
}

static const char *name_read(Value body, Issues *issues) {
    Value value = value_member(body, "name");
    const char *name = value_string(value);
    if (given(value) && name == NULL)
        issues_add(issues, PATH_KEY(NULL, "name"), "must be a string, not %s",
                   value_kind_name(value_kind(value)));
    else if (name != NULL && (name[0] == '\0' || strlen(name) > NAME_MAX_BYTES))
        issues_add(issues, PATH_KEY(NULL, "name"), "must have from 1 to %d bytes", NAME_MAX_BYTES);
    return name;
}

static Value tags_read(Value body, Issues *issues) {
    Value tags = value_member(body, "tags");
    const Path *path = PATH_KEY(NULL, "tags");
    size_t index = 0;
    if (!given(tags))
        return VALUE_NONE;
    if (value_kind(tags) != VALUE_ARRAY) {
        issues_add(issues, path, "must be an array of strings, not %s",
                   value_kind_name(value_kind(tags)));
        return VALUE_NONE;
    }
    if (value_length(tags) > TAGS_MAX)
        issues_add(issues, path, "must have at most %d tags", TAGS_MAX);
    VALUE_FOREACH(tag, tags) {
        const char *text = value_string(tag);
        if (text == NULL || text[0] == '\0' || strlen(text) > TAG_MAX_BYTES)
            issues_add(issues, PATH_INDEX(path, index), "must be a string of 1 to %d bytes",
                       TAG_MAX_BYTES);
        index++;
    }
    return tags;
}

static double seconds_read(Value body, Issues *issues) {
    Value value = value_member(body, "max_seconds");
    double seconds = value_number(value);
    if (given(value) &&
        (value_kind(value) != VALUE_NUMBER || !(seconds > 0 && seconds <= SECONDS_MAX)))
        issues_add(issues, PATH_KEY(NULL, "max_seconds"), "must be a number above 0 and at most %g",
                   SECONDS_MAX);
    return seconds;
}

static const char *alias_read(Value body, Issues *issues) {
    Value value = value_member(body, "alias");
    const char *alias = value_string(value);
    if (!given(value) || (alias != NULL && alias_valid(alias)))
        return alias;
    issues_add(
        issues, PATH_KEY(NULL, "alias"),
        "must be 1 to %d letters, digits, '-', '_' or '.', and not begin with '.' or \"mdl_\"",
        ALIAS_TEXT - 1);
    return NULL;
}

static void keys_read(const PoolOptions *options, Value body, Issues *issues, Keys *keys) {
    int64_t processors = machine_processors("");
    int64_t threads_max = processors < THREADS_MAX ? processors : THREADS_MAX;
    if (threads_max < options->threads)
        threads_max = options->threads;
    keys_check(body, issues);
    *keys = (Keys){
        .name = name_read(body, issues),
        .priority = integer_read(body, "priority", -PRIORITY_MAX, PRIORITY_MAX, 0, issues),
        .threads = integer_read(body, "threads", 1, threads_max, options->threads, issues),
        .max_memory_bytes = integer_read(body, "max_memory_bytes", 1, INT64_C(1) << 53, 0, issues),
        .max_seconds = seconds_read(body, issues),
        .alias = alias_read(body, issues),
        .tags = tags_read(body, issues),
    };
}

void submission_check_keys(const PoolOptions *options, Value body, Issues *issues) {
    Keys keys;
    keys_read(options, body, issues, &keys);
}

// ---- dataset ----

static int dataset_find(Store *store, const Submission *submission, Issues *issues,
                        DatasetRow *ret_row, Dataset **ret_dataset) {
    const Path *path = PATH_KEY(NULL, "dataset");
    char file[ID_TEXT + 32];
    if (submission->dataset == NULL) {
        Value value = value_member(submission->body, "dataset");
        issues_add(issues, path,
                   given(value) ? "must be a dataset's id or an inline dataset, not %s"
                                : "is required: a dataset's id or an inline dataset",
                   value_kind_name(value_kind(value)));
        return ERR_INVALID;
    }
    int result = strlen(submission->dataset) < ID_TEXT
                     ? datasets_get(store, submission->dataset, ret_row)
                     : ERR_NOT_FOUND;
    if (result == ERR_NOT_FOUND) {
        issues_add(issues, path, "there is no dataset \"%.60s\"", submission->dataset);
        return ERR_INVALID;
    }
    if (result != OK)
        return result;
    snprintf(file, sizeof file, "datasets/%s.bpa", ret_row->id);
    result = dataset_open(store_directory(store), file, false, ret_dataset);
    if (result != OK) {
        issues_add(issues, path, "its file cannot be read: %s", error_text(result));
        dataset_row_finish(ret_row);
    }
    return result;
}

// ---- the model to start from ----

// The body with the model's id where an alias stands in model.initial: what the job starts from must not
// move with the alias. *ret_document keeps what `body` then is, and stays NULL where nothing changes.
static int initial_settle(Store *store, Value *body, Document **ret_document) {
    const char *name = value_string(value_member(value_member(*body, "model"), "initial"));
    char id[ID_TEXT], patch[ID_TEXT + 64];
    Document *document = NULL;
    Issues issues;
    if (name == NULL || !alias_valid(name))
        return OK; // what is wrong with it is said where it is opened
    int result = models_resolve(store, name, id);
    if (result != OK)
        return result == ERR_NOT_FOUND ? OK : result; // likewise
    snprintf(patch, sizeof patch, "{\"model\":{\"initial\":\"%s\"}}", id);
    issues_init(&issues);
    result = document_parse(patch, strlen(patch), NULL, &issues, &document);
    if (result == OK)
        result = document_merge(*body, document_root(document), ret_document);
    if (result == OK)
        *body = document_root(*ret_document);
    document_destroy(document);
    issues_finish(&issues);
    return result;
}

// Opens the model of the body's model.initial; *ret_initial stays NULL where there is none.
static int initial_open(Store *store, Value body, Issues *issues, Archive **ret_initial) {
    const Path *path = PATH_KEY(PATH_KEY(NULL, "model"), "initial");
    char file[ID_TEXT + 32];
    ModelRow row;
    const char *id = value_string(value_member(value_member(body, "model"), "initial"));
    if (id == NULL) // what else it may be is the core's to refuse
        return OK;
    int result = strlen(id) < ID_TEXT ? models_get(store, id, &row) : ERR_NOT_FOUND;
    if (result == ERR_NOT_FOUND) {
        issues_add(issues, path, "there is no model \"%.60s\"", id);
        return ERR_INVALID;
    }
    if (result != OK)
        return result;
    snprintf(file, sizeof file, "models/%s.bpa", row.id);
    model_row_finish(&row);
    result = archive_open(store_directory(store), file, true, ret_initial);
    if (result != OK)
        issues_add(issues, path, "its file cannot be read: %s", error_text(result));
    return result == ERR_NO_MEMORY || result == OK ? result : ERR_INVALID;
}

// ---- memory ----

static double mebibytes(size_t bytes) {
    return (double)bytes / (1 << 20);
}

// "activations 120.0 MiB, optimizer 76.4 MiB, weights 38.2 MiB": the three that take most.
static void contributors_write(const JobMemory *memory, Text *text) {
    struct Part {
        const char *name;
        size_t bytes;
    } parts[] = {{"weights", memory->weights},       {"their gradients", memory->gradients},
                 {"optimizer", memory->optimizer},   {"activations", memory->activations},
                 {"evaluation", memory->evaluation}, {"dataset", memory->dataset},
                 {"runtime", memory->runtime}};
    for (int i = 0; i < 3; i++) {
        struct Part *largest = &parts[0];
        for (size_t p = 1; p < ARRAY_LENGTH(parts); p++)
            if (parts[p].bytes > largest->bytes)
                largest = &parts[p];
        text_add_format(text, "%s%s %.1f MiB", i > 0 ? ", " : "", largest->name,
                        mebibytes(largest->bytes));
        largest->bytes = 0;
    }
}

// Refuses a job that needs more than `bound` bytes, which are `whose`: with what takes most, and what would fit.
static int memory_refuse(const Job *job, const JobMemory *memory, size_t bound, const char *whose,
                         const Path *path, Issues *issues) {
    Text text;
    text_init(&text);
    if (memory->total == SIZE_MAX) {
        text_add(&text, "the job needs more memory than any machine has");
    } else {
        text_add_format(&text,
                        "the job needs %zu bytes (%.1f MiB), more than the %zu (%.1f MiB) %s: ",
                        memory->total, mebibytes(memory->total), bound, mebibytes(bound), whose);
        contributors_write(memory, &text);
    }
    int64_t rows = job_fitting_batch(job, bound);
    if (rows > 0)
        text_add_format(&text, "; with a batch_size of %lld it fits", (long long)rows);
    else
        text_add(&text, "; no batch_size makes it fit");
    int result = text.failed ? ERR_NO_MEMORY : ERR_INVALID;
    if (result == ERR_INVALID)
        issues_add(issues, path, "%s", text_string(&text));
    text_finish(&text);
    return result;
}

static int memory_check(const Job *job, const Keys *keys, Issues *issues) {
    JobMemory memory;
    size_t bound = (size_t)keys->max_memory_bytes, machine = machine_memory_bytes("");
    int error = job_memory(job, job_batch_rows(job), &memory);
    if (error != OK)
        return error;
    if (bound > 0 && memory.total > bound)
        return memory_refuse(job, &memory, bound, "that it may take",
                             PATH_KEY(NULL, "max_memory_bytes"), issues);
    if (memory.total > machine)
        return memory_refuse(job, &memory, machine, "that this machine has",
                             PATH_KEY(NULL, "model"), issues);
    return OK;
}

// ---- what comes out ----

static void tags_write(const Keys *keys, const char *key, JsonOut *out) {
    json_begin_array(out, key);
    VALUE_FOREACH(tag, keys->tags)
    json_string(out, NULL, value_string(tag));
    json_end_array(out);
}

static char *spec_text(const Job *job, const Keys *keys, const char *name, const char *dataset) {
    JsonOut out;
    json_init(&out);
    ValueWriter writer = json_writer(&out);
    json_begin_object(&out, NULL);
    json_string(&out, "name", name);
    json_string(&out, "dataset", dataset);
    job_write_spec(job, &writer);
    tags_write(keys, "tags", &out);
    json_integer(&out, "priority", keys->priority);
    json_integer(&out, "threads", keys->threads);
    if (keys->max_seconds > 0)
        json_number(&out, "max_seconds", keys->max_seconds);
    if (keys->max_memory_bytes > 0)
        json_integer(&out, "max_memory_bytes", keys->max_memory_bytes);
    if (keys->alias != NULL)
        json_string(&out, "alias", keys->alias);
    json_end_object(&out);
    return text_take(&out.text);
}

static char *tags_text(const Keys *keys) {
    JsonOut out;
    json_init(&out);
    tags_write(keys, NULL, &out);
    return text_take(&out.text);
}

static char *plan_text(const Job *job) {
    JsonOut out;
    json_init(&out);
    ValueWriter writer = json_writer(&out);
    if (job_write_plan(job, NULL, &writer) != OK) {
        json_finish(&out);
        return NULL; // memory: what is too large to be planned was refused before
    }
    return text_take(&out.text);
}

static int row_fill(const Job *job, const Keys *keys, const Submission *submission,
                    const DatasetRow *dataset, Issues *issues, JobRow *ret_row) {
    const char *name = keys->name != NULL ? keys->name : dataset->name;
    JobRow row = {
        .created_at = time_now(), .priority = (int)keys->priority, .threads = (int)keys->threads};
    id_make("job_", row.id);
    snprintf(row.dataset, sizeof row.dataset, "%s", dataset->id);
    snprintf(row.parent, sizeof row.parent, "%s",
             submission->parent != NULL ? submission->parent : "");
    const char *initial = model_initial(job_model(job));
    snprintf(row.initial, sizeof row.initial, "%s", initial != NULL ? initial : "");
    snprintf(row.alias, sizeof row.alias, "%s", keys->alias != NULL ? keys->alias : "");
    row.name = memory_string(name);
    row.status = memory_string("queued");
    row.tags = tags_text(keys);
    row.spec = spec_text(job, keys, name, dataset->id);
    row.plan = plan_text(job);
    int result = OK;
    if (row.name == NULL || row.status == NULL || row.tags == NULL || row.spec == NULL ||
        row.plan == NULL)
        result = ERR_NO_MEMORY;
    else if (strlen(row.spec) > SPEC_MAX_BYTES) {
        issues_add(issues, NULL, "the job is larger than %d bytes", SPEC_MAX_BYTES);
        result = ERR_INVALID;
    }
    if (result == OK)
        *ret_row = row;
    else
        job_row_finish(&row);
    return result;
}

typedef struct FindingsOut {
    JsonOut *out;
    Value spec;
} FindingsOut;

static void finding_add(void *context, const Finding *finding) {
    const FindingsOut *findings = context;
    ValueWriter writer = json_writer(findings->out);
    finding_write(finding, findings->spec, NULL, &writer);
}

int submission_check(Store *store, const PoolOptions *options, const Submission *submission,
                     Issues *issues, JobRow *ret_row, JsonOut *findings) {
    Keys keys;
    DatasetRow dataset_row = {0};
    Dataset *dataset = NULL;
    Archive *initial = NULL;
    Job *job = NULL;
    Document *settled = NULL;
    Value body = submission->body;
    if (value_kind(body) != VALUE_OBJECT) {
        issues_add(issues, NULL, "must be an object, not %s", value_kind_name(value_kind(body)));
        return ERR_INVALID;
    }
    keys_read(options, body, issues, &keys);
    int result = dataset_find(store, submission, issues, &dataset_row, &dataset);
    int initial_result = initial_settle(store, &body, &settled);
    if (initial_result == OK)
        initial_result = initial_open(store, body, issues, &initial);
    if (result == OK)
        result = job_create(body, dataset, (int)keys.threads, issues, &job);
    else if (result == ERR_INVALID && job_check_words(body, issues) == ERR_NO_MEMORY)
        result = ERR_NO_MEMORY;
    if (result == OK || initial_result == ERR_NO_MEMORY)
        result = initial_result;
    if (result == OK && initial != NULL) {
        result = job_start_from(job, initial, issues);
        initial = NULL;
    }
    if (result == OK)
        result = memory_check(job, &keys, issues);
    if (result == OK && job_lr_range(job) != NULL && keys.alias != NULL)
        issues_add(issues, PATH_KEY(NULL, "alias"), "is for jobs that leave a model");
    if (result == OK && issues_any(issues))
        result = ERR_INVALID;
    if (result == OK)
        result = row_fill(job, &keys, submission, &dataset_row, issues, ret_row);
    if (result == OK && findings != NULL) {
        json_begin_array(findings, NULL);
        job_findings(job, finding_add, &(FindingsOut){findings, submission->body});
        json_end_array(findings);
    }
    job_destroy(job);
    document_destroy(settled);
    archive_close(initial);
    dataset_close(dataset);
    dataset_row_finish(&dataset_row);
    return result;
}
