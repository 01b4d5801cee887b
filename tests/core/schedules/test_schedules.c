// Every schedule: its rates, and the warm-up that all share.
#include <criterion/criterion.h>
#include <math.h>
#include "core/base/error.h"
#include "core/schedules/schedules.h"
#include "tests/support/json.h"
#include "tests/support/near.h"

static Arena arena;

static void set_up(void) {
    arena_init(&arena, 0);
}

static void tear_down(void) {
    arena_finish(&arena);
}

TestSuite(schedules, .init = set_up, .fini = tear_down);

// The rates of `steps` steps at base rate 0.8, four steps an epoch.
static void rates_of(const ScheduleDesc *schedule, Value params_value, int64_t steps,
                     double *rates) {
    Issues issues;
    issues_init(&issues);
    const void *params = NULL;
    cr_assert_eq(params_read(&schedule->desc, params_value, NULL, NULL, &arena, &issues, &params),
                 OK);
    double state[SCHEDULE_STATE] = {0};
    for (int64_t step = 1; step <= steps; step++) {
        ScheduleCall call = {.params = params,
                             .step = step,
                             .steps = steps,
                             .steps_per_epoch = 4,
                             .warmup_steps = ((const ScheduleCommon *)params)->warmup_steps,
                             .state = state};
        rates[step - 1] = schedule_rate(schedule, &call, 0.8);
    }
}

static void assert_rates(const char *name, const char *params, int64_t steps,
                         const double *expected) {
    const ScheduleDesc *schedule = schedule_find(name);
    cr_assert_not_null(schedule);
    double rates[64];
    rates_of(schedule, json_value(&arena, params), steps, rates);
    assert_all_near(rates, expected, steps, 1e-14);
}

Test(schedules, constant_stays) {
    assert_rates("constant", "{}", 3, (double[]){0.8, 0.8, 0.8});
}

Test(schedules, warm_up_rises_linearly_from_0) {
    assert_rates("constant", "{\"warmup_steps\": 4}", 6, (double[]){0.2, 0.4, 0.6, 0.8, 0.8, 0.8});
}

Test(schedules, step_falls_every_few_epochs) {
    assert_rates("step", "{\"every\": 1, \"factor\": 0.5}", 9,
                 (double[]){0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.4, 0.2});
    assert_rates("step", "{\"every\": 2, \"factor\": 0.1, \"warmup_steps\": 2}", 9,
                 (double[]){0.4, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.08});
}

// torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4, eta_min=…)
Test(schedules, cosine_falls_along_half_a_wave) {
    assert_rates("cosine", "{}", 4,
                 (double[]){0.8, 0.4 * (1 + M_SQRT1_2), 0.4, 0.4 * (1 - M_SQRT1_2)});
    assert_rates("cosine", "{\"final_factor\": 0.5}", 4,
                 (double[]){0.8, 0.4 + 0.2 * (1 + M_SQRT1_2), 0.6, 0.4 + 0.2 * (1 - M_SQRT1_2)});
}

Test(schedules, cosine_begins_behind_the_warm_up) {
    assert_rates("cosine", "{\"warmup_steps\": 2}", 4, (double[]){0.4, 0.8, 0.8, 0.4});
    assert_rates("cosine", "{\"warmup_steps\": 9}", 3, (double[]){0.8 / 9, 1.6 / 9, 2.4 / 9});
}

Test(schedules, exponential_falls_every_epoch) {
    assert_rates("exponential", "{\"factor\": 0.5}", 9,
                 (double[]){0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.4, 0.2});
}

// torch.optim.lr_scheduler.OneCycleLR(max_lr=4 · 0.8, total_steps=10, pct_start=0.5, div_factor=4)
Test(schedules, one_cycle_rises_and_falls) {
    double rates[10];
    const ScheduleDesc *schedule = schedule_find("one_cycle");
    rates_of(schedule, json_value(&arena, "{\"peak_factor\": 4, \"warmup_fraction\": 0.5}"), 10,
             rates);
    assert_near(rates[0], 0.8, 1e-14);
    assert_near(rates[2], 2, 1e-14); // half of the way up
    assert_near(rates[4], 3.2, 1e-14);
    assert_near(rates[9], 0.8e-4, 1e-14);
    for (int s = 1; s < 10; s++)
        cr_assert(s <= 4 ? rates[s] > rates[s - 1] : rates[s] < rates[s - 1]);
}

Test(schedules, one_cycle_begins_behind_the_warm_up) {
    double rates[12];
    const ScheduleDesc *schedule = schedule_find("one_cycle");
    Value params = json_value(&arena, "{\"peak_factor\": 4, \"warmup_fraction\": 0.5,"
                                      " \"warmup_steps\": 2}");
    rates_of(schedule, params, 12, rates);
    assert_all_near(rates, ((double[]){0.4, 0.8, 0.8}), 3, 1e-14);
    assert_near(rates[6], 3.2, 1e-14);
    assert_near(rates[11], 0.8e-4, 1e-14);
    rates_of(schedule, params, 1, rates);
    assert_near(rates[0], 0.4, 1e-14);
}

// torch.optim.lr_scheduler.CyclicLR(base_lr=0.2 · 0.8, max_lr=0.8, step_size_up=4)
Test(schedules, cyclic_goes_up_and_down) {
    assert_rates("cyclic", "{\"period\": 2, \"low_factor\": 0.2}", 10,
                 (double[]){0.16, 0.32, 0.48, 0.64, 0.8, 0.64, 0.48, 0.32, 0.16, 0.32});
    assert_rates("cyclic", "{\"period\": 1, \"low_factor\": 0, \"warmup_steps\": 3}", 8,
                 (double[]){0, 0, 0, 0, 0.4, 0.8, 0.4, 0});
}

// Rates of epochs (of four steps) whose losses are told at their ends.
static void assert_watched(const char *params_text, int epochs, const double *losses,
                           const double *expected) {
    const ScheduleDesc *schedule = schedule_find("plateau");
    Issues issues;
    issues_init(&issues);
    const void *params = NULL;
    cr_assert_eq(params_read(&schedule->desc, json_value(&arena, params_text), NULL, NULL, &arena,
                             &issues, &params),
                 OK);
    double state[SCHEDULE_STATE] = {0};
    for (int epoch = 0; epoch < epochs; epoch++) {
        ScheduleCall call = {.params = params,
                             .step = epoch * 4 + 1,
                             .steps = epochs * 4,
                             .steps_per_epoch = 4,
                             .state = state};
        double rate = schedule_rate(schedule, &call, 0.8);
        cr_assert_float_eq(rate, expected[epoch], 1e-14, "epoch %d: %g, not %g", epoch, rate,
                           expected[epoch]);
        schedule->watch(params, losses[epoch], state);
    }
}

Test(schedules, plateau_falls_once_its_patience_is_over) {
    assert_watched("{\"patience\": 1, \"factor\": 0.5}", 7, (double[]){3, 2, 2, 2, 2, 2, 1},
                   (double[]){0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.2});
    assert_watched("{\"patience\": 0, \"factor\": 0.1}", 4, (double[]){3, 2.9999, 1, 1},
                   (double[]){0.8, 0.8, 0.08, 0.08});
}

Test(schedules, plateau_takes_what_is_no_number_for_no_better) {
    assert_watched("{\"patience\": 1, \"factor\": 0.5}", 5, (double[]){NAN, NAN, 2, INFINITY, NAN},
                   (double[]){0.8, 0.8, 0.4, 0.4, 0.4});
}

// Ten times the base is one_cycle's default peak.
Test(schedules, probes_give_rates_between_0_and_the_peak) {
    for (size_t i = 0; i < schedule_registry.count; i++) {
        const ScheduleDesc *schedule = (const ScheduleDesc *)schedule_registry.entries[i];
        const char *const *probes = schedule->desc.probes;
        cr_assert(probes != NULL && probes[0] != NULL, "%s has no probe", schedule->desc.name);
        for (; *probes != NULL; probes++) {
            double rates[64];
            Value probe = json_value(&arena, *probes);
            int64_t steps;
            cr_assert(value_integer(value_member(probe, "steps"), 1, 64, &steps));
            rates_of(schedule, value_member(probe, "params"), steps, rates);
            for (int64_t s = 0; s < steps; s++) {
                cr_assert(rates[s] >= 0 && rates[s] <= 8);
            }
        }
    }
}
