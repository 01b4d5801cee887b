// The same job ends in the same bits, twice and resumed: each architecture, optimizer, schedule and augmentation, run
// straight, and torn after every one of its steps.
//
// A torn run is what the worker's death makes of one: dataset, job and trainer are new after each step, the last one too,
// and nothing but the checkpoint comes along. All that a run tells (losses, norms, rates, layers' statistics, epochs' metrics, findings) goes
// into one hash, in order, so that no number may differ, be lost or come twice.
#include "core/train/augmentations/augmentations.h"
#include "tests/core/train/forms.h"

static void begin(void) {
    sample_begin();
    form_write_all();
}

TestSuite(resume, .init = begin, .fini = sample_end);

typedef struct Run {
    const char *dataset, *spec;
    int threads;
    int layers; // of the model
    bool tears; // ends with a checkpoint after every step
    Hash told;
    char events[HASH_TEXT], weights[HASH_TEXT];
    int64_t steps;
} Run;

static void listen(void *context, const TrainEvent *event) {
    Run *run = context;
    const double numbers[] = {
        (double)event->kind,  (double)event->step,  (double)event->epoch,         event->loss,
        event->learning_rate, event->gradient_norm, event->clipped_gradient_norm, event->best};
    hash_add(&run->told, numbers, sizeof(numbers));
    hash_add(&run->told, &event->train, sizeof(event->train));
    hash_add(&run->told, &event->validation, sizeof(event->validation));
    if (event->layers != NULL)
        hash_add(&run->told, event->layers, (size_t)run->layers * sizeof(*event->layers));
    if (event->finding != NULL)
        hash_add(&run->told, event->finding->code, strlen(event->finding->code));
}

static int save_and_end(void *context, Trainer *trainer) {
    (void)context;
    int error = trainer_save(trainer, sample_directory, "checkpoint");
    return error == OK ? ERR_STOPPED : error;
}

static Job *open_job(const Run *run, Dataset **ret_dataset) {
    Issues issues;
    Job *job = NULL;
    cr_assert_eq(dataset_open(sample_directory, run->dataset, true, ret_dataset), OK);
    issues_init(&issues);
    int error =
        job_create(json_value(&sample_arena, run->spec), *ret_dataset, run->threads, &issues, &job);
    cr_assert_eq(error, OK, "%s: %s %s", run->spec,
                 issues.count > 0 ? issues.items[0].pointer : error_name(error),
                 issues.count > 0 ? issues.items[0].detail : "");
    issues_finish(&issues);
    return job;
}

static void take_result(Run *run, const Job *job, const Trainer *trainer) {
    const Metrics *metrics[] = {trainer_validation(trainer), trainer_best(trainer)};
    int64_t best = trainer_best_epoch(trainer);
    for (size_t i = 0; i < ARRAY_LENGTH(metrics); i++)
        hash_add(&run->told, metrics[i], sizeof(*metrics[i]));
    hash_add(&run->told, &best, sizeof(best));
    model_hash_weights(job_model(job), trainer_weights(trainer), run->weights);
}

// From the checkpoint, where there is one, to the next tear or the end.
static int run_on(Run *run, bool resumes) {
    Dataset *dataset;
    Trainer *trainer;
    Job *job = open_job(run, &dataset);
    const TrainerHooks hooks = {
        .context = run, .event = listen, .checkpoint = run->tears ? save_and_end : NULL};
    run->layers = model_layers(job_model(job));
    cr_assert_eq(trainer_create(job, &hooks, &trainer), OK);
    if (resumes)
        cr_assert_eq(trainer_load(trainer, sample_directory, "checkpoint", INT64_MAX), OK);
    int error = trainer_run(trainer);
    run->steps = trainer_step(trainer);
    if (error == OK)
        take_result(run, job, trainer);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
    return error;
}

static Run run_all(const char *dataset, const char *spec, int threads, bool tears) {
    Run run = {.dataset = dataset, .spec = spec, .threads = threads, .tears = tears};
    hash_init(&run.told);
    int error = run_on(&run, false), tears_seen = 0;
    for (; error == ERR_STOPPED; tears_seen++)
        error = run_on(&run, true);
    cr_assert_eq(error, OK, "%s: %s", spec, error_name(error));
    cr_assert(!tears || tears_seen == run.steps, "%s: torn %d times in %d steps", spec, tears_seen,
              (int)run.steps);
    uint8_t digest[HASH_BYTES];
    hash_end(&run.told, digest);
    hash_text(digest, run.events);
    return run;
}

// Torn or not, on any number of threads: returns what all runs did.
static Run check(const char *dataset, const char *spec) {
    Run first = run_all(dataset, spec, 1, false);
    cr_assert_geq(first.steps, 4, "%s: too short to be torn", spec);
    for (int threads = 1; threads <= 3; threads++)
        for (int torn = 0; torn < 2; torn++) {
            Run again = run_all(dataset, spec, threads, torn != 0);
            cr_expect_str_eq(again.weights, first.weights, "%s, %d threads, %s: other weights",
                             spec, threads, torn ? "torn" : "again");
            cr_expect_str_eq(again.events, first.events, "%s, %d threads, %s: told otherwise", spec,
                             threads, torn ? "torn" : "again");
        }
    return first;
}

#define EMBEDDING "{\"type\": \"embedding\", \"units\": 6}"
#define DENSE(units) "{\"type\": \"dense\", \"units\": " units "}"
#define POOL "{\"type\": \"global_avg_pool\"}"
#define DROPOUT "{\"type\": \"dropout\", \"rate\": 0.3}"

static const struct {
    const char *dataset, *layers,
        *training; // training: its members beside the batch and the epochs
} architectures[] = {
    // MLP: classes and numbers; all that is remembered about validation; layers that stand still.
    {"rows",
     "{\"type\": \"dense\", \"units\": 8, \"activation\": \"prelu\"}, " DROPOUT
     ", {\"type\": \"batch_norm\"}, " DENSE("3"),
     "\"early_stopping\": {\"patience\": 2}, \"clip_norm\": 0.5, \"loss\": {\"type\": "
     "\"cross_entropy\", \"label_smoothing\": 0.1, \"class_weight\": \"balanced\"}"},
    {"rows",
     "{\"type\": \"dense\", \"units\": 6, \"trainable\": false}, {\"type\": \"batch_norm\", "
     "\"trainable\": false}, {\"type\": \"layer_norm\"}, " DENSE("3"),
     "\"early_stopping\": {\"patience\": 1, \"min_delta\": 10, \"restore_best\": false, "
     "\"metric\": \"val_accuracy\"}, \"clip_value\": 0.01"},
    {"numbers",
     "{\"type\": \"dense\", \"units\": 6, \"activation\": \"gelu\", \"name\": \"a\"}, {\"type\": "
     "\"dense\", \"units\": 6, \"inputs\": [\"input\"]}, {\"type\": \"multiply\", \"inputs\": "
     "[\"a\", \"dense_2\"]}, {\"type\": \"concat\", \"inputs\": [\"multiply_1\", \"input\"]}, "
     "{\"type\": \"rms_norm\"}, " DENSE("2"),
     "\"loss\": \"huber\", \"early_stopping\": {\"patience\": 2}"},
    // CNN
    {"images",
     "{\"type\": \"conv2d\", \"filters\": 4, \"kernel_size\": 3, \"padding\": \"same\"}, "
     "{\"type\": "
     "\"batch_norm\"}, {\"type\": \"activation\", \"function\": \"relu\"}, {\"type\": "
     "\"max_pool2d\"}, {\"type\": \"residual\", \"layers\": [{\"type\": \"conv2d\", \"filters\": "
     "6, \"kernel_size\": 3, \"strides\": 2, \"padding\": \"same\"}, {\"type\": \"group_norm\", "
     "\"groups\": 2}]}, {\"type\": \"flatten\"}, " DROPOUT ", " DENSE("2"),
     "\"augment\": [\"flip_horizontal\", \"crop\", {\"type\": \"noise\", \"std\": 0.1}]"},
    {"images",
     "{\"type\": \"conv2d\", \"filters\": 4, \"kernel_size\": 3, \"groups\": 2, \"dilation\": 2}, "
     "{\"type\": \"conv2d\", \"filters\": 4, \"kernel_size\": 2, \"groups\": 4}, {\"type\": "
     "\"global_max_pool\"}, " DENSE("2"),
     ""},
    // RNN, LSTM, GRU, on texts, series and a corpus
    {"texts", EMBEDDING ", {\"type\": \"rnn\", \"units\": 5}, " DENSE("3"), ""},
    {"texts",
     EMBEDDING ", {\"type\": \"lstm\", \"units\": 4, \"bidirectional\": true, "
               "\"return_sequences\": true}, " DROPOUT
               ", {\"type\": \"gru\", \"units\": 4, \"bidirectional\": true}, " DENSE("3"),
     "\"augment\": [\"token_dropout\", \"token_swap\"]"},
    {"series",
     "{\"type\": \"lstm\", \"units\": 5, \"return_sequences\": true}, {\"type\": \"gru\", "
     "\"units\": 4, \"reset_after\": false}, " DENSE("2"),
     ""},
    {"series",
     "{\"type\": \"conv1d\", \"filters\": 4, \"kernel_size\": 3, \"activation\": \"relu\"}, "
     "{\"type\": \"avg_pool1d\"}, {\"type\": \"flatten\"}, " DENSE("2"),
     ""},
    {"corpus",
     EMBEDDING ", {\"type\": \"lstm\", \"units\": 6, \"return_sequences\": true}, " DENSE("6"),
     "\"sequence_length\": 9"},
    // Transformer, over both ways and as a language model
    {"texts",
     EMBEDDING ", {\"type\": \"positional_embedding\"}, {\"type\": \"transformer_block\", "
               "\"heads\": 2, \"dropout\": 0.2}, " POOL ", " DENSE("3"),
     ""},
    {"corpus",
     EMBEDDING ", {\"type\": \"positional_embedding\", \"kind\": \"sinusoidal\"}, {\"type\": "
               "\"transformer_block\", \"heads\": 3, \"causal\": true, \"norm\": \"post\", "
               "\"dropout\": 0.2}, {\"type\": \"multi_head_attention\", \"heads\": 2, \"units\": "
               "4, \"causal\": true, \"dropout\": 0.2}, " DENSE("6"),
     "\"sequence_length\": 9, \"early_stopping\": {\"metric\": \"val_perplexity\", "
     "\"patience\": 2}"},
    // Graph nets, on nodes whose features are read as they are, and whole; on many graphs
    {"graph",
     DROPOUT ", {\"type\": \"gcn_conv\", \"units\": 5, \"activation\": \"relu\"}, " DROPOUT
             ", {\"type\": \"gcn_conv\", \"units\": 3}",
     ""},
    {"graph",
     "{\"type\": \"gat_conv\", \"units\": 3, \"heads\": 2, \"activation\": \"elu\", \"dropout\": "
     "0.4}, {\"type\": \"gat_conv\", \"units\": 3, \"heads\": 2, \"concat\": false}",
     "\"batch_size\": 5"},
    {"graph",
     "{\"type\": \"sage_conv\", \"units\": 4, \"aggregator\": \"max\"}, {\"type\": "
     "\"batch_norm\"}, {\"type\": \"sage_conv\", \"units\": 3}",
     "\"augment\": [\"noise\"]"},
    {"graphs",
     "{\"type\": \"gin_conv\", \"units\": 4, \"activation\": \"relu\"}, {\"type\": "
     "\"batch_norm\"}, {\"type\": \"gat_conv\", \"units\": 4, \"dropout\": 0.3}, " POOL
     ", " DENSE("2"),
     "\"batch_size\": 8"},
};

static const char *job_of(const char *layers, const char *training) {
    return arena_format(&sample_arena,
                        "{\"model\": {\"layers\": [%s]}, \"training\": {\"seed\": 3, %s, "
                        "\"record_every\": 2, \"checkpoint_seconds\": 1e-9}}",
                        layers, training);
}

Test(resume, ends_every_architecture_in_the_same_bits) {
    for (size_t i = 0; i < ARRAY_LENGTH(architectures); i++) {
        const char *more = architectures[i].training;
        bool nodes = strcmp(architectures[i].dataset, "graph") == 0;
        const char *training =
            arena_format(&sample_arena,
                         "\"epochs\": %d%s, \"optimizer\": {\"type\": \"adam\", "
                         "\"learning_rate\": 0.02}%s%s",
                         nodes ? 7 : 4,
                         nodes || strstr(more, "batch_size") != NULL ? "" : ", \"batch_size\": 12",
                         more[0] != '\0' ? ", " : "", more);
        check(architectures[i].dataset, job_of(architectures[i].layers, training));
    }
}

// ---- every entry of what a training chooses from, on a net that draws and gathers itself ----

#define MLP                                                                                        \
    "{\"type\": \"dense\", \"units\": 6, \"activation\": \"tanh\"}, {\"type\": "                   \
    "\"batch_norm\"}, " DROPOUT ", " DENSE("3")

// {"type": name, and the members of an object}
static const char *selection_of(const char *name, const char *members) {
    bool none = strcmp(members, "{}") == 0;
    return arena_format(&sample_arena, "{\"type\": \"%s\"%s%s", name, none ? "" : ", ",
                        members + 1);
}

Test(resume, ends_under_every_optimizer_in_the_same_bits) {
    for (size_t i = 0; i < optimizer_registry.count; i++) {
        const Desc *desc = optimizer_registry.entries[i];
        for (const char *const *probe = desc->probes; *probe != NULL; probe++)
            check("rows", job_of(MLP, arena_format(&sample_arena,
                                                   "\"epochs\": 3, \"batch_size\": 12, "
                                                   "\"optimizer\": %s",
                                                   selection_of(desc->name, *probe))));
    }
}

// "params" of a schedule's probe {"params": {…}, "steps": n}.
static const char *params_of(const char *probe) {
    const char *begin = strchr(probe + 1, '{'), *end = strchr(begin, '}');
    return arena_format(&sample_arena, "%.*s", (int)(end + 1 - begin), begin);
}

Test(resume, ends_under_every_schedule_in_the_same_bits) {
    // So fast that the loss goes up and down, and plateaus are met.
    for (size_t i = 0; i < schedule_registry.count; i++) {
        const Desc *desc = schedule_registry.entries[i];
        for (const char *const *probe = desc->probes; *probe != NULL; probe++)
            check("rows",
                  job_of(MLP, arena_format(&sample_arena,
                                           "\"epochs\": 5, \"batch_size\": 20, \"optimizer\": "
                                           "{\"type\": \"sgd\", \"learning_rate\": 4}, "
                                           "\"schedule\": %s",
                                           selection_of(desc->name, params_of(*probe)))));
    }
}

Test(resume, ends_under_every_augmentation_in_the_same_bits) {
    static const char image[] = "{\"type\": \"conv2d\", \"filters\": 3, \"kernel_size\": 3}, "
                                "{\"type\": \"flatten\"}, " DENSE("2");
    static const char text[] = EMBEDDING ", {\"type\": \"rnn\", \"units\": 4}, " DENSE("3");
    for (size_t i = 0; i < augmentation_registry.count; i++) {
        const Desc *desc = augmentation_registry.entries[i];
        bool texts = ((const AugmentationDesc *)desc)->rows == AUGMENT_TEXTS;
        const char *layers = texts ? text : image, *dataset = texts ? "texts" : "images";
        const char *plain = job_of(layers, "\"epochs\": 3, \"batch_size\": 12");
        Run without = run_all(dataset, plain, 1, false);
        for (const char *const *probe = desc->probes; *probe != NULL; probe++) {
            Run with =
                check(dataset, job_of(layers, arena_format(&sample_arena,
                                                           "\"epochs\": 3, \"batch_size\": 12, "
                                                           "\"augment\": [%s]",
                                                           selection_of(desc->name, *probe))));
            cr_expect_str_neq(with.weights, without.weights, "%s changed nothing", desc->name);
        }
    }
}

// From one to the next, and within; what lies between may keep or drop the optimizer's memory.
Test(resume, ends_in_phases_in_the_same_bits) {
    check("rows", job_of(MLP, "\"epochs\": 2, \"batch_size\": 12, \"schedule\": {\"type\": "
                              "\"plateau\", \"patience\": 0}, \"phases\": [{\"optimizer\": "
                              "\"adam\"}, {\"batch_size\": 20}, {\"optimizer\": {\"type\": "
                              "\"sgd\", \"learning_rate\": 0.5, \"momentum\": 0.9}, "
                              "\"schedule\": \"one_cycle\", \"epochs\": 3}, {\"optimizer\": "
                              "\"lion\", \"batch_size\": \"full\"}]"));
    check("graph", job_of("{\"type\": \"gcn_conv\", \"units\": 3}",
                          "\"epochs\": 3, \"phases\": [{\"optimizer\": \"adam\"}, "
                          "{\"optimizer\": \"rmsprop\", \"batch_size\": 5}]"));
}

// A rule speaks once a run, also where it goes on with what are no numbers any more.
Test(resume, ends_what_diverges_in_the_same_bits) {
    check("numbers", job_of(DENSE("2"), "\"epochs\": 3, \"batch_size\": 12, \"optimizer\": "
                                        "{\"type\": \"sgd\", \"learning_rate\": 1e15}, "
                                        "\"stop_on_divergence\": false"));
}

// What the seed decides must differ by it, or the tests above could not fail.
Test(resume, tells_seeds_apart) {
    const char *spec = job_of(MLP, "\"epochs\": 2");
    char *other = arena_format(&sample_arena, "%s", spec);
    strstr(other, "\"seed\": 3")[8] = '4';
    Run first = run_all("rows", spec, 1, false), second = run_all("rows", other, 1, false);
    cr_expect_str_neq(first.weights, second.weights);
    cr_expect_str_neq(first.events, second.events);
}
