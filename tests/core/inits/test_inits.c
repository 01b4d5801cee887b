// Every initialiser: what its numbers are distributed like.
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/inits/inits.h"
#include "tests/support/json.h"
#include "tests/support/near.h"

enum { ROWS = 300, COLUMNS = 200, COUNT = ROWS * COLUMNS };

static Real weight[COUNT];

static void fill(const char *name, const char *params_json, size_t rows, size_t columns) {
    const InitDesc *init = init_find(name);
    cr_assert_not_null(init, "%s", name);
    Arena arena;
    Issues issues;
    arena_init(&arena, 0);
    issues_init(&issues);
    const void *params = NULL;
    cr_assert_eq(params_read(&init->desc, json_value(&arena, params_json), NULL, NULL, &arena,
                             &issues, &params),
                 OK, "%s %s", name, params_json);
    Rng rng = rng_make(3, RNG_WEIGHTS, 0, 0);
    init->fill(&(InitCall){.params = params,
                           .fan_in = (double)rows,
                           .fan_out = (double)columns,
                           .rows = rows,
                           .columns = columns,
                           .stride = columns,
                           .rng = &rng},
               weight);
    arena_finish(&arena);
}

static const struct {
    const char *name, *params;
    double variance, bound; // 0: unbounded, a normal distribution
} spreads[] = {
    {"glorot_uniform", "{}", 2.0 / 500, 0.10954451150103323},
    {"xavier_uniform", "{}", 2.0 / 500, 0.10954451150103323},
    {"glorot_normal", "{}", 2.0 / 500, 0},
    {"xavier_normal", "{}", 2.0 / 500, 0},
    {"he_uniform", "{}", 2.0 / 300, 0.14142135623730951},
    {"he_normal", "{}", 2.0 / 300, 0},
    {"lecun_normal", "{}", 1.0 / 300, 0},
    {"normal", "{\"scale\": 0.3}", 0.09, 0},
    {"uniform", "{\"scale\": 0.3}", 0.03, 0.3},
    {"normal", "{}", 0.0025, 0},
};

Test(inits, have_the_spread_of_their_rules) {
    for (size_t i = 0; i < ARRAY_LENGTH(spreads); i++) {
        fill(spreads[i].name, spreads[i].params, ROWS, COLUMNS);
        double sum = 0, squares = 0, fourths = 0, greatest = 0;
        for (size_t j = 0; j < COUNT; j++) {
            double number = (double)weight[j];
            sum += number;
            squares += number * number;
            fourths += number * number * number * number;
            greatest = fmax(greatest, fabs(number));
        }
        double variance = squares / COUNT, kurtosis = fourths / COUNT / (variance * variance);
        cr_assert_lt(fabs(sum / COUNT), 4 * sqrt(spreads[i].variance / COUNT), "%s",
                     spreads[i].name);
        cr_assert_lt(fabs(variance / spreads[i].variance - 1), 0.03, "%s: %g, not %g",
                     spreads[i].name, variance, spreads[i].variance);
        if (spreads[i].bound > 0) {
            cr_assert_leq(greatest, spreads[i].bound * (1 + REAL_EPSILON));
            cr_assert_gt(greatest, 0.99 * spreads[i].bound);
            cr_assert_lt(fabs(kurtosis - 1.8), 0.1);
        } else {
            cr_assert_lt(fabs(kurtosis - 3), 0.15);
        }
    }
}

static const struct {
    const char *name, *params;
    double value;
} constants[] = {{"zeros", "{}", 0}, {"ones", "{}", 1}, {"constant", "{\"value\": -0.5}", -0.5}};

Test(inits, constants_are_constant) {
    for (size_t i = 0; i < ARRAY_LENGTH(constants); i++) {
        weight[7] = 9;
        fill(constants[i].name, constants[i].params, 2, 4);
        for (size_t j = 0; j < 8; j++) {
            cr_assert_eq((double)weight[j], constants[i].value);
        }
    }
}

static double inner(size_t a, size_t b, size_t length, size_t stride, size_t step) {
    double sum = 0;
    for (size_t e = 0; e < length; e++) {
        sum += (double)weight[a * stride + e * step] * (double)weight[b * stride + e * step];
    }
    return sum;
}

Test(inits, orthogonal_has_unit_vectors_at_right_angles) {
    static const size_t shapes[][2] = {{20, 20}, {12, 40}, {40, 12}, {1, 5}, {5, 1}, {1, 1}};
    for (size_t i = 0; i < ARRAY_LENGTH(shapes); i++) {
        size_t rows = shapes[i][0], columns = shapes[i][1];
        fill("orthogonal", "{}", rows, columns);
        bool wide = rows < columns;
        size_t count = wide ? rows : columns, length = wide ? columns : rows;
        for (size_t a = 0; a < count; a++) {
            for (size_t b = 0; b <= a; b++) {
                double product = inner(a, b, length, wide ? columns : 1, wide ? 1 : columns);
                assert_near(product, a == b ? 1 : 0, 20 * REAL_EPSILON);
            }
        }
    }
}

Test(inits, repeat_for_the_same_generator_and_have_probes) {
    static Real first[COUNT];
    for (size_t i = 0; i < init_registry.count; i++) {
        const Desc *desc = init_registry.entries[i];
        cr_assert(desc->probes != NULL && desc->probes[0] != NULL, "%s has no probe", desc->name);
        for (const char *const *probe = desc->probes; *probe != NULL; probe++) {
            fill(desc->name, *probe, 30, 20);
            for (size_t j = 0; j < 600; j++) {
                cr_assert(isfinite(weight[j]));
                first[j] = weight[j];
            }
            fill(desc->name, *probe, 30, 20);
            cr_assert_arr_eq(first, weight, 600 * sizeof(Real));
        }
    }
}

Test(inits, are_all_measured) {
    for (size_t i = 0; i < init_registry.count; i++) {
        const char *name = init_registry.entries[i]->name;
        bool found = strcmp(name, "orthogonal") == 0;
        for (size_t c = 0; c < ARRAY_LENGTH(spreads); c++)
            found = found || strcmp(name, spreads[c].name) == 0;
        for (size_t c = 0; c < ARRAY_LENGTH(constants); c++)
            found = found || strcmp(name, constants[c].name) == 0;
        cr_expect(found, "no test says how %s is distributed", name);
    }
}
