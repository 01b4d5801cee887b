#include <criterion/criterion.h>
#include <math.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/model/sampling.h"

enum { MOST = 3000 };

static int32_t draw(const Sampling *sampling, const Real *logits, int64_t first, int64_t count,
                    uint64_t place) {
    Real work[MOST];
    int32_t token = -1;
    cr_assert_eq(sampling_draw(sampling, logits, first, count, place, work, &token), OK);
    cr_assert(token >= first && token < count);
    return token;
}

static const Real five[] = {0.5f, 2, -1, 2, 1};

Test(sampling, takes_the_likeliest_without_temperature) {
    Sampling greedy = {.temperature = 0, .top_k = 3, .seed = 9};
    for (uint64_t place = 0; place < 50; place++)
        cr_assert_eq(draw(&greedy, five, 0, 5, place), 1, "the first of two alike");
    cr_assert_eq(draw(&greedy, five, 2, 5, 0), 3, "ids below the first are none");
    cr_assert_eq(draw(&greedy, five, 4, 5, 0), 4);
}

Test(sampling, takes_the_likeliest_where_it_is_the_only_one_left) {
    for (uint64_t place = 0; place < 50; place++) {
        cr_assert_eq(draw(&(Sampling){.temperature = 5, .top_k = 1}, five, 0, 5, place), 1);
        cr_assert_eq(draw(&(Sampling){.temperature = 1e-300}, five, 2, 5, place), 3);
    }
}

// How often each of five comes in 20,000 draws.
static void count_draws(const Sampling *sampling, const Real *logits, int64_t first, double *ret) {
    for (int i = 0; i < 5; i++)
        ret[i] = 0;
    for (uint64_t place = 0; place < 20000; place++)
        ret[draw(sampling, logits, first, 5, place)] += 1.0 / 20000;
}

static void expect_shares(const double *seen, const double *wanted, const char *what) {
    for (int i = 0; i < 5; i++)
        cr_expect(fabs(seen[i] - wanted[i]) < 0.012 && (wanted[i] > 0 || seen[i] == 0),
                  "%s: %d comes in %.4f, not %.4f", what, i, seen[i], wanted[i]);
}

Test(sampling, draws_by_the_softmax_of_logits_over_temperature) {
    static const double temperatures[] = {0.5, 1, 2};
    for (size_t t = 0; t < ARRAY_LENGTH(temperatures); t++) {
        double seen[5], wanted[5], sum = 0;
        for (int i = 0; i < 5; i++)
            sum += wanted[i] = exp((double)five[i] / temperatures[t]);
        for (int i = 0; i < 5; i++)
            wanted[i] /= sum;
        count_draws(&(Sampling){.temperature = temperatures[t], .seed = 3}, five, 0, seen);
        expect_shares(seen, wanted, "all");
    }
}

Test(sampling, draws_only_from_the_top_k) {
    double seen[5], two = 1 / (2 + exp(-1.0)), one = two * exp(-1.0);
    count_draws(&(Sampling){.temperature = 1, .top_k = 3}, five, 0, seen);
    expect_shares(seen, (double[]){0, two, 0, two, one}, "three");
    count_draws(&(Sampling){.temperature = 1, .top_k = 2}, five, 0, seen);
    expect_shares(seen, (double[]){0, 0.5, 0, 0.5, 0}, "two");
    count_draws(&(Sampling){.temperature = 1, .top_k = 2}, five, 2, seen);
    expect_shares(seen, (double[]){0, 0, 0, 1 / (1 + exp(-1.0)), exp(-1.0) / (1 + exp(-1.0))},
                  "two from the third on");
    count_draws(&(Sampling){.temperature = 1, .top_k = 99}, (Real[]){1, 1, 1, 1, 1}, 0, seen);
    expect_shares(seen, (double[]){0.2, 0.2, 0.2, 0.2, 0.2}, "more than there are");
    count_draws(&(Sampling){.temperature = 1, .top_k = 2}, (Real[]){1, 1, 1, 1, 1}, 0, seen);
    expect_shares(seen, (double[]){0.5, 0.5, 0, 0, 0}, "the first of many alike");
}

Test(sampling, finds_the_top_k_of_many) {
    AUTO_FREE Real *logits = memory_array(MOST, sizeof(Real));
    for (uint64_t round = 0; round < 30; round++) {
        Rng rng = rng_make(round, RNG_PROBE, 0, 0);
        int64_t top = 1 + (int64_t)rng_below(&rng, 40), distinct = round % 2 == 0 ? 1000000 : 50;
        for (int i = 0; i < MOST; i++)
            logits[i] = (Real)rng_below(&rng, (uint64_t)distinct) / (Real)distinct;
        for (uint64_t place = 0; place < 100; place++) {
            int32_t token =
                draw(&(Sampling){.temperature = 100, .top_k = top}, logits, 0, MOST, place);
            int64_t better = 0;
            for (int32_t i = 0; i < MOST; i++)
                better += logits[i] > logits[token] || (logits[i] == logits[token] && i < token);
            cr_assert_lt(better, top);
        }
    }
}

Test(sampling, depends_on_seed_and_place_alone) {
    Real flat[64] = {0};
    int same = 0, moved = 0;
    for (uint64_t place = 0; place < 200; place++) {
        int32_t token = draw(&(Sampling){.temperature = 1, .seed = 5}, flat, 0, 64, place);
        cr_assert_eq(draw(&(Sampling){.temperature = 1, .seed = 5}, flat, 0, 64, place), token);
        same += draw(&(Sampling){.temperature = 1, .seed = 6}, flat, 0, 64, place) == token;
        moved += draw(&(Sampling){.temperature = 1, .seed = 5}, flat, 0, 64, place + 1) == token;
    }
    cr_assert(same < 20 && moved < 20);
}

Test(sampling, begins_anywhere_in_the_vocabulary) {
    int seen[8] = {0};
    for (uint64_t seed = 0; seed < 800; seed++) {
        Sampling sampling = {.temperature = 0, .seed = seed};
        int32_t token = sampling_draw_first(&sampling, 2, 8);
        cr_assert(token >= 2 && token < 8);
        cr_assert_eq(sampling_draw_first(&sampling, 2, 8), token);
        seen[token]++;
    }
    for (int i = 2; i < 8; i++)
        cr_assert_gt(seen[i], 90);
}

Test(sampling, survives_infinities_and_refuses_what_is_no_number) {
    Real work[5];
    int32_t token = 7;
    Sampling warm = {.temperature = 1}, greedy = {.temperature = 0};
    Real infinite = (Real)INFINITY;
    for (uint64_t place = 0; place < 50; place++) {
        cr_assert_eq(draw(&warm, (Real[]){1, infinite, 2, 3, -infinite}, 0, 5, place), 1);
        cr_assert_neq(draw(&warm, (Real[]){1, 1, -infinite, 1, 1}, 0, 5, place), 2);
        draw(&warm, (Real[]){-infinite, -infinite, -infinite, -infinite, -infinite}, 0, 5, place);
    }
    for (int at = 0; at < 5; at++) {
        Real broken[] = {1, 2, 3, 4, 5};
        broken[at] = (Real)NAN;
        cr_assert_eq(sampling_draw(&warm, broken, 0, 5, 0, work, &token), ERR_INVALID);
        cr_assert_eq(sampling_draw(&greedy, broken, 0, 5, 0, work, &token), ERR_INVALID);
    }
    cr_assert_eq(sampling_draw(&greedy, five, 5, 5, 0, work, &token), ERR_INVALID,
                 "no id to choose");
    cr_assert_eq(token, 7);
}
