// OpenBLAS chooses its kernels and its threads while it loads: as server/main/main.c, the program sets what is not set and
// executes itself again, once.
#pragma once
#include <stdlib.h>
#include <unistd.h>
#include "core/tensor/blas.h"

static inline void environment_settle(char **argv) {
    const char *core = blas_core_wanted();
    if (getenv("OPENBLAS_NUM_THREADS") != NULL)
        return;
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    if (core != NULL)
        setenv("OPENBLAS_CORETYPE", core, 0);
    execv("/proc/self/exe", argv);
}
