// The registry of initialisers.
#include "core/inits/inits.h"

#define ENTRY(name) extern const InitDesc init_##name;
#include "core/inits/inits.inc"
#undef ENTRY

static const Desc *const entries[] = {
#define ENTRY(name) &init_##name.desc,
#include "core/inits/inits.inc"
#undef ENTRY
};

const Registry init_registry = {"initializer", entries, ARRAY_LENGTH(entries)};

const InitDesc *init_find(const char *name) {
    return (const InitDesc *)registry_find(&init_registry, name);
}
