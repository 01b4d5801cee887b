// The subcommands of the program: what `backpropd NAME …` runs.
//
// Each gets what stands after its own name: argv[0] is the name, argv[1] the first argument. It
// returns the exit status: 0 done, 1 it ran and the answer is no (a training failed, a check found
// something), 2 it was called wrongly; `wait` says more. Results go to stdout, everything else to stderr. They run
// before any thread is started.
#pragma once

enum {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1,
    EXIT_USAGE = 2,
    EXIT_CANCELLED = 3, // wait: how the job ended, or did not
    EXIT_TIME = 4,
    EXIT_NO_SERVER = 5,
};

int command_serve(int argc, char **argv);     // the service
int command_train(int argc, char **argv);     // a job without a server
int command_check(int argc, char **argv);     // every problem of a job, or its plan
int command_gradcheck(int argc, char **argv); // backprop against central differences
int command_trace(int argc, char **argv);     // one cycle with every number
int command_wait(int argc, char **argv);      // until a server's job has ended
int command_status(int argc, char **argv);    // how a server is
int command_backup(int argc, char **argv);    // a copy of a server's folder, while it runs
int command_catalog(int argc, char **argv);   // everything a job can name, as JSON
int command_openapi(int argc, char **argv);   // the HTTP contract as OpenAPI 3.1
