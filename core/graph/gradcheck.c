// Central differences against the backward pass. The values are left as they were found.
#include "core/graph/gradcheck.h"
#include <math.h>

// The best step balances the truncation h² f‴ / 6 against the rounding ε f / h: longer where f is a sum of much that
// the element has no part in, shorter near a kink.
static const double STEPS[] = {1e-5, 1e-4, 1e-6, 1e-7};
static const double SIDE_STEPS[] = {1e-7, 1e-8};
static const double AGREEMENT = 1e-7;      // relative: below it no other step is tried
static const double AFFORDED_FLOPS = 1e11; // of two passes an element …
static const double PASS_FLOPS =
    1e5; // … which have the loss and all that is no product beside them
enum { ELEMENTS_MIN = 20 };
static const double FLOOR = 1e-3; // of the net's largest gradient

// f at the value moved by `step`; *moved is by how much it was.
static double moved(const GradcheckOptions *options, Real *value, double step, double *ret_moved) {
    Real before = *value;
    volatile Real after = (Real)(before + step);
    *value = after;
    double f = options->objective(options->context);
    *value = before;
    *ret_moved = (double)after - (double)before;
    return f;
}

typedef struct Nearest {
    double analytic, enough; // a difference within `enough` of it is not bettered
    double best;             // NAN: none yet
} Nearest;

static bool take(Nearest *nearest, double numeric) {
    if (isnan(nearest->best) ||
        fabs(numeric - nearest->analytic) < fabs(nearest->best - nearest->analytic))
        nearest->best = numeric;
    return fabs(nearest->best - nearest->analytic) <= nearest->enough;
}

// The difference nearest to the analytic gradient: central ones over the steps, then those to one side.
// part_scale: what the part's errors are measured by.
static double numeric_gradient(const GradcheckOptions *options, Real *value, double analytic,
                               double part_scale) {
    Nearest nearest = {analytic, AGREEMENT * part_scale, NAN};
    double scale = fmax(1, fabs((double)*value)), up, down;
    for (size_t s = 0; s < ARRAY_LENGTH(STEPS); s++) {
        double high = moved(options, value, STEPS[s] * scale, &up);
        double low = moved(options, value, -STEPS[s] * scale, &down);
        if (take(&nearest, (high - low) / (up - down)))
            return nearest.best;
    }
    double here = options->objective(options->context);
    for (size_t s = 0; s < ARRAY_LENGTH(SIDE_STEPS); s++) {
        double high = moved(options, value, SIDE_STEPS[s] * scale, &up);
        double low = moved(options, value, -SIDE_STEPS[s] * scale, &down);
        if (take(&nearest, (high - here) / up) || take(&nearest, (low - here) / down))
            return nearest.best;
    }
    return nearest.best;
}

// Where the part's largest gradient is, or its first that is not finite.
static size_t find_largest(const GradcheckPart *part) {
    size_t largest = 0;
    for (size_t i = 0; i < part->count; i++) {
        if (!isfinite(part->gradients[i]))
            return i;
        if (fabs((double)part->gradients[i]) > fabs((double)part->gradients[largest]))
            largest = i;
    }
    return largest;
}

// Of a sample the first is the largest: of a table of tokens, most rows of which nothing reads, others may well be zeros.
static double check_part(const GradcheckOptions *options, GradcheckPart *part, double floor,
                         uint64_t number) {
    bool sampled = options->max_elements > 0 && part->count > options->max_elements;
    size_t checks = sampled ? options->max_elements : part->count, first = find_largest(part);
    Rng rng = rng_make(options->seed, RNG_PROBE, number, 0);
    double worst = 0, largest = fmax(floor, fabs((double)part->gradients[first]));
    for (size_t i = 0; part->numeric != NULL && i < part->count; i++)
        part->numeric[i] = NAN;
    for (size_t c = 0; c < checks; c++) {
        size_t i = !sampled ? c : c == 0 ? first : rng_below(&rng, part->count);
        double analytic = part->gradients[i];
        double numeric = numeric_gradient(options, &part->values[i], analytic, largest);
        if (!isfinite(analytic) || !isfinite(numeric))
            return INFINITY;
        if (part->numeric != NULL)
            part->numeric[i] = numeric;
        worst = fmax(worst, fabs(analytic - numeric));
        largest = fmax(largest, fabs(numeric));
    }
    return worst > 0 ? worst / largest : 0;
}

size_t gradcheck_elements(double pass_flops, size_t elements, size_t parts) {
    double affordable = AFFORDED_FLOPS / (2 * (pass_flops + PASS_FLOPS));
    if ((double)elements <= affordable)
        return 0;
    double share = affordable / (double)parts;
    return share < ELEMENTS_MIN ? ELEMENTS_MIN : (size_t)share;
}

size_t gradcheck_parts(const Graph *graph, Real *weights, const Real *gradients,
                       GradcheckPart *parts) {
    size_t count = 0;
    for (int w = 0; w < graph_weights(graph); w++) {
        const GraphWeight *weight = graph_weight_at(graph, w);
        if (weight->state || graph_frozen(graph, weight->layer))
            continue;
        parts[count++] = (GradcheckPart){.name = weight->name,
                                         .weight = w,
                                         .values = weights + weight->offset,
                                         .gradients = gradients + weight->offset,
                                         .count = (size_t)shape_elements(&weight->shape)};
    }
    return count;
}

double gradcheck_run(const GradcheckOptions *options, GradcheckPart *parts, size_t count) {
    double largest = 0, worst = 0;
    for (size_t p = 0; p < count; p++)
        for (size_t i = 0; i < parts[p].count; i++)
            largest = fmax(largest, fabs((double)parts[p].gradients[i]));
    for (size_t p = 0; p < count; p++) {
        parts[p].error = check_part(options, &parts[p], FLOOR * largest, p);
        worst = fmax(worst, parts[p].error);
    }
    return worst;
}
