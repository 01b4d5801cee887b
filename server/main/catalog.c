// `backpropd catalog`: everything a job can name, as GET /v1/layers answers it.
#include <stdio.h>
#include "core/catalog/catalog.h"
#include "server/base/json_out.h"
#include "server/main/commands.h"

int command_catalog(int argc, char **argv) {
    if (argc != 1) {
        fprintf(stderr, "usage: backpropd %s\n", argv[0]);
        return EXIT_USAGE;
    }
    JsonOut out;
    json_init(&out);
    ValueWriter writer = json_writer(&out);
    catalog_write(&writer);
    int status = out.text.failed ? EXIT_REFUSED : EXIT_DONE;
    puts(text_string(&out.text));
    json_finish(&out);
    return status;
}
