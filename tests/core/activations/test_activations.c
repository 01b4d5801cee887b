// Every activation: its derivative against central differences at each probe, its stability, and
// what its descriptor promises.
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include "core/activations/activations.h"
#include "core/base/error.h"
#include "core/base/rng.h"
#include "tests/support/json.h"
#include "tests/support/near.h"

enum { ROWS = 4, WIDTH = 37, COUNT = ROWS * WIDTH };

static Arena arena;

static void set_up(void) {
    arena_init(&arena, 0);
}

static void tear_down(void) {
    arena_finish(&arena);
}

TestSuite(activations, .init = set_up, .fini = tear_down);

// α of a probe: one number, or one per channel around it where it is learned.
static void fill_alpha(const ActivationDesc *activation, const char *probe, Real alpha[WIDTH]) {
    Issues issues;
    issues_init(&issues);
    const void *untyped = NULL;
    cr_assert_eq(params_read(&activation->desc, json_value(&arena, probe), NULL, NULL, &arena,
                             &issues, &untyped),
                 OK);
    const ActivationParams *params = untyped;
    for (int c = 0; c < WIDTH; c++) {
        double value = params != NULL ? params->alpha : NAN;
        alpha[c] = (Real)(activation->learned ? value + 0.01 * c : value);
    }
}

// Numbers on both sides of 0, none of them near a kink.
static void fill_inputs(Real *x, Real *dy) {
    Rng rng = rng_make(5, RNG_PROBE, 0, 0);
    for (int i = 0; i < COUNT; i++) {
        double number = 2 * rng_normal(&rng);
        x[i] = (Real)(number + copysign(0.05, number));
        dy[i] = (Real)rng_normal(&rng);
    }
}

// The derivatives of L = Σ dy · f(x).
static double loss(const ActivationDesc *activation, const Real *x, const Real *alpha,
                   const Real *dy) {
    Real y[COUNT];
    activation->f(x, y, ROWS, WIDTH, alpha);
    double sum = 0;
    for (int i = 0; i < COUNT; i++) {
        sum += (double)dy[i] * (double)y[i];
    }
    return sum;
}

// For each probe of each activation.
static void each_probe(void (*check)(const ActivationDesc *activation, const Real *alpha)) {
    for (size_t i = 0; i < activation_registry.count; i++) {
        const ActivationDesc *activation = (const ActivationDesc *)activation_registry.entries[i];
        cr_assert_not_null(activation->desc.probes, "%s has no probe", activation->desc.name);
        cr_assert_not_null(activation->desc.probes[0], "%s has no probe", activation->desc.name);
        for (const char *const *probe = activation->desc.probes; *probe != NULL; probe++) {
            Real alpha[WIDTH];
            fill_alpha(activation, *probe, alpha);
            check(activation, alpha);
        }
    }
}

static void check_derivative(const ActivationDesc *activation, const Real *alpha) {
    // Central differences lose two thirds of the digits: tight in double, rough in single
    // precision.
    const double step = cbrt(REAL_EPSILON), tolerance = 20 * step * step;
    Real x[COUNT], y[COUNT], dy[COUNT], dx[COUNT], d_alpha[WIDTH];
    fill_inputs(x, dy);
    activation->f(x, y, ROWS, WIDTH, alpha);
    activation->df(activation->backward_reads_input ? x : NULL, y, dy, dx, ROWS, WIDTH, alpha,
                   activation->learned ? d_alpha : NULL);
    for (int i = 0; i < COUNT; i++) {
        Real kept = x[i];
        x[i] = (Real)((double)kept + step);
        double above = (double)x[i], loss_above = loss(activation, x, alpha, dy);
        x[i] = (Real)((double)kept - step);
        double numeric = (loss_above - loss(activation, x, alpha, dy)) / (above - (double)x[i]);
        x[i] = kept;
        cr_assert(fabs((double)dx[i] - numeric) <= tolerance * fmax(1, fabs(numeric)),
                  "%s at %g: df is %.12g, differences say %.12g", activation->desc.name,
                  (double)kept, (double)dx[i], numeric);
    }
    if (!activation->learned) {
        return;
    }
    Real moved[WIDTH];
    memcpy(moved, alpha, sizeof(moved));
    for (int c = 0; c < WIDTH; c++) {
        moved[c] = (Real)((double)alpha[c] + step);
        double above = (double)moved[c], loss_above = loss(activation, x, moved, dy);
        moved[c] = (Real)((double)alpha[c] - step);
        double numeric = (loss_above - loss(activation, x, moved, dy)) / (above - (double)moved[c]);
        moved[c] = alpha[c];
        assert_near((double)d_alpha[c], numeric, tolerance);
    }
}

Test(activations, derivatives_agree_with_central_differences) {
    each_probe(check_derivative);
}

static void check_in_place(const ActivationDesc *activation, const Real *alpha) {
    Real x[COUNT], y[COUNT], dy[COUNT], dx[COUNT], in_place[COUNT];
    fill_inputs(x, dy);
    activation->f(x, y, ROWS, WIDTH, alpha);
    memcpy(in_place, x, sizeof(x));
    activation->f(in_place, in_place, ROWS, WIDTH, alpha);
    cr_assert_arr_eq(in_place, y, sizeof(y), "%s: y may be x", activation->desc.name);
    const Real *read = activation->backward_reads_input ? x : NULL;
    activation->df(read, y, dy, dx, ROWS, WIDTH, alpha, NULL);
    memcpy(in_place, dy, sizeof(dy));
    activation->df(read, y, in_place, in_place, ROWS, WIDTH, alpha, NULL);
    cr_assert_arr_eq(in_place, dx, sizeof(dx), "%s: dx may be dy", activation->desc.name);
}

Test(activations, work_in_place) {
    each_probe(check_in_place);
}

static void check_extremes(const ActivationDesc *activation, const Real *alpha) {
    static const double extremes[] = {0,   -0.0, 1e-30, -1e-30, 20,   -20,  89,
                                      -89, 104,  -104,  710,    -710, 1e12, -1e12};
    Real x[WIDTH] = {0}, y[WIDTH], dy[WIDTH], dx[WIDTH];
    for (size_t i = 0; i < ARRAY_LENGTH(extremes); i++) {
        for (int c = 0; c < WIDTH; c++) {
            x[c] = (Real)extremes[(i + (size_t)c) % ARRAY_LENGTH(extremes)];
            dy[c] = 1;
        }
        activation->f(x, y, 1, WIDTH, alpha);
        activation->df(activation->backward_reads_input ? x : NULL, y, dy, dx, 1, WIDTH, alpha,
                       NULL);
        for (int c = 0; c < WIDTH; c++) {
            cr_assert(isfinite(y[c]), "%s of %g is %g", activation->desc.name, (double)x[c],
                      (double)y[c]);
            cr_assert(isfinite(dx[c]), "df of %s at %g is %g", activation->desc.name, (double)x[c],
                      (double)dx[c]);
        }
    }
}

Test(activations, stay_finite_far_out) {
    each_probe(check_extremes);
}

static void check_nan(const ActivationDesc *activation, const Real *alpha) {
    Real x[WIDTH] = {0}, y[WIDTH];
    x[3] = NAN;
    x[WIDTH - 1] = NAN; // in the rest behind the whole vectors too
    activation->f(x, y, 1, WIDTH, alpha);
    cr_assert(isnan(y[3]) && isnan(y[WIDTH - 1]), "%s hides a NaN", activation->desc.name);
}

Test(activations, pass_a_nan_on) {
    each_probe(check_nan);
}

Test(activations, have_the_values_of_their_formulas) {
    static const struct {
        const char *name;
        double x, y;
    } cases[] = {
        {"linear", -1.5, -1.5},
        {"relu", -1.5, 0},
        {"relu", 1.5, 1.5},
        {"leaky_relu", -2, -0.02},
        {"prelu", -2, -0.5},
        {"elu", -1, -0.63212055882855767},
        {"selu", -1, -1.1113307378125627},
        {"selu", 2, 2.1014019747109610},
        {"gelu", 1, 0.84134474606854293},
        {"gelu", -1, -0.15865525393145707},
        {"gelu", -3, -0.0040496940948902801},
        {"gelu_tanh", 1, 0.84119199060827676},
        {"gelu_tanh", -1, -0.15880800939172324},
        {"swish", 1, 0.7310585786300049},
        {"silu", -2, -0.23840584404423515},
        {"sigmoid", 0, 0.5},
        {"sigmoid", -3, 0.047425873177566781},
        {"sigmoid", 3, 0.95257412682243322},
        {"tanh", 0.5, 0.46211715726000979},
        {"tanh", 0.001, 0.00099999966666680002},
        {"tanh", -4, -0.99932929973906703},
        {"softplus", 1, 1.3132616875182228},
        {"softplus", -20, 2.0611536181902036e-09},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const ActivationDesc *activation = activation_find(cases[i].name);
        cr_assert_not_null(activation, "%s", cases[i].name);
        Real alpha[WIDTH], x = (Real)cases[i].x, y;
        fill_alpha(activation, "{}", alpha);
        activation->f(&x, &y, 1, 1, alpha);
        cr_assert(fabs((double)y - cases[i].y) <= 8 * REAL_EPSILON * fmax(fabs(cases[i].y), 0.1),
                  "%s of %g is %.15g, not %.15g", cases[i].name, cases[i].x, (double)y, cases[i].y);
    }
}

Test(activations, softmax_is_a_distribution_whatever_is_added_to_a_row) {
    Real x[] = {1, 2, 3, 1001, 1002, 1003}, y[6];
    activation_find("softmax")->f(x, y, 2, 3, NULL);
    const double expected[] = {0.090030573170380462, 0.24472847105479764, 0.66524095577482187};
    assert_all_near(y, expected, 3, 4 * REAL_EPSILON);
    assert_all_near(y + 3, expected, 3, 4 * REAL_EPSILON);
    Real masked[] = {0, -INFINITY}, shares[2];
    activation_find("softmax")->f(masked, shares, 1, 2, NULL);
    assert_all_near(shares, ((double[]){1, 0}), 2, 0);
}

Test(activations, bounds_of_saturation_are_those_of_the_values) {
    for (size_t i = 0; i < activation_registry.count; i++) {
        const ActivationDesc *activation = (const ActivationDesc *)activation_registry.entries[i];
        cr_assert_eq(isnan(activation->lower), isnan(activation->upper));
        cr_assert_gt(activation->gain, 0);
        if (!isnan(activation->lower)) {
            Real x[] = {-1000, 1000}, y[2];
            activation->f(x, y, 1, 2, NULL);
            assert_all_near(y, ((double[]){activation->lower, activation->upper}), 2, 1e-6);
        }
    }
    cr_assert(activation_find("relu")->dies);
}
