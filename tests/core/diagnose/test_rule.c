#include <stdio.h>
#include <stdlib.h>
#include "core/diagnose/texts_private.h"
#include "tests/core/diagnose/runs.h"

TestSuite(rule, .init = sample_begin, .fini = end);

Test(rule, says_statistic_threshold_and_source_of_each) {
    make(TWO_LAYERS);
    for (size_t i = 0; i < rule_registry.count; i++) {
        const RuleDesc *rule = (const RuleDesc *)rule_registry.entries[i];
        cr_assert_not_null(rule->statistic, "%s", rule->desc.name);
        cr_assert_not_null(rule->threshold, "%s", rule->desc.name);
        cr_assert_not_null(rule->desc.reference, "%s", rule->desc.name);
    }
}

Test(rule, finds_where_numbers_stop_being_finite_on_the_way_forward) {
    make(TWO_LAYERS);
    LayerStatistics layers[2] = {
        {.activation_mean = 1e30, .activation_std = INFINITY, .gradient_norm = NAN},
        {.activation_mean = NAN, .activation_std = NAN, .gradient_norm = NAN}};
    RuleView view = view_at(STAGE_END);
    view.step = 7;
    view.layers = layers;
    Finding finding;
    cr_assert(judge("non_finite", &view, &finding));
    cr_assert_str_eq(finding.layer, "dense_1");
    cr_assert_eq(finding.severity, SEVERITY_CRITICAL);
    cr_assert_eq(finding.first_step, 7);
}

Test(rule, finds_where_numbers_stop_being_finite_on_the_way_back) {
    make(TWO_LAYERS);
    LayerStatistics layers[2] = {
        {.activation_mean = 1, .activation_std = 1, .gradient_norm = INFINITY},
        {.activation_mean = 1, .activation_std = 1, .gradient_norm = INFINITY}};
    RuleView view = view_at(STAGE_END);
    view.step = 7;
    view.train_loss = 3;
    view.gradient_norm = INFINITY;
    view.layers = layers;
    Finding finding;
    cr_assert(judge("non_finite", &view, &finding));
    cr_assert_str_eq(finding.layer, "dense_2");
    view.gradient_norm = 1;
    cr_assert_not(judge("non_finite", &view, &finding));
}

Test(rule, finds_an_activation_that_the_loss_applies_itself) {
    make("{\"layers\": [{\"type\": \"dense\", \"units\": 2},"
         " {\"type\": \"activation\", \"function\": \"softmax\"}]}");
    RuleView view = view_at(STAGE_BEFORE);
    Finding finding;
    cr_assert(judge("wrong_output_activation", &view, &finding));
    cr_assert_str_eq(finding.layer, "activation_1");
    cr_assert_str_eq(finding.symptom, "twice");
}

Test(rule, does_not_mind_a_sigmoid_inside) {
    make("{\"layers\": [{\"type\": \"dense\", \"units\": 4, \"activation\": \"sigmoid\"},"
         " {\"type\": \"dense\", \"units\": 2}]}");
    const RuleView view = view_at(STAGE_BEFORE);
    Finding finding;
    cr_assert_not(judge("wrong_output_activation", &view, &finding));
}

Test(rule, says_nothing_of_a_run_that_came_out_well) {
    make(TWO_LAYERS);
    run_at(0.05, 0.98, sound);
    const RuleView view = view_at(STAGE_END);
    Finding findings[64];
    cr_assert_eq(view.outcome.fit, FIT_GOOD);
    cr_assert_eq(rules_run(&view, findings), 0, "%s", findings[0].code);
}

Test(rule, minds_tiny_updates_only_where_little_was_learned) {
    make(TWO_LAYERS);
    LayerStatistics still = sound;
    still.update_ratio = 1e-7;
    run_at(0.68, 0.51, still);
    RuleView view = view_at(STAGE_END);
    Finding finding;
    cr_assert(judge("learning_rate_too_low", &view, &finding));
    cr_assert_str_eq(finding.remedies[0].code, "use_adam");
    view.outcome.fit = FIT_GOOD;
    cr_assert_not(judge("learning_rate_too_low", &view, &finding));
}

Test(rule, puts_dead_units_above_the_gradients_that_they_stop) {
    make("{\"layers\": [{\"type\": \"dense\", \"units\": 2, \"activation\": \"relu\"},"
         " {\"type\": \"dense\", \"units\": 2, \"activation\": \"relu\"}, {\"type\": \"dense\", "
         "\"units\": 2}]}");
    LayerStatistics dead = sound;
    dead.dead_fraction = 1;
    dead.gradient_norm = 0;
    run_at(0.69, 0.5, dead);
    const RuleView view = view_at(STAGE_END);
    Finding findings[64];
    cr_assert_gt(rules_run(&view, findings), 1);
    cr_assert_str_eq(findings[0].code, "dead_units");
    cr_assert_str_eq(findings[0].layer, "dense_1");
    cr_assert_not_null(strstr(findings[0].explanation, "100 %"));
}

Test(rule, writes_findings_as_values) {
    make(TWO_LAYERS);
    const Finding finding = {.code = "non_finite",
                             .severity = SEVERITY_WARNING,
                             .first_step = 3,
                             .evidence = {{"loss", 2, NULL}},
                             .evidence_count = 1,
                             .explanation = "because"};
    JsonWriter writer;
    json_writer_init(&writer);
    ValueWriter out = json_value_writer(&writer);
    finding_write(&finding, VALUE_NONE, NULL, &out);
    cr_assert_str_eq(text_string(&writer.text),
                     "{\"code\":\"non_finite\",\"severity\":\"warning\",\"layer\":null,"
                     "\"first_step\":3,\"evidence\":{\"loss\":2},\"explanation\":\"because\","
                     "\"remedies\":[]}");
    json_writer_finish(&writer);
}

Test(rule, prescribes_patches_that_keep_what_they_do_not_change) {
    make(TWO_LAYERS);
    const Remedy remedy = {.code = "use_relu",
                           .edits_layers = true,
                           .layers = {.activation = "relu", .squashing_only = true},
                           .optimizer = "adam",
                           .learning_rate = 0.01};
    Value spec =
        json_value(&sample_arena, "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 4, "
                                  "\"activation\": \"sigmoid\", \"kernel_init\": "
                                  "\"glorot_uniform\"}, {\"type\": \"dense\", \"units\": 2}]},"
                                  "\"training\": {\"optimizer\": {\"type\": \"sgd\", "
                                  "\"learning_rate\": 1, \"momentum\": 0.9}}}");
    JsonWriter writer;
    json_writer_init(&writer);
    ValueWriter out = json_value_writer(&writer);
    remedy_write_patch(&remedy, spec, NULL, &out);
    cr_assert_str_eq(text_string(&writer.text),
                     "{\"model\":{\"layers\":[{\"type\":\"dense\",\"units\":4,\"activation\":"
                     "\"relu\"},{\"type\":\"dense\",\"units\":2}]},"
                     "\"training\":{\"optimizer\":{\"type\":\"adam\",\"learning_rate\":0.01,"
                     "\"momentum\":null}}}");
    json_writer_finish(&writer);
}

static int order(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// The text's places in alphabetical order, each once, with a blank behind it.
static void places_of(const char *text, char *places, size_t size) {
    static char names[16][40];
    const char *sorted[16];
    int count = 0;
    for (const char *at = strchr(text, '{'); at != NULL; at = strchr(at + 1, '{')) {
        cr_assert_lt(count, 16);
        snprintf(names[count], sizeof names[count], "%.*s", (int)strcspn(at + 1, "}"), at + 1);
        sorted[count] = names[count];
        count++;
    }
    qsort(sorted, (size_t)count, sizeof *sorted, order);
    places[0] = '\0';
    for (int i = 0; i < count; i++)
        if (i == 0 || strcmp(sorted[i], sorted[i - 1]) != 0)
            snprintf(places + strlen(places), size - strlen(places), "%s ", sorted[i]);
}

Test(rule, says_the_same_numbers_in_every_language) {
    for (size_t t = 0; t < ARRAY_LENGTH(text_tables); t++)
        for (const TextEntry *entry = text_tables[t]; entry->key != NULL; entry++) {
            char english[400], japanese[400];
            cr_assert_not_null(entry->text[LANGUAGE_ENGLISH], "%s", entry->key);
            cr_assert_not_null(entry->text[LANGUAGE_JAPANESE], "%s", entry->key);
            cr_expect_str_neq(entry->text[LANGUAGE_ENGLISH], entry->text[LANGUAGE_JAPANESE], "%s",
                              entry->key);
            places_of(entry->text[LANGUAGE_ENGLISH], english, sizeof english);
            places_of(entry->text[LANGUAGE_JAPANESE], japanese, sizeof japanese);
            cr_expect_str_eq(english, japanese, "%s", entry->key);
        }
}

static bool find_value(void *context, const char *name, double *ret_number, const char **ret_word) {
    *ret_number = *(const double *)context;
    *ret_word = NULL;
    return name != NULL;
}

Test(rule, tells_numbers_by_the_form_of_their_place) {
    static const struct {
        const char *template;
        double number;
        const char *text;
    } cases[] = {{"{a}", 0.123456, "0.123"}, {"{a%}", 0.123456, "12.3 %"}, {"{a#}", 1234.4, "1234"},
                 {"{a}", NAN, "—"},          {"{a!}", NAN, "NaN"},         {"{a!}", 0.5, "0.5"},
                 {"{a}", INFINITY, "∞"},     {"{a#}", -INFINITY, "−∞"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        double number = cases[i].number;
        Text text;
        text_init(&text);
        texts_render(cases[i].template, &(TextValues){&number, find_value}, &text);
        cr_expect_str_eq(text_string(&text), cases[i].text, "%s", cases[i].template);
        text_finish(&text);
    }
}

Test(rule, has_a_text_in_both_languages_for_every_remedy_that_is_prescribed) {
    make(TWO_LAYERS);
    static const char *const codes[] = {"lower_learning_rate",
                                        "raise_learning_rate",
                                        "use_adam",
                                        "use_relu",
                                        "use_leaky_relu",
                                        "add_normalisation",
                                        "default_initialisation",
                                        "clip_gradients",
                                        "standardise"};
    for (size_t i = 0; i < ARRAY_LENGTH(codes); i++) {
        const char *english = texts_find_joined(LANGUAGE_ENGLISH, "remedy", codes[i], "title");
        const char *japanese = texts_find_joined(LANGUAGE_JAPANESE, "remedy", codes[i], "title");
        cr_assert_not_null(english, "%s", codes[i]);
        cr_assert_str_neq(english, japanese);
    }
}
