// `backpropd worker PARENT`: trains the one job that comes on standard input and says how it goes
// on standard output.
//
// It opens no database and no socket; it ends with its parent. The job's frame holds
//
//   {"job", "data": DIR, "dataset": id, "model": id, "threads", "spec": text,
//    "progress", "metrics", "best": as last reported, or null,
//    "died_at": the step near which an earlier worker died, where one did,
//    "lease": milliseconds that it may be silent, "finish": whether it is to end as on SIGUSR1,
//    "probe": whether it is only to see what a few steps show (core/train/trainer.h),
//    "max_memory_bytes": where there is a bound}
//
// Of the two checkpoints DIR/checkpoints/JOB.a and .b the newer is tried first, then the older; a
// job without a sound one starts from its first step. Either way the server is told the step, and
// forgets what it had recorded after it.
//
// SIGTERM: it writes a checkpoint and ends; the job goes on later. SIGUSR1: the step under way is its
// last, and the model is kept.
//
// A second thread beats, so that a long step is not taken for a dead worker; but only while the process
// has used the processor since, or writes a file: one that is stopped or waits for ever falls silent.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/lr_range.h"
#include "core/train/trainer.h"
#include "server/base/log.h"
#include "server/base/time.h"
#include "server/jobs/courtesy.h"
#include "server/jobs/jobs.h"
#include "server/jobs/report.h"
#include "server/json/document.h"

enum {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2,
    MEMORY_SLACK_BYTES = 256 << 20, // beside a job's own: libraries and OpenBLAS's buffers …
    MEMORY_SLACK_THREAD = 64 << 20, // … of each thread
    BEATS = 4,                      // in the time that it may be silent
    BEAT_STACK_BYTES = 256 << 10,   // the libraries keep some of each thread's for themselves
    PROBE_SECONDS = 2,              // of steps
    PROBE_CPU_SECONDS = 15,         // of each thread, then the kernel ends it
    WORK_NANOSECONDS = 1000000,     // less of the processor than that between two beats is none
};

static atomic_bool stop_asked;   // by SIGTERM
static atomic_bool finish_asked; // by SIGUSR1

static void on_signal(int signal) {
    atomic_store(signal == SIGUSR1 ? &finish_asked : &stop_asked, true);
}

typedef struct Work {
    uint8_t *text; // the job's frame
    Document *document, *spec_document;
    const char *job, *data, *dataset_id, *model, *spec;
    int64_t attempt, threads, max_memory_bytes, lease;
    atomic_bool writes; // a file: it may wait for the disk without using the processor
    int directory, output;
    int initial_result; // of opening the model that the job starts from
    Dataset *dataset;
    Job *plan;
    Trainer *trainer;
    LrRange range;           // of a range test: what it has seen
    bool probe;              // a few steps, nothing is kept …
    double first_loss, loss; // … of which it tells these …
    JsonOut findings;        // … and what was found
    Report report;
    CourtesyWatch courtesy;
    Issues issues;
    char checkpoints[2][ID_TEXT + 32]; // paths; [0] is the next to be written
} Work;

// ---- starting ----

// What holds for every worker: it dies with its parent, gains no rights, leaves no core, ends on
// SIGTERM and SIGUSR1 by itself.
static int process_prepare(const char *parent) {
    struct sigaction by_itself = {.sa_handler = on_signal};
    struct rlimit none = {0, 0};
    sigset_t blocked;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != (pid_t)strtol(parent, NULL, 10))
        return ERR_UNAVAILABLE; // the parent died before the death signal was set
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return ERR_UNAVAILABLE;
    setrlimit(RLIMIT_CORE, &none);
    sigaction(SIGTERM, &by_itself, NULL);
    sigaction(SIGUSR1, &by_itself, NULL);
    sigemptyset(&blocked);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    signal(SIGPIPE, SIG_IGN);
    return OK;
}

// Frames go out by a descriptor of their own; what a library prints goes to standard error and
// cannot break them.
static int output_take(int *ret_output) {
    int output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (output < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return ERR_IO;
    *ret_output = output;
    return OK;
}

static int frame_read(FrameReader *reader, Frame *ret_frame) {
    for (;;) {
        char bytes[65536];
        int result = frame_next(reader, ret_frame);
        if (result != ERR_NOT_FOUND)
            return result;
        ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
        if (count == 0 || (count < 0 && errno != EINTR))
            return ERR_IO;
        if (count > 0 && (result = frame_reader_add(reader, bytes, (size_t)count)) != OK)
            return result;
    }
}

static int work_read(Work *work) {
    FrameReader reader;
    Frame frame;
    frame_reader_init(&reader);
    int result = frame_read(&reader, &frame);
    if (result == OK && frame.type != FRAME_JOB)
        result = ERR_INVALID;
    if (result == OK) {
        work->text = memory_array(frame.length + 1, 1);
        result = work->text == NULL ? ERR_NO_MEMORY : OK;
    }
    if (result == OK) {
        memcpy(work->text, frame.body, frame.length);
        work->attempt = frame.attempt;
        result = document_parse((const char *)work->text, frame.length, NULL, &work->issues,
                                &work->document);
    }
    frame_reader_finish(&reader);
    if (result != OK)
        return result;
    Value root = document_root(work->document);
    work->job = value_string(value_member(root, "job"));
    work->data = value_string(value_member(root, "data"));
    work->dataset_id = value_string(value_member(root, "dataset"));
    work->model = value_string(value_member(root, "model"));
    work->spec = value_string(value_member(root, "spec"));
    value_integer(value_member(root, "max_memory_bytes"), 1, INT64_MAX, &work->max_memory_bytes);
    if (value_boolean(value_member(root, "finish")))
        atomic_store(&finish_asked, true);
    work->probe = value_boolean(value_member(root, "probe"));
    if (!value_integer(value_member(root, "threads"), 1, 4096, &work->threads) ||
        !value_integer(value_member(root, "lease"), 1, INT64_MAX, &work->lease) ||
        work->job == NULL || work->data == NULL || work->dataset_id == NULL ||
        work->model == NULL || work->spec == NULL)
        return ERR_INVALID;
    return document_parse(work->spec, strlen(work->spec), NULL, &work->issues,
                          &work->spec_document);
}

// A job that was given a bound is held to it by the kernel, too; a probe also to its time.
static void memory_bound(const Work *work) {
    rlim_t seconds = PROBE_CPU_SECONDS * (rlim_t)work->threads;
    if (work->probe)
        setrlimit(RLIMIT_CPU, &(struct rlimit){seconds, seconds});
#ifndef __SANITIZE_ADDRESS__ // it takes terabytes of address space for itself
    if (work->max_memory_bytes == 0)
        return;
    rlim_t bytes = (rlim_t)work->max_memory_bytes + MEMORY_SLACK_BYTES +
                   (rlim_t)work->threads * MEMORY_SLACK_THREAD;
    setrlimit(RLIMIT_DATA, &(struct rlimit){bytes, bytes});
#endif
}

// ---- beating ----

static void *beat_thread(void *context) {
    Work *work = context;
    int64_t every = work->lease / BEATS, before = 0;
    const struct timespec pause = {every / 1000, every % 1000 * 1000000};
    for (;;) {
        struct timespec used;
        nanosleep(&pause, NULL);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
        int64_t now = (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
        if (now - before > WORK_NANOSECONDS || atomic_load(&work->writes))
            report_beat(&work->report);
        before = now;
    }
    return NULL;
}

// It ends with the process. Without it a step must not take longer than the lease.
static void beat_start(Work *work) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, BEAT_STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, beat_thread, work) != 0)
        log_job_warning(work->job, "no thread to beat");
    pthread_attr_destroy(&attributes);
}

// ---- checkpoints ----

static int checkpoint_hook(void *context, Trainer *trainer) {
    Work *work = context;
    report_progress(&work->report);
    if (work->report.failed)
        return ERR_NO_MEMORY;
    if (job_lr_range(work->plan) != NULL)
        return OK;
    atomic_store(&work->writes, true);
    int result = trainer_save(trainer, work->directory, work->checkpoints[0]);
    atomic_store(&work->writes, false);
    if (result != OK) { // the training goes on: only more of it would be lost
        log_job_warning(work->job, "checkpoint: %s", error_text(result));
        return OK;
    }
    char written[sizeof work->checkpoints[0]];
    memcpy(written, work->checkpoints[0], sizeof written);
    memcpy(work->checkpoints[0], work->checkpoints[1], sizeof written);
    memcpy(work->checkpoints[1], written, sizeof written);
    return OK;
}

static int64_t changed_at(const Work *work, const char *path) {
    struct stat status;
    if (fstatat(work->directory, path, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return 0;
    return (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
}

// Puts the newest sound checkpoint into the trainer that is not beyond `recorded`, the step up to which the
// server has every record: what went down with the server between a checkpoint and its records must be done
// again, or it would be missing for ever. The other one is the next to be overwritten.
static void checkpoint_load(Work *work, int64_t recorded) {
    snprintf(work->checkpoints[0], sizeof work->checkpoints[0], "checkpoints/%s.a", work->job);
    snprintf(work->checkpoints[1], sizeof work->checkpoints[1], "checkpoints/%s.b", work->job);
    int newest = changed_at(work, work->checkpoints[1]) > changed_at(work, work->checkpoints[0]);
    for (int i = 0; i < 2; i++) {
        int index = i == 0 ? newest : !newest;
        int result =
            trainer_load(work->trainer, work->directory, work->checkpoints[index], recorded);
        if (result == OK) {
            char path[sizeof work->checkpoints[0]];
            memcpy(path, work->checkpoints[index], sizeof path);
            memmove(work->checkpoints[0], work->checkpoints[!index], sizeof path);
            memcpy(work->checkpoints[1], path, sizeof path);
            return;
        }
        if (result != ERR_NOT_FOUND)
            log_job_warning(work->job, "%s: %s", work->checkpoints[index], error_text(result));
    }
}

// ---- running ----

// A range test shows its steps; that it diverges is what it is for, and what else a rule could find follows from the rates.
static void range_event(Work *work, const TrainEvent *event) {
    if (event->kind == TRAIN_FINDING || event->kind == TRAIN_DIAGNOSIS ||
        event->kind == TRAIN_EPOCH)
        return;
    report_event(&work->report, event);
    if (event->kind == TRAIN_STEP && lr_range_take(&work->range, event->learning_rate, event->loss))
        atomic_store(&stop_asked, true);
}

static void probe_event(Work *work, const TrainEvent *event) {
    if (event->kind == TRAIN_STEP) {
        work->first_loss = event->step == 1 ? event->loss : work->first_loss;
        work->loss = event->loss;
    }
    if (event->kind != TRAIN_DIAGNOSIS)
        return;
    json_finish(&work->findings);
    json_init(&work->findings);
    ValueWriter writer = json_writer(&work->findings);
    json_begin_array(&work->findings, NULL);
    for (int i = 0; i < event->finding_count; i++)
        finding_write(&event->findings[i], job_spec(work->plan), NULL, &writer);
    json_end_array(&work->findings);
}

static void event_hook(void *context, const TrainEvent *event) {
    Work *work = context;
    if (work->probe)
        probe_event(work, event);
    else if (job_lr_range(work->plan) != NULL)
        range_event(work, event);
    else
        report_event(&work->report, event);
    if (work->report.failed)
        atomic_store(&stop_asked, true);
}

static bool pause_hook(void *context) {
    Work *work = context;
    return courtesy_rest(&work->courtesy);
}

// The model that the job starts from. A missing one is an error only where no checkpoint has weights.
static int initial_open(Work *work) {
    const char *id = model_initial(job_model(work->plan));
    char path[ID_TEXT + 32];
    Archive *initial;
    if (id == NULL)
        return OK;
    snprintf(path, sizeof path, "models/%s.bpa", id);
    work->initial_result = archive_open(work->directory, path, true, &initial);
    return work->initial_result == OK ? job_start_from(work->plan, initial, &work->issues) : OK;
}

static int work_prepare(Work *work) {
    char path[ID_TEXT + 32];
    const TrainerHooks hooks = {.context = work,
                                .event = event_hook,
                                .checkpoint = work->probe ? NULL : checkpoint_hook,
                                .pause = pause_hook,
                                .stop = &stop_asked,
                                .finish = &finish_asked};
    work->directory = open(work->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (work->directory < 0)
        return ERR_IO;
    snprintf(path, sizeof path, "datasets/%s.bpa", work->dataset_id);
    int result = dataset_open(work->directory, path, true, &work->dataset);
    if (result == OK)
        result = job_create(document_root(work->spec_document), work->dataset, (int)work->threads,
                            &work->issues, &work->plan);
    if (result == OK)
        result = initial_open(work);
    if (result == OK && job_lr_range(work->plan) != NULL)
        result = lr_range_init(&work->range, job_lr_range(work->plan));
    if (result == OK)
        result = report_init(&work->report, work->plan);
    if (result == OK)
        result = trainer_create(work->plan, &hooks, &work->trainer);
    return result;
}

static int work_train(Work *work) {
    Value root = document_root(work->document);
    int64_t recorded = 0;
    value_integer(value_member(value_member(root, "progress"), "step"), 0, INT64_MAX, &recorded);
    if (job_lr_range(work->plan) == NULL) // a range test is short, and begins anew
        checkpoint_load(work, recorded);
    if (trainer_step(work->trainer) == 0 && work->initial_result != OK) {
        issues_add_at(&work->issues, "/model/initial", "the model that it starts from is gone: %s",
                      error_text(work->initial_result));
        return work->initial_result;
    }
    Value died_at = value_member(root, "died_at");
    if (value_integer(died_at, -1, INT64_MAX, &work->report.died_at))
        work->report.careful = true;
    report_started(&work->report, trainer_step(work->trainer), value_member(root, "metrics"),
                   value_member(root, "best"));
    int result = trainer_run(work->trainer);
    work->report.done = result == OK;
    report_flush(&work->report);
    if (result != OK)
        report_progress(&work->report);
    return work->report.failed ? ERR_NO_MEMORY : result;
}

static int probe_run_steps(Work *work) {
    if (work->initial_result != OK)
        return work->initial_result;
    int result = trainer_probe(work->trainer, PROBE_SECONDS);
    if (result != OK && result != ERR_DIVERGED)
        return result;
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    json_begin_object(&out, "probe");
    json_integer(&out, "steps", trainer_step(work->trainer));
    json_number(&out, "first_loss", work->first_loss);
    json_number(&out, "loss", work->loss);
    json_end_object(&out);
    json_raw(&out, "findings", text_string(&work->findings.text));
    out.text.failed |= work->findings.text.failed;
    json_end_object(&out);
    report_send_json(&work->report, FRAME_FINISHED, &out);
    return work->report.failed ? ERR_NO_MEMORY : OK;
}

// What a range test leaves in place of a model.
static int range_send(Work *work) {
    JsonOut out;
    json_init(&out);
    ValueWriter writer = json_writer(&out);
    json_begin_object(&out, NULL);
    work->report.done = true;
    report_flush(&work->report);
    report_write(&work->report, NULL, &out);
    lr_range_write(&work->range, "result", &writer);
    json_end_object(&out);
    report_send_json(&work->report, FRAME_FINISHED, &out);
    return work->report.failed ? ERR_NO_MEMORY : OK;
}

// The member "confusion", where the job has one.
static int confusion_add_to(Work *work, JsonOut *out) {
    Confusion confusion;
    int result = trainer_confusion(work->trainer, &confusion);
    if (result != OK)
        return result == ERR_NOT_FOUND ? OK : result;
    ValueWriter writer = json_writer(out);
    confusion_write(&confusion, "confusion", &writer);
    confusion_finish(&confusion);
    return OK;
}

static int model_send(Work *work) {
    char path[ID_TEXT + 32], sha256[65];
    size_t bytes = 0;
    Metrics test;
    JsonOut out;
    snprintf(path, sizeof path, "models/%s.bpa", work->model);
    bool tested = trainer_test(work->trainer, &test);
    atomic_store(&work->writes, true);
    int result =
        trainer_save_model(work->trainer, work->directory, path, work->spec, sha256, &bytes);
    atomic_store(&work->writes, false);
    if (result != OK)
        return result;
    const Model *model = job_model(work->plan);
    const Shape *shape = model_input_shape(model);
    json_init(&out);
    json_begin_object(&out, NULL);
    report_write(&work->report, tested ? &test : NULL, &out);
    json_begin_object(&out, "model");
    json_string(&out, "sha256", sha256);
    json_integer(&out, "bytes", (int64_t)bytes);
    json_integer(&out, "parameters", model_parameters(model));
    json_begin_array(&out, "input_shape");
    for (int i = 0; i < shape->rank; i++)
        json_integer(&out, NULL, shape->dim[i]);
    json_end_array(&out);
    report_write_model(&work->report, tested ? &test : NULL, &out);
    json_end_object(&out);
    result = confusion_add_to(work, &out);
    json_end_object(&out);
    if (result == OK)
        report_send_json(&work->report, FRAME_FINISHED, &out);
    else
        json_finish(&out);
    return work->report.failed ? ERR_NO_MEMORY : result;
}

static void failure_send(Work *work, int code) {
    JsonOut out;
    const char *detail = error_text(code);
    if (work->issues.count > 0)
        detail = work->issues.items[0].detail;
    json_init(&out);
    json_begin_object(&out, NULL);
    json_string(&out, "code", error_name(code));
    json_string(&out, "detail", detail);
    json_end_object(&out);
    report_send_json(&work->report, FRAME_FAILED, &out);
}

// Asked to stop: the job will go on from here.
static void stop_send(Work *work) {
    JsonOut out;
    checkpoint_hook(work, work->trainer);
    json_init(&out);
    json_begin_object(&out, NULL);
    json_integer(&out, "step", trainer_step(work->trainer));
    json_end_object(&out);
    report_send_json(&work->report, FRAME_STOPPED, &out);
}

static void work_finish(Work *work) {
    atomic_store(&work->writes, true); // freeing is no silence
    trainer_destroy(work->trainer);
    lr_range_finish(&work->range);
    report_finish(&work->report);
    json_finish(&work->findings);
    job_destroy(work->plan);
    dataset_close(work->dataset);
    document_destroy(work->spec_document);
    document_destroy(work->document);
    memory_free(work->text);
    issues_finish(&work->issues);
    if (work->directory >= 0)
        close(work->directory);
    // The output stays open until the process is gone: its closing tells the server just that.
}

int command_worker(int argc, char **argv) {
    static Work work; // beats as long as the process lives
    work.directory = -1;
    if (argc != 2 || isatty(STDIN_FILENO)) {
        log_error("backpropd worker is started by the server, not by hand");
        return STATUS_USAGE;
    }
    courtesy_watch(COURTESY_DESCRIPTOR, &work.courtesy); // before another file takes its number
    if (process_prepare(argv[1]) != OK || output_take(&work.output) != OK)
        return STATUS_FAILED;
    issues_init(&work.issues);
    json_init(&work.findings);
    int result = work_read(&work);
    report_open(&work.report, work.output, (uint32_t)work.attempt);
    if (result == OK) {
        memory_bound(&work);
        beat_start(&work);
        result = work_prepare(&work);
    }
    if (result == OK)
        result = work.probe ? probe_run_steps(&work) : work_train(&work);
    bool broke_away = work.range.broke_away && (result == ERR_STOPPED || result == ERR_DIVERGED);
    if (!work.probe && work.range.params != NULL && (result == OK || broke_away))
        result = range_send(&work);
    else if (result == OK && !work.probe)
        result = model_send(&work);
    if (result == ERR_STOPPED && !work.probe)
        stop_send(&work);
    else if (result != OK)
        failure_send(&work, result);
    int status = result == OK || result == ERR_STOPPED ? STATUS_DONE : STATUS_FAILED;
    work_finish(&work);
    return status;
}
