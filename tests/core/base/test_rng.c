// Keyed random numbers, and SHA-256.
#include <criterion/criterion.h>
#include <math.h>
#include "core/base/hash.h"
#include "core/base/rng.h"
#include "tests/support/near.h"

Test(rng, repeats_for_the_same_key_and_differs_for_any_other) {
    uint64_t first[6];
    Rng rngs[] = {
        rng_make(1, RNG_ORDER, 2, 3), rng_make(1, RNG_ORDER, 2, 3), rng_make(2, RNG_ORDER, 2, 3),
        rng_make(1, RNG_SPLIT, 2, 3), rng_make(1, RNG_ORDER, 3, 2), rng_make(1, RNG_ORDER, 2, 4),
    };
    for (int i = 0; i < 6; i++) {
        first[i] = rng_next(&rngs[i]);
    }
    cr_assert_eq(first[0], first[1]);
    for (int i = 1; i < 6; i++) {
        for (int j = i + 1; j < 6; j++) {
            cr_assert_neq(first[i], first[j]);
        }
    }
}

// Written down once: a change of the generator would change every run that was ever seeded.
Test(rng, never_changes) {
    Rng rng = rng_make(0, RNG_WEIGHTS, 0, 0);
    cr_assert_eq(rng_next(&rng), 0x4187289d9ca12d9fu);
    cr_assert_eq(rng_next(&rng), 0x32fdd3cfd1ff0fb1u);
}

Test(rng, uniform_and_normal_have_their_moments) {
    enum { COUNT = 200000 };
    Rng rng = rng_make(7, RNG_PROBE, 0, 0);
    double sum = 0, squares = 0, cubes = 0, fourths = 0, uniform = 0, uniform_squares = 0;
    for (int i = 0; i < COUNT; i++) {
        double u = rng_uniform(&rng), n = rng_normal(&rng);
        cr_assert(u >= 0 && u < 1);
        uniform += u;
        uniform_squares += u * u;
        sum += n;
        squares += n * n;
        cubes += n * n * n;
        fourths += n * n * n * n;
    }
    assert_near(uniform / COUNT, 0.5, 0.005);
    assert_near(uniform_squares / COUNT, 1.0 / 3, 0.005);
    assert_near(sum / COUNT, 0, 0.01);
    assert_near(squares / COUNT, 1, 0.02);
    assert_near(cubes / COUNT, 0, 0.04);
    assert_near(fourths / COUNT, 3, 0.04);
}

Test(rng, below_is_even) {
    Rng rng = rng_make(7, RNG_PROBE, 1, 0);
    int counts[6] = {0};
    for (int i = 0; i < 60000; i++) {
        uint64_t number = rng_below(&rng, 6);
        cr_assert_lt(number, 6);
        counts[number]++;
    }
    for (int i = 0; i < 6; i++) {
        cr_assert(abs(counts[i] - 10000) < 400, "%d came %d times", i, counts[i]);
    }
    cr_assert_eq(rng_below(&rng, 1), 0);
}

Test(rng, shuffle_permutes_evenly) {
    int places[4][4] = {0};
    for (uint64_t round = 0; round < 24000; round++) {
        int32_t items[4] = {0, 1, 2, 3};
        Rng rng = rng_make(3, RNG_ORDER, round, 0);
        rng_shuffle(&rng, items, 4);
        cr_assert_eq(items[0] + items[1] + items[2] + items[3], 6);
        for (int i = 0; i < 4; i++) {
            places[i][items[i]]++;
        }
    }
    for (int i = 0; i < 16; i++) {
        cr_assert(abs(places[i / 4][i % 4] - 6000) < 300);
    }
    Rng rng = rng_make(3, RNG_ORDER, 0, 0);
    rng_shuffle(&rng, NULL, 0);
}

Test(hash, gives_the_digests_of_the_standard) {
    char text[HASH_TEXT];
    hash_of("abc", 3, text);
    cr_assert_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash_of("", 0, text);
    cr_assert_str_eq(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
