#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/data/profile.h"

static char *profile_of(const float *inputs, int64_t rows, Shape shape, const Targets *targets,
                        char **ret_findings) {
    JsonOut out;
    json_init(&out);
    Findings findings;
    findings_init(&findings);
    json_begin_object(&out, NULL);
    ProfileInputs given = {.numbers = inputs, .rows = rows, .shape = shape};
    cr_assert_eq(profile_write(&given, NULL, targets, &out, &findings), OK);
    json_end_object(&out);
    *ret_findings = findings_take(&findings);
    return text_take(&out.text);
}

Test(profile, counts_distinct_values_exactly_up_to_its_bound_and_says_when_not) {
    Targets targets;
    targets_init(&targets, -1);
    for (int64_t rows = PROFILE_DISTINCT_MAX; rows <= PROFILE_DISTINCT_MAX + 1; rows++) {
        float *inputs = memory_array((size_t)rows, sizeof *inputs);
        for (int64_t i = 0; i < rows; i++) {
            inputs[i] = (float)i;
        }
        char *findings;
        char *profile = profile_of(inputs, rows, SHAPE(1), &targets, &findings);
        cr_assert_not_null(strstr(profile, "\"distinct\":100000"), "%s", profile);
        cr_assert_eq(strstr(profile, "\"approximate\":true") != NULL, rows > PROFILE_DISTINCT_MAX);
        memory_free(findings);
        memory_free(profile);
        memory_free(inputs);
    }
}

Test(profile, statistics_hold_far_from_zero) {
    enum { ROWS = 5000 };
    float *inputs = memory_array(ROWS * 2, sizeof *inputs);
    for (int i = 0; i < ROWS; i++) {
        inputs[2 * i] = 1e6f + (float)(i % 2); // mean 1e6 + 0.5, deviation 0.5
        inputs[2 * i + 1] = i % 2 == 0 ? 0.0f : -0.0f;
    }
    Targets targets;
    targets_init(&targets, -1);
    char *findings;
    char *profile = profile_of(inputs, ROWS, SHAPE(2), &targets, &findings);
    cr_assert_not_null(strstr(profile, "\"name\":\"0\",\"mean\":1000000.5,\"std\":0.5,\"min\":"
                                       "1000000,\"max\":1000001,\"missing\":0,\"distinct\":2"),
                       "%s", profile);
    cr_assert_not_null(
        strstr(
            profile,
            "\"name\":\"1\",\"mean\":0,\"std\":0,\"min\":0,\"max\":0,\"missing\":0,\"distinct\":1"),
        "%s", profile);
    memory_free(findings);
    memory_free(profile);
    memory_free(inputs);
}

Test(profile, lists_so_many_features_and_counts_the_rest) {
    enum { WIDTH = PROFILE_FEATURES_MAX + 5 };
    float *inputs = memory_array(WIDTH * 2, sizeof *inputs);
    inputs[0] = NAN;
    Targets targets;
    targets_init(&targets, -1);
    char *findings;
    char *profile = profile_of(inputs, 2, SHAPE(WIDTH / 5, 5), &targets, &findings);
    cr_assert_not_null(strstr(profile, "\"features_omitted\":5"));
    cr_assert_not_null(strstr(profile, "{\"name\":\"0,0\","));
    cr_assert_not_null(strstr(profile, "{\"name\":\"199,4\","));
    cr_assert_null(strstr(profile, "\"200,0\""));
    cr_assert_not_null(strstr(findings, "\"missing_values\",\"severity\":\"warning\""));
    memory_free(findings);
    memory_free(profile);
    memory_free(inputs);
}
