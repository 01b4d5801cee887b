// multipart/form-data (RFC 7578) out of a body that is all there: which parts it has and where their bytes lie. Nothing is
// copied and nothing is kept, so a part may be as large as the body.
//
// Strict: CRLF everywhere, a name for every part, at most MULTIPART_PARTS_MAX of them with heads of MULTIPART_HEAD_MAX bytes, no
// preamble, nothing behind the last boundary, and no encoding of the parts' bytes.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "server/base/source.h"

enum { MULTIPART_PARTS_MAX = 64, MULTIPART_HEAD_MAX = 4096, MULTIPART_NAME_MAX = 64 };

typedef struct Multipart {
    const char *start, *at, *end;
    const char *passed; // for source_pass
    bool mapped;
    char delimiter[4 + 70 + 1]; // CRLF, two dashes, the boundary
    size_t delimiter_length;
    int parts;         // seen so far
    const char *error; // why a call failed, and
    size_t offset;     // at which byte of the body
} Multipart;

typedef struct Part {
    char name[MULTIPART_NAME_MAX + 1];
    Source bytes; // in the body
} Part;

// content_type: of the request, with its parameters. ERR_INVALID: it has no boundary, or the body does not begin with it.
int multipart_init(Multipart *multipart, const char *content_type, const Source *body);
// The next part. ERR_NOT_FOUND: there is none, and the body is well-formed to its end. ERR_INVALID.
int multipart_next(Multipart *multipart, Part *ret_part);
