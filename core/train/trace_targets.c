// What a trace's net is to give: the loss, and a target for each place of its output.
//
// The output of a row is […, width]. A class stands for the whole last axis, so that targets of classes have a row's
// shape without it; targets of numbers have all of it, or, where the width is 1, may leave it out. By that and by the
// loss, where one is given, it is known which they are: names, and whole numbers at outputs wider than 1, are classes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/train/nested.h"
#include "core/train/trace_private.h"

const LossDesc *trace_loss(const Trace *trace) {
    return (const LossDesc *)trace->params.loss.desc;
}

static bool is_binary(const Trace *trace) {
    return strcmp(trace_loss(trace)->desc.name, "binary_cross_entropy") == 0;
}

// ---- which count ----

static bool counts(const Trace *trace, size_t i, Value target) {
    return trace->counted == NULL ||
           (value_kind(target) != VALUE_NULL && (trace->trains == NULL || trace->trains[i]));
}

static Value first_target(const Trace *trace) {
    size_t i = 0;
    VALUE_FOREACH(target, trace->params.targets)
    if (counts(trace, i++, target))
        return target;
    return VALUE_NONE;
}

// The nodes that have a target; of rows that are no nodes each has one.
static int list_counted(Trace *trace, const Path *path, Issues *issues) {
    LossCall *call = &trace->loss_call;
    if (trace->graphs.memory == NULL || trace_output_rows(trace) != trace->inputs.shape.dim[0])
        return OK;
    trace->counted = arena_array(&trace->arena, (size_t)call->rows, sizeof(*trace->counted));
    if (trace->counted == NULL)
        return ERR_NO_MEMORY;
    size_t i = 0;
    call->rows = 0;
    VALUE_FOREACH(target, trace->params.targets) {
        if (counts(trace, i, target))
            trace->counted[call->rows++] = (int32_t)i;
        i++;
    }
    if (call->rows > 0)
        return OK;
    issues_add(issues, path, "must have at least one that is not null%s",
               trace->trains == NULL ? "" : ", of a node that trains");
    return ERR_INVALID;
}

// ---- names ----

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b); // UTF-8: by code point
}

// The distinct names among the targets, in code-point order, as a dataset has them.
static int collect_names(Trace *trace) {
    Value targets = trace->params.targets;
    const char **names = arena_array(&trace->arena, value_length(targets), sizeof(*names));
    if (names == NULL)
        return ERR_NO_MEMORY;
    size_t count = 0, distinct = 0;
    VALUE_FOREACH(target, targets) // of nodes that do not count too
    if (value_string(target) != NULL)
        names[count++] = value_string(target);
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 0; i < count; i++)
        if (distinct == 0 || strcmp(names[distinct - 1], names[i]) != 0)
            names[distinct++] = names[i];
    trace->names = names;
    trace->name_count = (int64_t)distinct;
    return OK;
}

static int read_names(Trace *trace, const Path *path, Issues *issues, int32_t *classes) {
    const LossCall *call = &trace->loss_call;
    int64_t classes_max = is_binary(trace) ? 2 : call->width;
    int error = collect_names(trace), result = OK;
    if (error != OK)
        return error;
    if (trace->name_count > classes_max) {
        issues_add(issues, path, "have %lld classes, and the model tells %lld apart",
                   (long long)trace->name_count, (long long)classes_max);
        return ERR_INVALID;
    }
    size_t i = 0, k = 0;
    VALUE_FOREACH(target, trace->params.targets) {
        const char *name = value_string(target);
        if (!counts(trace, i, target)) {
            i++;
            continue;
        }
        if (name == NULL) {
            issues_add(issues, PATH_INDEX(path, i),
                       "must be a string like the first target, not %s",
                       value_kind_name(value_kind(target)));
            result = ERR_INVALID;
        } else {
            const char **found = bsearch(&name, trace->names, (size_t)trace->name_count,
                                         sizeof(*trace->names), compare_names);
            classes[k] = (int32_t)(found - trace->names);
        }
        i++;
        k++;
    }
    return result;
}

// ---- classes and numbers ----

static int read_classes(Trace *trace, const Shape *places, const Path *path, Issues *issues) {
    LossCall *call = &trace->loss_call;
    bool named = value_kind(first_target(trace)) == VALUE_STRING;
    if (call->width < 2) {
        issues_add(issues, PATH_KEY(NULL, "loss"),
                   "cross_entropy needs an output for each class, and the model has one; "
                   "binary_cross_entropy and mse fit");
        return ERR_INVALID;
    }
    if (named && places->rank > 1) {
        char text[SHAPE_TEXT];
        issues_add(issues, path, "must be class numbers of the shape %s, for the model's output",
                   shape_text(places, text));
        return ERR_INVALID;
    }
    int32_t *classes = arena_array(&trace->arena, (size_t)call->rows, sizeof(*classes));
    if (classes == NULL)
        return ERR_NO_MEMORY;
    call->classes = classes;
    if (named)
        return read_names(trace, path, issues, classes);
    // A row as far as it goes; behind it stands no target.
    int32_t lengths[TRACE_ROWS_MAX];
    bool differ = trace_lengths(trace, model_output(trace->model), lengths);
    Shape row = {.rank = places->rank - 1};
    memcpy(row.dim, places->dim + 1, (size_t)row.rank * sizeof(*row.dim));
    size_t stride = (size_t)shape_elements(&row), i = 0, k = 0;
    int result = OK;
    memset(classes, 0xff, (size_t)call->rows * sizeof(*classes)); // −1
    VALUE_FOREACH(target, trace->params.targets) {
        if (differ)
            row.dim[0] = lengths[i];
        if (counts(trace, i, target) &&
            nested_read_whole(target, &row, "class number", call->width, true, PATH_INDEX(path, i),
                              issues, classes + k++ * stride) != OK)
            result = ERR_INVALID;
        i++;
    }
    return result;
}

static int check_fractions(const Trace *trace, const Path *path, Issues *issues) {
    const LossCall *call = &trace->loss_call;
    int64_t rows = trace->counted != NULL ? call->rows : trace_output_rows(trace);
    int64_t row = call->rows * call->width / rows;
    for (int64_t i = 0; i < call->rows * call->width; i++)
        if (!(call->values[i] >= 0 && call->values[i] <= 1)) {
            int64_t at = trace->counted != NULL ? trace->counted[i / row] : i / row;
            issues_add(issues, PATH_INDEX(path, (size_t)at),
                       "must be from 0 to 1 under binary_cross_entropy, not %.15g",
                       (double)call->values[i]);
            return ERR_INVALID;
        }
    return OK;
}

// Each target that counts, of the shape's rows.
static int read_numbers(const Trace *trace, const Shape *shape, const Path *path, Issues *issues,
                        Real *values) {
    Shape row = {.rank = shape->rank - 1};
    memcpy(row.dim, shape->dim + 1, (size_t)row.rank * sizeof(*row.dim));
    size_t stride = (size_t)shape_elements(&row), i = 0;
    int result = OK;
    VALUE_FOREACH(target, trace->params.targets) {
        if (counts(trace, i, target)) {
            if (nested_read(target, &row, PATH_INDEX(path, i), issues, values) != OK)
                result = ERR_INVALID;
            values += stride;
        }
        i++;
    }
    return result;
}

static int read_values(Trace *trace, const Shape *output, const Shape *places, const Path *path,
                       Issues *issues) {
    LossCall *call = &trace->loss_call;
    Value first = first_target(trace);
    bool named = value_kind(first) == VALUE_STRING;
    if (named && !(is_binary(trace) && output->rank == 2 && call->width == 1)) {
        issues_add(issues, PATH_KEY(NULL, "loss"),
                   "\"%s\" is for numbers, and the targets are names; cross_entropy fits them",
                   trace_loss(trace)->desc.name);
        return ERR_INVALID;
    }
    int32_t lengths[TRACE_ROWS_MAX];
    if (trace_lengths(trace, model_output(trace->model), lengths)) {
        issues_add(issues, path,
                   "are numbers for every step of rows of different lengths, which no loss takes: "
                   "rows of one length fit, or class numbers");
        return ERR_INVALID;
    }
    size_t count = (size_t)(call->rows * call->width);
    Real *values = arena_array(&trace->arena, count, sizeof(*values));
    if (values == NULL)
        return ERR_NO_MEMORY;
    call->values = values;
    if (named) {
        int32_t *classes = arena_array(&trace->arena, count, sizeof(*classes));
        int error = classes == NULL ? ERR_NO_MEMORY : read_names(trace, path, issues, classes);
        for (size_t i = 0; error == OK && i < count; i++)
            values[i] = (Real)classes[i];
        return error;
    }
    Shape given;
    int error = nested_shape(first, path, issues, &given);
    if (error != OK)
        return error;
    bool bare = call->width == 1 && given.rank + 1 == places->rank;
    error = read_numbers(trace, bare ? places : output, path, issues, values);
    return error == OK && is_binary(trace) ? check_fractions(trace, path, issues) : error;
}

// ---- which they are ----

static int choose_loss(Trace *trace, const Shape *places, const Path *path, Issues *issues) {
    Selection *loss = &trace->params.loss;
    if (loss->desc != NULL)
        return OK;
    Value first = first_target(trace);
    bool classes = value_kind(first) == VALUE_STRING;
    if (!classes) {
        Shape given;
        int error = nested_shape(first, path, issues, &given);
        if (error != OK)
            return error;
        classes = given.rank + 1 == places->rank && trace->loss_call.width > 1;
    }
    return selection_read(&loss_registry, classes ? "cross_entropy" : "mse", VALUE_NONE, NULL,
                          &trace->arena, issues, loss);
}

// ---- class weights ----

// That of the body, or the loss's own as jobs have it; *path becomes its place.
static Value class_weight_of(const Trace *trace, const Path *loss_path, const Path **path) {
    const Desc *loss = trace->params.loss.desc;
    Value own = trace->params.class_weight;
    if (value_kind(own) != VALUE_MISSING && value_kind(own) != VALUE_NULL)
        return own;
    *path = loss_path;
    for (size_t i = 0; i < loss->param_count; i++)
        if (strcmp(loss->params[i].name, "class_weight") == 0)
            return *(const Value *)((const char *)trace->params.loss.params +
                                    loss->params[i].offset);
    return VALUE_NONE;
}

static int read_class_weights(Trace *trace, Issues *issues) {
    LossCall *call = &trace->loss_call;
    const Path *path = PATH_KEY(NULL, "class_weight");
    Value value = class_weight_of(trace, PATH_KEY(PATH_KEY(NULL, "loss"), "class_weight"), &path);
    if (value_kind(value) == VALUE_MISSING || value_kind(value) == VALUE_NULL)
        return OK;
    if (trace_loss(trace)->targets != TARGETS_CLASSES) {
        issues_add(issues, path, "is for cross_entropy, and the loss is %s",
                   trace_loss(trace)->desc.name);
        return ERR_INVALID;
    }
    if (call->classes == NULL)
        return ERR_INVALID; // told already
    int64_t *counts = arena_array(&trace->arena, (size_t)call->width, sizeof(*counts));
    Real *weights = arena_array(&trace->arena, (size_t)call->width, sizeof(*weights));
    if (counts == NULL || weights == NULL)
        return ERR_NO_MEMORY;
    for (int64_t i = 0; i < call->rows; i++)
        if (call->classes[i] >= 0)
            counts[call->classes[i]]++;
    call->class_weights = weights;
    return class_weights_read(value, call->width, counts, path, issues, weights);
}

// ---- targets ----

// Where they stand: beside the graph, or in it as in a dataset.
static const Path *find_targets(Trace *trace, const Path *inside, const Path *beside) {
    if (value_kind(trace->params.targets) != VALUE_MISSING ||
        value_kind(trace->params.graph) != VALUE_OBJECT)
        return beside;
    trace->params.targets = value_member(trace->params.graph, "targets");
    return value_kind(trace->params.targets) != VALUE_MISSING ? inside : beside;
}

int trace_read_targets(Trace *trace, Issues *issues) {
    const Path *path = find_targets(trace, PATH_KEY(PATH_KEY(NULL, "graph"), "targets"),
                                    PATH_KEY(NULL, "targets"));
    LossCall *call = &trace->loss_call;
    Value targets = trace->params.targets;
    const Shape *row = model_output_shape(trace->model);
    Shape output = {.rank = row->rank + 1, .dim = {trace_output_rows(trace)}};
    memcpy(output.dim + 1, row->dim, (size_t)row->rank * sizeof(*row->dim));
    Shape places = {.rank = row->rank};
    memcpy(places.dim, output.dim, sizeof(places.dim));
    if (value_kind(targets) != VALUE_ARRAY || value_length(targets) != (size_t)output.dim[0]) {
        bool nodes = trace->graphs.memory != NULL;
        issues_add(issues, path, "%s a list of %lld, one for %s",
                   value_kind(targets) == VALUE_MISSING ? "is required:" : "must be",
                   (long long)output.dim[0],
                   !nodes                                        ? "each row of inputs"
                   : output.dim[0] == trace->inputs.shape.dim[0] ? "each node"
                                                                 : "the graph");
        return ERR_INVALID;
    }
    call->width = shape_last(&output);
    call->rows = shape_elements(&output) / call->width;
    int error = list_counted(trace, path, issues);
    if (error == OK)
        error = choose_loss(trace, &places, path, issues);
    if (error != OK)
        return error;
    call->params = trace->params.loss.params;
    int read = trace_loss(trace)->targets == TARGETS_CLASSES
                   ? read_classes(trace, &places, path, issues)
                   : read_values(trace, &output, &places, path, issues);
    if (read != OK && read != ERR_INVALID)
        return read;
    int weighed = read_class_weights(trace, issues);
    return read != OK ? read : weighed;
}
