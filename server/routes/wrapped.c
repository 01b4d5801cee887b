#include "server/routes/wrapped.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "core/base/utf8.h"

static bool is_wide(uint32_t character) { // of East Asian scripts, the full-width forms with them
    return (character >= 0x2E80 && character <= 0xD7A3) ||
           (character >= 0xF900 && character <= 0xFAFF) ||
           (character >= 0xFF00 && character <= 0xFF60) || character >= 0x20000;
}

static bool is_one_of(const char *set, const char *character, size_t length) {
    for (size_t size; *set != '\0'; set += size) {
        utf8_read(set, &size);
        if (size == length && memcmp(set, character, length) == 0)
            return true;
    }
    return false;
}

// What stays together from `words` on: its bytes, and its columns.
static size_t piece_read(const char *words, size_t *ret_columns) {
    size_t length = 0, columns = 0, before_length = 0;
    const char *before = NULL;
    bool was_wide = false;
    while (strchr(" \n", words[length]) == NULL) { // that finds the end too
        size_t size;
        const char *at = words + length;
        bool wide = is_wide(utf8_read(at, &size));
        if (before != NULL && (wide || was_wide) &&
            !is_one_of("。、」』):!?・ー%.,;:)", at, size) &&
            !is_one_of("「『((", before, before_length))
            break;
        length += size;
        columns += wide ? 2 : 1;
        before = at;
        before_length = size;
        was_wide = wide;
    }
    *ret_columns = columns;
    return length;
}

void wrapped_write(Text *out, const char *words, size_t indent, size_t columns) {
    size_t column = 0; // of a line that has not begun
    words += strspn(words, " \n");
    for (bool blank = false; *words != '\0';) {
        size_t wide, length = piece_read(words, &wide);
        if (column == 0 || column + blank + wide > columns) {
            text_add_format(out, "%s%*s", column == 0 ? "" : "\n", (int)indent, "");
            column = indent;
        } else if (blank) {
            text_add_char(out, ' ');
            column++;
        }
        text_add_bytes(out, words, length);
        column += wide;
        words += length;
        size_t blanks = strspn(words, " \n");
        blank = blanks > 0;
        words += blanks;
    }
    text_add_char(out, '\n');
}
