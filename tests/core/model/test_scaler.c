#include "tests/core/sample.h"
#include "core/model/scaler.h"
#include "tests/support/near.h"

TestSuite(scaler, .init = sample_begin, .fini = sample_end);

static const float x[] = {1, 10, 7, 3, NAN, 7, 5, 30, 7}; // [3, 3]; the last feature never changes
static const int32_t all[] = {0, 1, 2};

Test(scaler, standardises_each_feature) {
    Scaler scaler;
    Real z[9];
    cr_assert_eq(scaler_fit(SCALER_STANDARD, x, 3, all, 3, &scaler), OK);
    scaler_apply(&scaler, x, z, 3, 3);
    double s = sqrt(1.5);
    double expected[] = {-s, -1, 0, 0, 0, 0, s, 1, 0};
    assert_all_near(z, expected, 9, 1e-6);
    scaler_finish(&scaler);
}

Test(scaler, fits_on_the_given_rows_alone) {
    Scaler scaler;
    cr_assert_eq(scaler_fit(SCALER_STANDARD, x, 3, (int32_t[]){0, 2}, 2, &scaler), OK);
    assert_near(scaler.mean[1], 20, 1e-6);
    assert_near(scaler.factor[0], 0.5, 1e-6);
    scaler_finish(&scaler);
}

Test(scaler, undoes_what_it_did) {
    Scaler scaler;
    Real z[9];
    float back[9];
    cr_assert_eq(scaler_fit(SCALER_STANDARD, x, 3, all, 3, &scaler), OK);
    scaler_apply(&scaler, x, z, 3, 3);
    scaler_invert(&scaler, z, back, 3, 3);
    double expected[] = {1, 10, 7, 3, 20, 7, 5, 30, 7}; // what was missing is the mean now
    assert_all_near(back, expected, 9, 1e-6);
    scaler_finish(&scaler);
}

Test(scaler, divides_bytes_by_255_with_one_mean_for_the_image) {
    static const float image[] = {0, 255, NAN, 51};
    Scaler scaler;
    Real z[4];
    cr_assert_eq(scaler_fit(SCALER_BYTES, image, 4, all, 1, &scaler), OK);
    cr_assert_eq(scaler.width, 1);
    scaler_apply(&scaler, image, z, 1, 4);
    double expected[] = {0, 1, 0.4, 0.2};
    assert_all_near(z, expected, 4, 1e-6);
    scaler_finish(&scaler);
}

Test(scaler, survives_an_archive_to_the_bit) {
    Scaler scaler, loaded;
    ArchiveWriter *writer;
    Archive *archive;
    cr_assert_eq(scaler_fit(SCALER_STANDARD, x, 3, all, 3, &scaler), OK);
    cr_assert_eq(archive_writer_create(sample_directory, "s", &writer), OK);
    cr_assert_eq(scaler_save(&scaler, "input", writer), OK);
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    cr_assert_eq(archive_open(sample_directory, "s", true, &archive), OK);
    cr_assert_eq(scaler_load(archive, "input", &loaded), OK);
    cr_assert_eq(scaler_load(archive, "target", &loaded), ERR_DAMAGED);
    cr_assert_arr_eq(loaded.factor, scaler.factor, 3 * sizeof(float));
    cr_assert_arr_eq(loaded.offset, scaler.offset, 3 * sizeof(float));
    cr_assert_arr_eq(loaded.mean, scaler.mean, 3 * sizeof(float));
    archive_close(archive);
    scaler_finish(&scaler);
    scaler_finish(&loaded);
}
