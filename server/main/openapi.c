// `backpropd openapi`: the contract without a server.
#include <stdio.h>
#include "server/main/commands.h"
#include "server/routes/routes.h"

int command_openapi(int argc, char **argv) {
    (void)argv;
    if (argc > 1) {
        fprintf(stderr, "usage: backpropd openapi\n");
        return EXIT_USAGE;
    }
    JsonOut out;
    json_init(&out);
    openapi_write(&out);
    bool failed = out.text.failed || puts(text_string(&out.text)) == EOF;
    json_finish(&out);
    return failed ? EXIT_REFUSED : EXIT_DONE;
}
