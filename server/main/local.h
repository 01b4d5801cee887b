// A job and its dataset from files, for the commands that need no server.
//
// The job's file is what POST /v1/jobs takes. Its dataset is an inline `dataset` object, or a file
// beside it: .json (a dataset object), .csv (with a header, the last column is the target) or
// .ndjson (a row a line). The dataset becomes an archive in a temporary folder, which local_finish
// removes.
#pragma once
#include "core/train/job.h"
#include "server/base/json_out.h"
#include "server/json/document.h"

typedef struct LocalOptions {
    const char *job_path;
    const char *dataset_path; // NULL: the job holds it
    const char *output_path;  // NULL: the weights are not kept
    int threads;              // 0: the job's own, else all cores
    bool json;
} LocalOptions;

typedef struct LocalJob {
    char *text;         // of the job's file
    Document *document; // of it
    Value spec;         // its root
    char folder[64];    // temporary; "" while there is none
    char archive[128];  // path of the dataset's archive; "" while there is none
    Dataset *dataset;   // NULL while the dataset could not be read
    int threads;
    Issues issues; // of the job and the dataset
} LocalJob;

// Reads `NAME JOB.json [--dataset FILE] [--threads N] [--json]`, and --output FILE where
// `takes_output`. On --help, and with a word on stderr on a wrong call, ret_status is the exit
// status and the answer false.
bool local_options(int argc, char **argv, bool takes_output, const char *usage,
                   LocalOptions *ret_options, int *ret_status);

// The whole of a file, NUL-terminated, for memory_free. ERR_IO or ERR_NO_MEMORY after a word on stderr.
int local_read(const char *path, char **ret_text, size_t *ret_length);
// Reads both files. OK, or ERR_INVALID with what is wrong in job->issues; other errors after a word
// on stderr. In every case local_finish is due.
int local_load(const LocalOptions *options, LocalJob *ret_job);
// As local_load, and fits the job to its dataset: checks all of it.
int local_create(const LocalOptions *options, LocalJob *ret_local, Job **ret_job);
void local_finish(LocalJob *job);

// Every issue a line, "pointer: detail", to stdout, or as {"errors": [...]}; returns EXIT_REFUSED.
int local_print_issues(const LocalOptions *options, const Issues *issues);
