// `backpropd backup`: a copy of a server's folder, also while the server runs: docs/backup.md.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "server/main/commands.h"
#include "server/store/backup.h"

static const char usage[] = "usage: backpropd backup TARGET [--data DIR]\n"
                            "Copies the folder of a server (BACKPROPD_DATA, or backpropd-data) to "
                            "TARGET, which must not be\n"
                            "there yet, while the server runs or not. `backpropd serve --data "
                            "TARGET` then serves the copy.\n"
                            "The exit status: 0 the copy is whole, checked and on the disk; 1 "
                            "there is none; 2 the call is wrong.";

int command_backup(int argc, char **argv) {
    const char *data = getenv("BACKPROPD_DATA"), *target = NULL;
    BackupReport report;
    if (data == NULL)
        data = "backpropd-data";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            puts(usage);
            return EXIT_DONE;
        }
        if (strcmp(argv[i], "--data") == 0 && i + 1 < argc) {
            data = argv[++i];
        } else if (argv[i][0] != '-' && target == NULL) {
            target = argv[i];
        } else {
            target = NULL;
            break;
        }
    }
    if (target == NULL) {
        fprintf(stderr, "%s\n", usage);
        return EXIT_USAGE;
    }
    if (store_backup(data, target, &report) != OK) {
        fprintf(stderr, "no backup: %s\n", report.why);
        return EXIT_REFUSED;
    }
    printf("%s: %lld files, %.1f MiB\n", target, (long long)report.files,
           (double)report.bytes / (1 << 20));
    return EXIT_DONE;
}
