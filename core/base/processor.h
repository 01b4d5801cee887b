// Which forms of a kernel run on the processor at hand. A kernel with several lists them, fastest first, the last for any
// processor.
#pragma once
#include <stdbool.h>

static inline bool processor_any(void) {
    return true;
}

#if defined(__x86_64__)

static inline bool processor_has_avx512(void) {
    return __builtin_cpu_supports("avx512f") != 0;
}

static inline bool processor_has_avx2(void) {
    return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
}

#endif
