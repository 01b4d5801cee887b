// Names and sentences of the error codes, from the one table in error.h.
#include "core/base/error.h"

const char *error_name(int code) {
    switch (code) {
    case OK:
        return "ok";
#define X(code, value, name, text)                                                                 \
    case code:                                                                                     \
        return name;
        ERROR_CODES(X)
#undef X
    default:
        return "unknown";
    }
}

const char *error_text(int code) {
    switch (code) {
    case OK:
        return "no error";
#define X(code, value, name, text)                                                                 \
    case code:                                                                                     \
        return text;
        ERROR_CODES(X)
#undef X
    default:
        return "unknown";
    }
}
