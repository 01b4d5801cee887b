// Why archive_text gave no text: there is none, or no memory to copy it into, which must not pass for damage.
#pragma once
#include "core/base/archive.h"
#include "core/base/error.h"

static inline int archive_text_error(const Archive *archive, const char *name) {
    return archive_typed(archive, name, ARCHIVE_U8) != NULL ? ERR_NO_MEMORY : ERR_DAMAGED;
}
