#include <criterion/criterion.h>
#include <string.h>
#include "core/base/error.h"
#include "server/json/document.h"
#include "server/routes/routes.h"

// Every "$ref" leads to a schema of the document.
static void check_references(Value value, Value schemas) {
    static const char prefix[] = "#/components/schemas/";
    VALUE_FOREACH(child, value) {
        const char *text = value_string(child), *key = value_key(child);
        if (text != NULL && key != NULL && strcmp(key, "$ref") == 0) {
            cr_assert_eq(strncmp(text, prefix, strlen(prefix)), 0, "%s", text);
            cr_assert_eq(value_kind(value_member(schemas, text + strlen(prefix))), VALUE_OBJECT,
                         "%s", text);
        }
        check_references(child, schemas);
    }
}

Test(openapi, is_sound_and_has_every_route) {
    JsonOut out;
    Issues issues;
    Document *document;
    json_init(&out);
    issues_init(&issues);
    openapi_write(&out);
    cr_assert_eq(document_parse(text_string(&out.text), out.text.length, NULL, &issues, &document),
                 OK, "%s", issues.count > 0 ? issues.items[0].detail : "");
    Value root = document_root(document);
    Value paths = value_member(root, "paths");
    cr_assert_str_eq(value_string(value_member(root, "openapi")), "3.1.0");
    check_references(root, value_member(value_member(root, "components"), "schemas"));
    for (const RouteGroup *const *group = route_groups; *group != NULL; group++)
        for (size_t i = 0; i < (*group)->count; i++)
            cr_assert_eq(value_kind(value_member(paths, (*group)->routes[i].path)), VALUE_OBJECT,
                         "%s", (*group)->routes[i].path);
    document_destroy(document);
    issues_finish(&issues);
    json_finish(&out);
}
