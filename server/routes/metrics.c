// GET /metrics: what an operator watches, in Prometheus' text format. A token is asked for as everywhere.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/exposition.h"
#include "server/routes/routes.h"
#include "server/store/tables.h"

static void jobs_write(const Services *services, const int64_t counts[JOB_STATES], Text *out) {
    char labels[64];
    PoolCounters pool;
    pool_counters(services->pool, &pool);
    exposition_family(out, "backpropd_jobs", "gauge", "Jobs that are kept, by state.");
    for (int i = 0; i < JOB_STATES; i++) {
        snprintf(labels, sizeof labels, "status=\"%s\"", job_states[i]);
        exposition_sample(out, "backpropd_jobs", labels, (double)counts[i]);
    }
    exposition_family(out, "backpropd_jobs_ended_total", "counter",
                      "Jobs whose worker brought them to an end.");
    for (int i = JOB_SUCCEEDED; i < JOB_STATES; i++) {
        snprintf(labels, sizeof labels, "status=\"%s\"", job_states[i]);
        exposition_sample(out, "backpropd_jobs_ended_total", labels, (double)pool.ended[i]);
    }
    exposition_single(out, "backpropd_queue_length", "gauge", "Jobs that wait.",
                      (double)counts[JOB_QUEUED]);
    exposition_single(out, "backpropd_queue_limit", "gauge",
                      "Jobs that may wait; one more is answered 429.",
                      (double)services->pool_options.max_queue);
    exposition_single(out, "backpropd_workers", "gauge", "Jobs that may run at once.",
                      services->pool_options.workers);
    exposition_single(out, "backpropd_workers_busy", "gauge", "Jobs that run.", pool.running);
    exposition_single(out, "backpropd_worker_threads", "gauge",
                      "Threads of the jobs that run, together.", pool.threads);
    exposition_single(out, "backpropd_worker_starts_total", "counter",
                      "Attempts at jobs, each with a worker of its own.", (double)pool.claims);
    exposition_single(out, "backpropd_worker_deaths_total", "counter",
                      "Workers that died, hung or gave up by themselves.", (double)pool.deaths);
    exposition_single(out, "backpropd_samples_trained_total", "counter",
                      "Rows that training steps have seen.", (double)pool.samples);
}

static double file_bytes(int directory, const char *name) {
    struct stat status;
    return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? (double)status.st_size : 0;
}

static void store_write_figures(Store *store, Text *out) {
    int directory = store_directory(store);
    struct statvfs disk;
    StoreFigures figures;
    store_figures(store, &figures);
    exposition_single(out, "backpropd_store_changes_total", "counter", "Changes of the database.",
                      (double)figures.changes);
    exposition_single(out, "backpropd_store_commits_total", "counter",
                      "Commits that held them, each with one fsync.", (double)figures.commits);
    exposition_single(out, "backpropd_store_wait_seconds_total", "counter",
                      "What all changes waited for their commit.", figures.waited_seconds);
    exposition_single(out, "backpropd_store_waiting", "gauge",
                      "Changes that wait for their commit.", (double)figures.waiting);
    exposition_single(out, "backpropd_store_lag_seconds", "gauge",
                      "How long the oldest of them has waited.", figures.lag_seconds);
    exposition_single(out, "backpropd_store_failed", "gauge",
                      "1: nothing more can be acknowledged; the server ends.", store_failed(store));
    exposition_single(
        out, "backpropd_database_bytes", "gauge", "The database and its write-ahead log.",
        file_bytes(directory, "backpropd.db") + file_bytes(directory, "backpropd.db-wal"));
    if (fstatvfs(directory, &disk) != 0)
        return;
    exposition_single(out, "backpropd_disk_free_bytes", "gauge", "Free where the data lies.",
                      (double)disk.f_bavail * (double)disk.f_frsize);
    exposition_single(out, "backpropd_disk_size_bytes", "gauge", "The disk where the data lies.",
                      (double)disk.f_blocks * (double)disk.f_frsize);
}

static int descriptors_open(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 3; // ".", "..", and the folder's own
}

// The names that Prometheus' client libraries give them.
static void process_write(const Services *services, Text *out) {
    struct rusage usage;
    struct rlimit files;
    unsigned long long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file != NULL && fscanf(file, "%llu %llu", &pages, &resident) != 2)
        pages = resident = 0;
    if (file != NULL)
        fclose(file);
    double page = (double)sysconf(_SC_PAGESIZE);
    getrusage(RUSAGE_SELF, &usage);
    getrlimit(RLIMIT_NOFILE, &files);
    exposition_single(out, "process_resident_memory_bytes", "gauge",
                      "Memory of the server, without its workers.", (double)resident * page);
    exposition_single(out, "process_virtual_memory_bytes", "gauge", "Address space of the server.",
                      (double)pages * page);
    exposition_single(out, "process_cpu_seconds_total", "counter",
                      "Processor time of the server, without its workers.",
                      (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                          (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    exposition_single(out, "process_open_fds", "gauge", "Open descriptors.", descriptors_open());
    exposition_single(out, "process_max_fds", "gauge", "Descriptors that may be open.",
                      (double)files.rlim_cur);
    exposition_single(out, "process_start_time_seconds", "gauge",
                      "When it started, in seconds since 1970.",
                      (double)(time_now() - (time_monotonic() - services->started_at)) / 1000);
}

static void metrics_get(Request *request) {
    const Services *services = request_services(request);
    int64_t counts[JOB_STATES];
    int error = jobs_counts(services->store, counts);
    if (error != OK) {
        answer_error(request, error, NULL);
        return;
    }
    Text out;
    text_init(&out);
    exposition_family(&out, "backpropd_build_info", "gauge", "1, with the version.");
    exposition_sample(&out, "backpropd_build_info", "version=\"" BACKPROPD_VERSION "\"", 1);
    exposition_single(&out, "backpropd_draining", "gauge", "1: the server is about to stop.",
                      http_draining(request_http(request)));
    jobs_write(services, counts, &out);
    store_write_figures(services->store, &out);
    process_write(services, &out);
    http_metrics(request_http(request), &out);
    answer_text(request, 200, EXPOSITION_TYPE, &out);
}

static const char *const produces[] = {"text/plain", NULL};

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/metrics",
     .tag = "service",
     .summary = "Figures for Prometheus",
     .status = 200,
     .produces = produces,
     .handler = metrics_get},
};

const RouteGroup metrics_routes = {"metrics", NULL, routes, ARRAY_LENGTH(routes)};
