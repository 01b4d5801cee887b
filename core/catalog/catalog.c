// The one place that knows every registry of the core.
#include "core/catalog/catalog.h"
#include "core/activations/activations.h"
#include "core/inits/inits.h"
#include "core/layers/layers.h"
#include "core/losses/losses.h"
#include "core/optimizers/optimizers.h"
#include "core/schedules/schedules.h"
#include "core/train/job.h"

static const CatalogPart parts[] = {
    {"layers", &layer_registry},
    {"activations", &activation_registry},
    {"initializers", &init_registry},
    {"losses", &loss_registry},
    {"optimizers", &optimizer_registry},
    {"schedules", &schedule_registry},
    {"augmentations", &augmentation_registry},
};

size_t catalog_parts(void) {
    return ARRAY_LENGTH(parts);
}

const CatalogPart *catalog_part(size_t index) {
    return &parts[index];
}

static void write_entry(const Desc *desc, const char *key, const ValueWriter *out) {
    write_begin_object(out, key);
    write_string(out, "name", desc->name);
    write_begin_array(out, "aliases");
    for (size_t i = 0; desc->aliases != NULL && desc->aliases[i] != NULL; i++)
        write_string(out, NULL, desc->aliases[i]);
    write_end_array(out);
    write_string(out, "summary", desc->summary);
    write_string(out, "reference", desc->reference);
    params_describe(desc, out);
    write_end_object(out);
}

void catalog_write(const ValueWriter *out) {
    write_begin_object(out, NULL);
    for (size_t p = 0; p < ARRAY_LENGTH(parts); p++) {
        write_begin_array(out, parts[p].key);
        for (size_t i = 0; i < parts[p].registry->count; i++)
            write_entry(parts[p].registry->entries[i], NULL, out);
        write_end_array(out);
    }
    write_entry(&training_desc, "training", out);
    write_entry(&early_stopping_desc, "early_stopping", out);
    write_entry(&phase_desc, "phase", out);
    write_end_object(out);
}
