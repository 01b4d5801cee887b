#include <math.h>
#include "core/model/predictor.h"
#include "core/tokens/vocabulary.h"
#include "core/train/batches.h"
#include "tests/core/sample.h"

TestSuite(texts, .init = sample_begin, .fini = sample_end);

// Words w0 … of the vocabulary have the ids 2 …; 0 is padding, 1 unknown.
typedef struct Texts {
    const char *task;
    int64_t rows, max_length, words, tokens;
    const int32_t *lengths, *ids;
    const int32_t *classes; // "a", "b"; NULL: values
    const float *values;
    const uint8_t *splits;
} Texts;

static int write_texts(const Texts *texts, Dataset **ret_dataset) {
    ArchiveWriter *writer;
    Vocabulary vocabulary = {.kind = TOKENIZER_WORD, .reserved = 2};
    int32_t index;
    int64_t one = 1, four = 4;
    for (int i = 0; i < texts->words; i++) {
        char name[16];
        snprintf(name, sizeof name, "w%d", i);
        cr_assert_eq(names_add(&vocabulary.tokens, name, strlen(name), 1000, &index), OK);
    }
    cr_assert_eq(archive_writer_create(sample_directory, "texts", &writer), OK);
    archive_add_text(writer, "task", texts->task);
    archive_add_text(writer, "form", "texts");
    vocabulary_save(&vocabulary, writer);
    vocabulary_finish(&vocabulary);
    archive_add(writer, "max_length", ARCHIVE_I64, 1, &one, &texts->max_length);
    archive_add(writer, "lengths", ARCHIVE_I32, 1, &texts->rows, texts->lengths);
    archive_add(writer, "tokens", ARCHIVE_I32, 1, &texts->tokens, texts->ids);
    if (texts->classes != NULL) {
        archive_add(writer, "targets", ARCHIVE_I32, 1, &texts->rows, texts->classes);
        archive_add(writer, "class_names", ARCHIVE_U8, 1, &four, "a\0b");
    } else {
        archive_add(writer, "targets", ARCHIVE_F32, 1, &texts->rows, texts->values);
    }
    if (texts->splits != NULL)
        archive_add(writer, "splits", ARCHIVE_U8, 1, &texts->rows, texts->splits);
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    return dataset_open(sample_directory, "texts", true, ret_dataset);
}

static const Texts small = {
    .task = "classification",
    .rows = 4,
    .max_length = 3,
    .words = 4,
    .tokens = 6,
    .lengths = (const int32_t[]){2, 0, 3, 1},
    .ids = (const int32_t[]){2, 3, 4, 5, 1, 2},
    .classes = (const int32_t[]){0, 1, 0, 1},
};

static Dataset *opened(const Texts *texts) {
    Dataset *dataset;
    cr_assert_eq(write_texts(texts, &dataset), OK);
    return dataset;
}

#define MODEL(units)                                                                               \
    "\"model\": {\"layers\": [{\"type\": \"embedding\", \"units\": 4}, {\"type\": \"flatten\"},"   \
    " {\"type\": \"dense\", \"units\": " units "}]}"

Test(texts, are_sequences_of_tokens_of_a_vocabulary) {
    Dataset *dataset = opened(&small);
    cr_assert_eq(dataset->rows, 4);
    cr_assert_eq(dataset->task.rows, ROWS_SEQUENCES);
    cr_assert_eq(dataset->task.vocabulary, 6);
    cr_assert_eq(dataset->task.outputs, 2);
    cr_assert(shape_equal(&dataset->task.input, &SHAPE(3)));
    dataset_close(dataset);
}

Test(texts, are_padded_and_tell_their_lengths) {
    Dataset *dataset = opened(&small);
    Job *job = sample_job(dataset, "{" MODEL("2") "}");
    Scalers scalers;
    Batch batch;
    cr_assert_eq(scalers_fit(job, &scalers), OK);
    cr_assert_eq(batch_init(&batch, job, &scalers, 4), OK);
    batch_gather(&batch, (const int32_t[]){2, 1, 0, 3}, 4);
    const Real wanted[] = {4, 5, 1, 0, 0, 0, 2, 3, 0, 2, 0, 0};
    for (size_t i = 0; i < ARRAY_LENGTH(wanted); i++)
        cr_assert_eq(batch.inputs.data[i], wanted[i], "place %zu", i);
    cr_assert_arr_eq(batch.lengths, ((int32_t[]){3, 0, 2, 1}), 4 * sizeof(int32_t));
    cr_assert_arr_eq(batch.classes, ((int32_t[]){0, 1, 0, 1}), 4 * sizeof(int32_t));
    cr_assert_eq(batch.targets, 4);
    OpContext context = {0};
    batch_context(&batch, &context);
    cr_assert_eq(context.lengths, batch.lengths);
    batch_finish(&batch);
    scalers_finish(&scalers);
    job_destroy(job);
    dataset_close(dataset);
}

// Texts of 1 to 8 words of which one of the first two tells the class; some are empty and belong to "a".
static Texts telling(int64_t rows) {
    int32_t *lengths = arena_array(&sample_arena, (size_t)rows, sizeof(int32_t));
    int32_t *ids = arena_array(&sample_arena, (size_t)rows * 8, sizeof(int32_t));
    int32_t *classes = arena_array(&sample_arena, (size_t)rows, sizeof(int32_t));
    float *values = arena_array(&sample_arena, (size_t)rows, sizeof(float));
    uint8_t *splits = arena_array(&sample_arena, (size_t)rows, 1);
    Texts texts = {.task = "classification",
                   .rows = rows,
                   .max_length = 8,
                   .words = 20,
                   .lengths = lengths,
                   .ids = ids,
                   .classes = classes,
                   .values = values,
                   .splits = splits};
    Rng rng = rng_make(3, RNG_PROBE, 0, 0);
    for (int64_t i = 0; i < rows; i++) {
        lengths[i] = (int32_t)rng_below(&rng, 9);
        classes[i] = lengths[i] > 0 && rng_below(&rng, 2) == 1;
        values[i] = (float)(100 * classes[i] + 50);
        splits[i] = i % 5 == 4 ? 2 : 0;
        for (int32_t t = 0; t < lengths[i]; t++)
            ids[texts.tokens + t] = (int32_t)(4 + rng_below(&rng, 18));
        if (lengths[i] > 0)
            ids[texts.tokens + (int64_t)rng_below(&rng, (uint64_t)lengths[i])] = 2 + classes[i];
        texts.tokens += lengths[i];
    }
    return texts;
}

#define TRAINING                                                                                   \
    "\"training\": {\"epochs\": 40, \"optimizer\": {\"type\": \"adam\", \"learning_rate\": 0.02}}"

Test(texts, can_be_told_apart) {
    Texts texts = telling(300);
    Dataset *dataset = opened(&texts);
    Job *job = sample_job(dataset, "{" MODEL("2") ", " TRAINING "}");
    Trainer *trainer;
    Metrics test;
    cr_assert_eq(job_rows(job)->test_count, 60);
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    cr_assert(trainer_test(trainer, &test));
    cr_assert_geq(test.accuracy, 0.95);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(texts, can_have_numbers_to_be_told) {
    Texts texts = telling(300);
    texts.task = "regression";
    texts.classes = NULL;
    Dataset *dataset = opened(&texts);
    Job *job = sample_job(dataset, "{" MODEL("1") ", " TRAINING "}");
    Trainer *trainer;
    Metrics test;
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    cr_assert(trainer_test(trainer, &test));
    cr_assert_geq(test.r2, 0.8);
    cr_assert_lt(test.mae, 20);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(texts, leave_their_vocabulary_with_the_model) {
    Dataset *dataset = opened(&small);
    const char *spec = "{" MODEL("2") ", \"training\": {\"epochs\": 1}}";
    Job *job = sample_job(dataset, spec);
    Trainer *trainer;
    char sha256[65];
    size_t bytes;
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    cr_assert_eq(trainer_save_model(trainer, sample_directory, "m", spec, sha256, &bytes), OK);
    trainer_destroy(trainer);
    Archive *archive;
    Vocabulary vocabulary;
    Predictor *predictor;
    cr_assert_eq(archive_open(sample_directory, "m", true, &archive), OK);
    cr_assert_eq(vocabulary_load(archive, &vocabulary), OK);
    cr_assert_eq(vocabulary_id(&vocabulary, "w3", 2), 5);
    vocabulary_finish(&vocabulary);
    Value model = value_member(json_value(&sample_arena, spec), "model");
    cr_assert_eq(predictor_create(model, archive, 2, &predictor), OK);
    cr_assert_eq(predictor_task(predictor)->vocabulary, 6);
    cr_assert_eq(predictor_task(predictor)->rows, ROWS_SEQUENCES);
    float inputs[] = {2, 3, 0, 0, 0, 0, 4, 5, 1}, outputs[6], probabilities[6];
    const PredictorInput input = {
        .rows = 3, .values = inputs, .lengths = (const int32_t[]){2, 0, 3}};
    cr_assert_eq(predictor_run(predictor, &input, outputs, probabilities), OK);
    for (int i = 0; i < 3; i++)
        cr_assert_float_eq(probabilities[2 * i] + probabilities[2 * i + 1], 1, 1e-6);
    predictor_destroy(predictor);
    archive_close(archive);
    job_destroy(job);
    dataset_close(dataset);
}

static void expect_damaged(Texts texts, const char *why) {
    Dataset *dataset;
    cr_expect_eq(write_texts(&texts, &dataset), ERR_DAMAGED, "%s", why);
}

Test(texts, that_do_not_fit_together_are_refused) {
    Texts texts = small;
    texts.ids = (const int32_t[]){2, 3, 4, 6, 1, 2};
    expect_damaged(texts, "an id beyond the vocabulary");
    texts.ids = (const int32_t[]){2, 3, 4, -1, 1, 2};
    expect_damaged(texts, "a negative id");
    texts = small;
    texts.tokens = 5;
    expect_damaged(texts, "fewer tokens than the lengths say");
    texts = small;
    texts.max_length = 2;
    expect_damaged(texts, "a text beyond the greatest length");
    texts = small;
    texts.lengths = (const int32_t[]){2, -1, 4, 1};
    expect_damaged(texts, "a negative length");
    texts = small;
    texts.task = "language_model";
    expect_damaged(texts, "a task that is a corpus's");
}
