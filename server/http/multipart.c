// A body is a row of  delimiter CRLF head CRLF CRLF bytes  and ends with  delimiter "--".
//
// libmicrohttpd's post processor is not used: it hands pieces over in the order in which they come, without their places, takes a
// header's name wherever it stands in a line, and says of no error what it was.
#include "server/http/multipart.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "core/base/error.h"

enum { BOUNDARY_MAX = 70 };

static int fail(Multipart *m, const char *at, const char *error) {
    m->error = error;
    m->offset = (size_t)(at - m->start);
    return ERR_INVALID;
}

// ---- parameters: ; name=value; name="value" ----

typedef struct Parameters {
    const char *at, *end;
    const char *name, *value; // of the one that parameter_next found
    size_t name_length, value_length;
} Parameters;

static void skip_blanks(Parameters *p) {
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t')) {
        p->at++;
    }
}

static size_t take_until(Parameters *p, const char *stops) {
    const char *start = p->at;
    while (p->at < p->end && strchr(stops, *p->at) == NULL) {
        p->at++;
    }
    return (size_t)(p->at - start);
}

// False at the end, and where what stands there, which `at` stays at, is no parameter.
static bool parameter_next(Parameters *p) {
    skip_blanks(p);
    const char *start = p->at;
    if (p->at == p->end || *p->at != ';') {
        return false;
    }
    p->at++;
    skip_blanks(p);
    p->name = p->at;
    p->name_length = take_until(p, "=; \t\"");
    bool named = p->at < p->end && *p->at == '=' && p->name_length > 0;
    p->at += named;
    bool quoted = named && p->at < p->end && *p->at == '"';
    p->at += quoted;
    p->value = p->at;
    p->value_length = take_until(p, quoted ? "\"" : "; \t\"");
    if (!named || (quoted && p->at == p->end)) {
        p->at = start;
        return false;
    }
    p->at += quoted;
    return true;
}

static bool parameter_is(const Parameters *p, const char *name) {
    return p->name_length == strlen(name) && strncasecmp(p->name, name, p->name_length) == 0;
}

// ---- the whole ----

static bool boundary_valid(const char *boundary, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)boundary[i]) && strchr("'()+_,-./:=? ", boundary[i]) == NULL) {
            return false;
        }
    }
    return length > 0 && length <= BOUNDARY_MAX && boundary[length - 1] != ' ';
}

int multipart_init(Multipart *multipart, const char *content_type, const Source *body) {
    *multipart = (Multipart){.start = body->text,
                             .at = body->text,
                             .end = body->text + body->length,
                             .passed = source_start(body),
                             .mapped = body->mapped};
    Multipart *m = multipart;
    size_t type = strcspn(content_type, "; \t");
    Parameters p = {.at = content_type + type, .end = content_type + strlen(content_type)};
    bool found = false;
    while (!found && parameter_next(&p)) {
        found = parameter_is(&p, "boundary");
    }
    if (!found || !boundary_valid(p.value, p.value_length)) {
        return fail(m, m->start,
                    "the header Content-Type has no boundary of 1 to 70 characters: "
                    "multipart/form-data; boundary=…");
    }
    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, p.value, p.value_length);
    m->delimiter_length = 4 + p.value_length;
    size_t dashes = m->delimiter_length - 2; // at the start no CRLF goes before
    if (body->length < dashes || memcmp(m->at, m->delimiter + 2, dashes) != 0) {
        return fail(m, m->start, "the body does not begin with the boundary of its Content-Type");
    }
    m->at += dashes;
    return OK;
}

// The next delimiter from `at` on; NULL where there is none.
static const char *find_delimiter(Multipart *m) {
    enum { PIECE = 1 << 20 };
    const char *at = m->at;
    while ((size_t)(m->end - at) >= m->delimiter_length) {
        size_t left = (size_t)(m->end - at), piece = left < PIECE ? left : PIECE;
        const char *found = memmem(at, piece, m->delimiter, m->delimiter_length);
        if (found != NULL) {
            return found;
        }
        at += piece - m->delimiter_length + 1; // it may begin at the end of a piece
        source_pass(&m->passed, at);
    }
    return NULL;
}

static bool at_break(const Multipart *m) {
    return m->end - m->at >= 2 && m->at[0] == '\r' && m->at[1] == '\n';
}

// ---- a part's head ----

static bool header_is(const char *line, size_t length, const char *name, Parameters *ret_value) {
    size_t name_length = strlen(name);
    if (length <= name_length || strncasecmp(line, name, name_length) != 0 ||
        line[name_length] != ':') {
        return false;
    }
    *ret_value = (Parameters){.at = line + name_length + 1, .end = line + length};
    skip_blanks(ret_value);
    return true;
}

static int read_disposition(Multipart *m, Parameters *p, Part *part) {
    const char *start = p->at;
    size_t length = take_until(p, "; \t");
    if (length != 9 || strncasecmp(start, "form-data", length) != 0) {
        return fail(m, start, "a part's Content-Disposition must be form-data; name=\"…\"");
    }
    while (parameter_next(p)) {
        if (!parameter_is(p, "name")) {
            continue;
        }
        if (part->name[0] != '\0' || p->value_length == 0 || p->value_length > MULTIPART_NAME_MAX ||
            memchr(p->value, '\0', p->value_length) != NULL) {
            return fail(m, p->value, "a part must have one name, of 1 to 64 characters");
        }
        memcpy(part->name, p->value, p->value_length);
    }
    skip_blanks(p);
    return p->at == p->end ? OK : fail(m, p->at, "this is no parameter of Content-Disposition");
}

static int read_header(Multipart *m, const char *line, size_t length, Part *part) {
    Parameters value;
    if (memchr(line, ':', length) == NULL || line[0] == ' ' || line[0] == '\t') {
        return fail(m, line, "a line of a part's head must be a header: NAME: VALUE");
    }
    if (header_is(line, length, "Content-Disposition", &value)) {
        return read_disposition(m, &value, part);
    }
    if (header_is(line, length, "Content-Transfer-Encoding", &value)) {
        static const char *const plain[] = {"binary", "8bit", "7bit"};
        size_t left = (size_t)(value.end - value.at);
        for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
            if (left == strlen(plain[i]) && strncasecmp(value.at, plain[i], left) == 0) {
                return OK;
            }
        }
        return fail(m, line, "a part must be sent as it is, without Content-Transfer-Encoding");
    }
    return OK; // Content-Type: what a part is shows in its bytes
}

static int read_head(Multipart *m, Part *part) {
    const char *start = m->at;
    while (!at_break(m)) {
        const char *line = m->at;
        size_t left = (size_t)(m->end - line), room = MULTIPART_HEAD_MAX - (size_t)(line - start);
        const char *stop = memmem(line, left < room ? left : room, "\r\n", 2);
        if (stop == NULL) {
            return fail(m, line,
                        left < room ? "the body ends in a part's head"
                                    : "a part's head has more than 4096 bytes");
        }
        int result = read_header(m, line, (size_t)(stop - line), part);
        if (result != OK) {
            return result;
        }
        m->at = stop + 2;
    }
    m->at += 2;
    return part->name[0] != '\0'
               ? OK
               : fail(m, start, "a part has no Content-Disposition: form-data; name=\"…\"");
}

int multipart_next(Multipart *multipart, Part *ret_part) {
    Multipart *m = multipart;
    if (m->end - m->at >= 2 && memcmp(m->at, "--", 2) == 0) {
        m->at += 2;
        m->at += at_break(m) ? 2 : 0;
        return m->at == m->end ? ERR_NOT_FOUND
                               : fail(m, m->at, "bytes stand behind the last boundary");
    }
    while (m->at < m->end && (*m->at == ' ' || *m->at == '\t')) {
        m->at++;
    }
    if (!at_break(m)) {
        return fail(m, m->at, "a boundary must be followed by CRLF, or by -- at the end");
    }
    if (m->parts++ == MULTIPART_PARTS_MAX) {
        return fail(m, m->at, "there are more than 64 parts");
    }
    m->at += 2;
    Part part = {0};
    int result = read_head(m, &part);
    if (result != OK) {
        return result;
    }
    const char *start = m->at, *stop = find_delimiter(m);
    if (stop == NULL) {
        return fail(m, start, "a part is not ended by the boundary: was the body cut off?");
    }
    part.bytes = (Source){.text = start, .length = (size_t)(stop - start), .mapped = m->mapped};
    m->at = stop + m->delimiter_length;
    *ret_part = part;
    return OK;
}
