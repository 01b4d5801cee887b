// Error codes. A function that can fail returns an `int`: 0 (OK) or one of these negative codes;
// results come through `ret_…` parameters, last in the list, which stay untouched on failure.
#pragma once

#define OK 0

//  X(code, value, name, text for people)
#define ERROR_CODES(X)                                                                             \
    X(ERR_NO_MEMORY, -1, "out_of_memory", "not enough memory")                                     \
    X(ERR_INVALID, -2, "invalid", "the input breaks a rule; the issues say which")                 \
    X(ERR_IO, -3, "io", "reading or writing failed")                                               \
    X(ERR_DAMAGED, -4, "damaged", "the file is damaged: its checksum or structure is wrong")       \
    X(ERR_NOT_FOUND, -5, "not_found", "there is no such thing")                                    \
    X(ERR_EXISTS, -6, "exists", "it exists already")                                               \
    X(ERR_TOO_LARGE, -7, "too_large", "it is beyond a bound")                                      \
    X(ERR_CONFLICT, -8, "conflict", "the state forbids it")                                        \
    X(ERR_STOPPED, -9, "stopped", "it was asked to stop")                                          \
    X(ERR_DIVERGED, -10, "diverged", "the loss or a gradient became NaN or infinite")              \
    X(ERR_UNAVAILABLE, -11, "unavailable", "it cannot be served now")                              \
    X(ERR_INTERNAL, -12, "internal", "an internal rule was broken")

enum ErrorCode {
#define X(code, value, name, text) code = value,
    ERROR_CODES(X)
#undef X
};

// The name ("out_of_memory") and the sentence of a code; for an unknown code "unknown". Never NULL.
const char *error_name(int code);
const char *error_text(int code);
