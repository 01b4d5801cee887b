#include <math.h>
#include "core/model/generator.h"
#include "core/tokens/vocabulary.h"
#include "tests/core/sample.h"
#include "tests/support/near.h"

TestSuite(generator, .init = sample_begin, .fini = sample_end);

enum { LETTERS = 7, LENGTH = 8, TEXT = 3 * LENGTH + 3 };

// A corpus over seven letters that has an order, but not a plain one.
static Dataset *corpus(void) {
    enum { TOKENS = 600 };
    uint8_t tokens[TOKENS];
    ArchiveWriter *writer;
    Vocabulary vocabulary = {.kind = TOKENIZER_CHAR};
    int32_t index;
    int64_t count = TOKENS;
    for (int i = 0; i < LETTERS; i++)
        names_add(&vocabulary.tokens, (char[]){(char)('a' + i)}, 1, 100, &index);
    for (int i = 0; i < TOKENS; i++)
        tokens[i] = (uint8_t)((i * i / 3 + i) % LETTERS);
    cr_assert_eq(archive_writer_create(sample_directory, "corpus", &writer), OK);
    archive_add_text(writer, "task", "language_model");
    archive_add_text(writer, "form", "corpus");
    vocabulary_save(&vocabulary, writer);
    vocabulary_finish(&vocabulary);
    archive_add(writer, "tokens", ARCHIVE_U8, 1, &count, tokens);
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    Dataset *dataset;
    cr_assert_eq(dataset_open(sample_directory, "corpus", true, &dataset), OK);
    return dataset;
}

// Trains a model of these layers for a few steps.
static void train(Dataset *dataset, const char *spec, const char *training, Predictor **ret) {
    Job *job =
        sample_job(dataset, arena_format(&sample_arena, "{\"model\": %s, \"training\": {%s}}", spec,
                                         training));
    *ret = sample_predictor(job, spec, 4);
    job_destroy(job);
    dataset_close(dataset);
}

typedef struct Subject {
    const char *spec;
    Predictor *predictor;
    Generator *generator;
    int32_t text[TEXT]; // to be read, any tokens
} Subject;

// input: "" or "\"input\": …, ".
static Subject subject_make(const char *input, const char *layers) {
    Subject subject = {.spec = arena_format(&sample_arena, "{%s\"layers\": [%s]}", input, layers)};
    train(corpus(), subject.spec,
          "\"sequence_length\": 8, \"steps\": 30, \"batch_size\": 8, \"optimizer\":"
          " {\"type\": \"adam\", \"learning_rate\": 0.02}",
          &subject.predictor);
    cr_assert_eq(generator_create(subject.predictor, json_value(&sample_arena, subject.spec),
                                  &subject.generator),
                 OK);
    Rng rng = rng_make(11, RNG_PROBE, 0, 0);
    for (int i = 0; i < TEXT; i++)
        subject.text[i] = (int32_t)rng_below(&rng, LETTERS);
    return subject;
}

static void subject_finish(Subject *subject) {
    generator_destroy(subject->generator);
    predictor_destroy(subject->predictor);
}

static void expect_logits(const Real *seen, const float *wanted, const char *spec, int tokens) {
    float spread = 0;
    for (int i = 0; i < LETTERS; i++) {
        cr_expect(fabs((double)seen[i] - (double)wanted[i]) < 2e-5,
                  "%s: %g, not %g for %d after %d tokens", spec, (double)seen[i], (double)wanted[i],
                  i, tokens);
        spread = fmaxf(spread, fabsf(wanted[i] - wanted[0]));
    }
    cr_assert_gt(spread, 0.05f, "%s has learned nothing to compare", spec);
}

// What the predictor says at the last step of the window that ends with token `end`.
static void predicted(const Subject *subject, int end, float *ret_logits) {
    float values[LENGTH], outputs[LENGTH * LETTERS];
    for (int i = 0; i < LENGTH; i++)
        values[i] = (float)subject->text[end - LENGTH + i];
    const PredictorInput input = {.rows = 1, .values = values};
    cr_assert_eq(predictor_run(subject->predictor, &input, outputs, NULL), OK);
    memcpy(ret_logits, outputs + (size_t)(LENGTH - 1) * LETTERS, LETTERS * sizeof(float));
}

// The same net made for texts of exactly so many tokens: what it says at the end of the first `tokens`.
static void read_whole(const Subject *subject, int tokens, float *ret_logits) {
    Task task = *predictor_task(subject->predictor);
    Issues issues;
    Model *model;
    Plan *plan;
    Tensor output;
    Real values[TEXT];
    task.input = SHAPE(tokens);
    task.steps = tokens;
    issues_init(&issues);
    cr_assert_eq(
        model_create(json_value(&sample_arena, subject->spec), NULL, &task, &issues, &model), OK);
    const PlanOptions options = {.max_rows = 1, .output = model_output(model)};
    cr_assert_eq(graph_weight_elements(model_graph(model)),
                 graph_weight_elements(model_graph(predictor_model(subject->predictor))));
    cr_assert_eq(plan_create(model_graph(model), &options, &plan), OK);
    for (int i = 0; i < tokens; i++)
        values[i] = (Real)subject->text[i];
    const Tensor input = {.data = values, .shape = SHAPE(1, tokens)};
    plan_forward(plan, &(OpContext){0}, NULL, &input, (Real *)predictor_weights(subject->predictor),
                 &output);
    for (int i = 0; i < LETTERS; i++)
        ret_logits[i] = (float)output.data[(tokens - 1) * LETTERS + i];
    plan_destroy(plan);
    model_destroy(model);
    issues_finish(&issues);
}

#define EMBED "{\"type\": \"embedding\", \"units\": 12}, "
#define DENSE ", {\"type\": \"dense\", \"units\": 7}"

// Nets that read all of the text, a step at a time.
static const char *const carrying[] = {
    EMBED "{\"type\": \"dense\", \"units\": 9, \"activation\": \"prelu\"}" DENSE,
    EMBED "{\"type\": \"lstm\", \"units\": 10, \"return_sequences\": true}" DENSE,
    EMBED "{\"type\": \"rnn\", \"units\": 10, \"return_sequences\": true, \"activation\": "
          "\"relu\"}" DENSE,
    EMBED
    "{\"type\": \"gru\", \"units\": 10, \"return_sequences\": true, \"reset_after\": false}" DENSE,
    EMBED "{\"type\": \"gru\", \"units\": 12, \"return_sequences\": true, \"name\": \"one\"},"
          "{\"type\": \"dropout\", \"rate\": 0.2},"
          "{\"type\": \"residual\", \"layers\": [{\"type\": \"layer_norm\"},"
          " {\"type\": \"lstm\", \"units\": 12, \"return_sequences\": true}]},"
          "{\"type\": \"batch_norm\", \"name\": \"two\"},"
          "{\"type\": \"concat\", \"inputs\": [\"one\", \"two\"], \"name\": \"both\"},"
          "{\"type\": \"rms_norm\"},"
          "{\"type\": \"multiply\", \"inputs\": [\"one\", \"two\"], \"name\": \"product\"},"
          "{\"type\": \"concat\", \"inputs\": [\"product\", \"rms_norm_1\"]}" DENSE,
};

Test(generator, carries_states_along_the_whole_text) {
    for (size_t n = 0; n < ARRAY_LENGTH(carrying); n++) {
        Subject subject = subject_make("", carrying[n]);
        float wanted[LETTERS];
        cr_assert_eq(generator_window(subject.generator), 0, "%s", carrying[n]);
        cr_assert_eq(generator_least(subject.generator), 1);
        for (int i = 0; i < TEXT; i++) {
            generator_take(subject.generator, subject.text[i]);
            read_whole(&subject, i + 1, wanted);
            expect_logits(generator_logits(subject.generator), wanted, carrying[n], i + 1);
        }
        subject_finish(&subject);
    }
}

#define ATTENTION(causal)                                                                          \
    EMBED "{\"type\": \"transformer_block\", \"heads\": 3, \"causal\": " causal "}" DENSE

// Nets that read windows and have no weights for their places, so that they can be made for shorter ones.
static const char *const windowed[] = {
    ATTENTION("true"),
    ATTENTION("false"),
    EMBED
    "{\"type\": \"lstm\", \"units\": 6, \"return_sequences\": true, \"bidirectional\": true}" DENSE,
    EMBED "{\"type\": \"conv1d\", \"filters\": 9, \"kernel_size\": 3, \"padding\": \"same\"}" DENSE,
    EMBED "{\"type\": \"positional_embedding\", \"kind\": \"sinusoidal\"},"
          "{\"type\": \"lstm\", \"units\": 6, \"return_sequences\": true}" DENSE,
};

Test(generator, reads_windows_and_tells_padding_apart) {
    for (size_t n = 0; n < ARRAY_LENGTH(windowed); n++) {
        Subject subject = subject_make("", windowed[n]);
        float wanted[LETTERS];
        cr_assert_eq(generator_window(subject.generator), LENGTH, "%s", windowed[n]);
        cr_assert_eq(generator_least(subject.generator), 1);
        for (int i = 0; i < TEXT; i++) {
            generator_take(subject.generator, subject.text[i]);
            if (i + 1 < LENGTH)
                read_whole(&subject, i + 1, wanted);
            else
                predicted(&subject, i + 1, wanted);
            expect_logits(generator_logits(subject.generator), wanted, windowed[n], i + 1);
        }
        subject_finish(&subject);
    }
}

// With learned positions: of a causal net the first steps of a window say what a shorter text says.
Test(generator, reads_windows_of_a_net_with_positions) {
    Subject subject = subject_make(
        "", EMBED "{\"type\": \"positional_embedding\"},"
                  "{\"type\": \"transformer_block\", \"heads\": 2, \"causal\": true}" DENSE);
    float values[LENGTH], outputs[LENGTH * LETTERS], wanted[LETTERS];
    for (int i = 0; i < LENGTH; i++)
        values[i] = (float)subject.text[i];
    const PredictorInput input = {.rows = 1, .values = values};
    cr_assert_eq(predictor_run(subject.predictor, &input, outputs, NULL), OK);
    cr_assert_eq(generator_window(subject.generator), LENGTH);
    for (int i = 0; i < TEXT; i++) {
        generator_take(subject.generator, subject.text[i]);
        if (i < LENGTH)
            memcpy(wanted, outputs + (size_t)i * LETTERS, sizeof wanted);
        else
            predicted(&subject, i + 1, wanted);
        expect_logits(generator_logits(subject.generator), wanted, subject.spec, i + 1);
    }
    subject_finish(&subject);
}

Test(generator, needs_a_whole_window_where_padding_cannot_be_told) {
    static const char *const inputs[] = {"", "\"input\": {\"shape\": [8]}, "};
    for (size_t n = 0; n < ARRAY_LENGTH(inputs); n++) {
        Subject subject = subject_make(
            inputs[n], EMBED "{\"type\": \"flatten\"}, {\"type\": \"dense\", \"units\": 56},"
                             "{\"type\": \"reshape\", \"shape\": [8, 7]}");
        float wanted[LETTERS];
        cr_assert_eq(generator_least(subject.generator), LENGTH);
        for (int i = 0; i < TEXT; i++) {
            generator_take(subject.generator, subject.text[i]);
            if (i + 1 < LENGTH)
                continue;
            predicted(&subject, i + 1, wanted);
            expect_logits(generator_logits(subject.generator), wanted, subject.spec, i + 1);
        }
        subject_finish(&subject);
    }
}

Test(generator, goes_on_with_what_is_likeliest) {
    Subject subject = subject_make("", carrying[1]);
    const Sampling greedy = {.temperature = 0};
    int count = 5;
    for (int i = 0; i < count; i++)
        generator_take(subject.generator, subject.text[i]);
    for (uint64_t place = 0; count < TEXT; place++, count++) {
        float logits[LETTERS];
        int32_t token, best = 0;
        read_whole(&subject, count, logits);
        for (int32_t i = 1; i < LETTERS; i++)
            best = logits[i] > logits[best] ? i : best;
        cr_assert_eq(generator_next(subject.generator, &greedy, 0, place, &token), OK);
        cr_assert_eq(token, best);
        subject.text[count] = token;
    }
    subject_finish(&subject);
}

Test(generator, is_for_language_models_alone) {
    static const char spec[] = "{\"layers\": [{\"type\": \"dense\", \"units\": 3}]}";
    SampleData data = sample_blobs(60, 3);
    Predictor *predictor;
    Generator *generator;
    train(sample_dataset(&data), spec, "\"epochs\": 1", &predictor);
    cr_assert_eq(generator_create(predictor, json_value(&sample_arena, spec), &generator),
                 ERR_INVALID);
    predictor_destroy(predictor);
}

Test(generator, gives_everything_back_when_memory_runs_out) {
    Subject subject = subject_make("", windowed[0]);
    Value spec = json_value(&sample_arena, subject.spec);
    int failures = 0;
    for (long nth = 1;; nth++) {
        Generator *generator;
        memory_fail_at(nth);
        int error = generator_create(subject.predictor, spec, &generator);
        memory_fail_at(0);
        if (error == OK) {
            generator_destroy(generator);
            break;
        }
        cr_assert_eq(error, ERR_NO_MEMORY);
        failures++;
    }
    cr_assert_gt(failures, 10);
    subject_finish(&subject);
}
