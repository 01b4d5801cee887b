#include "server/http/problem.h"

#include <stddef.h>
#include "core/base/error.h"
#include "core/base/memory.h"

static const struct {
    int status;
    const char *title;
} titles[] = {
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {507, "Insufficient Storage"},
};

const char *status_title(int status) {
    for (size_t i = 0; i < ARRAY_LENGTH(titles); i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

void problem_write(JsonOut *out, int status, const char *detail, const Issues *issues) {
    json_begin_object(out, NULL);
    json_string(out, "type", "about:blank");
    json_string(out, "title", status_title(status));
    json_integer(out, "status", status);
    json_string(out, "detail", detail);
    if (issues != NULL) {
        json_begin_array(out, "errors");
        for (size_t i = 0; i < issues->count; i++) {
            json_begin_object(out, NULL);
            json_string(out, "pointer", issues->items[i].pointer);
            json_string(out, "detail", issues->items[i].detail);
            json_end_object(out);
        }
        json_end_array(out);
        if (issues->omitted > 0)
            json_integer(out, "omitted", (int64_t)issues->omitted);
    }
    json_end_object(out);
}

int problem_status(int code) {
    switch (code) {
    case ERR_INVALID:
        return 422;
    case ERR_NOT_FOUND:
        return 404;
    case ERR_EXISTS:
    case ERR_CONFLICT:
        return 409;
    case ERR_TOO_LARGE:
        return 413;
    case ERR_NO_MEMORY:
    case ERR_UNAVAILABLE:
        return 503;
    default:
        return 500;
    }
}
