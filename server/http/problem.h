// application/problem+json (RFC 9457) from a status, a sentence and the issues of a body.
#pragma once
#include "core/base/issues.h"
#include "server/base/json_out.h"

const char *status_title(int status); // "Not Found"; "Error" for an unknown one
// `issues` may be NULL. `omitted` says how many more there were than are listed.
void problem_write(JsonOut *out, int status, const char *detail, const Issues *issues);
// The status that an error code means.
int problem_status(int code);
