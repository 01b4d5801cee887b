// Many threads ask one model at once; each must get what it would get alone.
#include <math.h>
#include <pthread.h>
#include "server/routes/batcher.h"
#include "tests/core/sample.h"

TestSuite(batcher, .init = sample_begin, .fini = sample_end);

#define LAYERS                                                                                     \
    "{\"layers\": [{\"type\": \"dense\", \"units\": 64, \"activation\": \"tanh\"},"                \
    " {\"type\": \"dense\", \"units\": 3}]}"

enum { ROWS = 60, WIDTH = 4, CLASSES = 3, THREADS = 8, ASKED = 400 };

typedef struct Asker {
    Batcher *batcher;
    const float *inputs;                  // [ROWS, WIDTH]
    const float *outputs, *probabilities; // [ROWS, CLASSES]: what is right
    int number, wrong;
} Asker;

static void *ask(void *context) {
    Asker *asker = context;
    float outputs[ROWS * CLASSES], probabilities[ROWS * CLASSES];
    for (int i = 0; i < ASKED; i++) {
        int first = (asker->number * 7 + i) % ROWS, rows = 1 + (asker->number + i) % (ROWS - first);
        const PredictorInput input = {.rows = rows, .values = asker->inputs + first * WIDTH};
        if (batcher_run(asker->batcher, &input, outputs, probabilities) != OK)
            asker->wrong++;
        const float *right = asker->outputs + first * CLASSES;
        const float *likely = asker->probabilities + first * CLASSES;
        for (int at = 0; at < rows * CLASSES; at++)
            asker->wrong += !(fabsf(outputs[at] - right[at]) < 1e-4f) ||
                            !(fabsf(probabilities[at] - likely[at]) < 1e-5f);
    }
    return NULL;
}

static Predictor *trained(const SampleData *data) {
    Dataset *dataset = sample_dataset(data);
    Job *job = sample_job(dataset, "{\"model\": " LAYERS ", \"training\": {\"epochs\": 2}}");
    Predictor *predictor = sample_predictor(job, LAYERS, BATCHER_ROWS_MAX);
    job_destroy(job);
    dataset_close(dataset);
    return predictor;
}

Test(batcher, gives_each_its_own) {
    SampleData data = sample_blobs(ROWS, CLASSES);
    Predictor *predictor = trained(&data);
    float outputs[ROWS * CLASSES], probabilities[ROWS * CLASSES];
    cr_assert_eq(predictor_run(predictor, &(PredictorInput){.rows = ROWS, .values = data.inputs},
                               outputs, probabilities),
                 OK);
    Batcher batcher;
    batcher_init(&batcher);
    batcher.predictor = predictor;
    pthread_t thread[THREADS];
    Asker asker[THREADS];
    for (int i = 0; i < THREADS; i++) {
        asker[i] = (Asker){&batcher, data.inputs, outputs, probabilities, i, 0};
        cr_assert_eq(pthread_create(&thread[i], NULL, ask, &asker[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        cr_assert_eq(asker[i].wrong, 0);
    }
    batcher_finish(&batcher);
    predictor_destroy(predictor);
}
