// The registry of optimizers.
#include "core/optimizers/optimizers.h"

#define ENTRY(name) extern const OptimizerDesc optimizer_##name;
#include "core/optimizers/optimizers.inc"
#undef ENTRY

static const Desc *const entries[] = {
#define ENTRY(name) &optimizer_##name.desc,
#include "core/optimizers/optimizers.inc"
#undef ENTRY
};

const Registry optimizer_registry = {"optimizer", entries, ARRAY_LENGTH(entries)};

const OptimizerDesc *optimizer_find(const char *name) {
    return (const OptimizerDesc *)registry_find(&optimizer_registry, name);
}
