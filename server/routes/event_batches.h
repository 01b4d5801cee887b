// A job's records as server-sent events, in batches. Viewers of one job ask for the same ones within the same moment: the
// newest few batches are kept for a second, so that a thousand viewers cost one reading.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "core/base/text.h"
#include "core/diagnose/texts.h"
#include "server/store/store.h"

typedef struct EventBatches EventBatches;

int event_batches_create(EventBatches **ret_batches);
void event_batches_destroy(EventBatches *batches); // takes NULL
// Adds the events after `seq` to `out` (nothing, where there are none yet; not all, where they are many). *ret_seq is then
// that of the last one added; *ret_end: it was the job's `end`. Findings are told in `language`.
int event_batches_read(EventBatches *batches, Store *store, const char *job, Language language,
                       int64_t seq, Text *out, int64_t *ret_seq, bool *ret_end);
