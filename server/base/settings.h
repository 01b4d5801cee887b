// The settings of `backpropd serve`: a table, one row a setting. From it come the flags, the
// environment variables, their checks and --help. A flag wins over the environment, which wins over
// the default.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/text.h"

enum { ALLOW_HOSTS_MAX = 16 };

typedef struct Settings {
    const char *listen;                           // "127.0.0.1:8080"
    const char *data;                             // the folder of the database and all files
    int64_t workers;                              // jobs at once
    int64_t threads;                              // of a job that does not say
    const char *token_file;                       // NULL: none
    int64_t max_body;                             // bytes
    int64_t max_queue;                            // jobs
    int64_t lease_seconds;                        // that a worker may be silent
    int64_t keep_days;                            // ended jobs; 0: for ever
    int64_t max_connections;                      // of one address; 0: 256, and of loopback any
    const char *log_format;                       // "text" or "json"
    const char *allow_hosts[ALLOW_HOSTS_MAX + 1]; // NULL-terminated
    char *memory;                                 // what the texts above may point into
} Settings;

// Reads argv[1…] and the environment; the texts are borrowed from both as long as the settings
// live. Every mistake goes to `mistakes`, a line each (then ERR_INVALID). ret_help: --help was
// asked for, and nothing else counts.
int settings_read(int argc, char *const *argv, Settings *ret_settings, bool *ret_help,
                  Text *mistakes);
void settings_finish(Settings *settings);
void settings_help(Text *out); // a line or two a setting, with its default and its variable
