#include "tests/core/sample.h"
#include "core/model/model.h"

static Issues issues;

static void begin(void) {
    sample_begin();
    issues_init(&issues);
}

static void end(void) {
    issues_finish(&issues);
    sample_end();
}

TestSuite(spec, .init = begin, .fini = end);

static int read_spec(const char *text, Model **ret_model) {
    const Task task = {.kind = TASK_CLASSIFICATION, .input = SHAPE(4), .outputs = 3};
    return model_create(json_value(&sample_arena, text), PATH_KEY(NULL, "model"), &task, &issues,
                        ret_model);
}

static Model *read_good(const char *text) {
    Model *model = NULL;
    int error = read_spec(text, &model);
    cr_assert_eq(error, OK, "%s", issues.count > 0 ? issues.items[0].detail : error_text(error));
    return model;
}

static void refuse(const char *text) {
    Model *model;
    cr_assert_eq(read_spec(text, &model), ERR_INVALID);
}

Test(spec, names_layers_by_type_in_reading_order) {
    Model *model =
        read_good("{\"layers\": [{\"type\": \"dense\", \"units\": 4},"
                  " {\"type\": \"residual\", \"layers\": [{\"type\": \"dense\", \"units\": 4},"
                  "  {\"type\": \"dense\", \"units\": 4, \"name\": \"mine\"}]},"
                  " {\"type\": \"dense\", \"units\": 3}]}");
    static const char *const names[] = {"dense_1", "residual_1", "dense_2", "mine", "dense_4"};
    static const int parents[] = {-1, -1, 1, 1, -1};
    cr_assert_eq(model_layers(model), 5);
    for (int i = 0; i < 5; i++) {
        cr_assert_str_eq(model_layer(model, i)->name, names[i]);
        cr_assert_eq(model_layer(model, i)->parent, parents[i]);
    }
    cr_assert_eq(model_parameters(model), 3 * (4 * 4 + 4) + 4 * 3 + 3);
    cr_assert_eq(model_find_layer(model, "mine"), 3);
    cr_assert_eq(model_find_layer(model, "nobody"), -1);
    model_destroy(model);
}

Test(spec, reports_every_mistake_at_its_place) {
    refuse("{\"layers\": [{\"type\": \"dense\", \"units\": \"many\"},"
           " {\"type\": \"dens\", \"units\": 3},"
           " {\"type\": \"dense\", \"units\": 3, \"actvation\": \"relu\"},"
           " {\"units\": 3}, 7, {\"type\": \"conv2d\", \"filters\": 3}]}");
    assert_issue(&issues, "/model/layers/0/units", "many");
    assert_issue(&issues, "/model/layers/1/type", "did you mean \"dense\"?");
    assert_issue(&issues, "/model/layers/2/actvation", "activation");
    assert_issue(&issues, "/model/layers/3/type", "missing");
    assert_issue(&issues, "/model/layers/4", "must be an object");
    assert_issue(&issues, "/model/layers/5/kernel_size", "is required");
    cr_assert_eq(issues.count, 6);
}

Test(spec, reports_mistakes_inside_residuals) {
    refuse("{\"layers\": [{\"type\": \"residual\", \"layers\": ["
           "{\"type\": \"dense\", \"units\": 0}]}, {\"type\": \"residual\", \"layers\": []},"
           " {\"type\": \"dense\", \"units\": 3}]}");
    assert_issue(&issues, "/model/layers/0/layers/0/units", "at least 1");
    assert_issue(&issues, "/model/layers/1/layers", "at least one layer");
    cr_assert_eq(issues.count, 2);
}

Test(spec, refuses_a_name_given_twice) {
    refuse("{\"layers\": [{\"type\": \"dense\", \"units\": 4, \"name\": \"a\"},"
           " {\"type\": \"dense\", \"units\": 3, \"name\": \"a\"},"
           " {\"type\": \"dense\", \"units\": 3, \"name\": \"in put\"}]}");
    assert_issue(&issues, "/model/layers/1/name", "earlier layer");
    assert_issue(&issues, "/model/layers/2/name", "letters");
}

Test(spec, refuses_a_default_name_that_was_given_before) {
    refuse("{\"layers\": [{\"type\": \"dense\", \"units\": 4, \"name\": \"dense_2\"},"
           " {\"type\": \"dense\", \"units\": 3}]}");
    assert_issue(&issues, "/model/layers/1", "dense_2");
}

Test(spec, wires_layers_by_their_names) {
    Model *model =
        read_good("{\"layers\": [{\"type\": \"dense\", \"units\": 4, \"name\": \"a\"},"
                  " {\"type\": \"dense\", \"units\": 5, \"name\": \"b\", \"inputs\": [\"input\"]},"
                  " {\"type\": \"concat\", \"inputs\": [\"a\", \"b\", \"input\"]}]}");
    const ModelLayer *a = model_layer(model, 0), *b = model_layer(model, 1);
    const ModelLayer *joined = model_layer(model, 2);
    cr_assert_eq(b->input[0], a->input[0]);
    cr_assert_eq(joined->inputs, 3);
    cr_assert_eq(joined->input[0], a->output);
    cr_assert_eq(joined->input[1], b->output);
    cr_assert_eq(model_output_shape(model)->dim[0], 13);
    model_destroy(model);
}

Test(spec, refuses_inputs_that_do_not_come_before) {
    refuse("{\"layers\": [{\"type\": \"dense\", \"units\": 4, \"inputs\": [\"last\"]},"
           " {\"type\": \"add\"},"
           " {\"type\": \"dense\", \"units\": 3, \"name\": \"last\", \"inputs\": [\"lsat\"]},"
           " {\"type\": \"dense\", \"units\": 3, \"inputs\": [\"dense_1\", \"last\"]},"
           " {\"type\": \"residual\", \"name\": \"r\", \"layers\": ["
           "   {\"type\": \"dense\", \"units\": 3, \"inputs\": [\"r\"]}]}]}");
    assert_issue(&issues, "/model/layers/0/inputs/0", "no layer \"last\" before");
    assert_issue(&issues, "/model/layers/1/inputs", "reads");
    assert_issue(&issues, "/model/layers/2/inputs/0", "lsat");
    assert_issue(&issues, "/model/layers/3/inputs", "exactly 1");
    assert_issue(&issues, "/model/layers/4/layers/0/inputs/0", "no layer \"r\"");
}

Test(spec, reads_rows_in_another_shape_of_as_many_numbers) {
    Model *model = read_good("{\"input\": {\"shape\": [2, 2]}, \"layers\": ["
                             "{\"type\": \"flatten\"}, {\"type\": \"dense\", \"units\": 3}]}");
    cr_assert(shape_equal(model_input_shape(model), &SHAPE(2, 2)));
    model_destroy(model);
    refuse("{\"input\": {\"shape\": [3, 2], \"shap\": 1}, \"layers\": [{\"type\": \"flatten\"}]}");
    assert_issue(&issues, "/model/input/shap", "shape");
}

Test(spec, refuses_a_shape_of_other_size) {
    refuse("{\"input\": {\"shape\": [3, 2]}, \"layers\": [{\"type\": \"flatten\"}]}");
    assert_issue(&issues, "/model/input/shape", "[3, 2]");
}

Test(spec, freezes_what_is_not_trainable) {
    Model *model =
        read_good("{\"layers\": [{\"type\": \"residual\", \"trainable\": false, \"layers\": ["
                  "{\"type\": \"dense\", \"units\": 4}]}, {\"type\": \"dense\", \"units\": 3}]}");
    cr_assert(graph_frozen(model_graph(model), 1));
    cr_assert_not(graph_frozen(model_graph(model), 2));
    model_destroy(model);
}

Test(spec, bounds_the_nesting) {
    char text[4096] = "{\"layers\": [";
    for (int i = 0; i < 20; i++)
        strcat(text, "{\"type\": \"residual\", \"layers\": [");
    strcat(text, "{\"type\": \"dense\", \"units\": 4}");
    for (int i = 0; i < 20; i++)
        strcat(text, "]}");
    strcat(text, "]}");
    refuse(text);
    cr_assert_eq(issues.count, 1);
    cr_assert_not_null(strstr(issues.items[0].detail, "nested deeper"));
}

Test(spec, bounds_the_number_of_layers) {
    Text text;
    text_init(&text);
    text_add(&text, "{\"layers\": [");
    for (int i = 0; i < 1500; i++)
        text_add_format(&text, "%s{\"type\": \"flatten\"}", i == 0 ? "" : ",");
    text_add(&text, "]}");
    refuse(text_string(&text));
    assert_issue(&issues, "/model/layers/1000", "at most 1000");
    text_finish(&text);
}

Test(spec, refuses_what_is_no_model) {
    refuse("{}");
    assert_issue(&issues, "/model/layers", "required");
    refuse("7");
    assert_issue(&issues, "/model", "must be an object");
}

Test(spec, writes_itself_with_every_default_and_reads_that_again) {
    Model *model =
        read_good("{\"input\": {\"shape\": [4, 1]}, \"layers\": [{\"type\": \"flatten\"},"
                  " {\"type\": \"residual\", \"layers\": [{\"type\": \"dense\", \"units\": 4}]},"
                  " {\"type\": \"add\", \"inputs\": [\"residual_1\", \"flatten_1\"]},"
                  " {\"type\": \"dense\", \"units\": 3}]}");
    JsonWriter first, second;
    json_writer_init(&first);
    ValueWriter out = json_value_writer(&first);
    model_write(model, NULL, &out);
    cr_assert_not_null(strstr(text_string(&first.text), "\"use_bias\":true"));
    Model *again = read_good(text_string(&first.text));
    json_writer_init(&second);
    out = json_value_writer(&second);
    model_write(again, NULL, &out);
    cr_assert_str_eq(text_string(&second.text), text_string(&first.text));
    json_writer_finish(&first);
    json_writer_finish(&second);
    model_destroy(model);
    model_destroy(again);
}
