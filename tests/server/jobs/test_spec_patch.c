#include "server/jobs/spec_patch.h"
#include <criterion/criterion.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

static Document *parse(const char *text) {
    Document *document = NULL;
    Issues issues;
    issues_init(&issues);
    cr_assert_eq(document_parse(text, strlen(text), NULL, &issues, &document), OK);
    issues_finish(&issues);
    return document;
}

static void expect(const char *spec, const char *patch, const char *expected) {
    Document *before = parse(spec), *change = parse(patch), *after = NULL;
    cr_assert_eq(spec_patch(document_root(before), document_root(change), &after), OK);
    char *text = spec_as_text(document_root(after));
    cr_assert_str_eq(text, expected);
    memory_free(text);
    document_destroy(after);
    document_destroy(change);
    document_destroy(before);
}

Test(spec_patch, is_a_merge_patch) {
    expect("{\"a\":1,\"b\":{\"c\":[1,2]}}", "{\"a\":null,\"b\":{\"c\":[3]}}",
           "{\"b\":{\"c\":[3]}}");
}

Test(spec_patch, takes_away_what_another_type_does_not_have) {
    const char *adam =
        "{\"training\":{\"optimizer\":{\"type\":\"adam\",\"learning_rate\":0.1,\"beta1\":0.9}}}";
    expect(adam, "{\"training\":{\"optimizer\":{\"type\":\"sgd\"}}}",
           "{\"training\":{\"optimizer\":{\"type\":\"sgd\",\"learning_rate\":0.1}}}");
    expect(adam, "{\"training\":{\"optimizer\":{\"type\":\"sgd\",\"beta1\":0.5}}}",
           "{\"training\":{\"optimizer\":{\"type\":\"sgd\",\"learning_rate\":0.1,\"beta1\":0.5}}}");
    expect(
        adam, "{\"training\":{\"optimizer\":{\"beta1\":0.5}}}",
        "{\"training\":{\"optimizer\":{\"type\":\"adam\",\"learning_rate\":0.1,\"beta1\":0.5}}}");
    expect(adam, "{\"training\":{\"optimizer\":\"sgd\"}}",
           "{\"training\":{\"optimizer\":\"sgd\"}}");
}

Test(spec_patch, knows_which_places_it_decides) {
    Document *patch =
        parse("{\"training\":{\"epochs\":1},\"model\":{\"layers\":[]},\"a/b\":{\"c~\":1}}");
    static const struct {
        const char *pointer;
        bool named;
    } places[] = {{"/training/epochs", true}, {"/training/steps", false},
                  {"/training", true},        {"/model/layers/0/units", true},
                  {"/model/input", false},    {"/dataset", false},
                  {"/a~1b/c~0", true},        {"", false}};
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
        cr_assert_eq(spec_patch_names(document_root(patch), places[i].pointer), places[i].named,
                     "%s", places[i].pointer);
    cr_assert_not(spec_patch_names(VALUE_NONE, "/training"));
    document_destroy(patch);
}

Test(spec_patch, gives_another_seed) {
    Document *spec = parse("{\"training\":{\"seed\":1,\"epochs\":2}}"), *after = NULL;
    cr_assert_eq(spec_reseed(document_root(spec), 9, &after), OK);
    char *text = spec_as_text(document_root(after));
    cr_assert_str_eq(text, "{\"training\":{\"seed\":9,\"epochs\":2}}");
    memory_free(text);
    document_destroy(after);
    document_destroy(spec);
}
