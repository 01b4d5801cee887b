// `backpropd gradcheck`: a job's backpropagation against central differences, in double precision.
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/train/check.h"
#include "server/main/commands.h"
#include "server/main/local.h"

static const char usage[] =
    "usage: backpropd gradcheck JOB.json [--dataset FILE.json|.csv|.ndjson] [--json]\n"
    "Compares every gradient of the job with a numeric one. Exits with 1 where they differ.";

// A line a weight. Returns what the report says of itself: whether it passed.
static bool report_print(const char *json, bool quiet) {
    Document *document = NULL;
    Issues issues;
    issues_init(&issues);
    bool passed = false;
    if (document_parse(json, strlen(json), NULL, &issues, &document) == OK) {
        Value root = document_root(document);
        passed = value_boolean(value_member(root, "passed"));
        if (!quiet) {
            VALUE_FOREACH(layer, value_member(root, "weights")) {
                VALUE_FOREACH(weight, layer) {
                    char name[128];
                    snprintf(name, sizeof name, "%s.%s", value_key(layer), value_key(weight));
                    printf("%-36s %.3g\n", name,
                           value_number(value_member(weight, "max_relative_error")));
                }
            }
            printf("%s: greatest relative error %.3g\n", passed ? "passed" : "FAILED",
                   value_number(value_member(root, "max_relative_error")));
        }
    }
    document_destroy(document);
    issues_finish(&issues);
    return passed;
}

int command_gradcheck(int argc, char **argv) {
    LocalOptions options;
    LocalJob local;
    JsonOut out;
    double greatest;
    int status;

    if (!local_options(argc, argv, false, usage, &options, &status))
        return status;
    json_init(&out);
    ValueWriter writer = json_writer(&out);
    int error = local_load(&options, &local);
    if (local.dataset != NULL) {
        error = check_job(local.spec, local.archive, &local.issues, &writer, &greatest);
        if (error < 0 && !issues_any(&local.issues))
            fprintf(stderr, "%s: %s\n", options.job_path, error_text(error));
    }
    if (error == OK && !issues_any(&local.issues)) {
        if (options.json)
            puts(text_string(&out.text));
        status = report_print(text_string(&out.text), options.json) ? EXIT_DONE : EXIT_REFUSED;
    } else {
        status =
            issues_any(&local.issues) ? local_print_issues(&options, &local.issues) : EXIT_REFUSED;
    }
    json_finish(&out);
    local_finish(&local);
    return status;
}
