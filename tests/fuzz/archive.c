// Files that are sealed and wrong: an archive whose bytes were changed and whose checksum was made to fit again, opened as a dataset, as a
// checkpoint and as a model, and then used: a job planned and trained for a step, a prediction.
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/model/predictor.h"
#include "core/train/trainer.h"
#include "server/data/intake.h"
#include "server/data/rows.h"
#include "tests/fuzz/fuzz.h"

enum { SEEDS_MAX = 32, HIDDEN = 3 };

#define TRAINING                                                                                   \
    "\"training\": {\"steps\": 1, \"batch_size\": 4, \"seed\": 1, \"optimizer\": \"adam\", "       \
    "\"early_stopping\": {\"patience\": 3}, \"validation_split\": 0.4"

static const struct {
    const char *dataset, *job;
} forms[] = {
    {"{\"inputs\": [[0, 1], [1, 0], [1, 1], [0, 0], [2, 1], [1, 2]], \"targets\": [\"a\", \"b\", "
     "\"a\", \"b\", \"a\", \"b\"]}",
     "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": \"dense\", "
     "\"units\": 2}]}, " TRAINING "}}"},
    {"{\"inputs\": [[1], [2], [3], [4], [5]], \"targets\": [1.5, 2.5, 3, 4, 5.5]}",
     "{\"model\": {\"layers\": [{\"type\": \"batch_norm\"}, {\"type\": \"dense\", \"units\": "
     "1}]}, " TRAINING "}}"},
    {"{\"texts\": [\"a b c\", \"b c d\", \"e a\", \"a c\", \"d\"], \"targets\": [\"x\", \"y\", "
     "\"x\", \"y\", \"x\"]}",
     "{\"model\": {\"layers\": [{\"type\": \"embedding\", \"units\": 3}, {\"type\": \"lstm\", "
     "\"units\": 3}, {\"type\": \"dense\", "
     "\"units\": 2}]}, " TRAINING "}}"},
    {"{\"text\": \"abcabcabcabcabcabcabcabcabcabc\", \"tokenizer\": \"char\"}",
     "{\"model\": {\"layers\": [{\"type\": \"embedding\", \"units\": 3}, {\"type\": \"gru\", "
     "\"units\": 3, \"return_sequences\": true}, "
     "{\"type\": \"dense\", \"units\": 3}]}, " TRAINING ", \"sequence_length\": 4}}"},
    {"{\"series\": [[1], [2], [4], [3], [5], [6], [5], [7], [8], [9]], \"window\": 2, "
     "\"transform\": \"difference\"}",
     "{\"model\": {\"layers\": [{\"type\": \"flatten\"}, {\"type\": \"dense\", \"units\": "
     "1}]}, " TRAINING "}}"},
    {"{\"graph\": {\"nodes\": [[1, 0], [0, 1], [1, 1], [0, 0]], \"edges\": [[0, 1], [1, 2], [2, "
     "3]], \"targets\": [\"a\", \"b\", \"a\", "
     "\"b\"], \"splits\": {\"train\": [0, 1], \"validation\": [2], \"test\": [3]}}}",
     "{\"model\": {\"layers\": [{\"type\": \"gcn_conv\", \"units\": 2}]}, \"training\": "
     "{\"steps\": 1}}"},
    {"{\"graphs\": [{\"nodes\": [[1], [2]], \"edges\": [[0, 1]]}, {\"nodes\": [[3]], \"edges\": "
     "[]}, {\"nodes\": [[1], [1]], \"edges\": "
     "[[0, 1]]}], \"targets\": [\"a\", \"b\", \"a\"]}",
     "{\"model\": {\"layers\": [{\"type\": \"gin_conv\", \"units\": 2}, {\"type\": "
     "\"global_avg_pool\"}, {\"type\": \"dense\", \"units\": "
     "2}]}, " TRAINING "}}"},
};

static struct {
    uint8_t *bytes;
    size_t length;
} seeds[SEEDS_MAX];
static int seed_count, directory;
static Document *specs[ARRAY_LENGTH(forms)];
static Trainer *trainers[ARRAY_LENGTH(forms)]; // into which checkpoints are loaded

int fsync(int file) {
    (void)file;
    return 0;
}

// ---- the sound files ----

static void seed_add(const char *path) {
    struct stat status;
    int file = openat(directory, path, O_RDONLY);
    fuzz_assert(file >= 0 && fstat(file, &status) == 0 && seed_count < SEEDS_MAX);
    seeds[seed_count].length = (size_t)status.st_size;
    seeds[seed_count].bytes = malloc(seeds[seed_count].length);
    fuzz_assert(read(file, seeds[seed_count].bytes, seeds[seed_count].length) == status.st_size);
    seed_count++;
    close(file);
}

static Document *parse(const char *text, const char *const *lifted) {
    Issues issues;
    Document *document = NULL;
    issues_init(&issues);
    fuzz_assert(document_parse(text, strlen(text), lifted, &issues, &document) == OK);
    issues_finish(&issues);
    return document;
}

static void form_prepare(size_t form) {
    Issues issues;
    DatasetRow row = {0};
    Dataset *dataset;
    Job *job;
    char path[96], sha256[65];
    size_t bytes;
    issues_init(&issues);
    Document *document = parse(forms[form].dataset, intake_lifted_top);
    fuzz_assert(intake_json(directory, document, document_root(document), "", &issues, &row) == OK);
    document_destroy(document);
    snprintf(path, sizeof path, "datasets/%s.bpa", row.id);
    dataset_row_finish(&row);
    specs[form] = parse(forms[form].job, NULL);
    fuzz_assert(dataset_open(directory, path, true, &dataset) == OK);
    int error = job_create(document_root(specs[form]), dataset, 1, &issues, &job);
    for (size_t i = 0; i < issues.count; i++)
        fprintf(stderr, "%s: %s\n", issues.items[i].pointer, issues.items[i].detail);
    fuzz_assert(error == OK);
    fuzz_assert(trainer_create(job, NULL, &trainers[form]) == OK);
    fuzz_assert(trainer_run(trainers[form]) == OK);
    fuzz_assert(trainer_save(trainers[form], directory, "checkpoint") == OK);
    fuzz_assert(trainer_save_model(trainers[form], directory, "model", forms[form].job, sha256,
                                   &bytes) == OK);
    seed_add(path);
    seed_add("checkpoint");
    seed_add("model");
    issues_finish(&issues); // dataset, job and trainer live on
}

static void prepare(void) {
    directory = open(fuzz_folder(), O_RDONLY | O_DIRECTORY);
    fuzz_assert(directory >= 0 && mkdirat(directory, "datasets", 0700) == 0);
    for (size_t form = 0; form < ARRAY_LENGTH(forms); form++)
        form_prepare(form);
}

size_t fuzz_seed(unsigned pick, uint8_t *bytes, size_t max) {
    if (seed_count == 0)
        prepare();
    size_t index = pick % (unsigned)seed_count,
           length = seeds[index].length < max ? seeds[index].length : max;
    memcpy(bytes, seeds[index].bytes, length);
    return length;
}

// ---- their use ----

static void use_as_dataset(void) {
    Dataset *dataset = NULL;
    if (dataset_open(directory, "damaged", true, &dataset) != OK)
        return;
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    rows_write(dataset, 0, 20, &out);
    json_finish(&out);
    for (size_t form = 0; form < ARRAY_LENGTH(forms); form++) {
        Issues issues;
        Job *job = NULL;
        Trainer *trainer = NULL;
        JobMemory memory;
        issues_init(&issues);
        // The plan is what keeps a job out that is too large for the machine.
        if (job_create(document_root(specs[form]), dataset, 1, &issues, &job) == OK &&
            job_memory(job, job_batch_rows(job), &memory) == OK &&
            memory.total < (size_t)64 << 20 && trainer_create(job, NULL, &trainer) == OK)
            trainer_run(trainer);
        trainer_destroy(trainer);
        job_destroy(job);
        issues_finish(&issues);
    }
    dataset_close(dataset);
}

static void use_as_model(size_t form) {
    Archive *archive = NULL;
    Predictor *predictor = NULL;
    if (archive_open(directory, "damaged", true, &archive) != OK)
        return;
    for (size_t i = 0; i < archive_count(archive); i++) {
        const ArchiveSection *section = archive_section(archive, i);
        fuzz_assert(archive_find(archive, section->name) == section);
    }
    if (predictor_create(value_member(document_root(specs[form]), "model"), archive, 4,
                         &predictor) == OK) {
        int64_t width = predictor_input_width(predictor),
                outputs = predictor_output_width(predictor);
        if (width < 1000 && outputs < 1000 &&
            predictor_task(predictor)->kind != TASK_LANGUAGE_MODEL && form < 5) {
            float *values = memory_array((size_t)width, sizeof(float)),
                  *out = memory_array((size_t)outputs, sizeof(float));
            int32_t length = 1;
            PredictorInput input = {
                .rows = 1, .values = values, .lengths = form == 2 ? &length : NULL};
            predictor_run(predictor, &input, out, NULL);
            memory_free(values);
            memory_free(out);
        }
    }
    predictor_destroy(predictor);
    archive_close(archive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (seed_count == 0)
        prepare();
    uint8_t digest[HASH_BYTES] = {0};
    Hash hash;
    hash_init(&hash);
    hash_add(&hash, data, size > HASH_BYTES ? size - HASH_BYTES : 0);
    hash_end(&hash, digest);
    int file = openat(directory, "damaged", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    fuzz_assert(file >= 0 && write(file, data, size) == (ssize_t)size);
    if (size > HASH_BYTES)
        fuzz_assert(pwrite(file, digest, HASH_BYTES, (off_t)(size - HASH_BYTES)) == HASH_BYTES);
    close(file);
    use_as_dataset();
    for (size_t form = 0; form < ARRAY_LENGTH(forms); form++) {
        trainer_load(trainers[form], directory, "damaged", INT64_MAX);
        use_as_model(form);
    }
    return 0;
}
