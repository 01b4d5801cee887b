// Loops compiled for the vectors of the processor at hand.
//
// A function marked VECTOR_LOOPS is compiled for plain x86-64, for AVX2 with FMA and for AVX-512; which one runs is
// decided when the program loads. What it calls must be inline or marked itself. FMA rounds once where the plain form
// rounds twice, so processors may differ in the last bits, but never one from itself.
#pragma once

// Under the sanitizers not: they are not ready yet when the choice is made.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) &&                        \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VECTOR_LOOPS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTOR_LOOPS
#endif
