// `backpropd trace`: one cycle of a small net with every number, as POST /v1/trace answers it.
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/trace.h"
#include "server/main/commands.h"
#include "server/main/local.h"

static const char usage[] =
    "usage: backpropd trace FILE.json\n"
    "Prints forward, loss, backward, update and the numeric check of what POST /v1/trace takes.";

static int trace_print(const char *path, const char *text, size_t length) {
    const LocalOptions options = {.job_path = path};
    Document *document = NULL;
    Issues issues;
    JsonOut out;
    issues_init(&issues);
    json_init(&out);
    ValueWriter writer = json_writer(&out);
    int error = document_parse(text, length, NULL, &issues, &document);
    if (error == OK)
        error = trace_run(document_root(document), &issues, &writer);
    int status = EXIT_REFUSED;
    if (issues_any(&issues)) {
        local_print_issues(&options, &issues);
    } else if (error != OK || out.text.failed) {
        fprintf(stderr, "%s: %s\n", path, error_text(error != OK ? error : ERR_NO_MEMORY));
    } else {
        puts(text_string(&out.text));
        status = EXIT_DONE;
    }
    document_destroy(document);
    json_finish(&out);
    issues_finish(&issues);
    return status;
}

int command_trace(int argc, char **argv) {
    AUTO_FREE char *text = NULL;
    size_t length;
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        puts(usage);
        return EXIT_DONE;
    }
    if (argc != 2 || argv[1][0] == '-') {
        fprintf(stderr, "%s\n", usage);
        return EXIT_USAGE;
    }
    return local_read(argv[1], &text, &length) == OK ? trace_print(argv[1], text, length)
                                                     : EXIT_REFUSED;
}
