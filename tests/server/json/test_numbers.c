#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "server/json/numbers.h"

static int read(const char *text, double *ret_number, size_t *ret_used) {
    const char *end;
    int result = number_read(text, text + strlen(text), &end, ret_number);
    *ret_used = (size_t)(end - text);
    return result;
}

static void expect_as_strtod(const char *text) {
    double number = NAN;
    size_t used;
    cr_assert_eq(read(text, &number, &used), OK, "%s", text);
    double wanted = strtod(text, NULL);
    cr_assert_eq(memcmp(&number, &wanted, sizeof number), 0, "%s: %.17g, not %.17g", text, number,
                 wanted);
    cr_assert_eq(used, strlen(text), "%s", text);
    const char *end;
    cr_assert_eq(number_check(text, text + strlen(text), &end), OK, "%s", text);
    cr_assert_eq(end, text + strlen(text), "%s", text);
    char followed[2048]; // by more digits, which are not its own
    size_t length = (size_t)snprintf(followed, sizeof followed, "%s,1234567890", text);
    cr_assert_lt(length, sizeof followed);
    cr_assert_eq(number_read(followed, followed + length, &end, &number), OK, "%s", text);
    cr_assert_eq(memcmp(&number, &wanted, sizeof number), 0, "%s: %.17g, not %.17g", followed,
                 number, wanted);
    cr_assert_eq(end, followed + strlen(text), "%s", text);
}

Test(numbers, are_the_nearest_double) {
    const char *const texts[] = {
        "0",
        "-0",
        "0.0",
        "-0.0e5",
        "1",
        "-1",
        "10",
        "0.1",
        "0.3",
        "255",
        "3.14159265358979323846",
        "1e22",
        "1e23",
        "1e-22",
        "1e-23",
        "9007199254740992",
        "9007199254740993",
        "9007199254740993e1",
        "18446744073709551615",
        "123456789012345678901234567890",
        "0.000000000000000000000000000001",
        "1.7976931348623157e308",
        "4.9e-324",
        "1e-400",
        "2.2250738585072011e-308",
        "8.5e+3",
        "8.5E-3",
        "0.5000000000000000000000000000000000000000000000000000000000000000000000000001",
        "100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        expect_as_strtod(texts[i]);
    }
}

Test(numbers, are_the_nearest_double_at_random) {
    Rng rng = rng_make(1, RNG_PROBE, 0, 0);
    for (int i = 0; i < 300000; i++) {
        char text[64];
        uint64_t bits = rng_next(&rng);
        double number;
        memcpy(&number, &bits, sizeof number);
        if (i % 3 == 0) {
            snprintf(text, sizeof text, "%.*f", (int)(bits % 9), (double)(bits >> 40) / 977.0);
        } else if (i % 3 == 1) {
            snprintf(text, sizeof text, "%llu.%llue%d", (unsigned long long)(bits >> 44),
                     (unsigned long long)(bits & 0xFFFFF), (int)(bits >> 20 & 63) - 32);
        } else if (isfinite(number)) {
            snprintf(text, sizeof text, "%.17g", number);
        } else {
            continue;
        }
        expect_as_strtod(text);
    }
}

// Decimal texts of the points halfway between two doubles or two floats, and a little to either side of them.
Test(numbers, halfway_go_to_the_even_one) {
    Rng rng = rng_make(2, RNG_PROBE, 0, 0);
    for (int i = 0; i < 20000; i++) {
        char text[1200];
        uint64_t bits = rng_next(&rng);
        int power = (int)(bits % 160) - 80 - (i % 8 == 0 ? 900 : 0); // some are denormal
        int places = i % 2 == 0 ? 54 : 25;
        uint64_t mantissa = rng_next(&rng) >> (64 - places) | 1;
        long double halfway =
            ldexpl((long double)mantissa, power - places - (i % 16 == 0 ? 120 : 0));
        int length = snprintf(text, sizeof text - 2, "%.*Lf", power < -80 ? 1150 : 200, halfway);
        cr_assert_lt(length, 1198);
        expect_as_strtod(text);
        text[length] = '1'; // a digit far behind
        text[length + 1] = '\0';
        expect_as_strtod(text);
        for (char *last = text + length - 1; last > text; last--) {
            if (*last >= '1' && *last <= '9') {
                (*last)--;
                break;
            }
        }
        expect_as_strtod(text);
    }
}

Test(numbers, of_long_mantissas_and_all_sizes) {
    Rng rng = rng_make(3, RNG_PROBE, 0, 0);
    for (int i = 0; i < 20000; i++) {
        char text[128];
        int length = 0, digits = 1 + (int)(rng_next(&rng) % 60);
        text[length++] = (char)('1' + rng_next(&rng) % 9);
        text[length++] = '.';
        for (int d = 0; d < digits; d++) {
            text[length++] = (char)('0' + rng_next(&rng) % 10);
        }
        snprintf(text + length, sizeof text - (size_t)length, "e%d",
                 (int)(rng_next(&rng) % 637) - 329);
        expect_as_strtod(text);
    }
}

Test(numbers, of_an_array_are_read_as_each_alone) {
    const char *const forms[] = {"%.0f", "%.1f", "%.3f", "%.7f", "%.8f", "%.12f", "%.6e", "%.20f"};
    const char *const commas[] = {",", ", ", ",  ", ",\n"};
    Rng rng = rng_make(4, RNG_PROBE, 0, 0);
    for (int i = 0; i < 2000; i++) {
        char text[4096];
        float wanted[64], numbers[64];
        size_t length = 0, count = 1 + rng_next(&rng) % 60, read = 0, passed = 0, plain = 0;
        for (size_t k = 0; k < count; k++) {
            char one[64];
            double scale = k % 5 == 0 ? 1e9 : 3;
            snprintf(one, sizeof one, forms[rng_next(&rng) % ARRAY_LENGTH(forms)],
                     scale * rng_normal(&rng));
            wanted[k] = (float)strtod(one, NULL);
            const char *comma =
                k + 1 == count ? "]" : commas[rng_next(&rng) % ARRAY_LENGTH(commas)];
            length += (size_t)snprintf(text + length, sizeof text - length, "%s%s", one, comma);
        }
        const char *at = text, *check = text, *end = text + length;
        while (read < count) { // what is left over is read alone
            size_t more = numbers_read(&at, end, count - read, numbers + read);
            plain += more;
            read += more;
            at += strspn(at, " \n");
            double number;
            if (read == count)
                break;
            cr_assert_eq(number_read(at, end, &at, &number), OK, "%s", at);
            numbers[read++] = (float)number;
            at += *at == ',';
            at += strspn(at, " \n");
        }
        cr_assert_eq(memcmp(numbers, wanted, count * sizeof *numbers), 0, "%s", text);
        cr_assert_eq(*at, ']');
        while (passed < count) {
            passed += numbers_check(&check, end);
            check += strspn(check, " \n");
            cr_assert_eq(number_check(check, end, &check), OK, "%s", check);
            passed++;
            check += *check == ',';
            check += strspn(check, " \n");
        }
        cr_assert_eq(passed, count);
        cr_assert_eq(*check, ']');
        cr_assert(count < 30 || plain > 0, "most are plain");
    }
}

Test(numbers, of_an_array_stop_before_what_is_none) {
    const struct {
        const char *text;
        size_t count, stop;
    } cases[] = {{"", 0, 0},
                 {"1", 0, 0},
                 {"1,", 1, 2},
                 {"1, 2]", 1, 3},
                 {"-0,01,2", 1, 3},
                 {"1.,2", 0, 0},
                 {".5,2", 0, 0},
                 {"1e3,2", 0, 0},
                 {"5,null,6", 1, 2},
                 {"5 ,6,7", 0, 0},
                 {"5,-,7", 1, 2},
                 {"5,+1,7", 1, 2},
                 {"1,[2,3]", 1, 2},
                 {"1,2,,3", 2, 4},
                 {"-,1", 0, 0},
                 {"12345678.,1", 0, 0},
                 {"0.12345678e1,1", 0, 0},
                 {"1234567890123456789,1", 0, 0},
                 {"1,\xff,2", 1, 2}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const char *end = cases[i].text + strlen(cases[i].text), *at = cases[i].text;
        float numbers[8];
        cr_assert_eq(numbers_check(&at, end), cases[i].count, "%s", cases[i].text);
        cr_assert_eq((size_t)(at - cases[i].text), cases[i].stop, "%s", cases[i].text);
        at = cases[i].text;
        cr_assert_eq(numbers_read(&at, end, 8, numbers), cases[i].count, "%s", cases[i].text);
        cr_assert_eq((size_t)(at - cases[i].text), cases[i].stop, "%s", cases[i].text);
    }
    const char *at = "1,2,3,4]";
    float numbers[3] = {0};
    cr_assert_eq(numbers_read(&at, at + strlen(at), 2, numbers), 2u);
    cr_assert_eq(*at, '3');
    cr_assert_eq(numbers[2], 0);
}

Test(numbers, keep_to_the_grammar_of_json) {
    const struct {
        const char *text;
        size_t breaks_at;
    } wrong[] = {{"", 0},     {"-", 1},  {"+1", 0},  {".5", 0}, {"5.", 2}, {"-.5", 1},  {"01", 1},
                 {"-012", 2}, {"1e", 2}, {"1e+", 3}, {"x", 0},  {"-x", 1}, {"0.e1", 2}, {"NaN", 0}};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        double number = 7;
        size_t used;
        cr_assert_eq(read(wrong[i].text, &number, &used), ERR_INVALID, "%s", wrong[i].text);
        cr_assert_eq(used, wrong[i].breaks_at, "%s breaks at %zu", wrong[i].text, used);
        cr_assert_eq(number, 7);
        const char *end;
        cr_assert_eq(number_check(wrong[i].text, wrong[i].text + strlen(wrong[i].text), &end),
                     ERR_INVALID, "%s", wrong[i].text);
        cr_assert_eq((size_t)(end - wrong[i].text), wrong[i].breaks_at, "%s", wrong[i].text);
    }
}

Test(numbers, beyond_double_are_too_large) {
    double number;
    size_t used;
    cr_assert_eq(read("1e400", &number, &used), ERR_TOO_LARGE);
    cr_assert_eq(read("-1e309,", &number, &used), ERR_TOO_LARGE);
    cr_assert_eq(used, 6u);
    const char *const checked[] = {"1e400", "-1e309", "1.7976931348623159e308",
                                   "1e99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LENGTH(checked); i++) {
        const char *end;
        cr_assert_eq(number_check(checked[i], checked[i] + strlen(checked[i]), &end),
                     ERR_TOO_LARGE);
        cr_assert_eq(end, checked[i] + strlen(checked[i]));
    }
    cr_assert_eq(read("1e99999999999999999999", &number, &used), ERR_TOO_LARGE);
    cr_assert_eq(read("1e-99999999999999999999", &number, &used), OK);
    cr_assert_eq(number, 0);
}

Test(numbers, in_cells_may_be_written_as_spreadsheets_do) {
    const struct {
        const char *text;
        double number;
    } right[] = {{" 1.5 ", 1.5}, {"+2", 2},       {".5", 0.5}, {"5.", 5},
                 {"007", 7},     {"-1e3", -1000}, {"\t0\t", 0}};
    for (size_t i = 0; i < ARRAY_LENGTH(right); i++) {
        double number;
        cr_assert_eq(number_read_cell(right[i].text, strlen(right[i].text), &number), OK, "'%s'",
                     right[i].text);
        cr_assert_eq(number, right[i].number, "'%s'", right[i].text);
    }
    const char *const wrong[] = {"",    " ",   ".",  "1 2", "1,5", "0x10",
                                 "inf", "nan", "1e", "--1", "12a", "-"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        double number;
        cr_assert_eq(number_read_cell(wrong[i], strlen(wrong[i]), &number), ERR_INVALID, "'%s'",
                     wrong[i]);
    }
}
