// Figures in Prometheus' text format (version 0.0.4): a family's head, then its samples.
#pragma once
#include "core/base/text.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

// `type`: counter, gauge or histogram.
void exposition_family(Text *out, const char *name, const char *type, const char *help);
// `labels`: as they stand between the braces ("status=\"queued\""), or NULL. Their values must need no
// escapes.
void exposition_sample(Text *out, const char *name, const char *labels, double value);
// A family of one sample.
void exposition_single(Text *out, const char *name, const char *type, const char *help,
                       double value);
