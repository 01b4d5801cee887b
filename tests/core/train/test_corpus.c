#include <math.h>
#include "core/tokens/vocabulary.h"
#include "core/train/batches.h"
#include "tests/core/sample.h"
#include "tests/support/near.h"

TestSuite(corpus, .init = sample_begin, .fini = sample_end);

// A corpus of these tokens with a vocabulary of letters from "a" on; as i32 where it is larger than a byte holds.
// test_from: where its text for testing begins; 0: it has none.
static int write_corpus(const int32_t *tokens, int64_t count, int64_t test_from, int letters,
                        bool wide, Dataset **ret_dataset) {
    ArchiveWriter *writer;
    Vocabulary vocabulary = {.kind = TOKENIZER_CHAR};
    int32_t index;
    for (int i = 0; i < letters; i++) {
        char name[16];
        snprintf(name, sizeof name, "%c%d", 'a' + i % 26, i);
        cr_assert_eq(names_add(&vocabulary.tokens, name, strlen(name), 1000, &index), OK);
    }
    cr_assert_eq(archive_writer_create(sample_directory, "corpus", &writer), OK);
    archive_add_text(writer, "task", "language_model");
    archive_add_text(writer, "form", "corpus");
    vocabulary_save(&vocabulary, writer);
    vocabulary_finish(&vocabulary);
    archive_begin(writer, "tokens", wide ? ARCHIVE_I32 : ARCHIVE_U8);
    for (int64_t i = 0; i < count; i++) {
        uint8_t byte = (uint8_t)tokens[i];
        archive_append(writer, wide ? (const void *)&tokens[i] : &byte, wide ? sizeof(int32_t) : 1);
    }
    archive_end(writer, 1, &count);
    if (test_from != 0)
        archive_add(writer, "test_from", ARCHIVE_I64, 1, &(int64_t){1}, &test_from);
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    return dataset_open(sample_directory, "corpus", true, ret_dataset);
}

// Token i is i % letters, so that a window tells where it begins.
static Dataset *counting_tested(int64_t count, int64_t test_from, int letters) {
    int32_t *tokens = arena_array(&sample_arena, (size_t)count, sizeof(int32_t));
    for (int64_t i = 0; i < count; i++)
        tokens[i] = (int32_t)(i % letters);
    Dataset *dataset;
    cr_assert_eq(write_corpus(tokens, count, test_from, letters, letters > 256, &dataset), OK);
    return dataset;
}

static Dataset *counting(int64_t count, int letters) {
    return counting_tested(count, 0, letters);
}

static Job *bigram(const Dataset *dataset, int letters, const char *training) {
    return sample_job(dataset,
                      arena_format(&sample_arena,
                                   "{\"model\": {\"layers\": [{\"type\": \"embedding\","
                                   " \"units\": 8}, {\"type\": \"dense\", \"units\": %d}]},"
                                   " \"training\": {%s}}",
                                   letters, training));
}

Test(corpus, is_a_language_model_of_its_vocabulary) {
    Dataset *dataset = counting(100, 5);
    Job *job = bigram(dataset, 5, "\"sequence_length\": 7");
    cr_assert_eq(dataset->rows, 100);
    cr_assert_eq(job_task(job)->kind, TASK_LANGUAGE_MODEL);
    cr_assert_eq(job_task(job)->vocabulary, 5);
    cr_assert_eq(job_task(job)->outputs, 5);
    cr_assert_eq(job_task(job)->steps, 7);
    cr_assert(shape_equal(&job_task(job)->input, &SHAPE(7)));
    cr_assert_str_eq(job_loss(job)->desc.name, "cross_entropy");
    job_destroy(job);
    dataset_close(dataset);
}

// The windows of an epoch: each within the training part, none overlapping, together all of it but for the ends.
static void check_epoch(const Job *job, int64_t epoch, int64_t train, int64_t *ret_shift) {
    int64_t length = job_task(job)->steps, count = job_rows(job)->train_count, first = INT64_MAX;
    int32_t *order = arena_array(&sample_arena, (size_t)count, sizeof(int32_t));
    bool *seen = arena_array(&sample_arena, (size_t)train, sizeof(bool));
    order_epoch(job, epoch, order);
    for (int64_t i = 0; i < count; i++) {
        cr_assert(order[i] >= 0 && order[i] + length < train, "the last target trains too");
        for (int64_t t = 0; t < length; t++) {
            cr_assert_not(seen[order[i] + t], "windows overlap");
            seen[order[i] + t] = true;
        }
        first = order[i] < first ? order[i] : first;
    }
    for (int64_t i = 0; i < count * length; i++)
        cr_assert(seen[first + i], "the windows leave a gap");
    cr_assert_geq(count * length, train - 2 * length);
    *ret_shift = first;
}

Test(corpus, trains_each_epoch_in_windows_that_begin_elsewhere) {
    Dataset *dataset = counting(1000, 5);
    Job *job = bigram(dataset, 5, "\"sequence_length\": 9, \"validation_split\": 0.1, \"seed\": 4");
    bool seen[9] = {false};
    int different = 0;
    for (int64_t epoch = 1; epoch <= 60; epoch++) {
        int64_t shift;
        check_epoch(job, epoch, 900, &shift);
        cr_assert(shift >= 0 && shift < 9);
        different += !seen[shift];
        seen[shift] = true;
    }
    cr_assert_eq(different, 9, "every shift comes, not just %d", different);
    job_destroy(job);
    dataset_close(dataset);
}

Test(corpus, shuffles_its_windows_by_seed_and_epoch_alone) {
    Dataset *dataset = counting(1000, 5);
    Job *job = bigram(dataset, 5, "\"sequence_length\": 9, \"seed\": 4");
    int64_t count = job_rows(job)->train_count;
    size_t bytes = (size_t)count * sizeof(int32_t);
    int32_t *first = arena_array(&sample_arena, (size_t)count, sizeof(int32_t));
    int32_t *again = arena_array(&sample_arena, (size_t)count, sizeof(int32_t));
    order_epoch(job, 3, first);
    order_epoch(job, 4, again);
    cr_assert_neq(memcmp(first, again, bytes), 0);
    order_epoch(job, 3, again);
    cr_assert_eq(memcmp(first, again, bytes), 0);
    int64_t rising = 0;
    for (int64_t i = 1; i < count; i++)
        rising += first[i] > first[i - 1];
    cr_assert(rising > count / 4 && rising < 3 * count / 4);
    job_destroy(job);
    dataset_close(dataset);
}

Test(corpus, validates_its_last_part_in_windows_that_stay) {
    Dataset *dataset = counting(1000, 5);
    Job *job = bigram(dataset, 5, "\"sequence_length\": 9, \"validation_split\": 0.1, \"seed\": 4");
    const JobRows *rows = job_rows(job);
    cr_assert_eq(rows->validation_count, 11); // 99 inputs of 100 tokens, each with a next one
    for (int64_t i = 0; i < rows->validation_count; i++)
        cr_assert_eq(rows->validation[i], 900 + 9 * i);
    cr_assert_eq(rows->test_count, 0);
    job_destroy(job);
    job = bigram(dataset, 5, "\"sequence_length\": 9, \"validation_split\": 0");
    cr_assert_eq(job_rows(job)->validation_count, 0);
    job_destroy(job);
    dataset_close(dataset);
}

Test(corpus, tests_on_the_text_behind_its_own) {
    Dataset *dataset = counting_tested(1000, 900, 5);
    Job *job = bigram(dataset, 5, "\"sequence_length\": 9, \"validation_split\": 0.1, \"seed\": 4");
    const JobRows *rows = job_rows(job);
    cr_assert_eq(rows->test_count, 11);
    for (int64_t i = 0; i < rows->test_count; i++)
        cr_assert_eq(rows->test[i], 900 + 9 * i);
    cr_assert_eq(rows->validation_count, 9); // of the text's last 90 tokens
    cr_assert_eq(rows->validation[8], 810 + 9 * 8);
    int64_t shift;
    check_epoch(job, 1, 810, &shift);
    job_destroy(job);
    dataset_close(dataset);
    int32_t tokens[10] = {0};
    for (int64_t from = 0; from <= 10; from++) {
        bool fits = from == 0 || (from >= 2 && from <= 8); // 0 writes none
        cr_assert_eq(write_corpus(tokens, 10, from, 5, false, &dataset), fits ? OK : ERR_DAMAGED);
        if (fits)
            dataset_close(dataset);
    }
}

Test(corpus, fits_windows_into_what_is_barely_enough) {
    for (int64_t train = 9; train <= 30; train++) {
        Dataset *dataset = counting(train, 5);
        Job *job = bigram(dataset, 5, "\"sequence_length\": 8, \"validation_split\": 0");
        for (int64_t epoch = 1; epoch <= 20; epoch++) {
            int64_t shift;
            check_epoch(job, epoch, train, &shift);
        }
        job_destroy(job);
        dataset_close(dataset);
    }
}

Test(corpus, gives_each_token_the_next_one_as_its_target) {
    const int letters[] = {5, 300}; // in bytes, and in numbers
    for (int i = 0; i < 2; i++) {
        Dataset *dataset = counting(1000, letters[i]);
        Job *job = bigram(dataset, letters[i], "\"sequence_length\": 4, \"batch_size\": 2");
        Scalers scalers;
        Batch batch;
        cr_assert_eq(scalers_fit(job, &scalers), OK);
        cr_assert_eq(batch_init(&batch, job, &scalers, 2), OK);
        batch_gather(&batch, (const int32_t[]){298, 7}, 2);
        cr_assert_eq(batch.targets, 8);
        for (int t = 0; t < 4; t++) {
            cr_assert_eq(batch.inputs.data[t], (Real)((298 + t) % letters[i]));
            cr_assert_eq(batch.classes[t], (299 + t) % letters[i]);
            cr_assert_eq(batch.inputs.data[4 + t], (Real)((7 + t) % letters[i]));
            cr_assert_eq(batch.classes[4 + t], (8 + t) % letters[i]);
        }
        batch_finish(&batch);
        scalers_finish(&scalers);
        job_destroy(job);
        dataset_close(dataset);
    }
}

Test(corpus, learns_what_follows_and_tells_its_perplexity) {
    Dataset *dataset = counting(2000, 5);
    Job *job = bigram(dataset, 5,
                      "\"sequence_length\": 16, \"batch_size\": 8, \"epochs\": 20,"
                      " \"optimizer\": {\"type\": \"adam\", \"learning_rate\": 0.05},"
                      " \"early_stopping\": {\"metric\": \"val_perplexity\"}");
    Trainer *trainer;
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    const Metrics *validation = trainer_validation(trainer);
    cr_assert_geq(validation->accuracy, 0.999);
    cr_assert_lt(validation->loss, 0.1);
    cr_assert_float_eq(metrics_perplexity(job_task(job), validation), exp(validation->loss), 1e-12);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

// ---- to the same bits, across the shift of an epoch ----

typedef struct Stop {
    int64_t at;
    atomic_bool now;
} Stop;

static void stop_at(void *context, const TrainEvent *event) {
    Stop *stop = context;
    if (event->kind == TRAIN_STEP && event->step == stop->at)
        atomic_store(&stop->now, true);
}

Test(corpus, goes_on_after_an_interruption_to_the_same_bits) {
    Dataset *dataset = counting(300, 5);
    Job *job = bigram(dataset, 5, "\"sequence_length\": 8, \"batch_size\": 8, \"epochs\": 4");
    char whole[65], resumed[65];
    Trainer *trainer;
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    model_hash_weights(job_model(job), trainer_weights(trainer), whole);
    trainer_destroy(trainer);
    cr_assert_eq(job_steps(job), 16);
    for (int64_t at = 1; at < job_steps(job); at++) {
        Stop stop = {.at = at};
        const TrainerHooks hooks = {.context = &stop, .event = stop_at, .stop = &stop.now};
        cr_assert_eq(trainer_create(job, &hooks, &trainer), OK);
        cr_assert_eq(trainer_run(trainer), ERR_STOPPED);
        cr_assert_eq(trainer_save(trainer, sample_directory, "c"), OK);
        trainer_destroy(trainer);
        cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
        cr_assert_eq(trainer_load(trainer, sample_directory, "c", INT64_MAX), OK);
        cr_assert_eq(trainer_run(trainer), OK);
        model_hash_weights(job_model(job), trainer_weights(trainer), resumed);
        trainer_destroy(trainer);
        cr_assert_str_eq(resumed, whole, "interrupted after step %d", (int)at);
    }
    job_destroy(job);
    dataset_close(dataset);
}

// ---- refusals ----

static void expect_refused(const Dataset *dataset, const char *spec, const char *pointer,
                           const char *part) {
    Issues issues;
    Job *job;
    issues_init(&issues);
    cr_assert_eq(job_create(json_value(&sample_arena, spec), dataset, 1, &issues, &job),
                 ERR_INVALID);
    assert_issue(&issues, pointer, part);
    issues_finish(&issues);
}

#define MODEL(units)                                                                               \
    "\"model\": {\"layers\": [{\"type\": \"embedding\", \"units\": 2}, {\"type\": \"dense\","      \
    " \"units\": " units "}]}"

Test(corpus, refuses_jobs_that_do_not_fit) {
    Dataset *dataset = counting(100, 5);
    expect_refused(dataset, "{" MODEL("4") ", \"training\": {\"sequence_length\": 10}}",
                   "/model/layers/1/units", "vocabulary has 5 tokens");
    expect_refused(dataset, "{" MODEL("5") ", \"training\": {\"sequence_length\": 80}}",
                   "/training/sequence_length",
                   "below the number of tokens that train, which is 80");
    expect_refused(dataset, "{" MODEL("5") ", \"training\": {\"sequence_length\": 20}}",
                   "/training/validation_split", "leaves 20 tokens");
    expect_refused(dataset,
                   "{" MODEL("5") ", \"training\": {\"sequence_length\": 10, \"loss\": {\"type\":"
                                  " \"cross_entropy\", \"class_weight\": \"balanced\"}}}",
                   "/training/loss/class_weight", "a language model's targets are tokens");
    expect_refused(dataset,
                   "{\"model\": {\"layers\": [{\"type\": \"embedding\", \"units\": 2},"
                   " {\"type\": \"flatten\"}, {\"type\": \"dense\", \"units\": 5}]},"
                   " \"training\": {\"sequence_length\": 10}}",
                   "/model/layers/2", "at each step");
    dataset_close(dataset);
    SampleData blobs = sample_blobs(50, 3);
    dataset = sample_dataset(&blobs);
    expect_refused(dataset,
                   "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 3}]},"
                   " \"training\": {\"sequence_length\": 10, \"early_stopping\":"
                   " {\"metric\": \"val_perplexity\"}}}",
                   "/training/sequence_length", "for language models");
    dataset_close(dataset);
}

Test(corpus, refuses_tokens_beyond_its_vocabulary) {
    Dataset *dataset;
    cr_assert_eq(write_corpus((int32_t[]){0, 4, 5}, 3, 0, 5, false, &dataset), ERR_DAMAGED);
    cr_assert_eq(write_corpus((int32_t[]){0, -1, 5}, 3, 0, 300, true, &dataset), ERR_DAMAGED);
    cr_assert_eq(write_corpus((int32_t[]){0, 4, 3}, 3, 0, 5, true, &dataset), ERR_DAMAGED,
                 "few tokens are bytes");
    cr_assert_eq(write_corpus((int32_t[]){0}, 1, 0, 5, false, &dataset), ERR_DAMAGED);
}
