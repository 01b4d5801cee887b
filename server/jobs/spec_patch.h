// A job's spec with a merge patch applied: RFC 7396, and one thing beside it. Specs are kept with every default filled in, so a
// patch that names another optimizer, schedule or loss would leave the former one's parameters standing, which the new one
// refuses. Those that the patch does not name and the new one does not have go with the old one.
#pragma once
#include "core/base/value.h"
#include "server/json/document.h"

// Borrows neither. ERR_NO_MEMORY.
int spec_patch(Value spec, Value patch, Document **ret_document);
// Whether the patch decides what stands at the JSON pointer: it has a member there or, on the way, something that takes the whole
// place.
bool spec_patch_names(Value patch, const char *pointer);
// The spec with another seed.
int spec_reseed(Value spec, int64_t seed, Document **ret_document);
char *spec_as_text(Value spec); // as JSON (memory_free); NULL without memory
