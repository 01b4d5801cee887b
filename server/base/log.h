// One line an event to standard error: time, level, message. From any thread. As text, or as an object of
// JSON:
//
//   2026-11-24T01:02:03.456Z info job_01…: attempt 1, worker 4711
//   {"time":"2026-11-24T01:02:03.456Z","level":"info","job":"job_01…","message":"attempt 1, worker 4711"}
#pragma once
#include <stdbool.h>

#define LOG_FORMAT_VARIABLE                                                                        \
    "BACKPROPD_LOG_FORMAT" // "json": what a worker takes over from the server

#define log_info(...) log_line("info", NULL, __VA_ARGS__)
#define log_warning(...) log_line("warning", NULL, __VA_ARGS__)
#define log_error(...) log_line("error", NULL, __VA_ARGS__)
// About a job.
#define log_job_info(job, ...) log_line("info", job, __VA_ARGS__)
#define log_job_warning(job, ...) log_line("warning", job, __VA_ARGS__)
#define log_job_error(job, ...) log_line("error", job, __VA_ARGS__)
void log_line(const char *level, const char *job, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void log_as_json(bool json); // before any thread is started; text until then
