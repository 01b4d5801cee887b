#include "core/train/loader.h"
#include "tests/core/sample.h"

TestSuite(loader, .init = sample_begin, .fini = sample_end);

enum {
    ROWS = 150,
    WIDTH = 600,
    BATCH = 64,
    STEPS = 9
}; // a batch is worth a thread; three to an epoch, the last one short

static SampleData wide(void) {
    SampleData data = {.rows = ROWS, .width = WIDTH, .outputs = 3};
    data.inputs = arena_array(&sample_arena, ROWS * WIDTH, sizeof(float));
    data.classes = arena_array(&sample_arena, ROWS, sizeof(int32_t));
    Rng rng = rng_make(7, RNG_PROBE, 0, 0);
    for (int i = 0; i < ROWS * WIDTH; i++)
        data.inputs[i] = (float)rng_normal(&rng);
    for (int i = 0; i < ROWS; i++)
        data.classes[i] = i % 3;
    return data;
}

static Job *noisy_job(const Dataset *dataset) {
    return sample_job(
        dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 3}]}, \"training\": "
                 "{\"epochs\": 3, \"batch_size\": 64, \"validation_split\": 0, "
                 "\"augment\": [{\"type\": \"noise\"}]}}");
}

static int64_t inputs_of(const Batch *batch) {
    return shape_elements(&batch->inputs.shape);
}

// Whatever was asked for before, a step's batch is the same: ahead, out of turn, twice, and by several threads.
Test(loader, gives_a_steps_batch_whatever_came_before) {
    static const int64_t asked[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 5, 6, 6, 2, 9, 1};
    SampleData data = wide();
    Dataset *dataset = sample_dataset(&data);
    Job *job = noisy_job(dataset);
    cr_assert_eq(job_steps(job), STEPS);
    Scalers scalers;
    cr_assert_eq(scalers_fit(job, &scalers), OK);
    Batch batch, alone;
    cr_assert_eq(batch_init(&batch, job, &scalers, BATCH), OK);
    cr_assert_eq(batch_init(&alone, job, &scalers, BATCH), OK);
    Parallel *parallel;
    cr_assert_eq(parallel_create(3, &parallel), OK);
    Loader *loader;
    cr_assert_eq(loader_create(job, &scalers, &loader), OK);
    for (size_t i = 0; i < ARRAY_LENGTH(asked); i++) {
        Loader *fresh; // which has nothing ready
        cr_assert_eq(loader_create(job, &scalers, &fresh), OK);
        loader_take(fresh, asked[i], parallel, &alone);
        loader_take(loader, asked[i], NULL, &batch);
        cr_assert_eq(batch.rows, asked[i] % 3 == 0 ? ROWS - 2 * BATCH : BATCH);
        cr_assert_eq(batch.rows, alone.rows);
        cr_assert_arr_eq(batch.numbers, alone.numbers, (size_t)batch.rows * sizeof(int32_t));
        cr_assert_arr_eq(batch.classes, alone.classes, (size_t)batch.rows * sizeof(int32_t));
        cr_assert_arr_eq(batch.inputs.data, alone.inputs.data,
                         (size_t)inputs_of(&batch) * sizeof(Real), "step %d", (int)asked[i]);
        loader_destroy(fresh);
    }
    loader_destroy(loader);
    parallel_destroy(parallel);
    batch_finish(&batch);
    batch_finish(&alone);
    scalers_finish(&scalers);
    job_destroy(job);
    dataset_close(dataset);
}

// An epoch has each row once, in an order of its own.
Test(loader, takes_each_row_once_an_epoch) {
    SampleData data = wide();
    Dataset *dataset = sample_dataset(&data);
    Job *job = noisy_job(dataset);
    Scalers scalers;
    cr_assert_eq(scalers_fit(job, &scalers), OK);
    Batch batch;
    cr_assert_eq(batch_init(&batch, job, &scalers, BATCH), OK);
    Loader *loader;
    cr_assert_eq(loader_create(job, &scalers, &loader), OK);
    int32_t first[2];
    for (int64_t epoch = 0; epoch < 2; epoch++) {
        int seen[ROWS] = {0};
        for (int64_t step = 1; step <= 3; step++) {
            loader_take(loader, 3 * epoch + step, NULL, &batch);
            if (step == 1)
                first[epoch] = batch.numbers[0] * ROWS + batch.numbers[1];
            for (int64_t i = 0; i < batch.rows; i++)
                seen[batch.numbers[i]]++;
        }
        for (int i = 0; i < ROWS; i++)
            cr_assert_eq(seen[i], 1);
    }
    cr_assert_neq(first[0], first[1]);
    loader_destroy(loader);
    batch_finish(&batch);
    scalers_finish(&scalers);
    job_destroy(job);
    dataset_close(dataset);
}
