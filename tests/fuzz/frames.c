// What a worker says, from the first byte to the store: frames in pieces of any length, their tables and JSON, every change that they
// ask for. A job that a worker is not at stays as it is.
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/table.h"
#include "server/jobs/slot.h"
#include "tests/fuzz/fuzz.h"

enum { RENEW_EVERY = 500 }; // inputs, so that a job's log stays small

static Store *store;
static JobRow job;
static char bystander[ID_TEXT];
static long inputs;

static const struct {
    FrameType type;
    const char *body;
} texts[] = {
    {FRAME_STARTED, "{\"step\": 0}"},
    {FRAME_FINDING, "{\"code\": \"x\", \"severity\": \"warning\", \"first_step\": 3}"},
    {FRAME_PROGRESS,
     "{\"progress\": {\"step\": 5}, \"metrics\": {\"val_loss\": 0.5}, \"best\": {\"epoch\": 1}}"},
    {FRAME_FINISHED, "{\"progress\": {}, \"metrics\": {}, \"best\": {}, \"model\": {\"sha256\": "
                     "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\", "
                     "\"bytes\": 1, \"parameters\": 2, \"input_shape\": [2]}, "
                     "\"confusion\": {\"classes\": []}}"},
    {FRAME_FAILED, "{\"code\": \"diverged\", \"detail\": \"x\"}"},
    {FRAME_FAILED, "{\"code\": \"io\", \"detail\": \"x\"}"},
    {FRAME_STOPPED, "{\"step\": 3}"},
};

static size_t frame_put(FrameType type, const void *body, size_t length, uint8_t *bytes,
                        size_t max) {
    if (FRAME_HEAD + length > max)
        return 0;
    frame_head(type, 1, length, bytes);
    memcpy(bytes + FRAME_HEAD, body, length);
    return FRAME_HEAD + length;
}

static size_t table_put(bool gradients, uint8_t *bytes, size_t max) {
    static const char *const metrics[] = {"train_loss", "gradient_norm"}, *const statistics[] = {
                                                                              "layer",
                                                                              "gradient_norm"};
    Table table;
    uint8_t *body;
    size_t length;
    fuzz_assert(table_init(&table, gradients ? statistics : metrics, 2) == OK);
    for (int64_t step = 1; step < 4; step++)
        fuzz_assert(table_add(&table, step, (const double[]){0, 0.5}) == OK);
    fuzz_assert(table_encode(&table, &body, &length) == OK);
    size_t put = frame_put(gradients ? FRAME_GRADIENTS : FRAME_METRICS, body, length, bytes, max);
    memory_free(body);
    table_finish(&table);
    return put;
}

// A run of one to four frames.
size_t fuzz_seed(unsigned pick, uint8_t *bytes, size_t max) {
    size_t length = 0;
    for (unsigned count = 1 + pick % 4; count > 0; count--) {
        pick /= 5;
        unsigned which = pick % (ARRAY_LENGTH(texts) + 3);
        if (which < ARRAY_LENGTH(texts))
            length += frame_put(texts[which].type, texts[which].body, strlen(texts[which].body),
                                bytes + length, max - length);
        else if (which == ARRAY_LENGTH(texts))
            length +=
                frame_put(FRAME_STEP, &(int64_t){4}, sizeof(int64_t), bytes + length, max - length);
        else
            length += table_put(which % 2 == 0, bytes + length, max - length);
    }
    return length;
}

static void dataset_insert(void) {
    DatasetRow row = {.id = "ds_1",
                      .name = (char *)"x",
                      .task = (char *)"classification",
                      .rows = 2,
                      .input_shape = (char *)"[2]",
                      .target_shape = (char *)"[]",
                      .classes = (char *)"[\"a\",\"b\"]",
                      .sha256 = "00",
                      .profile = (char *)"{}",
                      .findings = (char *)"[]"};
    fuzz_assert(datasets_insert(store, &row) == OK);
}

static void job_insert(char id[ID_TEXT]) {
    JobRow row = {.name = (char *)"x",
                  .status = (char *)"queued",
                  .threads = 1,
                  .dataset = "ds_1",
                  .tags = (char *)"[]",
                  .spec = (char *)"{}",
                  .plan = (char *)"{}"};
    id_make("job_", row.id);
    strcpy(id, row.id);
    fuzz_assert(jobs_insert(store, &row, 100) == OK);
}

// A fresh job that runs, and one beside it that no worker speaks of.
static void job_renew(void) {
    char id[ID_TEXT];
    if (store == NULL) {
        fuzz_assert(store_open(fuzz_folder(), &store) == OK);
        dataset_insert();
        job_insert(bystander);
        fuzz_assert(jobs_claim(store, 64, &job) == OK);
        job_row_finish(&job);
    } else {
        jobs_end(store, job.id, job.attempt, "cancelled", NULL, NULL); // unless it has ended
        if (job.id[0] != '\0')
            fuzz_assert(jobs_delete(store, job.id) == OK);
        job_row_finish(&job);
    }
    job_insert(id);
    fuzz_assert(jobs_claim(store, 64, &job) == OK);
    fuzz_assert(strcmp(id, job.id) == 0);
}

static void bystander_check(void) {
    JobRow row;
    fuzz_assert(jobs_get(store, bystander, &row) == OK);
    fuzz_assert(strcmp(row.status, "running") == 0 && row.progress == NULL && row.last_seq <= 2);
    job_row_finish(&row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (store == NULL)
        job_renew();
    Slot slot = {.taken = true,
                 .row = job,
                 .frames = -1,
                 .outcome = OUTCOME_DIED,
                 .step = -1,
                 .exact = true};
    frame_reader_init(&slot.reader);
    id_make("mdl_", slot.model);
    int error = OK;
    size_t piece = size > 0 ? 1 + data[size - 1] % 64u * 16 : 1;
    for (size_t at = 0; at < size && error == OK; at += piece) {
        error = frame_reader_add(&slot.reader, data + at, size - at < piece ? size - at : piece);
        if (error == OK)
            error = deliver_frames(store, &slot);
    }
    fuzz_assert(error == OK || error == ERR_DAMAGED || error == ERR_CONFLICT);
    frame_reader_finish(&slot.reader);
    if (slot.outcome == OUTCOME_STORED || ++inputs % RENEW_EVERY == 0) {
        job_renew();
        bystander_check();
    }
    return 0;
}

int fsync(int file) {
    (void)file;
    return 0;
}

int fdatasync(int file) {
    (void)file;
    return 0;
}
