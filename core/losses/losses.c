// The registry of losses.
#include "core/losses/losses.h"

#define ENTRY(name) extern const LossDesc loss_##name;
#include "core/losses/losses.inc"
#undef ENTRY

static const Desc *const entries[] = {
#define ENTRY(name) &loss_##name.desc,
#include "core/losses/losses.inc"
#undef ENTRY
};

const Registry loss_registry = {"loss", entries, ARRAY_LENGTH(entries)};

const LossDesc *loss_find(const char *name) {
    return (const LossDesc *)registry_find(&loss_registry, name);
}
