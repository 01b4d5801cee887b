// One line an event to standard error: time, level, message. From any thread.
#pragma once
#define log_info(...) log_line("info", __VA_ARGS__)
#define log_warning(...) log_line("warning", __VA_ARGS__)
#define log_error(...) log_line("error", __VA_ARGS__)
void log_line(const char *level, const char *format, ...) __attribute__((format(printf, 2, 3)));
