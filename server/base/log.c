// The log: each event is one line and one write, so that lines of several threads never mix.
// Control characters of a message (a user's name could hold a line feed) become blanks: a line is
// always one event.
#include "server/base/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include "server/base/time.h"

enum { LOG_LINE_MAX = 2048 };

void log_line(const char *level, const char *format, ...) {
    char line[LOG_LINE_MAX];
    char now[TIME_TEXT];
    time_text(time_now(), now);
    int head = snprintf(line, sizeof line, "%s %s ", now, level);
    va_list list;
    va_start(list, format);
    int tail = vsnprintf(line + head, sizeof line - (size_t)head, format, list);
    va_end(list);
    if (tail < 0) {
        return;
    }
    size_t length = (size_t)head + (size_t)tail;
    if (length > sizeof line - 2) {
        length = sizeof line - 2; // cut; room for the line feed
    }
    for (size_t i = (size_t)head; i < length; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F) {
            line[i] = ' ';
        }
    }
    line[length++] = '\n';
    // Nobody is there to be told when standard error is gone.
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written;
}
