// A request's target taken apart: the path as sent, the query decoded. Nothing here depends on the
// HTTP library.
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { TARGET_LENGTH_MAX = 8 << 10, TARGET_QUERIES_MAX = 32 };

typedef struct Target {
    char *path;  // still percent-encoded: segments are decoded one by one (route.h); owned
    char *query; // decoded names and values; owned
    size_t queries;
    struct {
        const char *name, *value;
    } item[TARGET_QUERIES_MAX];
} Target;

// Refuses, with the reason: what does not start with '/', blanks and control characters, wrong
// percent escapes, %00, bytes that are not UTF-8 once decoded, a query name that comes twice.
// ERR_INVALID, ERR_NO_MEMORY.
int target_parse(const char *raw, Target *ret_target, const char **ret_why);
void target_finish(Target *target);
// Decodes in place ('+' is a blank only where `plus`); false: a wrong escape, %00, or not UTF-8.
bool percent_decode(char *text, bool plus);
bool utf8_valid(const char *text);
