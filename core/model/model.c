// A model's life, what is known of it, and its spec written back with every default filled in.
#include "core/model/model_private.h"
#include <string.h>
#include "core/base/error.h"

int model_create(Value spec, const Path *path, const Task *task, Issues *issues,
                 Model **ret_model) {
    Model *model = memory_new(Model);
    if (model == NULL)
        return ERR_NO_MEMORY;
    model->task = *task;
    model->input = task->input;
    model->graph = graph_create();
    int error = model->graph == NULL ? ERR_NO_MEMORY : spec_read(model, spec, path, issues);
    if (error != OK) {
        model_destroy(model);
        return error;
    }
    *ret_model = model;
    return OK;
}

int model_check_words(Value spec, const Path *path, Issues *issues) {
    Model *model = memory_new(Model);
    if (model == NULL)
        return ERR_NO_MEMORY;
    model->graph = graph_create();
    int error = model->graph == NULL ? ERR_NO_MEMORY : spec_check_words(model, spec, path, issues);
    model_destroy(model);
    return error == ERR_NO_MEMORY || issues->failed ? ERR_NO_MEMORY : OK;
}

void model_destroy(Model *model) {
    if (model == NULL)
        return;
    graph_destroy(model->graph);
    memory_free(model->entries);
    memory_free(model);
}

const Graph *model_graph(const Model *model) {
    return model->graph;
}

const Task *model_task(const Model *model) {
    return &model->task;
}

const Shape *model_input_shape(const Model *model) {
    return &model->input;
}

int model_output(const Model *model) {
    return model->output;
}

const Shape *model_output_shape(const Model *model) {
    return &graph_node(model->graph, model->output)->shape;
}

int model_layers(const Model *model) {
    return model->count;
}

const ModelLayer *model_layer(const Model *model, int index) {
    return &model->entries[index].layer;
}

int model_find_layer(const Model *model, const char *name) {
    for (int i = 0; i < model->count; i++)
        if (strcmp(model->entries[i].layer.name, name) == 0)
            return i;
    return -1;
}

int64_t model_parameters(const Model *model) {
    return model->parameters;
}

const char *model_initial(const Model *model) {
    return model->initial;
}

// ---- the spec again ----

static void write_list(const Model *model, int begin, int end, const ValueWriter *out);

static void write_layer(const Model *model, int index, const ValueWriter *out) {
    const ModelEntry *entry = &model->entries[index];
    const Desc *desc = &entry->layer.desc->desc;
    write_begin_object(out, NULL);
    write_string(out, "type", desc->name);
    write_string(out, "name", entry->layer.name);
    if (entry->source_count > 0) {
        write_begin_array(out, "inputs");
        for (int i = 0; i < entry->source_count; i++) {
            int source = entry->sources[i];
            write_string(out, NULL,
                         source == SOURCE_INPUT ? "input" : model->entries[source].layer.name);
        }
        write_end_array(out);
    }
    for (size_t i = 0; i < desc->param_count; i++) {
        if (desc->params[i].type == PARAM_VALUE && strcmp(desc->params[i].name, "layers") == 0) {
            // The spec's own text lacks the defaults of the layers inside, and may be gone by now.
            write_list(model, index + 1, entry->end, out);
        } else {
            Desc one = *desc;
            one.params = &desc->params[i];
            one.param_count = 1;
            params_write(&one, entry->layer.params, out);
        }
    }
    write_boolean(out, "trainable", entry->layer.trainable);
    write_end_object(out);
}

// The layers [begin, end) of one list; each is followed by those that it holds.
static void write_list(const Model *model, int begin, int end, const ValueWriter *out) {
    write_begin_array(out, "layers");
    for (int i = begin; i < end; i = model->entries[i].end)
        write_layer(model, i, out);
    write_end_array(out);
}

void model_write(const Model *model, const char *key, const ValueWriter *out) {
    write_begin_object(out, key);
    if (model->input_given) {
        write_begin_object(out, "input");
        write_begin_array(out, "shape");
        for (int i = 0; i < model->input.rank; i++)
            write_integer(out, NULL, model->input.dim[i]);
        write_end_array(out);
        write_end_object(out);
    }
    write_list(model, 0, model->count, out);
    if (model->initial != NULL)
        write_string(out, "initial", model->initial);
    write_end_object(out);
}
