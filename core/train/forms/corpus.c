// A corpus: one long text, in which each token is to be told from those before it.
//
//   "tokens"      u8 [tokens] where the vocabulary has at most 256 ids, else i32 [tokens]
//   "tokenizer", "vocabulary"   core/tokens/vocabulary.h
//
// A row is a token, as a place where a window begins. A window is sequence_length tokens as inputs, and as targets the
// same ones and the next, from the second on:
//
//   tokens   0 ──────────────────── train ─────────────────────┬────── validation ──────┐
//   windows    shift ├──L──┼──L──┼──L──┼ … ┤  +1 target         ├──L──┼──L──┼ … ┤ +1
//
// The last validation_split of the tokens validate, in windows that never move. An epoch runs through the training part
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
    return open_tokens(dataset);
}

// ---- a job on it ----

// Tokens of the training part; the rest validate.
static int64_t train_tokens(const Job *job) {
    return job->dataset->rows - job_validation_rows(job, job->dataset->rows);
}

static int corpus_adapt(Job *job, const Path *path, Issues *issues) {
    TrainingParams *training = &job->training;
    if (training->sequence_length == 0)
        training->sequence_length = SEQUENCE_LENGTH;
    int64_t length = training->sequence_length, train = train_tokens(job);
    int64_t validation = job->dataset->rows - train;
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

static int corpus_split(Job *job) {
    int64_t length = job->training.sequence_length, train = train_tokens(job), shifts;
    int64_t windows = epoch_windows(train, length, &shifts);
    int64_t validation = (job->dataset->rows - train - 1) / length;
    if (validation < 0) // nothing validates
        validation = 0;
    job->row_numbers = memory_array((size_t)(windows + validation), sizeof(int32_t));
    if (job->row_numbers == NULL)
        return ERR_NO_MEMORY;
    int32_t *at = job->row_numbers;
    for (int64_t i = 0; i < windows; i++)
        *at++ = (int32_t)(i * length);
    for (int64_t i = 0; i < validation; i++)
        *at++ = (int32_t)(train + i * length);
    job->rows = (JobRows){.train = job->row_numbers,
                          .train_count = windows,
                          .validation = job->row_numbers + windows,
                          .validation_count = validation};
    return OK;
}

// All of it, in windows that touch; a corpus has no splits of its own.
static int corpus_judge(Job *job, int split) {
    int64_t length = job->task.steps;
    int64_t windows = split > SPLIT_TRAIN ? 0 : (job->dataset->rows - 1) / length;
    job->row_numbers = memory_array((size_t)windows, sizeof(int32_t));
    if (job->row_numbers == NULL)
        return ERR_NO_MEMORY;
    for (int64_t i = 0; i < windows; i++)
        job->row_numbers[i] = (int32_t)(i * length);
    job->rows = (JobRows){.test = job->row_numbers, .test_count = windows};
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
