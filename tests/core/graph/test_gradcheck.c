// The check itself: it must find what is wrong, not only pass what is right.
#include <criterion/criterion.h>
#include <math.h>
#include "core/graph/gradcheck.h"
#include "tests/support/near.h"

typedef struct Cubes {
    Real values[50];
    size_t count;
    int calls;
} Cubes;

static double sum_of_cubes(void *context) {
    Cubes *cubes = context;
    cubes->calls++;
    double sum = 0;
    for (size_t i = 0; i < cubes->count; i++)
        sum += cubes->values[i] * cubes->values[i] * cubes->values[i];
    return sum;
}

static double check(Cubes *cubes, Real *gradients, double *numeric, size_t max_elements) {
    GradcheckPart part = {
        .values = cubes->values, .gradients = gradients, .count = cubes->count, .numeric = numeric};
    GradcheckOptions options = {
        .max_elements = max_elements, .seed = 1, .objective = sum_of_cubes, .context = cubes};
    return gradcheck_run(&options, &part, 1);
}

Test(gradcheck, passes_right_gradients_and_leaves_the_values) {
    Cubes cubes = {.values = {1, -2, 0}, .count = 3};
    Real gradients[] = {3, 12, 0};
    double numeric[3];
    cr_expect_leq(check(&cubes, gradients, numeric, 0), 1e-8);
    assert_all_near(numeric, gradients, 3, 1e-7);
    assert_all_near(cubes.values, ((Real[]){1, -2, 0}), 3, 0);
}

Test(gradcheck, finds_a_wrong_gradient) {
    Cubes cubes = {.values = {1, -2, 0}, .count = 3};
    assert_near(check(&cubes, (Real[]){3, 12.12, 0}, NULL, 0), 0.12 / 12.12, 1e-6);
    cr_expect(isinf(check(&cubes, (Real[]){3, NAN, 0}, NULL, 0)));
}

Test(gradcheck, bounds_its_work_by_a_sample) {
    Cubes cubes = {.count = 50};
    Real gradients[50] = {0};
    double numeric[50];
    check(&cubes, gradients, numeric, 10);
    int sampled = 0;
    for (size_t i = 0; i < cubes.count; i++)
        sampled += !isnan(numeric[i]);
    cr_expect(sampled > 0 && sampled <= 10);
    cr_expect_leq(cubes.calls, 10 * 13); // four steps both ways, and two more around the middle
}

// What a sample happens to hold must not decide by what its errors are measured, nor hide the one that matters most.
Test(gradcheck, looks_at_the_largest_gradient_in_any_case) {
    for (size_t largest = 0; largest < 50; largest++) {
        Cubes cubes = {.count = 50};
        Real gradients[50];
        double numeric[50];
        for (size_t i = 0; i < cubes.count; i++) {
            cubes.values[i] = i == largest ? 10 : 1;
            gradients[i] = i == largest ? 300 : 3 + 1e-6;
        }
        cr_expect_leq(check(&cubes, gradients, numeric, 5), 1e-8);
        cr_expect_not(isnan(numeric[largest]));
        gradients[largest] = 303;
        assert_near(check(&cubes, gradients, NULL, 5), 3. / 303, 1e-6);
    }
}

Test(gradcheck, finds_what_is_not_finite_outside_the_sample) {
    for (size_t i = 0; i < 50; i++) {
        Cubes cubes = {.count = 50};
        Real gradients[50] = {0};
        gradients[i] = i % 2 == 0 ? NAN : -INFINITY;
        gradients[(i + 1) % 50] = 5;
        cr_expect(isinf(check(&cubes, gradients, NULL, 3)), "at %zu", i);
    }
}

static double curve(void *context) {
    return 1e6 + sin((double)*(Real *)context);
}

// A sum so large that a short step's difference is lost in its rounding.
Test(gradcheck, takes_longer_steps_where_rounding_asks_for_them) {
    Real value = 0.5;
    GradcheckPart part = {.values = &value, .gradients = (Real[]){cos(0.5)}, .count = 1};
    GradcheckOptions options = {.objective = curve, .context = &value};
    cr_expect_leq(gradcheck_run(&options, &part, 1), 1e-6);
}

static double kinked(void *context) {
    return fabs((double)*(Real *)context);
}

Test(gradcheck, steps_around_a_kink) {
    Real value = 3e-6;
    GradcheckPart part = {.values = &value, .gradients = (Real[]){1}, .count = 1};
    GradcheckOptions options = {.objective = kinked, .context = &value};
    cr_expect_leq(gradcheck_run(&options, &part, 1), 1e-8);
}

static double ramp(void *context) {
    return fmax(0, (double)*(Real *)context);
}

Test(gradcheck, stands_on_a_kink) {
    Real value = 0;
    const double right[] = {0, 1}; // ReLU's slope to either side
    GradcheckOptions options = {.objective = ramp, .context = &value};
    for (int i = 0; i < 2; i++) {
        GradcheckPart part = {.values = &value, .gradients = (Real[]){(Real)right[i]}, .count = 1};
        cr_expect_leq(gradcheck_run(&options, &part, 1), 1e-8);
    }
    GradcheckPart wrong = {.values = &value, .gradients = (Real[]){0.3}, .count = 1};
    cr_expect_geq(gradcheck_run(&options, &wrong, 1), 0.1);
}
