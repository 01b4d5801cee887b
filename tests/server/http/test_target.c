#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/http/target.h"

static int parse(const char *raw, Target *target) {
    const char *why = NULL;
    int error = target_parse(raw, target, &why);
    if (error == ERR_INVALID)
        cr_assert_not_null(why, "%s", raw);
    return error;
}

static const char *query(const Target *target, const char *name) {
    for (size_t i = 0; i < target->queries; i++)
        if (strcmp(target->item[i].name, name) == 0)
            return target->item[i].value;
    return NULL;
}

Test(target, takes_path_and_query_apart) {
    Target target;
    cr_assert_eq(parse("/v1/jobs?status=queued&tag=a%20b+c%2B&x&&y=1=2", &target), OK);
    cr_assert_str_eq(target.path, "/v1/jobs");
    cr_assert_str_eq(query(&target, "status"), "queued");
    cr_assert_str_eq(query(&target, "tag"), "a b c+");
    cr_assert_str_eq(query(&target, "x"), "");
    cr_assert_str_eq(query(&target, "y"), "1=2");
    cr_assert_null(query(&target, "z"));
    target_finish(&target);
}

Test(target, refuses_what_no_path_is) {
    static const char *const wrong[] = {
        "",          "*",        "v1/jobs",     "http://a/v1", "/a b",           "/a\tb",
        "/%00",      "/a%0",     "/a%zz",       "/a?b=%00",    "/a?b=%4",        "/a#b",
        "/\xc3\xa4", "/a?b=%ff", "/a?b=%c0%80", "/a?b=1&b=2",  "/a?b=%ed%a0%80", "/\x7f"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        Target target;
        cr_assert_eq(parse(wrong[i], &target), ERR_INVALID, "%s", wrong[i]);
    }
}

Test(target, bounds_its_length_and_members) {
    static char raw[TARGET_LENGTH_MAX + 64] = "/?";
    Target target;
    for (int i = 0; i < TARGET_QUERIES_MAX; i++)
        sprintf(raw + strlen(raw), "a%d=1&", i);
    cr_assert_eq(parse(raw, &target), OK);
    target_finish(&target);
    strcat(raw, "more=1");
    cr_assert_eq(parse(raw, &target), ERR_INVALID);
    memset(raw, 'a', sizeof raw - 1);
    raw[0] = '/';
    cr_assert_eq(parse(raw, &target), ERR_INVALID);
}
