// `backpropd check`: every problem of a job, or what it would cost: its plan, and what the rules
// say before a step.
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "server/main/commands.h"
#include "server/main/local.h"

static const char usage[] =
    "usage: backpropd check JOB.json [--dataset FILE.json|.csv|.ndjson] [--threads N] [--json]\n"
    "Prints every problem of the job, each with its place, or its plan. Exits with 1 where there "
    "is a problem.";

static void finding_print(void *context, const Finding *finding) {
    (void)context;
    printf("%s %s%s%s: %s\n", severity_name(finding->severity), finding->code,
           finding->layer != NULL ? " in " : "", finding->layer != NULL ? finding->layer : "",
           finding->explanation);
}

static void finding_add(void *context, const Finding *finding) {
    ValueWriter writer = json_writer(context);
    finding_write(finding, VALUE_NONE, NULL, &writer);
}

// [8,8,3] as people write it.
static void plan_shape(Value shape, char *text, size_t size) {
    size_t length = (size_t)snprintf(text, size, "[");
    VALUE_FOREACH(item, shape) {
        if (length < size)
            length += (size_t)snprintf(text + length, size - length, "%s%.0f",
                                       length > 1 ? "," : "", value_number(item));
    }
    if (length < size)
        snprintf(text + length, size - length, "]");
}

static double plan_number(Value plan, const char *key) {
    return value_number(value_member(plan, key));
}

// The plan is read back from its own JSON, so that people and programs see one and the same.
static int plan_print(const char *json) {
    Document *document = NULL;
    Issues issues;
    issues_init(&issues);
    int error = document_parse(json, strlen(json), NULL, &issues, &document);
    issues_finish(&issues);
    if (error < 0) {
        fprintf(stderr, "the plan cannot be shown: %s\n", error_text(error));
        return EXIT_REFUSED;
    }
    Value plan = value_member(document_root(document), "plan");
    printf("%-20s %-12s %-12s %12s %14s\n", "layer", "type", "output", "parameters", "flops");
    VALUE_FOREACH(layer, value_member(plan, "layers")) {
        char shape[64];
        plan_shape(value_member(layer, "output_shape"), shape, sizeof shape);
        printf("%-20s %-12s %-12s %12.0f %14.0f\n", value_string(value_member(layer, "name")),
               value_string(value_member(layer, "type")), shape, plan_number(layer, "parameters"),
               plan_number(layer, "flops"));
    }
    printf("%.0f parameters, %.0f steps of %.0f operations, %.1f MB of memory, about %.2g s\n",
           plan_number(plan, "parameters"), plan_number(plan, "steps"),
           plan_number(plan, "flops_per_step"), plan_number(plan, "memory_bytes") / 1e6,
           plan_number(plan, "estimated_seconds"));
    document_destroy(document);
    return EXIT_DONE;
}

int command_check(int argc, char **argv) {
    LocalOptions options;
    LocalJob local;
    Job *job = NULL;
    JsonOut out;
    int status;

    if (!local_options(argc, argv, false, usage, &options, &status))
        return status;
    json_init(&out);
    int error = local_create(&options, &local, &job);
    if (error == OK) {
        ValueWriter writer = json_writer(&out);
        json_begin_object(&out, NULL);
        error = job_write_plan(job, "plan", &writer);
        json_begin_array(&out, "findings");
        job_findings(job, finding_add, &out);
        json_end_array(&out);
        json_end_object(&out);
        if (error != OK || out.text.failed) {
            fprintf(stderr, "%s: %s\n", options.job_path,
                    error_text(error != OK ? error : ERR_NO_MEMORY));
            status = EXIT_REFUSED;
        } else if (options.json) {
            puts(text_string(&out.text));
            status = EXIT_DONE;
        } else {
            status = plan_print(text_string(&out.text));
            job_findings(job, finding_print, NULL);
        }
    } else {
        status =
            issues_any(&local.issues) ? local_print_issues(&options, &local.issues) : EXIT_REFUSED;
    }
    json_finish(&out);
    job_destroy(job);
    local_finish(&local);
    return status;
}
