// The activation registry.
#include "core/activations/activations.h"

#define ENTRY(name) extern const ActivationDesc activation_##name;
#include "core/activations/activations.inc"
#undef ENTRY

static const Desc *const entries[] = {
#define ENTRY(name) &activation_##name.desc,
#include "core/activations/activations.inc"
#undef ENTRY
};

const Registry activation_registry = {"activation", entries, ARRAY_LENGTH(entries)};

const ActivationDesc *activation_find(const char *name) {
    return (const ActivationDesc *)registry_find(&activation_registry, name);
}
