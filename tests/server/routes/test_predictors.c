#include <criterion/criterion.h>
#include "core/base/error.h"
#include "server/routes/predictors.h"

Test(predictors, count_what_those_who_share_take) {
    const size_t mebibyte = (size_t)1 << 20, most = 1024 * mebibyte;
    Predictors *predictors;
    cr_assert_eq(predictors_create(-1, &predictors), OK);
    cr_assert(predictors_reserve(predictors, 3 * most), "one alone may have any");
    cr_assert_not(predictors_reserve(predictors, 1));
    predictors_release(predictors, 3 * most);
    cr_assert(predictors_reserve(predictors, most - mebibyte));
    cr_assert_not(predictors_reserve(predictors, mebibyte + 1));
    cr_assert_not(predictors_reserve(predictors, SIZE_MAX));
    cr_assert(predictors_reserve(predictors, mebibyte));
    predictors_release(predictors, most);
    predictors_destroy(predictors);
}
