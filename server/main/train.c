// `backpropd train`: a job without a server. Progress is a bar on a terminal, a line an epoch
// elsewhere, or with --json an object a line; never more than ten a second but for the last.
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/train/trainer.h"
#include "server/base/time.h"
#include "server/main/commands.h"
#include "server/main/local.h"

static const char usage[] =
    "usage: backpropd train JOB.json [--dataset FILE.json|.csv|.ndjson] [--threads N] [--json]\n"
    "                       [--output FILE.safetensors]\n"
    "Trains a job without a server. --json prints a line an epoch and at most ten a second.\n"
    "Ctrl-C ends the training and keeps the weights so far.";

enum { LINE_MILLISECONDS = 100, BAR_WIDTH = 24 };

typedef struct Progress {
    const Job *job;
    bool json, bar;
    int64_t shown; // when the last line was printed, monotonic
    int64_t epoch; // newest epoch whose end was seen
    double speed;  // samples per second
    Metrics train, validation;
} Progress;

// The one thing that lives outside a function: a signal handler has no context.
static atomic_bool interrupted;

static void interrupt(int signal) {
    (void)signal;
    atomic_store(&interrupted, true);
}

static void metric_write(JsonOut *out, const char *key, double value) {
    if (!isnan(value))
        json_number(out, key, value);
}

static void metrics_write(JsonOut *out, const char *prefix, const Metrics *metrics) {
    const struct {
        const char *name;
        double value;
    } members[] = {{"loss", metrics->loss},
                   {"accuracy", metrics->accuracy},
                   {"mae", metrics->mae},
                   {"rmse", metrics->rmse},
                   {"r2", metrics->r2}};
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++) {
        char key[32];
        snprintf(key, sizeof key, "%s_%s", prefix, members[i].name);
        metric_write(out, key, members[i].value);
    }
}

static void line_print(JsonOut *out) {
    json_end_object(out);
    puts(text_string(&out->text));
    fflush(stdout);
    json_finish(out);
}

static void finding_print(Progress *progress, const Finding *finding) {
    if (progress->json) {
        JsonOut out;
        json_init(&out);
        ValueWriter writer = json_writer(&out);
        json_begin_object(&out, NULL);
        json_string(&out, "event", "finding");
        finding_write(finding, job_spec(progress->job), "finding", &writer);
        line_print(&out);
        return;
    }
    fprintf(stderr, "%s%s %s at step %lld: %s\n", progress->bar ? "\r\033[K" : "",
            severity_name(finding->severity), finding->code, (long long)finding->first_step,
            finding->explanation);
}

// All that holds at the end, with what to do about it.
static void diagnosis_print(const Progress *progress, const TrainEvent *event) {
    JsonOut out;
    json_init(&out);
    ValueWriter writer = json_writer(&out);
    json_begin_object(&out, NULL);
    json_string(&out, "event", "diagnosis");
    json_begin_array(&out, "findings");
    for (int i = 0; i < event->finding_count; i++)
        finding_write(&event->findings[i], job_spec(progress->job), NULL, &writer);
    json_end_array(&out);
    json_begin_object(&out, "outcome");
    json_number(&out, "fit", event->view->outcome.fit);
    json_number(&out, "closure", event->view->outcome.closure);
    json_number(&out, "loss_closure", event->view->outcome.loss_closure);
    json_end_object(&out);
    line_print(&out);
}

static void metric_print(FILE *file, const char *name, double value) {
    if (!isnan(value))
        fprintf(file, "  %s %.4g", name, value);
}

static void epoch_print(const Progress *progress, int64_t step, FILE *file) {
    fprintf(file, "epoch %lld/%lld", (long long)progress->epoch,
            (long long)job_epochs(progress->job));
    if (progress->bar) {
        int64_t steps = job_steps(progress->job);
        int filled = (int)(steps > 0 ? step * BAR_WIDTH / steps : 0);
        fprintf(file, " [%.*s%*s]", filled, "########################", BAR_WIDTH - filled, "");
    }
    metric_print(file, "loss", progress->train.loss);
    metric_print(file, "val_loss", progress->validation.loss);
    metric_print(file, "val_accuracy", progress->validation.accuracy);
    metric_print(file, "val_mae", progress->validation.mae);
    metric_print(file, "val_r2", progress->validation.r2);
    if (progress->speed > 0)
        fprintf(file, "  %.3g rows/s", progress->speed);
}

static void progress_print(Progress *progress, int64_t step) {
    if (progress->bar) {
        fputs("\r\033[K", stderr);
        epoch_print(progress, step, stderr);
        fflush(stderr);
        return;
    }
    if (!progress->json) {
        epoch_print(progress, step, stdout);
        fputc('\n', stdout);
        fflush(stdout);
        return;
    }
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    json_string(&out, "event", "epoch");
    json_integer(&out, "epoch", progress->epoch);
    json_integer(&out, "step", step);
    metrics_write(&out, "train", &progress->train);
    metrics_write(&out, "val", &progress->validation);
    if (progress->speed > 0)
        json_number(&out, "samples_per_second", progress->speed);
    line_print(&out);
}

static void trained(void *context, const TrainEvent *event) {
    Progress *progress = context;
    switch (event->kind) {
    case TRAIN_FINDING:
        finding_print(progress, event->finding);
        break;
    case TRAIN_DIAGNOSIS:
        if (progress->json && event->view->stage == STAGE_END)
            diagnosis_print(progress, event);
        break;
    case TRAIN_GRADIENTS:
        progress->speed = event->samples_per_second;
        break;
    case TRAIN_HISTOGRAMS: // the server's alone
        break;
    case TRAIN_EPOCH:
        progress->epoch = event->epoch;
        progress->train = event->train;
        progress->validation = event->validation;
        bool last = event->step == job_steps(progress->job);
        if (last || time_monotonic() - progress->shown >= LINE_MILLISECONDS) {
            progress_print(progress, event->step);
            progress->shown = time_monotonic();
        }
        break;
    case TRAIN_STEP:
        if (progress->bar && time_monotonic() - progress->shown >= LINE_MILLISECONDS) {
            progress_print(progress, event->step);
            progress->shown = time_monotonic();
        }
        break;
    }
}

// The closing word: how it ended, the metrics of the model that remains, the weights' SHA-256.
static void end_print(const Progress *progress, Trainer *trainer, int result, double seconds) {
    const Metrics *validation = trainer_validation(trainer);
    const Metrics *best = trainer_best(trainer);
    Metrics test;
    bool tested = result == OK && trainer_test(trainer, &test);
    const char *status = result == OK ? "succeeded" : result == ERR_STOPPED ? "stopped" : "failed";
    char sha256[65];
    model_hash_weights(job_model(progress->job), trainer_weights(trainer), sha256);

    if (progress->json) {
        JsonOut out;
        json_init(&out);
        json_begin_object(&out, NULL);
        json_string(&out, "event", "end");
        json_string(&out, "status", status);
        if (result < 0)
            json_string(&out, "reason", error_text(result));
        json_integer(&out, "step", trainer_step(trainer));
        metrics_write(&out, "val", validation);
        if (tested)
            metrics_write(&out, "test", &test);
        if (trainer_best_epoch(trainer) > 0) {
            json_begin_object(&out, "best");
            json_integer(&out, "epoch", trainer_best_epoch(trainer));
            metrics_write(&out, "val", best);
            json_end_object(&out);
        }
        json_number(&out, "seconds", seconds);
        json_string(&out, "sha256", sha256);
        line_print(&out);
        return;
    }
    if (progress->bar)
        fputc('\n', stderr);
    printf("%s after %lld steps in %.2f s", status, (long long)trainer_step(trainer), seconds);
    if (result < 0)
        printf(" (%s)", error_text(result));
    metric_print(stdout, "val_loss", validation->loss);
    metric_print(stdout, "val_accuracy", validation->accuracy);
    metric_print(stdout, "val_mae", validation->mae);
    metric_print(stdout, "val_r2", validation->r2);
    if (tested) {
        metric_print(stdout, "test_loss", test.loss);
        metric_print(stdout, "test_accuracy", test.accuracy);
        metric_print(stdout, "test_mae", test.mae);
        metric_print(stdout, "test_rmse", test.rmse);
        metric_print(stdout, "test_r2", test.r2);
    }
    printf("\nweights sha256 %s\n", sha256);
}

static int train(const LocalOptions *options, const Job *job) {
    Progress progress = {
        .job = job,
        .json = options->json,
        .bar = !options->json && isatty(STDERR_FILENO),
        .train = {NAN, NAN, NAN, NAN},
        .validation = {NAN, NAN, NAN, NAN},
    };
    TrainerHooks hooks = {.context = &progress, .event = trained, .stop = &interrupted};
    Trainer *trainer = NULL;
    int status = EXIT_REFUSED;

    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);

    int64_t begin = time_monotonic();
    int result = trainer_create(job, &hooks, &trainer);
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", options->job_path, error_text(result));
        return status;
    }
    result = trainer_run(trainer);
    end_print(&progress, trainer, result, (double)(time_monotonic() - begin) / 1000);
    if (result == OK)
        status = EXIT_DONE;
    if (options->output_path != NULL && (result == OK || result == ERR_STOPPED)) {
        int error = model_export_safetensors(job_model(job), trainer_weights(trainer),
                                             options->output_path);
        if (error < 0) {
            fprintf(stderr, "%s: %s\n", options->output_path, error_text(error));
            status = EXIT_REFUSED;
        }
    }
    trainer_destroy(trainer);
    return status;
}

int command_train(int argc, char **argv) {
    LocalOptions options;
    LocalJob local;
    Job *job = NULL;
    int status;

    if (!local_options(argc, argv, true, usage, &options, &status))
        return status;
    int result = local_create(&options, &local, &job);
    if (result == OK && model_initial(job_model(job)) != NULL) {
        issues_add_at(&local.issues, "/model/initial",
                      "names a model of a server, and this command has none");
        result = ERR_INVALID;
    }
    if (result == OK)
        status = train(&options, job);
    else
        status =
            issues_any(&local.issues) ? local_print_issues(&options, &local.issues) : EXIT_REFUSED;
    job_destroy(job);
    local_finish(&local);
    return status;
}
