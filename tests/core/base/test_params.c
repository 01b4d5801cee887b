// Parameters and registries: reading with every error, writing back, names.
#include <criterion/criterion.h>
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "core/base/descriptor.h"
#include "core/base/error.h"
#include "tests/support/json.h"

// ---- a registry of two entries ----

typedef struct BendParams {
    double alpha;
} BendParams;

typedef struct ThingParams {
    int64_t units;
    int64_t batch;
    double rate;
    double bound;
    bool wanted;
    const char *padding;
    int64_t depth;
    const char *title;
    IntegerList size;
    StringList inputs;
    Selection bend;
    SelectionList bends;
    Value rest;
} ThingParams;

static const ParamSpec bend_params[] = {
    {.name = "alpha",
     .type = PARAM_NUMBER,
     .offset = offsetof(BendParams, alpha),
     .default_number = 0.5,
     .minimum = 0,
     .maximum = 1,
     .below_maximum = true},
};
static const Desc bend = {.name = "bend",
                          .aliases = (const char *const[]){"curve", NULL},
                          .params = bend_params,
                          .param_count = ARRAY_LENGTH(bend_params),
                          .params_size = sizeof(BendParams)};
static const Desc straight = {.name = "straight"};
static const Desc *const bend_entries[] = {&bend, &straight};
static const Registry bends = {"activation", bend_entries, ARRAY_LENGTH(bend_entries)};

static const char *const paddings[] = {"valid", "same", NULL};
static const ParamSpec thing_params[] = {
    {.name = "units",
     .type = PARAM_INTEGER,
     .offset = offsetof(ThingParams, units),
     .required = true,
     .minimum = 1,
     .maximum = INFINITY},
    {.name = "batch_size",
     .type = PARAM_INTEGER,
     .offset = offsetof(ThingParams, batch),
     .default_number = 32,
     .minimum = 1,
     .maximum = 1000,
     .keyword = "full",
     .keyword_number = 0},
    {.name = "rate",
     .type = PARAM_NUMBER,
     .offset = offsetof(ThingParams, rate),
     .default_number = 0.1,
     .above_minimum = true},
    {.name = "clip_norm",
     .type = PARAM_NUMBER,
     .offset = offsetof(ThingParams, bound),
     .default_number = NAN},
    {.name = "wanted",
     .type = PARAM_BOOLEAN,
     .offset = offsetof(ThingParams, wanted),
     .default_number = 1},
    {.name = "padding",
     .type = PARAM_CHOICE,
     .offset = offsetof(ThingParams, padding),
     .choices = paddings},
    {.name = "depth",
     .type = PARAM_INTEGER,
     .offset = offsetof(ThingParams, depth),
     .minimum = 1,
     .maximum = 9},
    {.name = "title", .type = PARAM_STRING, .offset = offsetof(ThingParams, title)},
    {.name = "size",
     .type = PARAM_INTEGERS,
     .offset = offsetof(ThingParams, size),
     .default_number = 2,
     .minimum = 1,
     .maximum = INFINITY},
    {.name = "inputs", .type = PARAM_STRINGS, .offset = offsetof(ThingParams, inputs)},
    {.name = "activation",
     .type = PARAM_ENTRY,
     .offset = offsetof(ThingParams, bend),
     .default_text = "straight",
     .registry = &bends},
    {.name = "bends",
     .type = PARAM_ENTRIES,
     .offset = offsetof(ThingParams, bends),
     .registry = &bends},
    {.name = "rest", .type = PARAM_VALUE, .offset = offsetof(ThingParams, rest)},
};
static const Desc thing = {.name = "thing",
                           .params = thing_params,
                           .param_count = ARRAY_LENGTH(thing_params),
                           .params_size = sizeof(ThingParams)};
static const char *const also[] = {"type", "name", NULL};

static Arena arena;
static Issues issues;

static void set_up(void) {
    arena_init(&arena, 0);
    issues_init(&issues);
}

static void tear_down(void) {
    issues_finish(&issues);
    arena_finish(&arena);
}

TestSuite(params, .init = set_up, .fini = tear_down);

static const ThingParams *read_well(const char *json) {
    const void *params = NULL;
    int result =
        params_read(&thing, json_value(&arena, json), NULL, also, &arena, &issues, &params);
    cr_assert_eq(result, OK, "%s", issues.count > 0 ? issues.items[0].detail : "no issue");
    cr_assert_eq(issues.count, 0);
    return params;
}

static void assert_issue(size_t index, const char *pointer, const char *detail) {
    cr_assert_lt(index, issues.count);
    cr_assert_str_eq(issues.items[index].pointer, pointer);
    cr_assert_str_eq(issues.items[index].detail, detail);
}

static void assert_refused(const char *json, const char *pointer, const char *detail) {
    const void *untouched = &thing, *params = untouched;
    const Path *path = PATH_INDEX(PATH_KEY(NULL, "layers"), 1);
    int result =
        params_read(&thing, json_value(&arena, json), path, also, &arena, &issues, &params);
    cr_assert_eq(result, ERR_INVALID, "%s", json);
    cr_assert_eq(params, untouched);
    cr_assert_eq(issues.count, 1, "%zu issues for %s", issues.count, json);
    assert_issue(0, pointer, detail);
    issues_finish(&issues);
}

Test(params, left_out_ones_get_their_defaults) {
    const ThingParams *params = read_well("{\"type\": \"thing\", \"units\": 3}");
    cr_assert_eq(params->units, 3);
    cr_assert_eq(params->batch, 32);
    cr_assert_eq(params->rate, 0.1);
    cr_assert(isnan(params->bound));
    cr_assert(params->wanted);
    cr_assert_str_eq(params->padding, "valid");
    cr_assert_null(params->title);
    cr_assert_eq(params->size.count, 1);
    cr_assert_eq(params->size.items[0], 2);
    cr_assert_null(params->inputs.items);
    cr_assert_eq(params->bend.desc, &straight);
    cr_assert_null(params->bends.items);
    cr_assert_eq(value_kind(params->rest), VALUE_MISSING);
}

Test(params, given_ones_are_kept) {
    const ThingParams *params = read_well(
        "{\"units\": 3, \"batch_size\": \"full\", \"rate\": 2, \"clip_norm\": 1e300, \"wanted\": "
        "false, \"padding\": \"same\", \"title\": \"t\", \"size\": [1, 2, 3], \"inputs\": "
        "[\"a\", \"b\"], \"activation\": {\"type\": \"curve\", \"alpha\": 0.25}, \"bends\": "
        "[\"straight\", \"bend\"], \"rest\": {\"any\": [1]}}");
    cr_assert_eq(params->batch, 0);
    cr_assert_eq(params->rate, 2);
    cr_assert_eq(params->bound, 1e300);
    cr_assert_not(params->wanted);
    cr_assert_str_eq(params->padding, "same");
    cr_assert_str_eq(params->title, "t");
    cr_assert_eq(params->size.count, 3);
    cr_assert_eq(params->size.items[2], 3);
    cr_assert_eq(params->inputs.count, 2);
    cr_assert_str_eq(params->inputs.items[1], "b");
    cr_assert_eq(params->bend.desc, &bend);
    cr_assert_eq(((const BendParams *)params->bend.params)->alpha, 0.25);
    cr_assert_eq(params->bends.count, 2);
    cr_assert_eq(((const BendParams *)params->bends.items[1].params)->alpha, 0.5);
    cr_assert_eq(value_length(params->rest), 1);
}

Test(params, null_is_left_out) {
    cr_assert_eq(read_well("{\"units\": 1, \"batch_size\": null}")->batch, 32);
}

Test(params, each_mistake_is_told_at_its_place) {
    assert_refused("[]", "/layers/1", "must be an object, not an array");
    assert_refused("{}", "/layers/1/units", "is required: a positive integer");
    assert_refused("{\"units\": \"many\"}", "/layers/1/units",
                   "must be a positive integer, not \"many\"");
    assert_refused("{\"units\": 0}", "/layers/1/units", "must be a positive integer, not 0");
    assert_refused("{\"units\": 1.5}", "/layers/1/units", "must be a positive integer, not 1.5");
    assert_refused("{\"units\": 1e300}", "/layers/1/units",
                   "must be a positive integer, not 1e+300");
    assert_refused("{\"units\": 1, \"batch_size\": 1001}", "/layers/1/batch_size",
                   "must be an integer of at least 1 and at most 1000 or \"full\", not 1001");
    assert_refused("{\"units\": 1, \"batch_size\": \"whole\"}", "/layers/1/batch_size",
                   "must be an integer of at least 1 and at most 1000 or \"full\", not \"whole\"");
    assert_refused("{\"units\": 1, \"rate\": 0}", "/layers/1/rate",
                   "must be a number above 0, not 0");
    assert_refused("{\"units\": 1, \"clip_norm\": true}", "/layers/1/clip_norm",
                   "must be a number, not true");
    assert_refused("{\"units\": 1, \"wanted\": 1}", "/layers/1/wanted",
                   "must be true or false, not 1");
    assert_refused("{\"units\": 1, \"padding\": \"Same\"}", "/layers/1/padding",
                   "must be one of \"valid\", \"same\", not \"Same\"");
    assert_refused("{\"units\": 1, \"title\": {}}", "/layers/1/title",
                   "must be a string, not an object");
    assert_refused("{\"units\": 1, \"size\": []}", "/layers/1/size",
                   "must hold at least one integer");
    assert_refused("{\"units\": 1, \"size\": [2, 0]}", "/layers/1/size/1",
                   "must be a positive integer, not 0");
    assert_refused("{\"units\": 1, \"size\": \"2\"}", "/layers/1/size",
                   "must be a positive integer or a list of them, not \"2\"");
    assert_refused("{\"units\": 1, \"inputs\": [\"a\", 2]}", "/layers/1/inputs/1",
                   "must be a string, not 2");
    assert_refused("{\"units\": 1, \"activation\": \"bned\"}", "/layers/1/activation",
                   "\"bned\" is not an activation; did you mean \"bend\"?");
    assert_refused("{\"units\": 1, \"activation\": {\"type\": \"zigzag\"}}",
                   "/layers/1/activation/type",
                   "\"zigzag\" is not an activation; there are \"bend\", \"straight\"");
    assert_refused("{\"units\": 1, \"activation\": {\"alpha\": 1}}", "/layers/1/activation/type",
                   "is required: the name of an activation");
    assert_refused("{\"units\": 1, \"activation\": {\"type\": 1}}", "/layers/1/activation/type",
                   "must be a string, not 1");
    assert_refused("{\"units\": 1, \"activation\": 1}", "/layers/1/activation",
                   "must be a name or an object with \"type\", not 1");
    assert_refused("{\"units\": 1, \"bends\": [{\"type\": \"bend\", \"alpha\": 1}]}",
                   "/layers/1/bends/0/alpha", "must be a number of at least 0 and below 1, not 1");
    assert_refused("{\"units\": 1, \"bends\": [null]}", "/layers/1/bends/0",
                   "must be an activation, not null");
}

Test(params, unknown_keys_name_the_nearest_known_one) {
    assert_refused("{\"units\": 1, \"bach_size\": 2}", "/layers/1/bach_size",
                   "is not a key of \"thing\"; did you mean \"batch_size\"?");
    assert_refused("{\"units\": 1, \"naem\": 2}", "/layers/1/naem",
                   "is not a key of \"thing\"; did you mean \"name\"?");
    assert_refused("{\"units\": 1, \"activation\": {\"type\": \"bend\", \"zzz\": 1}}",
                   "/layers/1/activation/zzz", "is not a key of \"bend\", which takes \"alpha\"");
    assert_refused("{\"units\": 1, \"activation\": {\"type\": \"straight\", \"x/y~\": 1}}",
                   "/layers/1/activation/x~1y~0",
                   "is not a key of \"straight\", which takes no parameters");
}

Test(params, all_mistakes_come_at_once) {
    const void *params;
    Value value = json_value(&arena, "{\"unit\": 5, \"rate\": -1, \"padding\": 3, \"size\": [0]}");
    cr_assert_eq(params_read(&thing, value, NULL, NULL, &arena, &issues, &params), ERR_INVALID);
    cr_assert_eq(issues.count, 5);
    assert_issue(0, "/unit", "is not a key of \"thing\"; did you mean \"units\"?");
    assert_issue(1, "/units", "is required: a positive integer");
    assert_issue(2, "/rate", "must be a number above 0, not -1");
    assert_issue(3, "/padding", "must be one of \"valid\", \"same\", not 3");
    assert_issue(4, "/size/0", "must be a positive integer, not 0");
}

Test(params, long_strings_are_quoted_in_part) {
    const char *long_name = "{\"units\": \"1234567890123456789012345678901234567890"
                            "1234567890123456789ä and more\"}";
    assert_refused(long_name, "/layers/1/units",
                   "must be a positive integer, not \"1234567890123456789012345678901234567890"
                   "1234567890123456789…\"");
}

static char *write_params(const Desc *desc, const void *params) {
    JsonWriter writer;
    json_writer_init(&writer);
    ValueWriter out = json_value_writer(&writer);
    write_begin_object(&out, NULL);
    params_write(desc, params, &out);
    write_end_object(&out);
    return text_take(&writer.text);
}

Test(params, what_is_written_reads_back_the_same) {
    const char *specs[] = {
        "{\"units\": 3}",
        "{\"units\": 3, \"batch_size\": \"full\", \"clip_norm\": 2, \"size\": [1, 2], \"inputs\": "
        "[], \"activation\": {\"type\": \"bend\", \"alpha\": 0.25}, \"bends\": [\"straight\"], "
        "\"rest\": {\"a\": [1, 2.5, true, null, \"x\"]}}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(specs); i++) {
        char *first = write_params(&thing, read_well(specs[i]));
        char *second = write_params(&thing, read_well(first));
        cr_assert_str_eq(first, second);
        memory_free(first);
        memory_free(second);
    }
}

Test(params, are_written_with_their_defaults) {
    char *json = write_params(&thing, read_well("{\"units\": 3}"));
    cr_assert_str_eq(
        json, "{\"units\":3,\"batch_size\":32,\"rate\":0.1,\"clip_norm\":null,"
              "\"wanted\":true,\"padding\":\"valid\",\"depth\":null,\"title\":null,\"size\":2,"
              "\"inputs\":null,\"activation\":\"straight\",\"bends\":null,"
              "\"rest\":null}");
    memory_free(json);
}

Test(params, are_described) {
    JsonWriter writer;
    json_writer_init(&writer);
    ValueWriter out = json_value_writer(&writer);
    write_begin_object(&out, NULL);
    params_describe(&bend, &out);
    write_end_object(&out);
    cr_assert_str_eq(text_string(&writer.text),
                     "{\"parameters\":[{\"name\":\"alpha\",\"type\":\"number\",\"required\":false,"
                     "\"default\":0.5,\"minimum\":0,\"exclusive_maximum\":1,\"help\":null}]}");
    json_writer_finish(&writer);
}

Test(params, survive_each_failed_allocation) {
    Value value = json_value(&arena, "{\"units\": 1, \"size\": [1, 2], \"bends\": [\"bend\"], "
                                     "\"inputs\": [\"a\"], \"bach\": 1, \"activation\": \"bned\"}");
    int result = ERR_NO_MEMORY;
    for (long nth = 1; result == ERR_NO_MEMORY; nth++) {
        const void *params;
        Arena scarce;
        Issues found;
        arena_init(&scarce, 0);
        issues_init(&found);
        memory_fail_at(nth);
        result = params_read(&thing, value, NULL, NULL, &scarce, &found, &params);
        memory_fail_at(0);
        issues_finish(&found);
        arena_finish(&scarce);
        cr_assert_lt(nth, 1000);
    }
    cr_assert_eq(result, ERR_INVALID);
}

Test(registry, finds_names_and_aliases) {
    cr_assert_eq(registry_find(&bends, "bend"), &bend);
    cr_assert_eq(registry_find(&bends, "curve"), &bend);
    cr_assert_null(registry_find(&bends, "Bend"));
    cr_assert_null(registry_find(&bends, ""));
}

Test(nearest_name, forgives_a_slip_and_no_more) {
    static const char *const names[] = {"units", "use_bias", "activation", "kernel_init", "rate"};
    static const struct {
        const char *name, *nearest;
    } cases[] = {
        {"unit", "units"},
        {"untis", "units"},
        {"UNITS", "units"},
        {"usebias", "use_bias"},
        {"activaton", "activation"},
        {"kernal_init", "kernel_init"},
        {"raet", "rate"},
        {"lr", NULL},
        {"x", NULL},
        {"", NULL},
        {"momentum", NULL},
        {"batch_size", NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const char *nearest = nearest_name(cases[i].name, names, ARRAY_LENGTH(names));
        if (cases[i].nearest == NULL) {
            cr_assert_null(nearest, "%s is taken for %s", cases[i].name, nearest);
        } else {
            cr_assert_not_null(nearest, "%s", cases[i].name);
            cr_assert_str_eq(nearest, cases[i].nearest);
        }
    }
}
