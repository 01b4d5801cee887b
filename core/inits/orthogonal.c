// A random orthogonal matrix: normal numbers, orthonormalised along the shorter side by Gram and
// Schmidt, so the shorter side's vectors have length 1 and are at right angles to each other.
//
// Each vector is freed twice from those before it, in double: once is not enough in floating point,
// twice is (Giraud et al. 2005). A vector that turns out to depend on the others, which is next to
// impossible, is drawn again.
#include <math.h>
#include "core/base/vector.h"
#include "core/inits/draw.h"

enum { LANES = 8 };

// Vector v of a matrix: element e is at data[v · stride + e · step].
typedef struct Vectors {
    Real *data;
    size_t count, length, stride, step;
} Vectors;

// Sums run in LANES partial sums, so that they become vector code.
static inline double dot_steps(const Real *x, const Real *y, size_t length, size_t step) {
    double lane[LANES] = {0};
    size_t whole = length - length % LANES;
    for (size_t e = 0; e < whole; e += LANES) {
        for (size_t j = 0; j < LANES; j++) {
            lane[j] += (double)x[(e + j) * step] * (double)y[(e + j) * step];
        }
    }
    for (size_t e = whole; e < length; e++) {
        lane[e - whole] += (double)x[e * step] * (double)y[e * step];
    }
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

// x −= along · y
static inline void subtract_steps(Real *restrict x, const Real *restrict y, double along,
                                  size_t length, size_t step) {
    for (size_t e = 0; e < length; e++) {
        x[e * step] = (Real)((double)x[e * step] - along * (double)y[e * step]);
    }
}

VECTOR_LOOPS static double dot_rows(const Real *x, const Real *y, size_t length) {
    return dot_steps(x, y, length, 1);
}

VECTOR_LOOPS static void subtract_rows(Real *restrict x, const Real *restrict y, double along,
                                       size_t length) {
    subtract_steps(x, y, along, length, 1);
}

static double dot(const Vectors *vectors, size_t a, size_t b) {
    const Real *x = vectors->data + a * vectors->stride, *y = vectors->data + b * vectors->stride;
    return vectors->step == 1 ? dot_rows(x, y, vectors->length)
                              : dot_steps(x, y, vectors->length, vectors->step);
}

// Takes from vector v its part along each vector before it.
static void project_out(const Vectors *vectors, size_t v) {
    Real *x = vectors->data + v * vectors->stride;
    for (size_t before = 0; before < v; before++) {
        const Real *y = vectors->data + before * vectors->stride;
        double along = dot(vectors, v, before);
        if (vectors->step == 1) {
            subtract_rows(x, y, along, vectors->length);
        } else {
            subtract_steps(x, y, along, vectors->length, vectors->step);
        }
    }
}

static void fill(const InitCall *call, Real *weight) {
    bool wide = call->rows <= call->columns;
    Vectors vectors = {
        .data = weight,
        .count = wide ? call->rows : call->columns,
        .length = wide ? call->columns : call->rows,
        .stride = wide ? call->stride : 1,
        .step = wide ? 1 : call->stride,
    };
    draw_normal(call, 1, weight);
    for (size_t v = 0; v < vectors.count; v++) {
        Real *x = weight + v * vectors.stride;
        double length = sqrt(dot(&vectors, v, v));
        project_out(&vectors, v);
        project_out(&vectors, v);
        double left = sqrt(dot(&vectors, v, v));
        while (!(left > 1e-4 * length)) {
            for (size_t e = 0; e < vectors.length; e++) {
                x[e * vectors.step] = (Real)rng_normal(call->rng);
            }
            length = sqrt(dot(&vectors, v, v));
            project_out(&vectors, v);
            project_out(&vectors, v);
            left = sqrt(dot(&vectors, v, v));
        }
        for (size_t e = 0; e < vectors.length; e++) {
            x[e * vectors.step] = (Real)((double)x[e * vectors.step] / left);
        }
    }
}

const InitDesc init_orthogonal = {
    .desc = {.name = "orthogonal",
             .summary =
                 "Vectors at right angles: keeps the length of signals through depth and time.",
             .reference = "Saxe, McClelland & Ganguli 2014",
             .probes = (const char *const[]){"{}", NULL}},
    .fill = fill,
};
