// What follows from a job's rows: who trains and who validates, and what each class weighs.
//
// The split is the dataset's own where it has one with validation rows. Otherwise the rows that are
// not for testing are shuffled by the seed, and the last of them validate.
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/train/forms/form.h"
#include "core/train/job_private.h"

// Appends the rows of a split, in their order, to `rows`.
static int64_t take_rows(const Dataset *dataset, DatasetSplit split, int32_t *rows) {
    int64_t count = 0;
    for (int64_t i = 0; i < dataset->rows; i++)
        if (form_in_split(dataset, i, (int)split))
            rows[count++] = (int32_t)i;
    return count;
}

int64_t job_validation_rows(const Job *job, int64_t rows) {
    // The trace of a row lets 0.2 of 150 be 30 although 0.2 is a little less in binary.
    return (int64_t)floor((double)rows * job->training.validation_split + 1e-6);
}

static int split_rows(Job *job) {
    const Dataset *dataset = job->dataset;
    JobRows *rows = &job->rows;
    job->row_numbers = memory_array((size_t)dataset->rows, sizeof(int32_t));
    if (job->row_numbers == NULL)
        return ERR_NO_MEMORY;
    int32_t *at = job->row_numbers;
    rows->train = at;
    rows->train_count = take_rows(dataset, SPLIT_TRAIN, at);
    at += rows->train_count;
    rows->validation = at;
    rows->validation_count = take_rows(dataset, SPLIT_VALIDATION, at);
    at += rows->validation_count;
    rows->test = at;
    rows->test_count = take_rows(dataset, SPLIT_TEST, at);
    if (rows->validation_count > 0)
        return OK;
    int64_t kept = job_validation_rows(job, rows->train_count);
    Rng rng = rng_make((uint64_t)job->training.seed, RNG_SPLIT, 0, 0);
    rng_shuffle(&rng, job->row_numbers, (size_t)rows->train_count);
    rows->train_count -= kept;
    rows->validation_count = kept;
    rows->validation = rows->train + rows->train_count;
    return OK;
}

static int lay_out(Job *job, const Path *path, Issues *issues) {
    if (job->rows.train_count > 0)
        return job_lay_phases(job, path, issues);
    issues_add(issues, PATH_KEY(path, "validation_split"), "leaves no rows to train on");
    return ERR_INVALID;
}

// ---- class_weight ----

static Value class_weight_of(const Job *job) {
    Selection loss = job->training.loss;
    for (size_t i = 0; i < loss.desc->param_count; i++) {
        const ParamSpec *param = &loss.desc->params[i];
        if (param->type == PARAM_VALUE && strcmp(param->name, "class_weight") == 0)
            return *(const Value *)((const char *)loss.params + param->offset);
    }
    return VALUE_NONE;
}

// "balanced": rows / (classes · rows of the class), so that every class weighs the same in all. A
// class without a training row weighs 1, which nothing sees; rows without a class do not count.
static int balance_classes(Job *job) {
    int64_t classes = job->task.outputs;
    AUTO_FREE int64_t *counts = memory_array((size_t)classes, sizeof(int64_t));
    if (counts == NULL)
        return ERR_NO_MEMORY;
    int64_t counted = 0;
    for (int64_t i = 0; i < job->rows.train_count; i++) {
        int32_t class = job->dataset->classes[job->rows.train[i]];
        if (class >= 0) {
            counts[class]++;
            counted++;
        }
    }
    for (int64_t c = 0; c < classes; c++)
        job->class_weights[c] =
            counts[c] == 0 ? 1 : (Real)((double)counted / ((double)classes * (double)counts[c]));
    return OK;
}

static int weigh_classes(Job *job, const Path *path, Issues *issues) {
    Value value = class_weight_of(job);
    int64_t classes = job->task.outputs;
    ValueKind kind = value_kind(value);
    if (kind == VALUE_MISSING || kind == VALUE_NULL || job->task.kind == TASK_REGRESSION)
        return OK; // a loss that does not fit is told as such
    path = PATH_KEY(PATH_KEY(path, "loss"), "class_weight");
    if (job->task.kind == TASK_LANGUAGE_MODEL) {
        issues_add(issues, path, "is for classes, and a language model's targets are tokens");
        return ERR_INVALID;
    }
    job->class_weights = memory_array((size_t)classes, sizeof(Real));
    if (job->class_weights == NULL)
        return ERR_NO_MEMORY;
    if (kind == VALUE_STRING && strcmp(value_string(value), "balanced") == 0)
        return balance_classes(job);
    if (kind != VALUE_ARRAY || value_length(value) != (size_t)classes) {
        issues_add(issues, path, "must be \"balanced\" or a list of %lld numbers, one per class",
                   (long long)classes);
        return ERR_INVALID;
    }
    size_t i = 0;
    int result = OK;
    VALUE_FOREACH(item, value) {
        double weight = value_number(item);
        if (value_kind(item) != VALUE_NUMBER || !(weight > 0 && weight <= 1e9)) {
            issues_add(issues, PATH_INDEX(path, i), "must be a number above 0");
            result = ERR_INVALID;
        }
        job->class_weights[i++] = (Real)weight;
    }
    return result;
}

int job_split(Job *job, const Path *path, Issues *issues) {
    const FormDesc *form = job->dataset->form;
    int error = form->split != NULL ? form->split(job) : split_rows(job);
    if (error != OK)
        return error;
    int laid = lay_out(job, path, issues);
    int weighed = weigh_classes(job, path, issues);
    return laid != OK ? laid : weighed;
}

int job_judge(Job *job, int split) {
    const Dataset *dataset = job->dataset;
    if (dataset->form->judge != NULL)
        return dataset->form->judge(job, split);
    job->row_numbers = memory_array((size_t)dataset->rows, sizeof(int32_t));
    if (job->row_numbers == NULL)
        return ERR_NO_MEMORY;
    job->rows.test = job->row_numbers;
    for (int64_t i = 0; i < dataset->rows; i++)
        if (form_in_split(dataset, i, split) &&
            (dataset->classes == NULL || dataset->classes[i] >= 0))
            job->row_numbers[job->rows.test_count++] = (int32_t)i;
    return OK;
}
