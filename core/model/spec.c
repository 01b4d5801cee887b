// Reads a model's spec: model.md's `model` object into layers and a graph.
//
// Two passes over the document. The first reads every layer by itself (type, name, parameters, whom
// it reads), nested lists included; the second builds the graph in the same order and so learns the
// shapes. A layer with an error is broken: what reads it is still read, but not judged by its
// shape. So every mistake of a spec is reported at once, and none twice.
//
// Indices are in reading order, a layer before those that it holds: the entry's index is the
// layer's in the graph.
#include "core/model/model_private.h"
#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include "core/base/error.h"

typedef struct SpecReader {
    Model *model;
    Arena *arena; // the graph's
    Issues *issues;
    bool full; // MODEL_LAYERS_MAX is passed and was reported
    int next;  // second pass: the index of the next layer
    int input_node;
} SpecReader;

// Keys that every layer takes beside its parameters.
static const char *const layer_keys[] = {"type", "name", "inputs", "trainable", NULL};

// ---- first pass: each layer by itself ----

static int read_list(SpecReader *reader, Value list, const Path *path, int parent, int depth);

static void report_unknown_type(SpecReader *reader, const char *type, const Path *path) {
    const Registry *registry = &layer_registry;
    const char **names = arena_array(reader->arena, registry->count, sizeof(*names));
    const char *nearest = NULL;
    if (names != NULL) {
        for (size_t i = 0; i < registry->count; i++)
            names[i] = registry->entries[i]->name;
        nearest = nearest_name(type, names, registry->count);
    }
    if (nearest != NULL)
        issues_add(reader->issues, path, "there is no layer type \"%.64s\"; did you mean \"%s\"?",
                   type, nearest);
    else
        issues_add(reader->issues, path,
                   "there is no layer type \"%.64s\"; GET /v1/layers lists them", type);
}

static const LayerDesc *read_type(SpecReader *reader, Value layer, const Path *path) {
    Value type = value_member(layer, "type");
    if (value_kind(type) == VALUE_MISSING) {
        issues_add(reader->issues, PATH_KEY(path, "type"), "is missing: every layer has a type");
        return NULL;
    }
    const char *name = value_string(type);
    if (name == NULL) {
        issues_add(reader->issues, PATH_KEY(path, "type"), "must be a string, not %s",
                   value_kind_name(value_kind(type)));
        return NULL;
    }
    const LayerDesc *desc = layer_find(name);
    if (desc == NULL)
        report_unknown_type(reader, name, PATH_KEY(path, "type"));
    return desc;
}

static bool name_valid(const char *name) {
    size_t length = strlen(name);
    if (length == 0 || length > MODEL_NAME_MAX || strcmp(name, "input") == 0)
        return false;
    for (const char *c = name; *c != '\0'; c++)
        if (!isascii((unsigned char)*c) || !(isalnum((unsigned char)*c) || *c == '_' || *c == '-'))
            return false;
    return true;
}

// The name as given, or type_N where it is the Nth of its type; NULL where the given one is
// refused.
static const char *read_name(SpecReader *reader, Value layer, const LayerDesc *desc, int index,
                             const Path *path) {
    const Model *model = reader->model;
    Value given = value_member(layer, "name");
    if (value_kind(given) == VALUE_MISSING || value_kind(given) == VALUE_NULL) {
        if (desc == NULL)
            return NULL;
        int count = 1;
        for (int i = 0; i < index; i++)
            count += model->entries[i].layer.desc == desc;
        return arena_format(reader->arena, "%s_%d", desc->desc.name, count);
    }
    const char *name = value_string(given);
    if (name == NULL) {
        issues_add(reader->issues, PATH_KEY(path, "name"), "must be a string, not %s",
                   value_kind_name(value_kind(given)));
        return NULL;
    }
    if (!name_valid(name)) {
        issues_add(reader->issues, PATH_KEY(path, "name"),
                   "must be 1 to %d letters, digits, \"_\" and \"-\", and not \"input\", which "
                   "stands for the model's input",
                   MODEL_NAME_MAX);
        return NULL;
    }
    return arena_string(reader->arena, name);
}

static void report_unknown_input(SpecReader *reader, const char *name, int index,
                                 const Path *path) {
    const Model *model = reader->model;
    const char **names = arena_array(reader->arena, (size_t)index + 1, sizeof(*names));
    size_t count = 0;
    if (names != NULL) {
        names[count++] = "input";
        for (int i = 0; i < index; i++)
            if (model->entries[i].layer.name != NULL)
                names[count++] = model->entries[i].layer.name;
    }
    const char *nearest = nearest_name(name, names, count);
    if (nearest != NULL)
        issues_add(reader->issues, path,
                   "there is no layer \"%.64s\" before this one; did you mean \"%s\"?", name,
                   nearest);
    else
        issues_add(reader->issues, path, "there is no layer \"%.64s\" before this one", name);
}

// The layer of this name that is complete before layer `index`: one around it is not. False: there
// is none.
static bool find_source(const Model *model, const char *name, int index, int *ret_source) {
    if (strcmp(name, "input") == 0) {
        *ret_source = SOURCE_INPUT;
        return true;
    }
    for (int i = 0; i < index; i++) {
        const ModelEntry *entry = &model->entries[i];
        if (entry->end <= index && entry->end > 0 && entry->layer.name != NULL &&
            strcmp(entry->layer.name, name) == 0) {
            *ret_source = i;
            return true;
        }
    }
    return false;
}

static int read_sources(SpecReader *reader, Value layer, int index, const Path *path) {
    ModelEntry *entry = &reader->model->entries[index];
    Value inputs = value_member(layer, "inputs");
    size_t count = 1;
    path = PATH_KEY(path, "inputs");
    if (value_kind(inputs) != VALUE_MISSING) {
        count = value_length(inputs);
        if (value_kind(inputs) != VALUE_ARRAY || count == 0 || count > OP_INPUTS_MAX) {
            issues_add(reader->issues, path, "must be a list of 1 to %d layer names",
                       OP_INPUTS_MAX);
            entry->broken = true;
            return OK;
        }
        entry->sources = arena_array(reader->arena, count, sizeof(*entry->sources));
        if (entry->sources == NULL)
            return ERR_NO_MEMORY;
        size_t i = 0;
        VALUE_FOREACH(item, inputs) {
            const char *name = value_string(item);
            if (name == NULL) {
                issues_add(reader->issues, PATH_INDEX(path, i), "must be a layer's name, not %s",
                           value_kind_name(value_kind(item)));
                entry->broken = true;
            } else if (!find_source(reader->model, name, index, &entry->sources[i])) {
                report_unknown_input(reader, name, index, PATH_INDEX(path, i));
                entry->broken = true;
            }
            i++;
        }
        entry->source_count = (int)count;
    }
    const LayerDesc *desc = entry->layer.desc;
    if (desc == NULL)
        return OK;
    if ((int)count < desc->min_inputs || (int)count > desc->max_inputs) {
        if (desc->min_inputs == desc->max_inputs)
            issues_add(reader->issues, path, "\"%s\" reads exactly %d, not %zu", desc->desc.name,
                       desc->min_inputs, count);
        else
            issues_add(reader->issues, path, "\"%s\" reads %d to %d layers, not %zu",
                       desc->desc.name, desc->min_inputs, desc->max_inputs, count);
        entry->broken = true;
    }
    return OK;
}

static bool read_trainable(SpecReader *reader, Value layer, const Path *path) {
    Value trainable = value_member(layer, "trainable");
    if (value_kind(trainable) == VALUE_MISSING)
        return true;
    if (value_kind(trainable) != VALUE_BOOLEAN)
        issues_add(reader->issues, PATH_KEY(path, "trainable"), "must be true or false, not %s",
                   value_kind_name(value_kind(trainable)));
    return value_boolean(trainable);
}

static int new_entry(SpecReader *reader, int *ret_index) {
    Model *model = reader->model;
    if (model->count == model->capacity) {
        int capacity = model->capacity == 0 ? 16 : 2 * model->capacity;
        ModelEntry *entries =
            memory_resize(model->entries, (size_t)model->count, (size_t)capacity, sizeof(*entries));
        if (entries == NULL)
            return ERR_NO_MEMORY;
        model->entries = entries;
        model->capacity = capacity;
    }
    *ret_index = model->count++;
    return OK;
}

static bool holds_layers(const LayerDesc *desc) {
    for (size_t i = 0; i < desc->desc.param_count; i++)
        if (desc->desc.params[i].type == PARAM_VALUE &&
            strcmp(desc->desc.params[i].name, "layers") == 0)
            return true;
    return false;
}

static int read_layer(SpecReader *reader, Value value, const Path *path, int parent, int depth) {
    int index;
    int error = new_entry(reader, &index);
    if (error != OK)
        return error;
    // The array may move as nested layers are read: an entry is named by its index.
    Model *model = reader->model;
    model->entries[index].layer.parent = parent;
    if (value_kind(value) != VALUE_OBJECT) {
        issues_add(reader->issues, path, "must be an object with a \"type\", not %s",
                   value_kind_name(value_kind(value)));
        model->entries[index].broken = true;
        model->entries[index].end = model->count;
        return OK;
    }
    const LayerDesc *desc = read_type(reader, value, path);
    const char *name = read_name(reader, value, desc, index, path);
    bool trainable = read_trainable(reader, value, path);
    ModelEntry *entry = &model->entries[index];
    entry->layer.desc = desc;
    entry->layer.name = name;
    entry->layer.trainable = trainable && (parent < 0 || model->entries[parent].layer.trainable);
    entry->broken = desc == NULL || name == NULL;
    error = read_sources(reader, value, index, path);
    if (error != OK)
        return error;
    if (desc != NULL) {
        error = params_read(&desc->desc, value, path, layer_keys, reader->arena, reader->issues,
                            &entry->layer.params);
        if (error == ERR_INVALID)
            entry->broken = true;
        else if (error != OK)
            return error;
        if (holds_layers(desc)) {
            error = read_list(reader, value_member(value, "layers"), PATH_KEY(path, "layers"),
                              index, depth + 1);
            if (error != OK)
                return error;
            if (model->count == index + 1)
                model->entries[index].broken = true; // it holds none, and the reason was told
        }
    }
    model->entries[index].end = model->count;
    return OK;
}

// A missing list was reported as a missing parameter already.
static int read_list(SpecReader *reader, Value list, const Path *path, int parent, int depth) {
    if (value_kind(list) == VALUE_MISSING)
        return OK;
    if (value_kind(list) != VALUE_ARRAY || value_length(list) == 0) {
        issues_add(reader->issues, path, "must be a list of at least one layer%s%s",
                   value_kind(list) == VALUE_ARRAY ? "" : ", not ",
                   value_kind(list) == VALUE_ARRAY ? "" : value_kind_name(value_kind(list)));
        return OK;
    }
    if (depth > MODEL_NESTING_MAX) {
        issues_add(reader->issues, path, "layers are nested deeper than %d", MODEL_NESTING_MAX);
        return OK;
    }
    size_t i = 0;
    VALUE_FOREACH(item, list) {
        if (reader->model->count == MODEL_LAYERS_MAX) {
            if (!reader->full)
                issues_add(reader->issues, PATH_INDEX(path, i),
                           "a model has at most %d layers, nested ones included", MODEL_LAYERS_MAX);
            reader->full = true;
            return OK;
        }
        int error = read_layer(reader, item, PATH_INDEX(path, i++), parent, depth);
        if (error != OK)
            return error;
    }
    return OK;
}

// ---- second pass: the graph ----

// Names are compared once all are known; the later of two equals is told, where the user wrote it.
static void check_name(SpecReader *reader, Value layer, int index, const Path *path) {
    Model *model = reader->model;
    ModelEntry *entry = &model->entries[index];
    if (entry->layer.name == NULL)
        return;
    bool given = value_kind(value_member(layer, "name")) == VALUE_STRING;
    for (int i = 0; i < index; i++) {
        const char *other = model->entries[i].layer.name;
        if (other == NULL || strcmp(other, entry->layer.name) != 0)
            continue;
        if (given)
            issues_add(reader->issues, PATH_KEY(path, "name"),
                       "\"%s\" is the name of an earlier layer", other);
        else
            issues_add(reader->issues, path,
                       "its default name \"%s\" was given to an earlier layer: name one of the "
                       "two otherwise",
                       other);
        entry->broken = true;
        return;
    }
}

static int build_list(SpecReader *reader, Value list, const Path *path, int input, int *ret_output);

static int build_nested(LayerBuild *build, Value layers, const Path *path, int input,
                        int *ret_output) {
    int output = -1;
    int error = build_list(build->model, layers, path, input, &output);
    if (error != OK)
        return error;
    if (output < 0)
        return ERR_INVALID; // told already
    *ret_output = output;
    return OK;
}

static const char *activation_of(Value layer) {
    const char *type = value_string(value_member(layer, "type"));
    if (type == NULL || strcmp(type, "activation") != 0)
        return NULL;
    Value function = value_member(layer, "function");
    return value_kind(function) == VALUE_OBJECT ? value_string(value_member(function, "type"))
                                                : value_string(function);
}

// The nodes that the layer reads; false where one of them is not known.
static bool gather_inputs(SpecReader *reader, ModelEntry *entry, int previous) {
    ModelLayer *layer = &entry->layer;
    layer->inputs = entry->source_count > 0 ? entry->source_count : 1;
    layer->input[0] = previous;
    for (int i = 0; i < entry->source_count; i++) {
        int source = entry->sources[i];
        const ModelEntry *other = source == SOURCE_INPUT ? NULL : &reader->model->entries[source];
        if (other == NULL)
            layer->input[i] = reader->input_node;
        else
            layer->input[i] = other->broken ? -1 : other->layer.output;
    }
    for (int i = 0; i < layer->inputs; i++)
        if (layer->input[i] < 0)
            return false;
    return true;
}

// `previous` is the node that it reads by default (−1: not known), `following` the layer behind it
// in its list.
static int build_layer(SpecReader *reader, Value value, Value following, const Path *path,
                       int previous) {
    Model *model = reader->model;
    int index = reader->next++;
    ModelEntry *entry = &model->entries[index];
    ModelLayer *layer = &entry->layer;
    check_name(reader, value, index, path);
    bool known = !entry->broken && gather_inputs(reader, entry, previous);
    entry->broken = true;
    if (!known) {
        // What it holds is not built, but its names count.
        Value nested = value_member(value, "layers");
        int ignored = -1;
        if (entry->end > index + 1)
            return build_list(reader, nested, PATH_KEY(path, "layers"), -1, &ignored);
        return OK;
    }
    LayerBuild build = {.graph = model->graph,
                        .issues = reader->issues,
                        .path = path,
                        .layer = index,
                        .name = layer->name,
                        .next_activation = activation_of(following),
                        .arena = reader->arena,
                        .vocabulary = model->task.vocabulary,
                        .build_nested = build_nested,
                        .model = reader,
                        .pre_activation = -1};
    int output = -1;
    int error = layer->desc->build(&build, layer->params, layer->inputs, layer->input, &output);
    reader->next = entry->end;
    if (error == ERR_INVALID)
        return OK;
    if (error != OK)
        return error;
    layer->output = output;
    layer->pre_activation = build.pre_activation >= 0 ? build.pre_activation : output;
    layer->activation = build.activation;
    entry->broken = false;
    return layer->trainable ? OK : graph_freeze(model->graph, index);
}

static int build_list(SpecReader *reader, Value list, const Path *path, int input,
                      int *ret_output) {
    const Model *model = reader->model;
    int previous = input;
    size_t i = 0;
    VALUE_FOREACH(item, list) {
        if (reader->next == model->count)
            break; // the list was cut at its bound
        int index = reader->next;
        int error = build_layer(reader, item, value_next(item), PATH_INDEX(path, i++), previous);
        if (error != OK)
            return error;
        previous = model->entries[index].broken ? -1 : model->entries[index].layer.output;
    }
    *ret_output = previous;
    return OK;
}

// What the graph knows of each layer's weights once it is whole.
static void count_weights(Model *model) {
    for (int i = 0; i < graph_weights(model->graph); i++) {
        const GraphWeight *weight = graph_weight_at(model->graph, i);
        ModelLayer *layer = &model->entries[weight->layer].layer;
        if (layer->weights++ == 0)
            layer->first_weight = i;
        if (!weight->state)
            layer->parameters += shape_elements(&weight->shape);
    }
    for (int i = 0; i < model->count; i++)
        model->parameters += model->entries[i].layer.parameters;
}

// ---- the model object ----

typedef struct InputParams {
    IntegerList shape;
} InputParams;

static const ParamSpec input_params[] = {
    {.name = "shape",
     .type = PARAM_INTEGERS,
     .offset = offsetof(InputParams, shape),
     .required = true,
     .minimum = 1,
     .maximum = 1e9,
     .help = "the shape in which the model reads a row"},
};
static const Desc input_desc = {.name = "input",
                                .params = input_params,
                                .param_count = ARRAY_LENGTH(input_params),
                                .params_size = sizeof(InputParams)};

typedef struct ModelParams {
    Value input, layers;
    const char *initial;
} ModelParams;

static const ParamSpec model_params[] = {
    {.name = "input",
     .type = PARAM_VALUE,
     .offset = offsetof(ModelParams, input),
     .help = "{\"shape\": […]}: how to read the dataset's rows"},
    {.name = "layers",
     .type = PARAM_VALUE,
     .offset = offsetof(ModelParams, layers),
     .required = true,
     .help = "the layers, run in order"},
    {.name = "initial",
     .type = PARAM_STRING,
     .offset = offsetof(ModelParams, initial),
     .help = "the id of a model whose weights it starts from"},
};
static const Desc model_desc = {.name = "model",
                                .params = model_params,
                                .param_count = ARRAY_LENGTH(model_params),
                                .params_size = sizeof(ModelParams)};

static int read_input(SpecReader *reader, Value input, const Path *path) {
    Model *model = reader->model;
    if (value_kind(input) == VALUE_MISSING)
        return OK;
    const void *read;
    int error = params_read(&input_desc, input, path, NULL, reader->arena, reader->issues, &read);
    if (error != OK)
        return error == ERR_INVALID ? OK : error;
    const InputParams *params = read;
    path = PATH_KEY(path, "shape");
    if (params->shape.count == 0 || params->shape.count > SHAPE_RANK_MAX - 1) {
        issues_add(reader->issues, path, "must have 1 to %d axes, not %zu", SHAPE_RANK_MAX - 1,
                   params->shape.count);
        return OK;
    }
    Shape shape = {.rank = (int)params->shape.count};
    for (int i = 0; i < shape.rank; i++)
        shape.dim[i] = params->shape.items[i];
    char given[SHAPE_TEXT], actual[SHAPE_TEXT];
    int64_t wanted = shape_elements(&model->task.input);
    if (shape_elements(&shape) != wanted) {
        issues_add(reader->issues, path,
                   "%s does not hold the %lld numbers of a row of the dataset, whose shape is %s",
                   shape_text(&shape, given), (long long)wanted,
                   shape_text(&model->task.input, actual));
        return OK;
    }
    if (model->task.rows == ROWS_SEQUENCES && shape.dim[0] != model->task.input.dim[0]) {
        issues_add(
            reader->issues, path,
            "must begin with %lld: rows differ in their number of steps, which is at most so many",
            (long long)model->task.input.dim[0]);
        return OK;
    }
    model->input = shape;
    model->input_given = true;
    return OK;
}

// The first pass over the whole object. OK also where there are issues, but for what is no object.
static int read_words(SpecReader *reader, Value spec, const Path *path, bool task_known) {
    const void *params;
    int error = params_read(&model_desc, spec, path, NULL, reader->arena, reader->issues, &params);
    if (error != OK && error != ERR_INVALID)
        return error;
    if (value_kind(spec) != VALUE_OBJECT)
        return ERR_INVALID;
    const char *initial = value_string(value_member(spec, "initial"));
    if (initial != NULL) {
        reader->model->initial = arena_string(reader->arena, initial);
        if (reader->model->initial == NULL)
            return ERR_NO_MEMORY;
    }
    if (task_known)
        error = read_input(reader, value_member(spec, "input"), PATH_KEY(path, "input"));
    else
        error = OK;
    return error == OK
               ? read_list(reader, value_member(spec, "layers"), PATH_KEY(path, "layers"), -1, 0)
               : error;
}

int spec_check_words(Model *model, Value spec, const Path *path, Issues *issues) {
    SpecReader reader = {.model = model, .arena = graph_arena(model->graph), .issues = issues};
    return read_words(&reader, spec, path, false);
}

int spec_read(Model *model, Value spec, const Path *path, Issues *issues) {
    SpecReader reader = {.model = model, .arena = graph_arena(model->graph), .issues = issues};
    size_t before = issues->count + issues->omitted;
    int error = read_words(&reader, spec, path, true);
    if (error != OK)
        return error;
    Value layers = value_member(spec, "layers");
    reader.input_node = graph_input(model->graph, &model->input, task_graph_rows(&model->task));
    if (reader.input_node < 0)
        return reader.input_node;
    model->output = reader.input_node;
    error =
        build_list(&reader, layers, PATH_KEY(path, "layers"), reader.input_node, &model->output);
    if (error != OK)
        return error;
    if (issues->count + issues->omitted == before)
        error = wiring_check(model, PATH_KEY(path, "layers"), issues);
    if (error != OK || issues->failed)
        return ERR_NO_MEMORY;
    if (issues->count + issues->omitted > before || model->output < 0)
        return ERR_INVALID;
    count_weights(model);
    return OK;
}
