#include "tests/core/sample.h"
#include "core/train/batches.h"
#include "tests/support/near.h"

static Issues issues;

static void begin(void) {
    sample_begin();
    issues_init(&issues);
}

static void end(void) {
    issues_finish(&issues);
    sample_end();
}

TestSuite(job, .init = begin, .fini = end);

#define LAYERS(units) "\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": " #units "}]}"

static void refuse(const Dataset *dataset, const char *spec) {
    Job *job;
    cr_assert_eq(job_create(json_value(&sample_arena, spec), dataset, 1, &issues, &job),
                 ERR_INVALID);
}

static Dataset *blobs(int64_t rows, int64_t classes) {
    SampleData data = sample_blobs(rows, classes);
    return sample_dataset(&data);
}

static Dataset *line(int64_t rows) {
    SampleData data = sample_line(rows);
    return sample_dataset(&data);
}

Test(job, needs_nothing_but_layers) {
    Dataset *dataset = blobs(150, 3);
    Job *job = sample_job(dataset, "{" LAYERS(3) "}");
    cr_assert_str_eq(job_loss(job)->desc.name, "cross_entropy");
    cr_assert_str_eq(job_training(job)->optimizer.desc->name, "adam");
    cr_assert_eq(job_rows(job)->train_count, 120);
    cr_assert_eq(job_rows(job)->validation_count, 30);
    cr_assert_eq(job_phase_at(job, 1)->steps_per_epoch, 4);
    cr_assert_eq(job_steps(job), 40);
    cr_assert_eq(job_epochs(job), 10);
    cr_assert_eq(job_record_every(job), 1);
    job_destroy(job);
    dataset_close(dataset);
}

Test(job, minimises_squares_for_numbers) {
    Dataset *dataset = line(20);
    Job *job = sample_job(dataset, "{" LAYERS(2) "}");
    cr_assert_str_eq(job_loss(job)->desc.name, "mse");
    job_destroy(job);
    dataset_close(dataset);
}

Test(job, reports_mistakes_of_model_and_training_together) {
    Dataset *dataset = blobs(30, 3);
    refuse(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": -1}]},"
                    "\"training\": {\"epoch\": 5, \"batch_size\": 0, \"optimizer\": \"adm\"}}");
    assert_issue(&issues, "/model/layers/0/units", "at least 1");
    assert_issue(&issues, "/training/epoch", "epochs");
    assert_issue(&issues, "/training/batch_size", "full");
    assert_issue(&issues, "/training/optimizer", "adam");
    cr_assert_eq(issues.count, 4);
    dataset_close(dataset);
}

Test(job, says_which_width_fits_classes) {
    Dataset *dataset = blobs(30, 3);
    refuse(dataset, "{" LAYERS(4) "}");
    assert_issue(&issues, "/model/layers/0/units", "must be 3, not 4");
    dataset_close(dataset);
}

Test(job, says_which_width_fits_two_classes_under_binary_cross_entropy) {
    Dataset *dataset = blobs(30, 2);
    refuse(dataset, "{" LAYERS(2) ", \"training\": {\"loss\": \"binary_cross_entropy\"}}");
    assert_issue(&issues, "/model/layers/0/units", "must be 1, not 2");
    Job *job =
        sample_job(dataset, "{" LAYERS(1) ", \"training\": {\"loss\": \"binary_cross_entropy\"}}");
    cr_assert(job_binary(job));
    job_destroy(job);
    dataset_close(dataset);
}

Test(job, says_which_width_fits_numbers) {
    Dataset *dataset = line(30);
    refuse(dataset, "{" LAYERS(1) "}");
    assert_issue(&issues, "/model/layers/0/units", "must be 2, not 1");
    dataset_close(dataset);
}

Test(job, refuses_losses_of_another_task) {
    Dataset *dataset = blobs(30, 3);
    refuse(dataset, "{" LAYERS(3) ", \"training\": {\"loss\": \"mse\"}}");
    assert_issue(&issues, "/training/loss", "cross_entropy fits");
    issues_finish(&issues);
    issues_init(&issues);
    refuse(dataset, "{" LAYERS(3) ", \"training\": {\"loss\": \"binary_cross_entropy\"}}");
    assert_issue(&issues, "/training/loss", "two classes");
    dataset_close(dataset);
}

Test(job, refuses_cross_entropy_for_numbers) {
    Dataset *dataset = line(30);
    refuse(dataset, "{" LAYERS(2) ", \"training\": {\"loss\": \"cross_entropy\"}}");
    assert_issue(&issues, "/training/loss", "mse fits");
    dataset_close(dataset);
}

Test(job, takes_epochs_or_steps) {
    Dataset *dataset = blobs(30, 3);
    refuse(dataset, "{" LAYERS(3) ", \"training\": {\"epochs\": 3, \"steps\": 4}}");
    assert_issue(&issues, "/training/steps", "one of them");
    Job *job = sample_job(dataset, "{" LAYERS(3) ", \"training\": {\"steps\": 7,"
                                                 " \"batch_size\": 5, \"validation_split\": 0}}");
    cr_assert_eq(job_steps(job), 7);
    cr_assert_eq(job_epochs(job), 2);
    job_destroy(job);
    dataset_close(dataset);
}

Test(job, keeps_at_most_two_thousand_gradient_records) {
    Dataset *dataset = blobs(30, 3);
    Job *job = sample_job(dataset, "{" LAYERS(3) ", \"training\": {\"steps\": 4001}}");
    cr_assert_eq(job_record_every(job), 3);
    job_destroy(job);
    dataset_close(dataset);
}

Test(job, splits_by_the_seed_and_never_twice_the_same_row) {
    Dataset *dataset = blobs(50, 3);
    Job *a = sample_job(dataset, "{" LAYERS(3) ", \"training\": {\"seed\": 1}}");
    Job *b = sample_job(dataset, "{" LAYERS(3) ", \"training\": {\"seed\": 1}}");
    Job *c = sample_job(dataset, "{" LAYERS(3) ", \"training\": {\"seed\": 2}}");
    const JobRows *rows = job_rows(a);
    cr_assert_arr_eq(rows->train, job_rows(b)->train, 50 * sizeof(int32_t));
    cr_assert_arr_neq(rows->train, job_rows(c)->train, 50 * sizeof(int32_t));
    bool seen[50] = {false};
    for (int64_t i = 0; i < rows->train_count; i++)
        seen[rows->train[i]] = true;
    for (int64_t i = 0; i < rows->validation_count; i++) {
        cr_assert_not(seen[rows->validation[i]]);
        seen[rows->validation[i]] = true;
    }
    for (int i = 0; i < 50; i++)
        cr_assert(seen[i]);
    job_destroy(a);
    job_destroy(b);
    job_destroy(c);
    dataset_close(dataset);
}

Test(job, takes_the_datasets_own_split) {
    SampleData data = sample_blobs(6, 3);
    data.splits = (const uint8_t[]){0, 1, 2, 0, 1, 0};
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(dataset, "{" LAYERS(3) "}");
    cr_assert_arr_eq(job_rows(job)->train, ((int32_t[]){0, 3, 5}), 3 * sizeof(int32_t));
    cr_assert_arr_eq(job_rows(job)->validation, ((int32_t[]){1, 4}), 2 * sizeof(int32_t));
    cr_assert_arr_eq(job_rows(job)->test, ((int32_t[]){2}), sizeof(int32_t));
    job_destroy(job);
    dataset_close(dataset);
}

Test(job, balances_classes) {
    SampleData data = sample_blobs(6, 3);
    memcpy(data.classes, (int32_t[]){0, 0, 0, 1, 1, 2}, 6 * sizeof(int32_t));
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(
        dataset, "{" LAYERS(3) ", \"training\": {\"validation_split\": 0, \"loss\":"
                               " {\"type\": \"cross_entropy\", \"class_weight\": \"balanced\"}}}");
    double expected[] = {2.0 / 3, 1, 2};
    assert_all_near(job_class_weights(job), expected, 3, 1e-6);
    job_destroy(job);
    refuse(dataset, "{" LAYERS(3) ", \"training\": {\"loss\": {\"type\": \"cross_entropy\","
                                  " \"class_weight\": [1, 2]}}}");
    assert_issue(&issues, "/training/loss/class_weight", "3 numbers");
    dataset_close(dataset);
}

Test(job, refuses_to_watch_what_the_task_has_not) {
    Dataset *dataset = blobs(30, 3);
    refuse(dataset,
           "{" LAYERS(3) ", \"training\": {\"early_stopping\": {\"metric\": \"val_r2\"}}}");
    assert_issue(&issues, "/training/early_stopping/metric", "for numbers");
    issues_finish(&issues);
    issues_init(&issues);
    refuse(dataset, "{" LAYERS(3) ", \"training\": {\"validation_split\": 0,"
                                  " \"early_stopping\": {\"patince\": 3}}}");
    assert_issue(&issues, "/training/early_stopping/patince", "patience");
    dataset_close(dataset);
}

Test(job, writes_itself_with_every_default_and_reads_that_again) {
    Dataset *dataset = blobs(30, 3);
    Job *job = sample_job(dataset, "{" LAYERS(3) ", \"training\": {\"early_stopping\": {},"
                                                 " \"batch_size\": \"full\", \"clip_norm\": 1}}");
    JsonWriter first, second;
    json_writer_init(&first);
    ValueWriter out = json_value_writer(&first);
    write_begin_object(&out, NULL);
    job_write_spec(job, &out);
    write_end_object(&out);
    cr_assert_not_null(strstr(text_string(&first.text), "\"patience\":5"));
    Job *again = sample_job(dataset, text_string(&first.text));
    json_writer_init(&second);
    out = json_value_writer(&second);
    write_begin_object(&out, NULL);
    job_write_spec(again, &out);
    write_end_object(&out);
    cr_assert_str_eq(text_string(&second.text), text_string(&first.text));
    json_writer_finish(&first);
    json_writer_finish(&second);
    job_destroy(job);
    job_destroy(again);
    dataset_close(dataset);
}

Test(job, plans_before_it_runs) {
    Dataset *dataset = blobs(150, 3);
    Job *job =
        sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 16,"
                            " \"activation\": \"relu\"}, {\"type\": \"dense\", \"units\": 3}]}}");
    JsonWriter writer;
    json_writer_init(&writer);
    ValueWriter out = json_value_writer(&writer);
    job_write_plan(job, NULL, &out);
    Value plan = json_value(&sample_arena, text_string(&writer.text));
    cr_assert_eq(value_number(value_member(plan, "parameters")), 4 * 16 + 16 + 16 * 3 + 3);
    cr_assert_eq(value_length(value_member(plan, "layers")), 2);
    cr_assert_eq(value_number(value_member(plan, "steps")), 40);
    // A product of [32, 4] and [4, 16] is 2 · 32 · 4 · 16 operations, and backward twice that.
    cr_assert_geq(value_number(value_member(plan, "flops_per_step")), 4 * 32 * (4 * 16 + 16 * 3));
    JobMemory memory;
    cr_assert_eq(job_memory(job, 32, &memory), OK);
    cr_assert_eq(value_number(value_member(plan, "memory_bytes")), (double)memory.total);
    cr_assert_gt(value_number(value_member(plan, "estimated_seconds")), 0);
    json_writer_finish(&writer);
    job_destroy(job);
    dataset_close(dataset);
}

static void count_finding(void *context, const Finding *finding) {
    int *count = context;
    cr_assert_str_eq(finding->code, "wrong_output_activation");
    cr_assert_str_eq(finding->layer, "dense_1");
    (*count)++;
}

Test(job, finds_a_doubled_softmax_before_the_run) {
    Dataset *dataset = blobs(30, 3);
    Job *wrong = sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\","
                                     " \"units\": 3, \"activation\": \"softmax\"}]}}");
    Job *right = sample_job(dataset, "{" LAYERS(3) "}");
    int count = 0;
    job_findings(wrong, count_finding, &count);
    cr_assert_eq(count, 1);
    job_findings(right, count_finding, &count);
    cr_assert_eq(count, 1);
    job_destroy(wrong);
    job_destroy(right);
    dataset_close(dataset);
}

// How a model's inputs [4] of bytes are scaled: offset and factor of the first.
static Scaler scaling(const char *model, float least, float greatest) {
    SampleData data = sample_blobs(10, 3);
    for (int i = 0; i < 40; i++)
        data.inputs[i] = least + (greatest - least) * (float)(i % 7) / 6;
    Dataset *dataset = sample_dataset(&data);
    char spec[512];
    snprintf(spec, sizeof(spec),
             "{\"model\": {%s, {\"type\": \"flatten\"}, {\"type\": \"dense\","
             " \"units\": 3}]}}",
             model);
    Job *job = sample_job(dataset, spec);
    Scalers scalers;
    cr_assert_eq(scalers_fit(job, &scalers), OK);
    Scaler first = {.width = scalers.input.width};
    first.offset = arena_array(&sample_arena, 1, sizeof(float));
    first.factor = arena_array(&sample_arena, 1, sizeof(float));
    first.offset[0] = scalers.input.offset[0];
    first.factor[0] = scalers.input.factor[0];
    scalers_finish(&scalers);
    job_destroy(job);
    dataset_close(dataset);
    return first;
}

#define AS(shape) "\"input\": {\"shape\": " shape "}, \"layers\": ["
#define CONV                                                                                       \
    "{\"type\": \"reshape\", \"shape\": [2, 2, 1]}, {\"type\": \"conv2d\", \"filters\": 2, "       \
    "\"kernel_size\": 1}"
#define LAYER "{\"type\": \"layer_norm\"}"

Test(job, divides_images_by_255_and_standardises_what_is_none) {
    const char *const images[] = {AS("[2, 2, 1]") LAYER, AS("[2, 2]") CONV};
    for (int i = 0; i < 2; i++) {
        Scaler bytes = scaling(images[i], 0, 255);
        assert_near((double)bytes.offset[0], 0, 0);
        assert_near((double)bytes.factor[0], 1.0 / 255, 1e-9);
        Scaler fractions = scaling(images[i], 0, 1);
        assert_near((double)fractions.offset[0], 0, 0);
        assert_near((double)fractions.factor[0], 1, 0);
        cr_assert_neq(scaling(images[i], -1, 255).offset[0], 0);
    }
    const char *const others[] = {AS("[4]") LAYER, AS("[2, 2]") LAYER, AS("[4]") CONV};
    for (int i = 0; i < 3; i++)
        cr_assert_gt(scaling(others[i], 0, 255).offset[0], 50);
}
