#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "server/base/float_text.h"

// By printf and strtof, from which the texts must not differ in a byte.
static void expect_shortest(float number) {
    char text[FLOAT_TEXT], wanted[FLOAT_TEXT];
    for (int precision = 6; precision <= 9; precision++) {
        snprintf(wanted, sizeof wanted, "%.*g", precision, (double)number);
        if (strtof(wanted, NULL) == number) {
            break;
        }
    }
    size_t length = float_write(number, text);
    cr_assert_str_eq(text, wanted, "%.9g", (double)number);
    cr_assert_eq(length, strlen(wanted));
    cr_assert_eq(strtof(text, NULL), number, "%s", text);
}

static void expect_around(float number) {
    const float around[] = {number, nextafterf(number, 0), nextafterf(number, FLT_MAX)};
    for (size_t i = 0; i < ARRAY_LENGTH(around); i++) {
        if (isfinite(around[i])) {
            expect_shortest(around[i]);
            expect_shortest(-around[i]);
        }
    }
}

Test(float_text, is_what_printf_would_write) {
    for (int power = -149; power <= 127; power++) {
        expect_around(ldexpf(1, power)); // the floats below are nearer than those above
    }
    for (int power = -45; power <= 38; power++) {
        expect_around((float)pow(10, power));
        expect_around((float)(9.999995 * pow(10, power))); // rounds up to one digit more
    }
    const float others[] = {0.0f,      -0.0f,     0.1f,        0.5f,     1.5f,
                            999999.5f, 99999.95f, 1e6f,        1.0f / 3, 16777216,
                            8388609,   123456.5f, 1.00000012f, FLT_MIN,  FLT_MAX};
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        expect_around(others[i]);
    }
}

Test(float_text, is_what_printf_would_write_at_random) {
    Rng rng = rng_make(1, RNG_PROBE, 0, 0);
    for (int i = 0; i < 400000; i++) {
        uint64_t random = rng_next(&rng);
        uint32_t bits = (uint32_t)random;
        float number;
        if (i % 2 == 0) { // of the sizes of outputs and probabilities
            number = (float)(bits >> 8) * 0x1p-24f * (float)pow(10, (int)(random >> 32 & 31) - 24);
        } else if (i % 4 == 1) { // few digits, as people write them
            number = (float)(bits % 100000) / (float)pow(10, (int)(random >> 32 & 7));
        } else {
            memcpy(&number, &bits, sizeof number);
        }
        if (isfinite(number)) {
            expect_shortest(number);
        }
    }
}
