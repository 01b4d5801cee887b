// A corpus: one long text, in which each token is to be told from those before it.
//
//   "tokens"      u8 [tokens] where the vocabulary has at most 256 ids, else i32 [tokens]
//   "test_from"   i64 [1]: tokens from there on are another text, for testing; absent: there is none
//   "tokenizer", "vocabulary"   core/tokens/vocabulary.h
//
// A row is a token, as a place where a window begins. A window is sequence_length tokens as inputs, and as targets the
// same ones and the next, from the second on:
//
//   tokens   0 ──────────────────── train ─────────────────────┬────── validation ──────┐
//   windows    shift ├──L──┼──L──┼──L──┼ … ┤  +1 target         ├──L──┼──L──┼ … ┤ +1
//
// The last validation_split of the text's tokens validate, in windows that never move; those of a text for testing likewise. An epoch runs through the training part
// once, in windows that touch but do not overlap, from a place that moves by less than a window from epoch to epoch
// (keyed by seed and epoch), in shuffled order. No training window reads or tells a token of the validation part.
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/tokens/vocabulary.h"
#include "core/train/align.h"
#include "core/train/forms/form.h"
#include "core/train/job_private.h"

enum { TOKENS_MAX = INT32_MAX, SEQUENCE_LENGTH = 64 };

// ---- the archive ----

static int open_tokens(Dataset *dataset) {
    const ArchiveSection *tokens = archive_find(dataset->archive, "tokens");
    int64_t vocabulary = dataset->task.vocabulary;
    bool bytes = vocabulary <= TOKENS_BYTE;
    if (tokens == NULL || tokens->type != (bytes ? ARCHIVE_U8 : ARCHIVE_I32) || tokens->rank != 1 ||
        tokens->dims[0] < 2 || tokens->dims[0] > TOKENS_MAX)
        return ERR_DAMAGED;
    dataset->rows = tokens->dims[0];
    if (bytes)
        dataset->bytes = tokens->data;
    else
        dataset->tokens = tokens->data;
    for (int64_t i = 0; i < dataset->rows; i++) {
        int64_t token = bytes ? dataset->bytes[i] : dataset->tokens[i];
        if (token < 0 || token >= vocabulary)
            return ERR_DAMAGED;
    }
    return OK;
}

static int open_test(Dataset *dataset) {
    const ArchiveSection *from = archive_find(dataset->archive, "test_from");
    dataset->text_tokens = dataset->rows;
    if (from == NULL)
        return OK;
    if (from->type != ARCHIVE_I64 || from->rank != 1 || from->dims[0] != 1)
        return ERR_DAMAGED;
    dataset->text_tokens = *(const int64_t *)from->data;
    return dataset->text_tokens >= 2 && dataset->text_tokens <= dataset->rows - 2 ? OK
                                                                                  : ERR_DAMAGED;
}

static int corpus_open(Dataset *dataset) {
    Vocabulary vocabulary;
    if (dataset->task.kind != TASK_LANGUAGE_MODEL)
        return ERR_DAMAGED;
    int error = vocabulary_load(dataset->archive, &vocabulary);
    if (error != OK)
        return error == ERR_NOT_FOUND ? ERR_DAMAGED : error;
    Task *task = &dataset->task;
    task->vocabulary = task->outputs = vocabulary_size(&vocabulary);
    task->input = SHAPE(1);
    task->steps = 1;
    vocabulary_finish(&vocabulary);
    error = open_tokens(dataset);
    return error == OK ? open_test(dataset) : error;
}

// ---- a job on it ----

// Tokens of the training part; the rest of the text validates.
static int64_t train_tokens(const Job *job) {
    int64_t text = job->dataset->text_tokens;
    return text - job_validation_rows(job, text);
}

static int corpus_adapt(Job *job, const Path *path, Issues *issues) {
    TrainingParams *training = &job->training;
    if (training->sequence_length == 0)
        training->sequence_length = SEQUENCE_LENGTH;
    int64_t length = training->sequence_length, train = train_tokens(job);
    int64_t text = job->dataset->text_tokens, validation = text - train;
    int64_t test = job->dataset->rows - text;
    job->task.input = SHAPE(length);
    job->task.steps = length;
    if (train <= length)
        issues_add(issues, PATH_KEY(path, "sequence_length"),
                   "must be below the number of tokens that train, which is %lld",
                   (long long)train);
    else if (training->validation_split > 0 && validation <= length)
        issues_add(issues, PATH_KEY(path, "validation_split"),
                   "leaves %lld tokens to validate on, and a window of \"sequence_length\" %lld "
                   "takes one more than that; 0 validates nothing",
                   (long long)validation, (long long)length);
    else if (test > 0 && test <= length)
        issues_add(issues, PATH_KEY(path, "sequence_length"),
                   "must be below the number of tokens that test, which is %lld", (long long)test);
    else
        return OK;
    return ERR_INVALID;
}

// How many windows an epoch has, and at how many places the first may begin.
static int64_t epoch_windows(int64_t tokens, int64_t length, int64_t *ret_shifts) {
    int64_t windows = tokens < 2 * length ? 1 : (tokens - length) / length;
    int64_t shifts = tokens - windows * length; // at the last one the last target is the last token
    *ret_shifts = shifts < length ? shifts : length;
    return windows;
}

// Of windows that touch: how many `tokens` have.
static int64_t count_windows(int64_t tokens, int64_t length) {
    return tokens > 0 ? (tokens - 1) / length : 0;
}

// … and where they begin, from a token on. Returns the place behind the last one.
static int32_t *lay_windows(int32_t *at, int64_t from, int64_t windows, int64_t length) {
    for (int64_t i = 0; i < windows; i++)
        *at++ = (int32_t)(from + i * length);
    return at;
}

static int corpus_split(Job *job) {
    int64_t length = job->training.sequence_length, train = train_tokens(job), shifts;
    int64_t text = job->dataset->text_tokens,
            test = count_windows(job->dataset->rows - text, length);
    int64_t windows = epoch_windows(train, length, &shifts);
    int64_t validation = count_windows(text - train, length);
    job->row_numbers = memory_array((size_t)(windows + validation + test), sizeof(int32_t));
    if (job->row_numbers == NULL)
        return ERR_NO_MEMORY;
    int32_t *validating = lay_windows(job->row_numbers, 0, windows, length);
    int32_t *testing = lay_windows(validating, train, validation, length);
    lay_windows(testing, text, test, length);
    job->rows = (JobRows){.train = job->row_numbers,
                          .train_count = windows,
                          .validation = validating,
                          .validation_count = validation,
                          .test = testing,
                          .test_count = test};
    return OK;
}

// The text trains, as far as a dataset knows: which part of it validates is a job's to say.
static int corpus_judge(Job *job, int split) {
    int64_t length = job->task.steps, text = job->dataset->text_tokens;
    bool all = split < 0;
    int64_t train = all || split == SPLIT_TRAIN ? count_windows(text, length) : 0;
    int64_t test =
        all || split == SPLIT_TEST ? count_windows(job->dataset->rows - text, length) : 0;
    job->row_numbers = memory_array((size_t)(train + test), sizeof(int32_t));
    if (job->row_numbers == NULL)
        return ERR_NO_MEMORY;
    lay_windows(lay_windows(job->row_numbers, 0, train, length), text, test, length);
    job->rows = (JobRows){.test = job->row_numbers, .test_count = train + test};
    return OK;
}

static int corpus_align(Dataset *dataset, const Archive *model, const Task *task, Issues *issues) {
    (void)task;
    return align_tokens(dataset, model, issues);
}

static void corpus_order(const Job *job, int64_t epoch, int32_t *order) {
    int64_t length = job->training.sequence_length, shifts;
    int64_t windows = epoch_windows(train_tokens(job), length, &shifts);
    uint64_t seed = (uint64_t)job->training.seed;
    Rng rng = rng_make(seed, RNG_ORDER, (uint64_t)epoch, 1);
    int64_t shift = (int64_t)rng_below(&rng, (uint64_t)shifts);
    for (int64_t i = 0; i < windows; i++)
        order[i] = (int32_t)(shift + i * length);
    rng = rng_make(seed, RNG_ORDER, (uint64_t)epoch, 0);
    rng_shuffle(&rng, order, (size_t)windows);
}

static void corpus_gather(Batch *batch, const int32_t *rows, int64_t count) {
    const Dataset *dataset = job_dataset(batch->job);
    int64_t length = job_task(batch->job)->steps;
    batch->targets = count * length;
    for (int64_t i = 0; i < count; i++) {
        Real *inputs = batch->inputs.data + i * length;
        int32_t *targets = batch->classes + i * length;
        if (dataset->bytes != NULL) {
            const uint8_t *tokens = dataset->bytes + rows[i];
            for (int64_t t = 0; t < length; t++) {
                inputs[t] = (Real)tokens[t];
                targets[t] = tokens[t + 1];
            }
        } else {
            const int32_t *tokens = dataset->tokens + rows[i];
            for (int64_t t = 0; t < length; t++) {
                inputs[t] = (Real)tokens[t];
                targets[t] = tokens[t + 1];
            }
        }
    }
}

const FormDesc form_corpus = {
    .desc = {.name = "corpus", .summary = "one long text, each token to be told from those before"},
    .open = corpus_open,
    .adapt = corpus_adapt,
    .split = corpus_split,
    .judge = corpus_judge,
    .align = corpus_align,
    .order = corpus_order,
    .gather = corpus_gather,
};
