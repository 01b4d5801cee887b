// Texts broken into lines for a terminal.
//
// A line breaks at a blank, and beside a character that is two columns wide (Japanese and Chinese are written without blanks)
// unless what follows closes something, like 。 or 」, or what stands before it opens something.
#pragma once
#include <stddef.h>
#include "core/base/text.h"

// Adds `words`, valid UTF-8, in lines that begin with `indent` blanks and are at most `columns` wide where no word is longer.
// Each ends with a line feed; of runs of blanks and line feeds one blank stays.
void wrapped_write(Text *out, const char *words, size_t indent, size_t columns);
