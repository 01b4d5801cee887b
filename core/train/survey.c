// Rows are taken at even distances: the same for the same job, and a fair sample of shuffled and of ordered rows alike.
#include "core/train/survey.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/diagnose/reference.h"

enum { ROWS_MAX = 600, JUDGED_MAX = 250, TEXTS_MAX = 2000, VOCABULARY_MAX = 512 };

const Survey SURVEY_NONE = {.constant_metric = NAN,
                            .constant_loss = NAN,
                            .reference_metric = NAN,
                            .reference_error = NAN,
                            .input_scale = NAN,
                            .input_scale_least = NAN,
                            .input_offset = NAN,
                            .target_mean = NAN,
                            .target_std = NAN,
                            .target_least = NAN,
                            .target_greatest = NAN,
                            .class_least = NAN,
                            .class_most = NAN,
                            .duplicates = NAN,
                            .distinct = NAN,
                            .leaked = NAN,
                            .telling_feature = -1,
                            .absurd = NAN,
                            .shift = NAN,
                            .shift_feature = -1,
                            .class_shift = NAN};

// ---- rows in turn ----

typedef void RowVisitor(void *context, const Batch *batch, int64_t row, int64_t index);

// Visits rows [count] of `rows` in batches; index counts from 0.
static void visit(const Job *job, Batch *batch, const int32_t *rows, int64_t count,
                  RowVisitor *visitor, void *context) {
    (void)job;
    for (int64_t at = 0; at < count; at += batch->max_rows) {
        int64_t some = count - at < batch->max_rows ? count - at : batch->max_rows;
        batch_gather(batch, rows + at, some);
        for (int64_t i = 0; i < some; i++)
            visitor(context, batch, i, at + i);
    }
}

static void pick(const int32_t *rows, int64_t all, int64_t wanted, int32_t *picked) {
    for (int64_t i = 0; i < wanted; i++)
        picked[i] = rows[i * all / wanted];
}

// ---- targets ----

static void measure_classes(const Job *job, Survey *survey) {
    const JobRows *rows = job_rows(job);
    const int32_t *classes = job_dataset(job)->classes;
    int64_t count = job_task(job)->outputs, counted = 0, judged = 0;
    AUTO_FREE double *train = memory_array((size_t)count, sizeof(double));
    AUTO_FREE double *validation = memory_array((size_t)count, sizeof(double));
    if (train == NULL || validation == NULL || classes == NULL)
        return;
    for (int64_t i = 0; i < rows->train_count; i++)
        if (classes[rows->train[i]] >= 0) {
            train[classes[rows->train[i]]]++;
            counted++;
        }
    for (int64_t i = 0; i < rows->validation_count; i++)
        if (classes[rows->validation[i]] >= 0) {
            validation[classes[rows->validation[i]]]++;
            judged++;
        }
    double entropy = 0, least = 1, most = 0, shift = 0;
    int64_t frequent = 0;
    for (int64_t c = 0; c < count && counted > 0; c++) {
        double share = train[c] / (double)counted;
        entropy -= share > 0 ? share * log(share) : 0;
        if (share > 0)
            least = fmin(least, share);
        if (share > most) {
            most = share;
            frequent = c;
        }
        double difference = judged > 0 ? fabs(validation[c] / (double)judged - share) : 0;
        // Beyond what chance gives so few rows.
        if (difference > 4 * sqrt(0.25 / fmax((double)judged, 1)))
            shift = fmax(shift, difference);
    }
    survey->class_least = least;
    survey->class_most = most;
    survey->class_shift = shift;
    survey->constant_loss = entropy;
    survey->constant_metric = judged > 0 ? validation[frequent] / (double)judged : most;
}

typedef struct Values {
    double sum, squares, least, greatest, count;
} Values;

static void add_values(void *context, const Batch *batch, int64_t row, int64_t index) {
    (void)index;
    Values *values = context;
    int64_t width = batch_width(batch);
    for (int64_t i = 0; i < width; i++) {
        double value = (double)batch->values[row * width + i];
        if (!isfinite(value))
            continue;
        values->sum += value;
        values->squares += value * value;
        values->least = fmin(values->least, value);
        values->greatest = fmax(values->greatest, value);
        values->count++;
    }
}

// The loss of the mean; of losses that are not squares about, by the deviation of a normal distribution.
static double constant_loss(const char *loss, double std, double mean) {
    if (strcmp(loss, "mse") == 0)
        return std * std;
    if (strcmp(loss, "mae") == 0)
        return 0.8 * std;
    if (strcmp(loss, "binary_cross_entropy") == 0 && mean > 0 && mean < 1)
        return -(mean * log(mean) + (1 - mean) * log(1 - mean));
    return NAN;
}

static void measure_values(const Job *job, Batch *batch, const int32_t *rows, int64_t count,
                           Survey *survey) {
    Values values = {.least = INFINITY, .greatest = -INFINITY};
    visit(job, batch, rows, count, add_values, &values);
    if (values.count == 0)
        return;
    double mean = values.sum / values.count;
    survey->target_mean = mean;
    survey->target_std = sqrt(fmax(values.squares / values.count - mean * mean, 0));
    survey->target_least = values.least;
    survey->target_greatest = values.greatest;
    survey->constant_loss = constant_loss(job_loss(job)->desc.name, survey->target_std, mean);
    survey->constant_metric = 0;
}

// ---- rows of numbers ----

typedef struct Filling {
    Sample sample;
    int64_t begin; // of the rows that are being filled
} Filling;

static void add_row(void *context, const Batch *batch, int64_t row, int64_t index) {
    Filling *filling = context;
    Sample *sample = &filling->sample;
    int64_t at = filling->begin + index;
    const Real *x = batch->inputs.data + row * sample->width;
    for (int64_t f = 0; f < sample->width; f++)
        sample->x[at * sample->width + f] = (float)x[f];
    if (sample->values != NULL)
        sample->values[at] = (double)batch->values[row * batch_width(batch)];
    else
        sample->classes[at] = batch->classes != NULL
                                  ? batch->classes[row]
                                  : (int32_t)batch->values[row * batch_width(batch)];
}

static void fit_rows(int64_t width, double work, int64_t *rows, int64_t *judged) {
    while ((double)*rows * (double)*judged * (double)width > work && *rows > 60) {
        *rows = *rows * 4 / 5;
        *judged = *judged > 40 ? *judged * 4 / 5 : *judged;
    }
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t hash_row(const float *x, int64_t width, uint64_t more) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325) ^ more;
    for (int64_t f = 0; f < width; f++) {
        uint32_t bits;
        memcpy(&bits, &x[f], sizeof bits);
        hash = (hash ^ bits) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    return hash;
}

// Twins within the training rows of the sample, and between those and the validation rows (with their targets).
static int find_twins(const Sample *sample, Survey *survey) {
    AUTO_FREE uint64_t *alone = memory_array((size_t)sample->rows, sizeof(uint64_t));
    AUTO_FREE uint64_t *told = memory_array((size_t)sample->rows, sizeof(uint64_t));
    if (alone == NULL || told == NULL)
        return ERR_NO_MEMORY;
    for (int64_t r = 0; r < sample->rows; r++) {
        const float *x = sample->x + r * sample->width;
        alone[r] = hash_row(x, sample->width, 0);
        told[r] = sample->classes != NULL ? hash_row(x, sample->width, (uint64_t)sample->classes[r])
                                          : alone[r];
    }
    qsort(alone, (size_t)sample->rows, sizeof(uint64_t), compare);
    qsort(told, (size_t)sample->rows, sizeof(uint64_t), compare);
    int64_t twins = 0, leaked = 0, distinct = 0;
    for (int64_t r = 0; r < sample->rows; r++)
        distinct += r == 0 || alone[r] != alone[r - 1];
    for (int64_t r = 0; r < sample->rows; r++)
        twins += (r > 0 && alone[r] == alone[r - 1]) ||
                 (r + 1 < sample->rows && alone[r] == alone[r + 1]);
    for (int64_t r = sample->rows; r < sample->rows + sample->judged; r++) {
        uint64_t hash = hash_row(sample->x + r * sample->width, sample->width,
                                 sample->classes != NULL ? (uint64_t)sample->classes[r] : 0);
        leaked += bsearch(&hash, told, (size_t)sample->rows, sizeof(uint64_t), compare) != NULL;
    }
    survey->distinct = (double)distinct / (double)sample->rows;
    survey->duplicates = (double)twins / (double)sample->rows;
    // Of a sample of the training rows only so many twins are seen.
    survey->leaked = sample->judged > 0 ? (double)leaked / (double)sample->judged : 0;
    return OK;
}

static int survey_rows(const Job *job, Batch *batch, double work, Survey *survey) {
    const JobRows *rows = job_rows(job);
    int64_t width = shape_elements(&job_task(job)->input);
    int64_t train = rows->train_count < ROWS_MAX ? rows->train_count : ROWS_MAX;
    int64_t judged = rows->validation_count < JUDGED_MAX ? rows->validation_count : JUDGED_MAX;
    fit_rows(width, work, &train, &judged);
    size_t all = (size_t)(train + judged), cells;
    if (!size_multiply(all, (size_t)width, &cells) || cells > (size_t)1 << 26)
        return OK; // rows so wide that even a few cannot be looked at
    Filling filling = {.sample = {.rows = train,
                                  .judged = judged,
                                  .width = width,
                                  .class_count = job_task(job)->outputs,
                                  .standardise = job_task(job)->input.rank == 1}};
    Sample *sample = &filling.sample;
    bool classes = job_task(job)->kind == TASK_CLASSIFICATION;
    AUTO_FREE float *x = memory_array(cells, sizeof(float));
    AUTO_FREE int32_t *class_of = classes ? memory_array(all, sizeof(int32_t)) : NULL;
    AUTO_FREE double *value_of = classes ? NULL : memory_array(all, sizeof(double));
    AUTO_FREE int32_t *numbers = memory_array(all, sizeof(int32_t));
    if (x == NULL || numbers == NULL || (classes ? class_of == NULL : value_of == NULL))
        return ERR_NO_MEMORY;
    sample->x = x;
    sample->classes = class_of;
    sample->values = value_of;
    sample->numbers = numbers;
    pick(rows->train, rows->train_count, train, numbers);
    pick(rows->validation, rows->validation_count, judged, numbers + train);
    visit(job, batch, numbers, train, add_row, &filling);
    filling.begin = train;
    visit(job, batch, numbers + train, judged, add_row, &filling);
    survey->rows = train;
    survey->judged = judged;
    reference_measure(sample, survey);
    int error = find_twins(sample, survey);
    return error == OK ? reference_judge(sample, work, survey) : error;
}

// ---- texts: naive Bayes on counts of words ----

typedef struct Words {
    int64_t vocabulary, classes;
    float *counts; // [classes, vocabulary]
    double *rows;  // [classes]
    double *sums;  // [classes]
    double all;
    int64_t right, judged;
} Words;

static void count_words(void *context, const Batch *batch, int64_t row, int64_t index) {
    (void)index;
    Words *words = context;
    int32_t class = batch->classes[row];
    int64_t time = batch->job != NULL ? shape_elements(&job_task(batch->job)->input) : 0;
    words->rows[class]++;
    words->all++;
    for (int32_t t = 0; t < batch->lengths[row]; t++) {
        words->counts[class * words->vocabulary + (int64_t)batch->inputs.data[row * time + t]]++;
        words->sums[class]++;
    }
}

static void judge_words(void *context, const Batch *batch, int64_t row, int64_t index) {
    (void)index;
    Words *words = context;
    int64_t time = shape_elements(&job_task(batch->job)->input), best = 0;
    double most = -INFINITY;
    for (int64_t c = 0; c < words->classes; c++) {
        double score = log((words->rows[c] + 1) / (words->all + (double)words->classes));
        double sum = words->sums[c] + 0.3 * (double)words->vocabulary;
        for (int32_t t = 0; t < batch->lengths[row]; t++) {
            int64_t token = (int64_t)batch->inputs.data[row * time + t];
            score += log(((double)words->counts[c * words->vocabulary + token] + 0.3) / sum);
        }
        if (score > most) {
            most = score;
            best = c;
        }
    }
    words->right += best == batch->classes[row];
    words->judged++;
}

static int survey_texts(const Job *job, Batch *batch, double work, Survey *survey) {
    const JobRows *rows = job_rows(job);
    Words words = {.vocabulary = job_task(job)->vocabulary, .classes = job_task(job)->outputs};
    int64_t train = rows->train_count < TEXTS_MAX ? rows->train_count : TEXTS_MAX;
    int64_t judged = rows->validation_count < JUDGED_MAX ? rows->validation_count : JUDGED_MAX;
    size_t cells;
    if (batch->classes == NULL || judged < 10 ||
        !size_multiply((size_t)words.vocabulary, (size_t)words.classes, &cells) ||
        (double)cells > work)
        return OK;
    AUTO_FREE int32_t *numbers = memory_array((size_t)(train + judged), sizeof(int32_t));
    AUTO_FREE float *counts = memory_array(cells, sizeof(float));
    AUTO_FREE double *sums = memory_array((size_t)words.classes * 2, sizeof(double));
    if (numbers == NULL || counts == NULL || sums == NULL)
        return ERR_NO_MEMORY;
    words.counts = counts;
    words.rows = sums;
    words.sums = sums + words.classes;
    pick(rows->train, rows->train_count, train, numbers);
    pick(rows->validation, rows->validation_count, judged, numbers + train);
    visit(job, batch, numbers, train, count_words, &words);
    visit(job, batch, numbers + train, judged, judge_words, &words);
    survey->rows = train;
    survey->judged = judged;
    survey->reference = "naive Bayes";
    survey->reference_metric = (double)words.right / (double)words.judged;
    double p = fmin(fmax(survey->reference_metric, 0.05), 0.95);
    survey->reference_error = sqrt(p * (1 - p) / (double)words.judged);
    return OK;
}

// ---- corpora: which token follows which ----

typedef struct Pairs {
    int64_t vocabulary;
    float *counts;  // [vocabulary, vocabulary + 1]: of each follower, and of all
    double *single; // [vocabulary]
    double all, pair_loss, single_loss, judged;
} Pairs;

static void count_pairs(void *context, const Batch *batch, int64_t row, int64_t index) {
    (void)index;
    Pairs *pairs = context;
    int64_t steps = job_task(batch->job)->steps, stride = pairs->vocabulary + 1;
    for (int64_t t = row * steps; t < (row + 1) * steps; t++) {
        int64_t token = (int64_t)batch->inputs.data[t];
        if (batch->classes[t] < 0)
            continue;
        pairs->counts[token * stride + batch->classes[t]]++;
        pairs->counts[token * stride + pairs->vocabulary]++;
        pairs->single[batch->classes[t]]++;
        pairs->all++;
    }
}

static void judge_pairs(void *context, const Batch *batch, int64_t row, int64_t index) {
    (void)index;
    Pairs *pairs = context;
    int64_t steps = job_task(batch->job)->steps, stride = pairs->vocabulary + 1;
    for (int64_t t = row * steps; t < (row + 1) * steps; t++) {
        int64_t token = (int64_t)batch->inputs.data[t], next = batch->classes[t];
        if (next < 0)
            continue;
        double single =
            (pairs->single[next] + 0.5) / (pairs->all + 0.5 * (double)pairs->vocabulary);
        double seen = (double)pairs->counts[token * stride + pairs->vocabulary];
        double pair = ((double)pairs->counts[token * stride + next] + 2 * single) / (seen + 2);
        pairs->single_loss -= log(single);
        pairs->pair_loss -= log(pair);
        pairs->judged++;
    }
}

static int survey_corpus(const Job *job, Batch *batch, Survey *survey) {
    const JobRows *rows = job_rows(job);
    Pairs pairs = {.vocabulary = job_task(job)->vocabulary};
    if (pairs.vocabulary > VOCABULARY_MAX || job_task(job)->steps == 0)
        return OK;
    int64_t steps = job_task(job)->steps;
    int64_t train = rows->train_count * steps < 200000 ? rows->train_count : 200000 / steps + 1;
    int64_t judged =
        rows->validation_count * steps < 20000 ? rows->validation_count : 20000 / steps + 1;
    AUTO_FREE int32_t *numbers = memory_array((size_t)(train + judged), sizeof(int32_t));
    AUTO_FREE float *counts =
        memory_array((size_t)(pairs.vocabulary * (pairs.vocabulary + 1)), sizeof(float));
    AUTO_FREE double *single = memory_array((size_t)pairs.vocabulary, sizeof(double));
    if (numbers == NULL || counts == NULL || single == NULL)
        return ERR_NO_MEMORY;
    pairs.counts = counts;
    pairs.single = single;
    pick(rows->train, rows->train_count, train, numbers);
    pick(rows->validation, rows->validation_count, judged, numbers + train);
    visit(job, batch, numbers, train, count_pairs, &pairs);
    visit(job, batch, numbers + train, judged, judge_pairs, &pairs);
    if (pairs.judged == 0)
        return OK;
    survey->rows = train;
    survey->judged = judged;
    survey->reference = "pairs of tokens";
    survey->constant_loss = pairs.single_loss / pairs.judged;
    survey->constant_metric = -survey->constant_loss;
    survey->reference_metric = -pairs.pair_loss / pairs.judged;
    survey->reference_error = 0.02;
    return OK;
}

int survey_take(const Job *job, Batch *batch, double work, Survey *ret_survey) {
    const Task *task = job_task(job);
    *ret_survey = SURVEY_NONE;
    if (task->kind == TASK_LANGUAGE_MODEL)
        return survey_corpus(job, batch, ret_survey);
    if (task->kind == TASK_CLASSIFICATION)
        measure_classes(job, ret_survey);
    if (task->rows == ROWS_NODES || task->rows == ROWS_GRAPHS)
        return OK;
    if (task->kind == TASK_REGRESSION) {
        const JobRows *rows = job_rows(job);
        int64_t count = rows->train_count < ROWS_MAX ? rows->train_count : ROWS_MAX;
        AUTO_FREE int32_t *numbers = memory_array((size_t)count, sizeof(int32_t));
        if (numbers == NULL)
            return ERR_NO_MEMORY;
        pick(rows->train, rows->train_count, count, numbers);
        measure_values(job, batch, numbers, count, ret_survey);
    }
    if (task->vocabulary > 0)
        return task->kind == TASK_CLASSIFICATION ? survey_texts(job, batch, work, ret_survey) : OK;
    return batch->pattern == NULL ? survey_rows(job, batch, work, ret_survey) : OK;
}
