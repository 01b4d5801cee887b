// Every loss of the registry: each probe's gradient against central differences, values worked by
// hand, extreme logits.
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/graph/gradcheck.h"
#include "core/losses/losses.h"
#include "tests/support/json.h"
#include "tests/support/near.h"

enum { ROWS = 6, WIDTH = 4, COUNT = ROWS * WIDTH };

static Arena arena;

static void set_up(void) {
    arena_init(&arena, 0);
}

static void tear_down(void) {
    arena_finish(&arena);
}

TestSuite(losses, .init = set_up, .fini = tear_down);

static const void *params_of(const char *loss, const char *text) {
    const void *params = NULL;
    Issues issues;
    issues_init(&issues);
    cr_assert_eq(params_read(&loss_find(loss)->desc, json_value(&arena, text), NULL, NULL, &arena,
                             &issues, &params),
                 OK);
    issues_finish(&issues);
    return params;
}

static double value_of(const char *loss, LossCall call) {
    call.params = params_of(loss, "{}");
    return loss_find(loss)->value(&call);
}

#ifdef BACKPROPD_DOUBLE

typedef struct Check {
    const LossDesc *loss;
    LossCall call; // without gradients
} Check;

static double objective(void *context) {
    const Check *check = context;
    return check->loss->value(&check->call);
}

static void check_gradient(const char *name, const char *probe, const Real *class_weights) {
    Real outputs[COUNT], values[COUNT], gradients[COUNT];
    int32_t classes[ROWS] = {0, 3, -1, 2, 1, 3};
    Rng rng = rng_make(1, RNG_PROBE, 0, 0);
    for (int i = 0; i < COUNT; i++) {
        outputs[i] = 2 * rng_normal(&rng);
        values[i] = rng_uniform(&rng);
        gradients[i] = NAN;
    }
    Check check = {loss_find(name),
                   {.params = params_of(name, probe),
                    .rows = ROWS,
                    .width = WIDTH,
                    .outputs = outputs,
                    .classes = classes,
                    .values = values,
                    .class_weights = class_weights}};
    LossCall with = check.call;
    with.gradients = gradients;
    double loss = check.loss->value(&with);
    cr_assert_eq(loss, check.loss->value(&check.call), "%s depends on who wants gradients", name);
    GradcheckPart part = {.values = outputs, .gradients = gradients, .count = COUNT};
    double error =
        gradcheck_run(&(GradcheckOptions){.objective = objective, .context = &check}, &part, 1);
    cr_expect(error <= 1e-6, "%s %s: relative error %g", name, probe, error);
}

Test(losses, all_have_probes_and_right_gradients) {
    for (size_t i = 0; i < loss_registry.count; i++) {
        const Desc *desc = loss_registry.entries[i];
        cr_assert(desc->probes != NULL && desc->probes[0] != NULL, "%s has no probe", desc->name);
        for (const char *const *probe = desc->probes; *probe != NULL; probe++)
            check_gradient(desc->name, *probe, NULL);
    }
}

Test(losses, have_right_gradients_under_class_weights) {
    const Real weights[WIDTH] = {0.5, 1, 3, 7};
    check_gradient("cross_entropy", "{}", weights);
    check_gradient("cross_entropy", "{\"label_smoothing\": 0.2}", weights);
}

#endif

Test(losses, mean_over_rows_and_outputs) {
    const Real outputs[] = {1, 2, 3, 6}, values[] = {1, 4, 0, 2}; // errors 0, −2, 3, 4
    LossCall call = {.rows = 2, .width = 2, .outputs = outputs, .values = values};
    assert_near(value_of("mse", call), (4 + 9 + 16) / 4.0, 1e-7);
    assert_near(value_of("mae", call), (2 + 3 + 4) / 4.0, 1e-7);
    assert_near(value_of("huber", call), (1.5 + 2.5 + 3.5) / 4, 1e-7);
    assert_near(
        value_of(
            "binary_cross_entropy",
            (LossCall){.rows = 1, .width = 2, .outputs = (Real[]){0, 0}, .values = (Real[]){0, 1}}),
        log(2), 1e-6);
}

Test(losses, count_only_rows_that_have_a_target) {
    const Real outputs[] = {0, 0, 9, -9, 0, 0};
    Real gradients[6];
    LossCall call = {.rows = 3,
                     .width = 2,
                     .outputs = outputs,
                     .classes = (int32_t[]){0, -1, 1},
                     .gradients = gradients};
    assert_near(value_of("cross_entropy", call), log(2), 1e-6);
    assert_all_near(gradients, ((double[]){-0.25, 0.25, 0, 0, 0.25, -0.25}), 6, 1e-6);
    call.classes = (int32_t[]){-1, -1, -1};
    cr_expect_eq(value_of("cross_entropy", call), 0);
    assert_all_near(gradients, ((double[6]){0}), 6, 0);
}

// More classes than are exponentiated at a time, more rows than parts: the same by any number of threads, with and without
// gradients, as the formula gives.
Test(losses, of_many_rows_and_classes_are_the_formulas_by_any_number_of_threads) {
    enum { MANY = 2501, CLASSES = 150 };
    Real *outputs = arena_array(&arena, (size_t)MANY * CLASSES, sizeof(Real));
    Real *alone = arena_array(&arena, (size_t)MANY * CLASSES, sizeof(Real));
    Real *together = arena_array(&arena, (size_t)MANY * CLASSES, sizeof(Real));
    int32_t *classes = arena_array(&arena, MANY, sizeof(int32_t));
    Rng rng = rng_make(1, RNG_PROBE, 0, 0);
    for (int i = 0; i < MANY * CLASSES; i++)
        outputs[i] = (Real)(3 * rng_normal(&rng));
    double expected = 0;
    int counted = 0;
    for (int r = 0; r < MANY; r++) {
        classes[r] = r % 7 == 0 ? -1 : r % CLASSES;
        double sum = 0;
        for (int c = 0; c < CLASSES; c++)
            sum += exp((double)outputs[r * CLASSES + c]);
        if (classes[r] >= 0)
            expected += log(sum) - (double)outputs[r * CLASSES + classes[r]];
        counted += classes[r] >= 0;
    }
    LossCall call = {.rows = MANY, .width = CLASSES, .outputs = outputs, .classes = classes};
    double plain = value_of("cross_entropy", call);
    assert_near(plain, expected / counted, 1e-6);
    call.gradients = alone;
    cr_assert_eq(value_of("cross_entropy", call), plain);
    call.gradients = together;
    cr_assert_eq(parallel_create(3, &call.parallel), OK);
    cr_assert_eq(value_of("cross_entropy", call), plain);
    cr_assert_arr_eq(alone, together, (size_t)MANY * CLASSES * sizeof(Real));
    parallel_destroy(call.parallel);
}

Test(losses, divide_by_the_sum_of_class_weights) {
    const Real outputs[] = {0, 0, 0, (Real)log(3)}; // probabilities ½ ½, ¼ ¾
    LossCall call = {.rows = 2,
                     .width = 2,
                     .outputs = outputs,
                     .classes = (int32_t[]){0, 1},
                     .class_weights = (Real[]){1, 3}};
    assert_near(value_of("cross_entropy", call), (log(2) + 3 * log(4.0 / 3)) / 4, 1e-6);
}

Test(losses, stay_finite_at_extreme_logits) {
    const Real outputs[] = {1e4, -1e4, 0, -1e4, 1e4, 1e4};
    Real gradients[6];
    LossCall call = {.rows = 2,
                     .width = 3,
                     .outputs = outputs,
                     .classes = (int32_t[]){1, 0},
                     .values = (Real[]){0, 1, 0.5, 1, 0, 1},
                     .gradients = gradients};
    for (size_t i = 0; i < loss_registry.count; i++) {
        const char *name = loss_registry.entries[i]->name;
        memset(gradients, 0xff, sizeof(gradients)); // NaN
        cr_expect(isfinite(value_of(name, call)), "%s", name);
        for (int g = 0; g < 6; g++)
            cr_expect(isfinite((double)gradients[g]), "%s", name);
    }
    // Two rows, each wrong by 20,000.
    assert_near(value_of("cross_entropy", call), 20000 + log(2) / 2, 1e-6);
    assert_near(value_of("binary_cross_entropy", call), (1e4 + 1e4 + log(2) + 1e4 + 1e4) / 6, 1e-6);
}

Test(losses, are_zero_where_all_is_right) {
    const Real outputs[] = {1e4, -1e4, -1e4, 1e4};
    LossCall call = {
        .rows = 2, .width = 2, .outputs = outputs, .classes = (int32_t[]){0, 1}, .values = outputs};
    cr_expect_eq(value_of("cross_entropy", call), 0);
    cr_expect_eq(value_of("mse", call), 0);
    cr_expect_eq(value_of("mae", call), 0);
    cr_expect_eq(value_of("huber", call), 0);
    call.values = (Real[]){1, 0, 0, 1};
    cr_expect_eq(value_of("binary_cross_entropy", call), 0);
}
