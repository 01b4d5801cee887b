// Texts of different lengths, each with a class or numbers to tell.
//
//   "max_length"  i64 [1]: tokens that a text has at most
//   "lengths"     i32 [rows]: tokens of each text; 0: an empty one
//   "tokens"      i32 [sum of lengths]: ids, one text after the other
//   "tokenizer", "vocabulary"   core/tokens/vocabulary.h; id 0 is padding
//   "targets"     as of rows
#include <string.h>
#include "core/base/error.h"
#include "core/tokens/vocabulary.h"
#include "core/train/align.h"
#include "core/train/forms/form.h"

enum { ROWS_MAX = INT32_MAX };

static int open_vocabulary(Dataset *dataset) {
    Vocabulary vocabulary;
    int error = vocabulary_load(dataset->archive, &vocabulary);
    if (error != OK)
        return error == ERR_NOT_FOUND ? ERR_DAMAGED : error;
    dataset->task.vocabulary = vocabulary_size(&vocabulary);
    bool padded = vocabulary.reserved > TOKEN_PADDING;
    vocabulary_finish(&vocabulary);
    return padded ? OK : ERR_DAMAGED;
}

static int open_tokens(Dataset *dataset) {
    const ArchiveSection *tokens = archive_typed(dataset->archive, "tokens", ARCHIVE_I32);
    const ArchiveSection *lengths = archive_typed(dataset->archive, "lengths", ARCHIVE_I32);
    const ArchiveSection *max_length = archive_typed(dataset->archive, "max_length", ARCHIVE_I64);
    if (tokens == NULL || tokens->rank != 1 || lengths == NULL || lengths->rank != 1 ||
        lengths->dims[0] < 1 || lengths->dims[0] > ROWS_MAX || max_length == NULL ||
        max_length->rank != 1 || max_length->dims[0] != 1)
        return ERR_DAMAGED;
    int64_t most;
    memcpy(&most, max_length->data, sizeof(most));
    dataset->rows = lengths->dims[0];
    dataset->lengths = lengths->data;
    dataset->tokens = tokens->data;
    int64_t *starts = arena_array(&dataset->owned, (size_t)dataset->rows + 1, sizeof(*starts));
    if (starts == NULL)
        return ERR_NO_MEMORY;
    for (int64_t i = 0; i < dataset->rows; i++) {
        if (dataset->lengths[i] < 0 || dataset->lengths[i] > most)
            return ERR_DAMAGED;
        starts[i + 1] = starts[i] + dataset->lengths[i];
    }
    if (most < 1 || starts[dataset->rows] != tokens->dims[0])
        return ERR_DAMAGED;
    for (int64_t i = 0; i < tokens->dims[0]; i++)
        if (dataset->tokens[i] < 0 || dataset->tokens[i] >= dataset->task.vocabulary)
            return ERR_DAMAGED;
    dataset->starts = starts;
    dataset->task.input = SHAPE(most);
    dataset->task.rows = ROWS_SEQUENCES;
    return OK;
}

static int texts_open(Dataset *dataset) {
    if (dataset->task.kind == TASK_LANGUAGE_MODEL)
        return ERR_DAMAGED;
    int error = open_vocabulary(dataset);
    if (error == OK)
        error = open_tokens(dataset);
    return error == OK ? form_read_targets(dataset, dataset->rows, false) : error;
}

static void texts_gather(Batch *batch, const int32_t *rows, int64_t count) {
    const Dataset *dataset = job_dataset(batch->job);
    int64_t steps = dataset->task.input.dim[0];
    for (int64_t i = 0; i < count; i++) {
        const int32_t *tokens = dataset->tokens + dataset->starts[rows[i]];
        // More than `steps` only where a model for shorter texts is evaluated.
        int64_t length = dataset->lengths[rows[i]];
        length = length < steps ? length : steps;
        Real *inputs = batch->inputs.data + i * steps;
        for (int64_t t = 0; t < length; t++)
            inputs[t] = (Real)tokens[t];
        for (int64_t t = length; t < steps; t++)
            inputs[t] = TOKEN_PADDING;
        batch->lengths[i] = (int32_t)length;
    }
    form_gather_targets(batch, rows, count);
}

static int texts_align(Dataset *dataset, const Archive *model, const Task *task, Issues *issues) {
    (void)task;
    return align_tokens(dataset, model, issues);
}

const FormDesc form_texts = {
    .desc = {.name = "texts", .summary = "texts as rows of tokens, with a target each"},
    .open = texts_open,
    .align = texts_align,
    .gather = texts_gather,
};
