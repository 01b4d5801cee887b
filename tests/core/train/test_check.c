// Of the double build: check.h's one function, on jobs that use what could go wrong together.
#include <math.h>
#include "core/train/check.h"
#include "tests/core/sample.h"

TestSuite(check, .init = sample_begin, .fini = sample_end);

static double check(const char *spec, const char **ret_text) {
    char path[128];
    snprintf(path, sizeof(path), "%s/data", sample_folder);
    Issues issues;
    issues_init(&issues);
    JsonWriter writer;
    json_writer_init(&writer);
    ValueWriter out = json_value_writer(&writer);
    double greatest = INFINITY;
    int error = check_job(json_value(&sample_arena, spec), path, &issues, &out, &greatest);
    cr_assert_eq(error, OK, "%s", issues.count > 0 ? issues.items[0].detail : error_text(error));
    *ret_text = arena_string(&sample_arena, text_string(&writer.text));
    json_writer_finish(&writer);
    issues_finish(&issues);
    return greatest;
}

Test(check, passes_a_net_with_dropout_and_batch_statistics) {
    SampleData data = sample_blobs(40, 3);
    dataset_close(sample_dataset(&data));
    const char *text;
    double greatest = check(
        "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 6, \"activation\": \"gelu\"},"
        " {\"type\": \"dropout\", \"rate\": 0.3}, {\"type\": \"batch_norm\"},"
        " {\"type\": \"residual\", \"layers\": [{\"type\": \"dense\", \"units\": 5,"
        " \"activation\": \"tanh\"}]}, {\"type\": \"layer_norm\"},"
        " {\"type\": \"dense\", \"units\": 3}]}, \"training\": {\"loss\":"
        " {\"type\": \"cross_entropy\", \"label_smoothing\": 0.1,"
        " \"class_weight\": [1, 2, 3]}}}",
        &text);
    cr_assert_leq(greatest, 1e-6);
    Value result = json_value(&sample_arena, text);
    cr_assert(value_boolean(value_member(result, "passed")));
    Value weights = value_member(result, "weights");
    cr_assert_eq(value_length(weights), 6, "%s", text);
    Value projection = value_member(value_member(weights, "residual_1"), "projection.kernel");
    cr_assert_eq(value_kind(value_member(projection, "max_relative_error")), VALUE_NUMBER);
}

Test(check, passes_numbers_under_huber) {
    SampleData data = sample_line(40);
    dataset_close(sample_dataset(&data));
    const char *text;
    double greatest =
        check("{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 6, \"activation\":"
              " \"relu\"}, {\"type\": \"dense\", \"units\": 2}]},"
              " \"training\": {\"loss\": \"huber\"}}",
              &text);
    cr_assert_leq(greatest, 1e-6);
}

Test(check, tells_what_is_wrong_with_a_job) {
    SampleData data = sample_line(40);
    dataset_close(sample_dataset(&data));
    char path[128];
    snprintf(path, sizeof(path), "%s/data", sample_folder);
    Issues issues;
    issues_init(&issues);
    JsonWriter writer;
    json_writer_init(&writer);
    ValueWriter out = json_value_writer(&writer);
    double greatest;
    cr_assert_eq(check_job(json_value(&sample_arena, "{\"model\": {\"layers\": 3}}"), path, &issues,
                           &out, &greatest),
                 ERR_INVALID);
    assert_issue(&issues, "/model/layers", "list");
    json_writer_finish(&writer);
    issues_finish(&issues);
}
