#include <criterion/criterion.h>
#include "core/base/error.h"
#include "server/http/problem.h"

Test(problem, is_what_rfc_9457_asks_for) {
    JsonOut out;
    json_init(&out);
    problem_write(&out, 404, "There is no such \"job\".", NULL);
    cr_assert_str_eq(text_string(&out.text),
                     "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
                     "\"detail\":\"There is no such \\\"job\\\".\"}");
    json_finish(&out);
}

Test(problem, names_every_mistake_with_its_pointer) {
    JsonOut out;
    Issues issues;
    json_init(&out);
    issues_init(&issues);
    issues_add(&issues, PATH_INDEX(PATH_KEY(NULL, "a/b"), 1), "must be %d", 2);
    issues_add_at(&issues, "", "is wrong");
    problem_write(&out, 422, "x", &issues);
    cr_assert_not_null(strstr(text_string(&out.text),
                              "\"errors\":[{\"pointer\":\"/a~1b/1\",\"detail\":\"must be 2\"},"
                              "{\"pointer\":\"\",\"detail\":\"is wrong\"}]"));
    issues_finish(&issues);
    json_finish(&out);
}

Test(problem, every_code_has_a_status) {
    cr_assert_eq(problem_status(ERR_NOT_FOUND), 404);
    cr_assert_eq(problem_status(ERR_CONFLICT), 409);
    cr_assert_eq(problem_status(ERR_TOO_LARGE), 413);
    cr_assert_eq(problem_status(ERR_INVALID), 422);
    cr_assert_eq(problem_status(ERR_NO_MEMORY), 503);
    cr_assert_eq(problem_status(ERR_IO), 500);
    cr_assert_eq(problem_status(-12345), 500);
}
