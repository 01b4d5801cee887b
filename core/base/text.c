// A growing text: doubles its memory, keeps a NUL at the end, and after a failure stays as it is.
#include "core/base/text.h"
#include <stdio.h>
#include <string.h>
#include "core/base/memory.h"

enum { CAPACITY_FIRST = 128 };

void text_init(Text *text) {
    *text = (Text){0};
}

void text_finish(Text *text) {
    memory_free(text->data);
    text_init(text);
}

void text_clear(Text *text) {
    text->length = 0;
    text->failed = false;
    if (text->data != NULL) {
        text->data[0] = '\0';
    }
}

// Room for `more` bytes and the NUL; false, and the text marked failed, where there is none.
static bool reserve(Text *text, size_t more) {
    size_t length, needed;
    if (text->failed || !size_add(text->length, more, &length) || !size_add(length, 1, &needed) ||
        (text->limit > 0 && length > text->limit)) {
        text->failed = true;
        return false;
    }
    if (needed <= text->capacity) {
        return true;
    }
    size_t capacity = text->capacity > 0 ? text->capacity : CAPACITY_FIRST;
    while (capacity < needed) {
        if (!size_multiply(capacity, 2, &capacity)) {
            capacity = needed;
        }
    }
    char *data = memory_resize(text->data, text->length, capacity, 1);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void text_add_bytes(Text *text, const char *bytes, size_t length) {
    if (!reserve(text, length)) {
        return;
    }
    if (length > 0) {
        memcpy(text->data + text->length, bytes, length);
    }
    text->length += length;
    text->data[text->length] = '\0';
}

void text_add(Text *text, const char *string) {
    text_add_bytes(text, string, strlen(string));
}

void text_add_char(Text *text, char c) {
    text_add_bytes(text, &c, 1);
}

void text_add_format_list(Text *text, const char *format, va_list list) {
    va_list again;
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) {
        text->failed = true;
    } else if (reserve(text, (size_t)length)) {
        vsnprintf(text->data + text->length, (size_t)length + 1, format, list);
        text->length += (size_t)length;
    }
}

void text_add_format(Text *text, const char *format, ...) {
    va_list list;
    va_start(list, format);
    text_add_format_list(text, format, list);
    va_end(list);
}

const char *text_string(const Text *text) {
    return text->data != NULL ? text->data : "";
}

char *text_take(Text *text) {
    text_add(text, ""); // an empty text is taken as "", not as NULL
    char *taken = NULL;
    if (!text->failed) {
        taken = TAKE(text->data);
    }
    size_t limit = text->limit;
    text_finish(text);
    text->limit = limit;
    return taken;
}
