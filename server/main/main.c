// The program: one binary, its subcommands in a table.
//
// Before anything else it sees to OpenBLAS: the library chooses its kernels while it loads, takes
// newer processors for old ones, and starts a thread per core. Both are told by the environment,
// which has to stand before the program starts. So the program sets it and executes itself again,
// once: the second time nothing is left to set.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/tensor/blas.h"
#include "server/base/log.h"
#include "server/jobs/jobs.h"
#include "server/main/commands.h"

typedef struct Command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} Command;

static const Command commands[] = {
    {"serve", command_serve, "the service: HTTP, queue, workers, dashboard"},
    {"wait", command_wait, "until a job of a server has ended; the exit status says how"},
    {"status", command_status, "how a server is"},
    {"backup", command_backup, "a copy of a server's data, also while it runs"},
    {"train", command_train, "a job without a server"},
    {"check", command_check, "every mistake of a job, or its plan"},
    {"gradcheck", command_gradcheck, "a job's gradients against central differences"},
    {"trace", command_trace, "one cycle of a small net with every number, as JSON"},
    {"catalog", command_catalog, "everything that a job can name, as JSON"},
    {"openapi", command_openapi, "the HTTP contract as OpenAPI 3.1"},
    {"worker", command_worker, "one job from standard input, for the server"},
};

static bool variable_set(const char *name, const char *value) {
    return getenv(name) == NULL && setenv(name, value, 1) == 0;
}

// Only what is not set is set, so the second execution changes nothing and goes on.
static void environment_settle(char **argv) {
    const char *core = blas_core_wanted();
    bool changed = core != NULL && variable_set("OPENBLAS_CORETYPE", core);
    changed = variable_set("OPENBLAS_NUM_THREADS", "1") || changed;
    if (changed)
        execv("/proc/self/exe", argv); // where that is not possible one works on, slower
}

static void help_print(FILE *out) {
    fprintf(out, "usage: backpropd COMMAND [ARGUMENT…]\n\n");
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
    fprintf(out,
            "\n`backpropd COMMAND --help` says more; `backpropd --version` says which it is.\n");
}

int main(int argc, char **argv) {
    if (argc < 2) {
        help_print(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("backpropd %s\n", BACKPROPD_VERSION);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        help_print(stdout);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        if (strcmp(commands[i].name, argv[1]) == 0) {
            environment_settle(argv);
            const char *format = getenv(LOG_FORMAT_VARIABLE);
            log_as_json(format != NULL && strcmp(format, "json") == 0);
            return commands[i].run(argc - 1, argv + 1);
        }
    fprintf(stderr, "backpropd: there is no command \"%.60s\"\n", argv[1]);
    help_print(stderr);
    return EXIT_USAGE;
}
