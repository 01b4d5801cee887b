// What a job is, as a hash: its spec with every default filled in, and its dataset. Two jobs of one
// fingerprint take the same steps to the last bit, on one BLAS core and with one number of threads.
#pragma once
#include "core/train/job.h"

void job_fingerprint(const Job *job, char ret_sha256[HASH_TEXT]);
