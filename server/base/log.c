// The log: each event is one line and one write, so that lines of several threads never mix.
// Control characters of a message (a user's name could hold a line feed) become blanks: a line is
// always one event. In JSON what is no UTF-8 becomes question marks: a line always parses.
#include "server/base/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "server/base/time.h"

enum { MESSAGE_MAX = 2048, LINE_MAX_BYTES = 2 * MESSAGE_MAX + 256 };

static bool as_json; // set before any thread is started

void log_as_json(bool json) {
    as_json = json;
}

// The bytes of the character of UTF-8 that begins here; 0: it is none.
static size_t character_length(const unsigned char *text) {
    size_t length = text[0] < 0x80   ? 1
                    : text[0] < 0xC2 ? 0
                    : text[0] < 0xE0 ? 2
                    : text[0] < 0xF0 ? 3
                    : text[0] < 0xF5 ? 4
                                     : 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    bool surrogate = text[0] == 0xED && text[1] > 0x9F,
         overlong = text[0] == 0xE0 && text[1] < 0xA0;
    bool overlong4 = text[0] == 0xF0 && text[1] < 0x90, beyond = text[0] == 0xF4 && text[1] > 0x8F;
    return length > 1 && (surrogate || overlong || overlong4 || beyond) ? 0 : length;
}

// Appends the text as the inside of a JSON string; `line` has room for twice its length.
static size_t quoted(char *line, const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    size_t length = 0;
    while (*at != '\0') {
        size_t character = character_length(at);
        if (character == 0) {
            line[length++] = '?';
            at++;
            continue;
        }
        if (*at == '"' || *at == '\\')
            line[length++] = '\\';
        memcpy(line + length, at, character);
        length += character;
        at += character;
    }
    return length;
}

static size_t json_line(char *line, const char *now, const char *level, const char *job,
                        const char *message) {
    int head = snprintf(line, LINE_MAX_BYTES, "{\"time\":\"%s\",\"level\":\"%s\",", now, level);
    size_t length = (size_t)head;
    if (job != NULL)
        length +=
            (size_t)snprintf(line + length, LINE_MAX_BYTES - length, "\"job\":\"%.40s\",", job);
    length += (size_t)snprintf(line + length, LINE_MAX_BYTES - length, "\"message\":\"");
    length += quoted(line + length, message);
    memcpy(line + length, "\"}\n", 3);
    return length + 3;
}

void log_line(const char *level, const char *job, const char *format, ...) {
    char line[LINE_MAX_BYTES], message[MESSAGE_MAX], now[TIME_TEXT];
    va_list list;
    time_text(time_now(), now);
    va_start(list, format);
    int result = vsnprintf(message, sizeof message, format, list); // cut where it is longer
    va_end(list);
    if (result < 0)
        return;
    for (char *c = message; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = ' ';
    size_t length =
        as_json ? json_line(line, now, level, job, message)
                : (size_t)snprintf(line, sizeof line, "%s %s %s%s%s\n", now, level,
                                   job != NULL ? job : "", job != NULL ? ": " : "", message);
    // Nobody is there to be told when standard error is gone.
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written;
}
