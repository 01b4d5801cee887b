#include <math.h>
#include "core/diagnose/rule.h"
#include "tests/core/sample.h"

static Model *model;

static void make(const char *layers) {
    Issues issues;
    issues_init(&issues);
    const Task task = {.kind = TASK_CLASSIFICATION, .input = SHAPE(3), .outputs = 2};
    cr_assert_eq(model_create(json_value(&sample_arena, layers), NULL, &task, &issues, &model), OK);
    issues_finish(&issues);
}

static void end(void) {
    model_destroy(model);
    sample_end();
}

TestSuite(rule, .init = sample_begin, .fini = end);

static bool judge(const char *name, const RuleView *view, Finding *finding) {
    const RuleDesc *rule = (const RuleDesc *)registry_find(&rule_registry, name);
    cr_assert_not_null(rule);
    return rule->test(view, finding);
}

#define TWO_LAYERS                                                                                 \
    "{\"layers\": [{\"type\": \"dense\", \"units\": 4}, {\"type\": \"dense\", \"units\": 2}]}"

Test(rule, finds_where_numbers_stop_being_finite_on_the_way_forward) {
    make(TWO_LAYERS);
    LayerStatistics layers[2] = {
        {.activation_mean = 1e30, .activation_std = INFINITY, .gradient_norm = NAN},
        {.activation_mean = NAN, .activation_std = NAN, .gradient_norm = NAN}};
    const RuleView view = {.model = model,
                           .loss = "mse",
                           .step = 7,
                           .train_loss = NAN,
                           .gradient_norm = NAN,
                           .layers = layers};
    Finding finding;
    cr_assert(judge("non_finite", &view, &finding));
    cr_assert_str_eq(finding.layer, "dense_1");
    cr_assert_eq(finding.severity, SEVERITY_CRITICAL);
    cr_assert_eq(finding.first_step, 7);
    cr_assert_not_null(strstr(finding.explanation, "\"dense_1\""));
}

Test(rule, finds_where_numbers_stop_being_finite_on_the_way_back) {
    make(TWO_LAYERS);
    LayerStatistics layers[2] = {
        {.activation_mean = 1, .activation_std = 1, .gradient_norm = INFINITY},
        {.activation_mean = 1, .activation_std = 1, .gradient_norm = INFINITY}};
    RuleView view = {.model = model,
                     .loss = "mse",
                     .step = 7,
                     .train_loss = 3,
                     .gradient_norm = INFINITY,
                     .layers = layers};
    Finding finding;
    cr_assert(judge("non_finite", &view, &finding));
    cr_assert_str_eq(finding.layer, "dense_2");
    layers[0].gradient_norm = layers[1].gradient_norm = view.gradient_norm = 1;
    cr_assert_not(judge("non_finite", &view, &finding));
}

Test(rule, finds_an_activation_that_the_loss_applies_itself) {
    make("{\"layers\": [{\"type\": \"dense\", \"units\": 2},"
         " {\"type\": \"activation\", \"function\": \"softmax\"}]}");
    RuleView view = {.model = model, .loss = "cross_entropy"};
    Finding finding;
    cr_assert(judge("wrong_output_activation", &view, &finding));
    cr_assert_str_eq(finding.layer, "activation_1");
    view.loss = "mse";
    cr_assert_not(judge("wrong_output_activation", &view, &finding));
}

Test(rule, does_not_mind_a_sigmoid_inside) {
    make("{\"layers\": [{\"type\": \"dense\", \"units\": 4, \"activation\": \"sigmoid\"},"
         " {\"type\": \"dense\", \"units\": 1}]}");
    const RuleView view = {.model = model, .loss = "binary_cross_entropy"};
    Finding finding;
    cr_assert_not(judge("wrong_output_activation", &view, &finding));
}

Test(rule, writes_findings_as_values) {
    make(TWO_LAYERS);
    const Finding finding = {.code = "non_finite",
                             .severity = SEVERITY_WARNING,
                             .first_step = 3,
                             .evidence = {{"loss", 2}},
                             .evidence_count = 1,
                             .explanation = "because"};
    JsonWriter writer;
    json_writer_init(&writer);
    ValueWriter out = json_value_writer(&writer);
    finding_write(&finding, NULL, &out);
    cr_assert_str_eq(text_string(&writer.text),
                     "{\"code\":\"non_finite\",\"severity\":\"warning\",\"layer\":null,"
                     "\"first_step\":3,\"evidence\":{\"loss\":2},\"explanation\":\"because\","
                     "\"remedies\":[]}");
    json_writer_finish(&writer);
}
