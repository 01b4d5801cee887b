// A probe: a worker runs a few steps of a job and tells what the doctor sees. Nothing is stored.
//
// One at a time: whoever asks meanwhile is told to come back, so probes never hold more than one of the threads that answer.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/time.h"
#include "server/jobs/frames.h"
#include "server/jobs/spawn.h"
#include "server/json/document.h"

// The steps, and the worker's start, its look at the data and its end around them.
enum { PROBE_MILLISECONDS = 15000 };

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;

// The bound that the job names, or what its plan says that it takes.
static int64_t memory_of(const JobRow *row) {
    const struct {
        const char *json, *key;
    } places[] = {{row->spec, "max_memory_bytes"}, {row->plan, "memory_bytes"}};
    int64_t bytes = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(places) && bytes == 0; i++) {
        Document *document = NULL;
        Issues issues;
        issues_init(&issues);
        if (places[i].json != NULL &&
            document_parse(places[i].json, strlen(places[i].json), NULL, &issues, &document) == OK)
            value_integer(value_member(document_root(document), places[i].key), 1, INT64_MAX,
                          &bytes);
        document_destroy(document);
        issues_finish(&issues);
    }
    return bytes;
}

// Takes what has come. ERR_DAMAGED, ERR_NO_MEMORY; ERR_UNAVAILABLE: the worker gave up.
static int frames_take(FrameReader *reader, char **ret_answer) {
    Frame frame;
    int result;
    while ((result = frame_next(reader, &frame)) == OK) {
        if (frame.type == FRAME_FAILED)
            return ERR_UNAVAILABLE;
        if (frame.type == FRAME_FINISHED && *ret_answer == NULL) {
            char *answer = memory_array(frame.length + 1, 1);
            if (answer == NULL)
                return ERR_NO_MEMORY;
            memcpy(answer, frame.body, frame.length);
            *ret_answer = answer;
        }
        frame_accept(reader);
    }
    return result == ERR_NOT_FOUND ? OK : result;
}

// Reads until the worker is gone or the time is over.
static int worker_hear(int frames, char **ret_answer) {
    FrameReader reader;
    int64_t until = time_monotonic() + PROBE_MILLISECONDS;
    int result = OK;
    frame_reader_init(&reader);
    while (result == OK) {
        char bytes[65536];
        int64_t left = until - time_monotonic();
        if (left <= 0) {
            result = ERR_UNAVAILABLE;
            break;
        }
        struct pollfd wait = {.fd = frames, .events = POLLIN};
        poll(&wait, 1, (int)left);
        ssize_t count = read(frames, bytes, sizeof bytes);
        if (count == 0)
            break;
        if (count > 0)
            result = frame_reader_add(&reader, bytes, (size_t)count);
        else if (errno != EAGAIN && errno != EINTR)
            result = ERR_IO;
        if (result == OK)
            result = frames_take(&reader, ret_answer);
    }
    frame_reader_finish(&reader);
    return result;
}

int probe_run(Store *store, const JobRow *row, char **ret_answer) {
    const WorkerOrder order = {"", memory_of(row), PROBE_MILLISECONDS, true, -1};
    Spawned worker;
    char *answer = NULL;
    if (pthread_mutex_trylock(&one) != 0)
        return ERR_CONFLICT;
    int result = spawn_worker(store, row, &order, &worker);
    if (result == OK) {
        result = worker_hear(worker.frames, &answer);
        kill(worker.pid, SIGKILL); // gone already, but where the time was over
        while (waitpid(worker.pid, NULL, 0) < 0 && errno == EINTR)
            ;
        close(worker.frames);
        if (result == OK && answer == NULL)
            result = ERR_UNAVAILABLE;
    }
    pthread_mutex_unlock(&one);
    if (result == OK)
        *ret_answer = answer;
    else
        memory_free(answer);
    return result;
}
