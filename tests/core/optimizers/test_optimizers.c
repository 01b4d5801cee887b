// Every optimizer: two steps worked by hand in the form that torch.optim writes its rules,
// clipping, and the sums.
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/optimizers/optimizers.h"
#include "tests/support/json.h"
#include "tests/support/near.h"

enum { COUNT = 1100 }; // beyond two blocks, and no multiple of one

static Arena arena;

static void set_up(void) {
    arena_init(&arena, 0);
}

static void tear_down(void) {
    arena_finish(&arena);
}

TestSuite(optimizers, .init = set_up, .fini = tear_down);

static const void *read_params(const OptimizerDesc *optimizer, const char *json) {
    Issues issues;
    issues_init(&issues);
    const void *params = NULL;
    cr_assert_eq(params_read(&optimizer->desc, json_value(&arena, json), NULL, NULL, &arena,
                             &issues, &params),
                 OK, "%s", json);
    return params;
}

// The reference: torch.optim's rules in double, one weight at a time.
typedef struct Reference {
    double rate, decay, momentum, beta1, beta2, rms_decay, epsilon;
    bool nesterov;
    double w, slot[2];
} Reference;

static void torch_sgd(Reference *s, double g, int t) {
    g += s->decay * s->w;
    if (s->momentum > 0) {
        s->slot[0] = t == 1 ? g : s->momentum * s->slot[0] + g;
        g = s->nesterov ? g + s->momentum * s->slot[0] : s->slot[0];
    }
    s->w -= s->rate * g;
}

static void adam_rule(Reference *s, double g, int t) {
    s->slot[0] = s->beta1 * s->slot[0] + (1 - s->beta1) * g;
    s->slot[1] = s->beta2 * s->slot[1] + (1 - s->beta2) * g * g;
    double correction1 = 1 - pow(s->beta1, t), correction2 = 1 - pow(s->beta2, t);
    double divisor = sqrt(s->slot[1]) / sqrt(correction2) + s->epsilon;
    s->w -= s->rate / correction1 * s->slot[0] / divisor;
}

static void torch_adam(Reference *s, double g, int t) {
    adam_rule(s, g + s->decay * s->w, t);
}

static void torch_adamw(Reference *s, double g, int t) {
    s->w *= 1 - s->rate * s->decay;
    adam_rule(s, g, t);
}

static void torch_rmsprop(Reference *s, double g, int t) {
    (void)t;
    g += s->decay * s->w;
    s->slot[0] = s->rms_decay * s->slot[0] + (1 - s->rms_decay) * g * g;
    s->w -= s->rate * g / (sqrt(s->slot[0]) + s->epsilon);
}

static void torch_adagrad(Reference *s, double g, int t) {
    (void)t;
    g += s->decay * s->w;
    s->slot[0] += g * g;
    s->w -= s->rate * g / (sqrt(s->slot[0]) + s->epsilon);
}

// Chen et al. 2023, algorithm 2.
static void paper_lion(Reference *s, double g, int t) {
    (void)t;
    double mean = s->beta1 * s->slot[0] + (1 - s->beta1) * g;
    double direction = mean == 0 ? 0 : copysign(1, mean);
    s->slot[0] = s->beta2 * s->slot[0] + (1 - s->beta2) * g;
    s->w -= s->rate * (direction + s->decay * s->w);
}

// What a whole run shares with its reference.
static Real weights[COUNT], gradients[COUNT], slot_memory[OPTIMIZER_SLOTS_MAX][COUNT];
static Reference references[COUNT];

static void assert_follows(const char *name, const char *json, Reference reference,
                           void (*rule)(Reference *reference, double gradient, int t),
                           double gradient_scale, double clip_value) {
    const OptimizerDesc *optimizer = optimizer_find(name);
    cr_assert_not_null(optimizer);
    OptimizerCall call = {.params = read_params(optimizer, json),
                          .learning_rate = reference.rate,
                          .gradient_scale = gradient_scale,
                          .clip_value = clip_value,
                          .count = COUNT,
                          .weights = weights,
                          .gradients = gradients};
    memset(slot_memory, 0, sizeof(slot_memory));
    for (int i = 0; i < optimizer->slots(call.params); i++) {
        cr_assert_not_null(optimizer->slot_names[i]);
        call.slots[i] = slot_memory[i];
    }
    Rng rng = rng_make(11, RNG_PROBE, 0, 0);
    for (int i = 0; i < COUNT; i++) {
        weights[i] = (Real)rng_normal(&rng);
        references[i] = reference;
        references[i].w = (double)weights[i];
    }
    for (int t = 1; t <= 5; t++) {
        double update_squares = 0, weight_squares = 0;
        for (int i = 0; i < COUNT; i++) {
            gradients[i] = (Real)rng_normal(&rng);
            double g = (double)gradients[i] * gradient_scale;
            double before = references[i].w;
            rule(&references[i], fmin(fmax(g, -clip_value), clip_value), t);
            update_squares += (references[i].w - before) * (references[i].w - before);
            weight_squares += references[i].w * references[i].w;
        }
        call.step = t;
        OptimizerSums sums = optimizer->step(&call);
        assert_near(sums.update_squares / update_squares, 1, 100 * REAL_EPSILON);
        assert_near(sums.weight_squares / weight_squares, 1, 50 * REAL_EPSILON);
        for (int i = 0; i < COUNT; i++) {
            cr_assert(fabs((double)weights[i] - references[i].w) <= 40 * REAL_EPSILON,
                      "%s %s: weight %d at step %d is %.12g, not %.12g", name, json, i, t,
                      (double)weights[i], references[i].w);
        }
    }
}

Test(optimizers, sgd_follows_torch) {
    assert_follows("sgd", "{}", (Reference){.rate = 0.1}, torch_sgd, 1, INFINITY);
    assert_follows("sgd", "{\"momentum\": 0.9, \"weight_decay\": 0.01}",
                   (Reference){.rate = 0.1, .momentum = 0.9, .decay = 0.01}, torch_sgd, 1,
                   INFINITY);
    assert_follows("sgd", "{\"momentum\": 0.9, \"nesterov\": true}",
                   (Reference){.rate = 0.1, .momentum = 0.9, .nesterov = true}, torch_sgd, 1,
                   INFINITY);
}

Test(optimizers, adam_follows_torch) {
    Reference reference = {.rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    assert_follows("adam", "{}", reference, torch_adam, 1, INFINITY);
    reference.decay = 0.1;
    reference.beta1 = 0.5;
    assert_follows("adam", "{\"weight_decay\": 0.1, \"beta1\": 0.5}", reference, torch_adam, 1,
                   INFINITY);
}

Test(optimizers, adamw_follows_torch) {
    Reference reference = {
        .rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .decay = 0.01};
    assert_follows("adamw", "{}", reference, torch_adamw, 1, INFINITY);
    reference.decay = 0.3;
    assert_follows("adamw", "{\"weight_decay\": 0.3}", reference, torch_adamw, 1, INFINITY);
}

Test(optimizers, rmsprop_follows_torch) {
    Reference reference = {.rate = 0.01, .rms_decay = 0.9, .epsilon = 1e-8};
    assert_follows("rmsprop", "{}", reference, torch_rmsprop, 1, INFINITY);
    reference.decay = 0.1;
    reference.rms_decay = 0.5;
    assert_follows("rmsprop", "{\"weight_decay\": 0.1, \"decay\": 0.5}", reference, torch_rmsprop,
                   1, INFINITY);
}

Test(optimizers, adagrad_follows_torch) {
    Reference reference = {.rate = 0.1, .epsilon = 1e-10};
    assert_follows("adagrad", "{}", reference, torch_adagrad, 1, INFINITY);
    reference.decay = 0.1;
    reference.epsilon = 0.01;
    assert_follows("adagrad", "{\"weight_decay\": 0.1, \"epsilon\": 0.01}", reference,
                   torch_adagrad, 1, INFINITY);
}

Test(optimizers, lion_follows_its_paper) {
    Reference reference = {.rate = 0.1, .beta1 = 0.9, .beta2 = 0.99};
    assert_follows("lion", "{}", reference, paper_lion, 1, INFINITY);
    reference = (Reference){.rate = 0.1, .beta1 = 0.5, .beta2 = 0.8, .decay = 0.3};
    assert_follows("lion", "{\"weight_decay\": 0.3, \"beta1\": 0.5, \"beta2\": 0.8}", reference,
                   paper_lion, 0.5, 0.2);
}

Test(optimizers, lion_leaves_weights_without_a_gradient_where_they_are) {
    const OptimizerDesc *lion = optimizer_find("lion");
    Real w[] = {1, -1}, g[2] = {0}, m[2] = {0};
    OptimizerCall call = {.params = read_params(lion, "{}"),
                          .learning_rate = 0.1,
                          .step = 1,
                          .gradient_scale = 1,
                          .clip_value = INFINITY,
                          .count = 2,
                          .weights = w,
                          .gradients = g,
                          .slots = {m}};
    lion->step(&call);
    assert_all_near(w, ((double[]){1, -1}), 2, 0);
}

Test(optimizers, gradients_are_scaled_then_bounded_before_the_decay) {
    assert_follows("sgd", "{\"weight_decay\": 0.5}", (Reference){.rate = 0.1, .decay = 0.5},
                   torch_sgd, 0.5, 0.2);
    assert_follows("adam", "{}",
                   (Reference){.rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8},
                   torch_adam, 0.25, 0.1);
}

// w = 1, g = 0.5, rate 0.1, momentum 0.9: 1 − 0.05 = 0.95, then v = 0.95 and 0.95 − 0.095 = 0.855.
Test(optimizers, sgd_by_hand) {
    const OptimizerDesc *sgd = optimizer_find("sgd");
    Real w = 1, g = (Real)0.5, v = 0;
    OptimizerCall call = {.params = read_params(sgd, "{\"momentum\": 0.9}"),
                          .learning_rate = 0.1,
                          .gradient_scale = 1,
                          .clip_value = INFINITY,
                          .count = 1,
                          .weights = &w,
                          .gradients = &g,
                          .slots = {&v}};
    call.step = 1;
    OptimizerSums sums = sgd->step(&call);
    assert_near((double)w, 0.95, 2 * REAL_EPSILON);
    assert_near(sums.update_squares, 0.0025, 2 * REAL_EPSILON);
    assert_near(sums.weight_squares, 0.9025, 4 * REAL_EPSILON);
    call.step = 2;
    sgd->step(&call);
    assert_near((double)w, 0.855, 2 * REAL_EPSILON);
    assert_near((double)v, 0.95, 2 * REAL_EPSILON);
}

// The first step of Adam is the rate, whatever the gradient's size.
Test(optimizers, adam_by_hand) {
    const OptimizerDesc *adam = optimizer_find("adam");
    Real w[] = {1, 1}, g[] = {1000, (Real)-0.001}, m[2] = {0}, v[2] = {0};
    OptimizerCall call = {.params = read_params(adam, "{}"),
                          .learning_rate = 0.1,
                          .step = 1,
                          .gradient_scale = 1,
                          .clip_value = INFINITY,
                          .count = 2,
                          .weights = w,
                          .gradients = g,
                          .slots = {m, v}};
    adam->step(&call);
    assert_all_near(w, ((double[]){0.9, 1.1}), 2, 2e-6);
}

Test(optimizers, a_nan_reaches_the_sums) {
    for (size_t i = 0; i < optimizer_registry.count; i++) {
        const OptimizerDesc *optimizer = (const OptimizerDesc *)optimizer_registry.entries[i];
        memset(slot_memory, 0, sizeof(slot_memory));
        memset(weights, 0, sizeof(weights));
        memset(gradients, 0, sizeof(gradients));
        gradients[700] = NAN;
        OptimizerCall call = {.params = read_params(optimizer, "{}"),
                              .learning_rate = 0.1,
                              .step = 1,
                              .gradient_scale = 1,
                              .clip_value = 1,
                              .count = COUNT,
                              .weights = weights,
                              .gradients = gradients,
                              .slots = {slot_memory[0], slot_memory[1], slot_memory[2]}};
        cr_assert(isnan(optimizer->step(&call).weight_squares), "%s", optimizer->desc.name);
    }
}

Test(optimizers, probes_go_downhill) {
    for (size_t i = 0; i < optimizer_registry.count; i++) {
        const OptimizerDesc *optimizer = (const OptimizerDesc *)optimizer_registry.entries[i];
        const char *const *probes = optimizer->desc.probes;
        cr_assert(probes != NULL && probes[0] != NULL, "%s has no probe", optimizer->desc.name);
        for (; *probes != NULL; probes++) {
            memset(slot_memory, 0, sizeof(slot_memory));
            Real w = 3, g; // of the loss w² / 2
            const OptimizerCommon *common = read_params(optimizer, *probes);
            for (int64_t t = 1; t <= 200; t++) {
                g = w;
                optimizer->step(
                    &(OptimizerCall){.params = common,
                                     .learning_rate = common->learning_rate,
                                     .step = t,
                                     .gradient_scale = 1,
                                     .clip_value = INFINITY,
                                     .count = 1,
                                     .weights = &w,
                                     .gradients = &g,
                                     .slots = {slot_memory[0], slot_memory[1], slot_memory[2]}});
            }
            cr_assert_lt(fabs((double)w), 0.3, "%s %s ends at %g", optimizer->desc.name, *probes,
                         (double)w);
        }
    }
}
