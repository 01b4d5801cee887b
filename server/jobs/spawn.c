// posix_spawn of /proc/self/exe: the same binary, whatever happened to its file since.
#include "server/jobs/spawn.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/tensor/blas.h"
#include "server/base/log.h"
#include "server/jobs/courtesy.h"
#include "server/jobs/frames.h"

enum { PIPE_BYTES = 1 << 20, VARIABLES_MAX = 16 };

// What a worker may see of our environment: how to load libraries, how sanitizers are to behave, and how
// to log.
static const char *const inherited[] = {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS",
                                        "LSAN_OPTIONS",    "TSAN_OPTIONS", LOG_FORMAT_VARIABLE};

// The job's frame in memory, to be read as standard input: so nobody waits for a reader.
static int input_make(Store *store, const JobRow *row, const WorkerOrder *order, int *ret_input) {
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    json_string(&out, "job", row->id);
    json_string(&out, "data", store_path(store));
    json_string(&out, "dataset", row->dataset);
    json_string(&out, "model", order->model);
    json_integer(&out, "threads", row->threads);
    json_string(&out, "spec", row->spec);
    if (row->deaths > 0)
        json_integer(&out, "died_at", row->death_step);
    json_raw(&out, "progress", row->progress);
    json_raw(&out, "metrics", row->metrics);
    json_raw(&out, "best", row->best);
    json_integer(&out, "lease", order->lease);
    json_boolean(&out, "probe", order->probe);
    json_boolean(&out, "finish", strcmp(row->wish, "stop") == 0);
    if (order->max_memory_bytes > 0)
        json_integer(&out, "max_memory_bytes", order->max_memory_bytes);
    json_end_object(&out);
    int result = out.text.failed ? ERR_NO_MEMORY : OK;
    int input = result == OK ? memfd_create("job", MFD_CLOEXEC) : -1;
    if (result == OK && input < 0)
        result = ERR_IO;
    if (result == OK)
        result = frame_write(input, FRAME_JOB, (uint32_t)row->attempt, text_string(&out.text),
                             out.text.length);
    if (result == OK && lseek(input, 0, SEEK_SET) != 0)
        result = ERR_IO;
    json_finish(&out);
    if (result != OK) {
        if (input >= 0)
            close(input);
        return result;
    }
    *ret_input = input;
    return OK;
}

typedef struct Environment {
    char *variables[VARIABLES_MAX + 1];
    int count;
    bool failed;
} Environment;

static void environment_add(Environment *environment, const char *name, const char *value) {
    Text text;
    if (value == NULL)
        return;
    text_init(&text);
    text_add_format(&text, "%s=%s", name, value);
    char *variable = text_take(&text);
    if (variable == NULL || environment->count == VARIABLES_MAX)
        environment->failed = true;
    else
        environment->variables[environment->count++] = variable;
}

static void environment_init(Environment *environment, int threads) {
    char number[16];
    const char *core = getenv("OPENBLAS_CORETYPE");
    *environment = (Environment){0};
    snprintf(number, sizeof number, "%d", threads);
    environment_add(environment, "OPENBLAS_NUM_THREADS", number);
    environment_add(environment, "OPENBLAS_CORETYPE", core != NULL ? core : blas_core_wanted());
    for (size_t i = 0; i < ARRAY_LENGTH(inherited); i++)
        environment_add(environment, inherited[i], getenv(inherited[i]));
}

static void environment_finish(Environment *environment) {
    for (int i = 0; i < environment->count; i++)
        memory_free(environment->variables[i]);
}

static int process_start(int input, int output, int courtesy, char *const *environment,
                         pid_t *ret_pid) {
    char parent[16], program[] = "backpropd", command[] = "worker";
    char *arguments[] = {program, command, parent, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t later, all;
    snprintf(parent, sizeof parent, "%d", (int)getpid());
    sigemptyset(&later);
    sigaddset(&later, SIGUSR1);
    sigfillset(&all);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ERR_NO_MEMORY;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return ERR_NO_MEMORY;
    }
    int error = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (error == 0 && courtesy >= 0)
        error = posix_spawn_file_actions_adddup2(&actions, courtesy, COURTESY_DESCRIPTOR);
    if (error == 0)
        error = posix_spawn_file_actions_addclosefrom_np(
            &actions, courtesy >= 0 ? COURTESY_DESCRIPTOR + 1 : COURTESY_DESCRIPTOR);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &later);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    if (error == 0)
        error =
            posix_spawn(ret_pid, "/proc/self/exe", &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error == 0 ? OK : error == ENOMEM ? ERR_NO_MEMORY : ERR_UNAVAILABLE;
}

int spawn_worker(Store *store, const JobRow *row, const WorkerOrder *order, Spawned *ret_spawned) {
    int ends[2] = {-1, -1}, input = -1;
    Environment environment;
    pid_t pid = 0;
    int result = input_make(store, row, order, &input);
    if (result != OK)
        return result;
    environment_init(&environment, row->threads);
    if (environment.failed)
        result = ERR_NO_MEMORY;
    if (result == OK && pipe2(ends, O_CLOEXEC) != 0)
        result = ERR_UNAVAILABLE;
    if (result == OK) {
        fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES); // a larger pipe lets the training run ahead
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        result = process_start(input, ends[1], order->courtesy, environment.variables, &pid);
    }
    if (result == OK)
        *ret_spawned = (Spawned){pid, ends[0]};
    else if (ends[0] >= 0)
        close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    close(input);
    environment_finish(&environment);
    return result;
}
