// Writes patches. Layers are copied key by key; only what the remedy is about is left out, changed or put between.
#include "core/diagnose/remedy.h"
#include <stdio.h>
#include <string.h>

static bool is(Value object, const char *key, const char *text) {
    const char *value = value_string(value_member(object, key));
    return value != NULL && strcmp(value, text) == 0;
}

static bool is_one_of(const char *name, const char *const *list) {
    for (; *list != NULL; list++)
        if (name != NULL && strcmp(name, *list) == 0)
            return true;
    return false;
}

static bool given(Value value) {
    return value_kind(value) != VALUE_MISSING && value_kind(value) != VALUE_NULL;
}

static const char *const stacked[] = {"dense", "conv1d", "conv2d", NULL};
static const char *const editable[] = {"dense",    "conv1d",     "conv2d",
                                       "gcn_conv", "gat_conv",   "sage_conv",
                                       "gin_conv", "activation", NULL};
static const char *const kernels[] = {"dense",
                                      "conv1d",
                                      "conv2d",
                                      "gcn_conv",
                                      "sage_conv",
                                      "gat_conv",
                                      "gin_conv",
                                      "rnn",
                                      "lstm",
                                      "gru",
                                      "multi_head_attention",
                                      "transformer_block",
                                      NULL};
static const char *const squashing[] = {"sigmoid", "tanh", "softmax", NULL};

// The name of a layer's activation; NULL: none.
static const char *activation_of(Value layer) {
    Value value = value_member(layer, is(layer, "type", "activation") ? "function" : "activation");
    const char *name = value_kind(value) == VALUE_OBJECT ? value_string(value_member(value, "type"))
                                                         : value_string(value);
    return name != NULL && strcmp(name, "linear") != 0 ? name : NULL;
}

static bool is_norm(Value layer) {
    const char *type = value_string(value_member(layer, "type"));
    return type != NULL && strstr(type, "_norm") != NULL;
}

// ---- one layer ----

typedef struct LayerChange {
    const char *activation; // in place of its own; NULL: stays; "linear": none
    bool split;             // norm and activation become layers of their own behind it
    bool hidden;            // a layer before the output's
} LayerChange;

static bool dropped(const Remedy *remedy, Value layer, const char *key) {
    const LayersEdit *edit = &remedy->layers;
    bool fits = is_one_of(value_string(value_member(layer, "type")), editable);
    return (edit->default_init && strstr(key, "_init") != NULL) ||
           (edit->unfreeze && strcmp(key, "trainable") == 0) ||
           // He's or Glorot's rule goes with the activation.
           (edit->activation != NULL && fits && strcmp(key, "kernel_init") == 0) ||
           (edit->activation != NULL && strcmp(key, "alpha") == 0);
}

static void write_list(const Remedy *remedy, Value layers, bool top, const char *key,
                       const ValueWriter *out);

static bool widens(const Remedy *remedy, const LayerChange *change, Value layer, Value member) {
    return change->hidden && strcmp(value_key(member), "units") == 0 &&
           is(layer, "type", "dense") && value_number(member) < (double)remedy->layers.least_units;
}

static void write_layer(const Remedy *remedy, Value layer, const LayerChange *change,
                        const ValueWriter *out) {
    const char *key = is(layer, "type", "activation") ? "function" : "activation";
    bool written = false;
    write_begin_object(out, NULL);
    VALUE_FOREACH(member, layer) {
        const char *name = value_key(member);
        bool rate = strcmp(name, "rate") == 0 || strcmp(name, "dropout") == 0;
        if (dropped(remedy, layer, name))
            continue;
        if (strcmp(name, key) == 0 && change->activation != NULL) {
            write_string(out, name, change->activation);
            written = true;
        } else if (widens(remedy, change, layer, member)) {
            write_integer(out, name, remedy->layers.least_units);
        } else if (rate && remedy->layers.dropout > 0 &&
                   value_number(member) > remedy->layers.dropout) {
            write_number(out, name, remedy->layers.dropout);
        } else if (strcmp(name, "layers") == 0) {
            write_list(remedy, member, false, name, out);
        } else {
            write_value(out, name, member);
        }
    }
    if (change->activation != NULL && !written)
        write_string(out, key, change->activation);
    write_end_object(out);
}

static void write_extra(Value layer, const char *suffix, const char *type, const char *function,
                        const ValueWriter *out) {
    const char *name = value_string(value_member(layer, "name"));
    write_begin_object(out, NULL);
    write_string(out, "type", type);
    if (name != NULL && strlen(name) < 80) {
        char text[128];
        snprintf(text, sizeof text, "%s_%s", name, suffix);
        write_string(out, "name", text);
    }
    if (function != NULL)
        write_string(out, "function", function);
    write_end_object(out);
}

// ---- the list ----

typedef struct ListPlace {
    size_t output; // index of the last layer with a kernel, at the top; SIZE_MAX inside
    bool wired;    // some layer names its inputs: nothing is put between
} ListPlace;

static ListPlace list_place(Value layers, bool top) {
    ListPlace place = {.output = SIZE_MAX};
    size_t index = 0;
    VALUE_FOREACH(layer, layers) {
        place.wired |= given(value_member(layer, "inputs"));
        if (top && is_one_of(value_string(value_member(layer, "type")), kernels))
            place.output = index;
        index++;
    }
    return place;
}

static LayerChange change_of(const Remedy *remedy, Value layer, bool output, bool wired) {
    const LayersEdit *edit = &remedy->layers;
    const char *type = value_string(value_member(layer, "type")), *own = activation_of(layer);
    Value next = value_next(layer);
    LayerChange change = {0};
    if (output) {
        if (edit->linear_output && own != NULL)
            change.activation = "linear";
        return change;
    }
    change.hidden = !wired;
    if (!is_one_of(type, editable))
        return change;
    if (edit->activation != NULL && own != NULL &&
        (!edit->squashing_only || is_one_of(own, squashing)))
        change.activation = edit->activation;
    bool bare = own == NULL && is_one_of(type, stacked) && next.node != NULL &&
                is_one_of(value_string(value_member(next, "type")), stacked);
    if (edit->bend && bare)
        change.activation = edit->activation != NULL ? edit->activation : "relu";
    change.split = edit->normalise && !wired && is_one_of(type, stacked) &&
                   (own != NULL || change.activation != NULL) &&
                   !(next.node != NULL && is_norm(next));
    return change;
}

static void write_split(const Remedy *remedy, Value layer, const LayerChange *change,
                        const ValueWriter *out) {
    const char *own = activation_of(layer);
    const char *function = change->activation != NULL ? change->activation : own;
    write_layer(remedy, layer, &(LayerChange){.activation = "linear", .hidden = true}, out);
    write_extra(layer, "norm", remedy->layers.layer_norm ? "layer_norm" : "batch_norm", NULL, out);
    write_extra(layer, "act", "activation", function, out);
}

static void write_list(const Remedy *remedy, Value layers, bool top, const char *key,
                       const ValueWriter *out) {
    ListPlace place = list_place(layers, top);
    size_t index = 0;
    int hidden = 0;
    write_begin_array(out, key);
    VALUE_FOREACH(layer, layers) {
        bool output = place.output != SIZE_MAX && index >= place.output;
        LayerChange change = change_of(remedy, layer, output, place.wired || !top);
        bool gone = remedy->layers.linear_output && output && index > place.output &&
                    is(layer, "type", "activation");
        if (index == place.output && remedy->layers.add_dropout > 0 && !place.wired) {
            write_begin_object(out, NULL);
            write_string(out, "type", "dropout");
            write_number(out, "rate", remedy->layers.add_dropout);
            write_end_object(out);
        }
        hidden += change.hidden && is(layer, "type", "dense");
        gone |=
            change.hidden && remedy->layers.most_hidden > 0 && hidden > remedy->layers.most_hidden;
        if (gone) {
            index++;
            continue;
        }
        if (change.split)
            write_split(remedy, layer, &change, out);
        else
            write_layer(remedy, layer, &change, out);
        index++;
    }
    write_end_array(out);
}

// ---- training ----

static void write_optimizer(const Remedy *remedy, Value training, const ValueWriter *out) {
    Value old = value_member(training, "optimizer");
    const char *type = value_kind(old) == VALUE_OBJECT ? value_string(value_member(old, "type"))
                                                       : value_string(old);
    const char *name = remedy->optimizer != NULL ? remedy->optimizer : type != NULL ? type : "adam";
    bool same = type != NULL && strcmp(name, type) == 0;
    write_begin_object(out, "optimizer");
    write_string(out, "type", name);
    if (remedy->learning_rate > 0)
        write_number(out, "learning_rate", remedy->learning_rate);
    if (remedy->momentum > 0)
        write_number(out, "momentum", remedy->momentum);
    if (remedy->weight_decay > 0)
        write_number(out, "weight_decay", remedy->weight_decay);
    VALUE_FOREACH(member, old) {
        const char *key = value_key(member);
        bool kept = strcmp(key, "type") == 0 || strcmp(key, "learning_rate") == 0 ||
                    strcmp(key, "weight_decay") == 0;
        bool reset =
            remedy->drop_epsilon && (strcmp(key, "epsilon") == 0 || strstr(key, "beta") != NULL ||
                                     strcmp(key, "decay") == 0);
        if (value_kind(old) == VALUE_OBJECT && !kept && (!same || reset))
            write_null(out, key);
    }
    write_end_object(out);
}

static void write_loss(const Remedy *remedy, const ValueWriter *out) {
    if (!remedy->balance && !(remedy->label_smoothing > 0)) {
        if (remedy->loss != NULL && remedy->loss[0] != '\0')
            write_string(out, "loss", remedy->loss);
        else
            write_null(out, "loss");
        return;
    }
    write_begin_object(out, "loss");
    write_string(out, "type", "cross_entropy");
    if (remedy->balance)
        write_string(out, "class_weight", "balanced");
    if (remedy->label_smoothing > 0)
        write_number(out, "label_smoothing", remedy->label_smoothing);
    write_end_object(out);
}

static void write_length(const Remedy *remedy, Value training, const ValueWriter *out) {
    int64_t steps = 0, epochs = 0;
    if (remedy->epochs == 0)
        return;
    value_integer(value_member(training, "epochs"), 1, INT64_MAX / 4096, &epochs);
    if (value_integer(value_member(training, "steps"), 1, INT64_MAX / 4096, &steps) && steps > 0)
        write_integer(out, "steps", steps * remedy->epochs);
    else
        write_integer(out, "epochs", (epochs > 0 ? epochs : 10) * remedy->epochs);
}

static bool trains_anew(const Remedy *remedy) {
    return remedy->optimizer != NULL || remedy->learning_rate > 0 || remedy->momentum > 0 ||
           remedy->weight_decay > 0 || remedy->drop_epsilon;
}

static void write_training(const Remedy *remedy, Value training, const ValueWriter *out) {
    bool optimizer = trains_anew(remedy);
    if (optimizer)
        write_optimizer(remedy, training, out);
    if (remedy->drop_schedule)
        write_string(out, "schedule", "constant");
    if ((optimizer || remedy->drop_schedule || remedy->batch_size > 0 || remedy->epochs > 0) &&
        given(value_member(training, "phases")))
        write_null(out, "phases");
    if (remedy->loss != NULL || remedy->balance || remedy->label_smoothing > 0)
        write_loss(remedy, out);
    if (remedy->drop_clipping) {
        write_null(out, "clip_norm");
        write_null(out, "clip_value");
    } else if (remedy->clip_norm > 0) {
        write_number(out, "clip_norm", remedy->clip_norm);
    }
    if (remedy->batch_size > 0)
        write_integer(out, "batch_size", remedy->batch_size);
    write_length(remedy, training, out);
    if (remedy->standardize)
        write_boolean(out, "standardize", true);
    if (remedy->stop_early) {
        write_begin_object(out, "early_stopping");
        write_string(out, "metric", "val_loss");
        write_integer(out, "patience", remedy->patience);
        write_boolean(out, "restore_best", true);
        write_end_object(out);
    }
    if (remedy->new_seed) {
        int64_t seed = 0;
        value_integer(value_member(training, "seed"), 0, INT64_MAX / 2, &seed);
        write_integer(out, "seed", seed + 1);
    }
}

static bool changes_training(const Remedy *remedy) {
    return trains_anew(remedy) || remedy->drop_schedule || remedy->drop_clipping ||
           remedy->clip_norm > 0 || remedy->batch_size > 0 || remedy->epochs > 0 ||
           remedy->loss != NULL || remedy->label_smoothing > 0 || remedy->balance ||
           remedy->stop_early || remedy->standardize || remedy->new_seed;
}

void remedy_write_patch(const Remedy *remedy, Value spec, const char *key, const ValueWriter *out) {
    write_begin_object(out, key);
    Value layers = value_member(value_member(spec, "model"), "layers");
    if (remedy->edits_layers && value_kind(layers) == VALUE_ARRAY) {
        write_begin_object(out, "model");
        write_list(remedy, layers, true, "layers", out);
        write_end_object(out);
    }
    if (changes_training(remedy)) {
        write_begin_object(out, "training");
        write_training(remedy, value_member(spec, "training"), out);
        write_end_object(out);
    }
    write_end_object(out);
}
