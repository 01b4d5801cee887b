// A random orthogonal matrix: normal numbers, orthonormalised along the shorter side by Gram and
// Schmidt, so the shorter side's vectors have length 1 and are at right angles to each other.
//
// Each vector is freed twice from those before it, in double: once is not enough in floating point,
// twice is (Giraud et al. 2005). A vector that turns out to depend on the others, which is next to
// impossible, is drawn again.
#include <math.h>
#include "core/inits/draw.h"

// Vector v of a matrix: element e is at data[v · stride + e · step].
typedef struct Vectors {
    Real *data;
    size_t count, length, stride, step;
} Vectors;

static double dot(const Vectors *vectors, size_t a, size_t b) {
    const Real *x = vectors->data + a * vectors->stride, *y = vectors->data + b * vectors->stride;
    double sum = 0;
    for (size_t e = 0; e < vectors->length; e++) {
        sum += (double)x[e * vectors->step] * (double)y[e * vectors->step];
    }
    return sum;
}

// Takes from vector v its part along each vector before it.
static void project_out(const Vectors *vectors, size_t v) {
    Real *x = vectors->data + v * vectors->stride;
    for (size_t before = 0; before < v; before++) {
        const Real *y = vectors->data + before * vectors->stride;
        double along = dot(vectors, v, before);
        for (size_t e = 0; e < vectors->length; e++) {
            x[e * vectors->step] =
                (Real)((double)x[e * vectors->step] - along * (double)y[e * vectors->step]);
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
