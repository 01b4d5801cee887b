// Nearest neighbours (Cover & Hart 1967), nearest class mean, ridge regression. All on a few hundred rows.
#include "core/diagnose/reference.h"
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/vector.h"

enum { NEIGHBOURS = 5, WITNESSES = 10, TERMS_MOST = 60 };

// ---- measuring ----

typedef struct Moments {
    double mean, std;
} Moments;

static Moments moments_of(const float *x, int64_t width, int64_t feature, int64_t begin,
                          int64_t end) {
    double sum = 0, squares = 0;
    for (int64_t r = begin; r < end; r++) {
        double value = (double)x[r * width + feature];
        sum += value;
        squares += value * value;
    }
    double count = fmax((double)(end - begin), 1), mean = sum / count;
    return (Moments){mean, sqrt(fmax(squares / count - mean * mean, 0))};
}

// Whether a feature alone tells the target without error: constant within each class, or proportional to the number.
static bool tells(const Sample *sample, int64_t feature, Moments all) {
    if (sample->width < 3 || !(all.std > 0) || sample->rows < 20)
        return false;
    if (sample->values != NULL) {
        double xy = 0, y = 0, yy = 0;
        for (int64_t r = 0; r < sample->rows; r++) {
            double value = sample->values[r];
            xy += ((double)sample->x[r * sample->width + feature] - all.mean) * value;
            y += value;
            yy += value * value;
        }
        double n = (double)sample->rows, variance = yy / n - y * y / n / n;
        double correlation = variance > 0 ? xy / n / (all.std * sqrt(variance)) : 0;
        return fabs(correlation) > 0.9999;
    }
    double within = 0;
    for (int64_t c = 0; c < sample->class_count; c++) {
        double sum = 0, squares = 0, count = 0;
        for (int64_t r = 0; r < sample->rows; r++) {
            if (sample->classes[r] != c)
                continue;
            double value = (double)sample->x[r * sample->width + feature] - all.mean;
            sum += value;
            squares += value * value;
            count++;
        }
        within += count > 0 ? squares - sum * sum / count : 0;
    }
    return within / (double)sample->rows < 1e-4 * all.std * all.std;
}

// Whether a few rows make up the feature's deviation (kurtosis above 10): their chance is no shift.
static bool tailed(const Sample *sample, int64_t feature, Moments all) {
    double fourth = 0;
    for (int64_t r = 0; r < sample->rows; r++) {
        double z = ((double)sample->x[r * sample->width + feature] - all.mean) / all.std;
        fourth += z * z * z * z;
    }
    return fourth / (double)sample->rows > 10;
}

void reference_measure(const Sample *sample, Survey *survey) {
    double greatest = 0, least = INFINITY, shift = 0, offset = 0, squares = 0;
    for (int64_t f = 0; f < sample->width; f++) {
        Moments train = moments_of(sample->x, sample->width, f, 0, sample->rows);
        double rms = sqrt(train.mean * train.mean + train.std * train.std);
        squares += rms * rms;
        greatest = fmax(greatest, rms);
        if (!(train.std > 1e-12))
            continue;
        least = fmin(least, rms);
        offset = fmax(offset, fabs(train.mean) / train.std);
        if (sample->standardise && survey->telling_feature < 0 && tells(sample, f, train))
            survey->telling_feature = f;
        Moments other =
            moments_of(sample->x, sample->width, f, sample->rows, sample->rows + sample->judged);
        if (tailed(sample, f, train)) // a pixel that is hardly ever on
            continue;
        double apart = fabs(other.mean - train.mean) / train.std;
        if (sample->judged >= 30 && apart * sqrt((double)sample->judged) > 5 && apart > shift) {
            shift = apart;
            survey->shift_feature = f;
        }
    }
    if (!sample->standardise) // pixels have one scale together
        greatest = least = sqrt(squares / (double)sample->width);
    survey->input_scale = greatest;
    survey->input_scale_least = isfinite(least) ? least : greatest;
    survey->input_offset = offset;
    survey->shift = shift;
}

// ---- distances ----

static void standardise(const Sample *sample) {
    for (int64_t f = 0; f < sample->width; f++) {
        Moments moments = moments_of(sample->x, sample->width, f, 0, sample->rows);
        float factor = moments.std > 1e-12 ? (float)(1 / moments.std) : 0;
        for (int64_t r = 0; r < sample->rows + sample->judged; r++) {
            float *x = &sample->x[r * sample->width + f];
            *x = (*x - (float)moments.mean) * factor;
        }
    }
}

VECTOR_LOOPS static float distance(const float *restrict a, const float *restrict b,
                                   int64_t width) {
    float part[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= width; i += 8)
        for (int k = 0; k < 8; k++) {
            float d = a[i + k] - b[i + k];
            part[k] += d * d;
        }
    float sum = 0;
    for (; i < width; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    for (int k = 0; k < 8; k++)
        sum += part[k];
    return sum;
}

typedef struct Near {
    float distance;
    int64_t row;
} Near;

// The `count` training rows nearest to row `of` (not itself), nearest first. Returns how many there are.
static int nearest(const Sample *sample, int64_t of, int count, Near *near) {
    int found = 0;
    const float *x = sample->x + of * sample->width;
    for (int64_t r = 0; r < sample->rows; r++) {
        if (r == of)
            continue;
        Near at = {distance(x, sample->x + r * sample->width, sample->width), r};
        if (found == count && at.distance >= near[found - 1].distance)
            continue;
        int place = found < count ? found++ : found - 1;
        for (; place > 0 && near[place - 1].distance > at.distance; place--)
            near[place] = near[place - 1];
        near[place] = at;
    }
    return found;
}

// ---- classes ----

// The most frequent class among the neighbours, of equals that of the nearest; *ret_votes: how often.
static int32_t vote(const Sample *sample, const Near *near, int count, int *ret_votes) {
    int32_t best = -1;
    *ret_votes = 0;
    for (int i = 0; i < count; i++) {
        int votes = 0;
        for (int k = 0; k < count; k++)
            votes += sample->classes[near[k].row] == sample->classes[near[i].row];
        if (votes > *ret_votes) {
            *ret_votes = votes;
            best = sample->classes[near[i].row];
        }
    }
    return best;
}

static int class_means(const Sample *sample, double *ret_accuracy) {
    size_t classes = (size_t)sample->class_count, width = (size_t)sample->width, cells;
    if (!size_multiply(classes, width, &cells))
        return ERR_TOO_LARGE;
    AUTO_FREE float *means = memory_array(cells, sizeof(float));
    AUTO_FREE int64_t *counts = memory_array(classes, sizeof(int64_t));
    if (means == NULL || counts == NULL)
        return ERR_NO_MEMORY;
    for (int64_t r = 0; r < sample->rows; r++) {
        counts[sample->classes[r]]++;
        for (size_t f = 0; f < width; f++)
            means[(size_t)sample->classes[r] * width + f] += sample->x[(size_t)r * width + f];
    }
    for (size_t c = 0; c < classes; c++)
        for (size_t f = 0; f < width; f++)
            means[c * width + f] /= (float)(counts[c] > 0 ? counts[c] : 1);
    int64_t right = 0;
    for (int64_t r = sample->rows; r < sample->rows + sample->judged; r++) {
        float least = INFINITY;
        int32_t best = -1;
        for (size_t c = 0; c < classes; c++) {
            float at = distance(sample->x + (size_t)r * width, means + c * width, sample->width);
            if (counts[c] > 0 && at < least) {
                least = at;
                best = (int32_t)c;
            }
        }
        right += best == sample->classes[r];
    }
    *ret_accuracy = (double)right / (double)sample->judged;
    return OK;
}

// Rows that nearly all of their neighbours find absurd.
static void find_absurd(const Sample *sample, double work, Survey *survey) {
    double cost = (double)sample->rows * (double)sample->width;
    int64_t rows = (int64_t)fmin((double)sample->rows, work / cost);
    if (sample->rows < 60 || rows < 60 || sample->rows < 15 * sample->class_count)
        return;
    int64_t absurd = 0;
    for (int64_t r = 0; r < rows; r++) {
        Near near[WITNESSES];
        int votes, count = nearest(sample, r, WITNESSES, near);
        int32_t other = vote(sample, near, count, &votes);
        if (other == sample->classes[r] || votes < WITNESSES - 1)
            continue;
        if (survey->absurd_count < (int)ARRAY_LENGTH(survey->absurd_rows))
            survey->absurd_rows[survey->absurd_count++] = sample->numbers[r];
        absurd++;
    }
    survey->absurd = (double)absurd / (double)rows;
}

static int judge_classes(const Sample *sample, double work, Survey *survey) {
    int64_t right = 0, constant = 0;
    AUTO_FREE int64_t *counts = memory_array((size_t)sample->class_count, sizeof(int64_t));
    if (counts == NULL)
        return ERR_NO_MEMORY;
    int32_t frequent = 0;
    for (int64_t r = 0; r < sample->rows; r++)
        if (++counts[sample->classes[r]] > counts[frequent])
            frequent = sample->classes[r];
    for (int64_t r = sample->rows; r < sample->rows + sample->judged; r++) {
        Near near[NEIGHBOURS];
        int votes, count = nearest(sample, r, NEIGHBOURS, near);
        right += vote(sample, near, count, &votes) == sample->classes[r];
        constant += frequent == sample->classes[r];
    }
    double judged = (double)sample->judged, means = 0;
    int error = class_means(sample, &means);
    if (error != OK)
        return error;
    survey->constant_metric = (double)constant / judged;
    survey->reference_metric = fmax((double)right / judged, means);
    survey->reference = means > (double)right / judged ? "class means" : "nearest neighbours";
    double p = fmin(fmax(survey->reference_metric, 0.05), 0.95);
    survey->reference_error = sqrt(p * (1 - p) / judged);
    find_absurd(sample, work, survey);
    return OK;
}

// ---- numbers ----

// Solves A x = b for a symmetric positive definite A [n, n] by Gauss's elimination; b becomes x.
static void solve(double *a, double *b, int n) {
    for (int i = 0; i < n; i++)
        for (int r = i + 1; r < n; r++) {
            double factor = a[r * n + i] / a[i * n + i];
            for (int c = i; c < n; c++)
                a[r * n + c] -= factor * a[i * n + c];
            b[r] -= factor * b[i];
        }
    for (int i = n - 1; i >= 0; i--) {
        for (int c = i + 1; c < n; c++)
            b[i] -= a[i * n + c] * b[c];
        b[i] /= a[i * n + i];
    }
}

static double mean_of(const Sample *sample) {
    double sum = 0;
    for (int64_t r = 0; r < sample->rows; r++)
        sum += sample->values[r];
    return sum / (double)sample->rows;
}

// The features of row r, and where there is room their squares and products: [terms].
static void expand(const Sample *sample, int64_t r, int terms, double *ret_x) {
    const float *x = sample->x + r * sample->width;
    int n = 0;
    for (int i = 0; i < sample->width; i++)
        ret_x[n++] = (double)x[i];
    for (int i = 0; i < sample->width && terms > sample->width; i++)
        for (int k = i; k < sample->width; k++)
            ret_x[n++] = (double)x[i] * (double)x[k] - (i == k);
}

// Ridge regression on standardised features: the sum of squared errors on the judged rows.
static double least_squares(const Sample *sample, int terms, double mean) {
    double a[TERMS_MOST * TERMS_MOST] = {0}, b[TERMS_MOST] = {0}, x[TERMS_MOST], errors = 0;
    for (int64_t r = 0; r < sample->rows; r++) {
        expand(sample, r, terms, x);
        for (int i = 0; i < terms; i++) {
            b[i] += x[i] * (sample->values[r] - mean);
            for (int k = 0; k < terms; k++)
                a[i * terms + k] += x[i] * x[k];
        }
    }
    for (int i = 0; i < terms; i++)
        a[i * terms + i] += 1e-3 * (double)sample->rows + 1e-9;
    solve(a, b, terms);
    for (int64_t r = sample->rows; r < sample->rows + sample->judged; r++) {
        double told = mean;
        expand(sample, r, terms, x);
        for (int i = 0; i < terms; i++)
            told += b[i] * x[i];
        errors += (told - sample->values[r]) * (told - sample->values[r]);
    }
    return errors;
}

static void judge_values(const Sample *sample, Survey *survey) {
    double mean = mean_of(sample), around = 0, near_errors = 0, judged_mean = 0;
    for (int64_t r = sample->rows; r < sample->rows + sample->judged; r++)
        judged_mean += sample->values[r] / (double)sample->judged;
    for (int64_t r = sample->rows; r < sample->rows + sample->judged; r++) {
        Near near[NEIGHBOURS];
        int count = nearest(sample, r, NEIGHBOURS, near);
        double told = 0, value = sample->values[r];
        for (int i = 0; i < count; i++)
            told += sample->values[near[i].row] / count;
        near_errors += (told - value) * (told - value);
        around += (value - judged_mean) * (value - judged_mean);
    }
    if (!(around > 0))
        return;
    survey->constant_metric = 0;
    survey->reference_metric = 1 - near_errors / around;
    survey->reference = "nearest neighbours";
    int64_t squares = sample->width * (sample->width + 3) / 2;
    for (int64_t terms = sample->width; terms <= TERMS_MOST && sample->rows >= 4 * terms;
         terms = squares) {
        double reached = 1 - least_squares(sample, (int)terms, mean) / around;
        if (reached > survey->reference_metric) {
            survey->reference_metric = reached;
            survey->reference = "least squares";
        }
        if (terms == squares)
            break;
    }
    survey->reference_error =
        (1 - fmax(survey->reference_metric, 0)) * 2 / sqrt((double)sample->judged);
}

int reference_judge(const Sample *sample, double work, Survey *survey) {
    if (sample->rows < 20 || sample->judged < 10)
        return OK;
    if (sample->standardise)
        standardise(sample);
    if (sample->values != NULL) {
        judge_values(sample, survey);
        return OK;
    }
    return judge_classes(sample, work, survey);
}
