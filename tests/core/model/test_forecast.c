#include <criterion/criterion.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/model/forecast.h"
#include "tests/support/near.h"

// Two columns, five steps: three of a window, two ahead.
static const float steps[] = {1, 10, 2, 20, 4, 30, 8, 20, 16, 60};
static const int32_t second_and_first[] = {1, 0};

static Forecast forecast_of(Transform transform) {
    return (Forecast){transform, 2, 2, second_and_first};
}

static void expect(const float *got, const double *wanted, int count) {
    for (int i = 0; i < count; i++)
        assert_near(got[i], wanted[i], 1e-6);
}

Test(forecast, names_are_those_of_the_contract) {
    static const char *const names[] = {"none", "log", "difference", "log_difference"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        Transform transform;
        cr_assert_eq(transform_parse(names[i], &transform), OK);
        cr_assert_str_eq(transform_name(transform), names[i]);
    }
    Transform transform;
    cr_assert_eq(transform_parse("logdiff", &transform), ERR_NOT_FOUND);
}

Test(forecast, inputs_differ_from_the_step_before_and_the_first_from_nothing) {
    float z[6];
    Forecast forecast = forecast_of(TRANSFORM_NONE);
    forecast_inputs(&forecast, steps, 3, z);
    expect(z, (double[]){1, 10, 2, 20, 4, 30}, 6);
    forecast = forecast_of(TRANSFORM_LOG);
    forecast_inputs(&forecast, steps, 3, z);
    expect(z, (double[]){0, log(10), log(2), log(20), log(4), log(30)}, 6);
    forecast = forecast_of(TRANSFORM_DIFFERENCE);
    forecast_inputs(&forecast, steps, 3, z);
    expect(z, (double[]){0, 0, 1, 10, 2, 10}, 6);
    forecast = forecast_of(TRANSFORM_LOG_DIFFERENCE);
    forecast_inputs(&forecast, steps, 3, z);
    expect(z, (double[]){0, 0, log(2), log(2), log(2), log(1.5)}, 6);
}

Test(forecast, targets_stand_by_horizon_then_column_and_differ_from_the_window) {
    float z[4];
    Forecast forecast = forecast_of(TRANSFORM_NONE);
    forecast_targets(&forecast, steps, 3, 2, z);
    expect(z, (double[]){20, 8, 60, 16}, 4);
    forecast = forecast_of(TRANSFORM_DIFFERENCE);
    forecast_targets(&forecast, steps, 3, 2, z);
    expect(z, (double[]){-10, 4, 40, 8}, 4);
    forecast = forecast_of(TRANSFORM_LOG_DIFFERENCE);
    forecast_targets(&forecast, steps, 3, 2, z);
    expect(z, (double[]){log(2.0 / 3), log(2), log(3), log(2)}, 4);
}

Test(forecast, undoing_gives_the_series_back) {
    for (Transform transform = TRANSFORM_NONE; transform <= TRANSFORM_LOG_DIFFERENCE; transform++) {
        float z[4];
        double values[4];
        Forecast forecast = forecast_of(transform);
        forecast_targets(&forecast, steps, 3, 2, z);
        for (int i = 0; i < 4; i++)
            values[i] = (double)z[i];
        forecast_undo(&forecast, steps, 3, 2, values);
        static const double wanted[] = {20, 8, 60, 16};
        for (int i = 0; i < 4; i++)
            assert_near(values[i], wanted[i], 1e-4);
    }
}

Test(forecast, a_missing_number_makes_missing_what_depends_on_it) {
    static const float gap[] = {1, 2, NAN, 8, 9};
    static const int32_t only[] = {0};
    Forecast forecast = {TRANSFORM_DIFFERENCE, 1, 1, only};
    float z[5];
    forecast_inputs(&forecast, gap, 5, z);
    cr_assert(z[0] == 0 && z[1] == 1 && isnan(z[2]) && isnan(z[3]) && z[4] == 1);
    cr_assert_eq(forecast_base(&forecast, gap, 3, 0), 2, "the last that is known");
    forecast_targets(&forecast, gap, 3, 2, z);
    cr_assert(z[0] == 6 && z[1] == 1, "%g %g", (double)z[0], (double)z[1]);
    cr_assert(isnan(forecast_base(&forecast, gap + 2, 1, 0)));
    static const float negative[] = {-1, 1, 2};
    forecast.transform = TRANSFORM_LOG;
    forecast_inputs(&forecast, negative, 3, z);
    cr_assert(isnan(z[0]) && z[1] == 0);
}

Test(forecast, keeps_what_models_need_and_refuses_columns_that_are_not_there) {
    char folder[] = "/tmp/forecast-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    char path[64];
    snprintf(path, sizeof(path), "%s/a", folder);
    ArchiveWriter *writer;
    Archive *archive;
    Forecast forecast = forecast_of(TRANSFORM_LOG), loaded;
    cr_assert_eq(archive_writer_create(AT_FDCWD, path, &writer), OK);
    cr_assert_eq(forecast_save(&forecast, writer), OK);
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    cr_assert_eq(archive_open(AT_FDCWD, path, true, &archive), OK);
    cr_assert_eq(forecast_load(archive, 2, &loaded), OK);
    cr_assert_eq(loaded.transform, TRANSFORM_LOG);
    cr_assert_eq(loaded.targets, 2);
    cr_assert_eq(loaded.target[0], 1);
    cr_assert_eq(forecast_load(archive, 1, &loaded), ERR_DAMAGED);
    archive_close(archive);
    unlink(path);
    rmdir(folder);
}
