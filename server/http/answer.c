// Answers (http.h): kept in the request by the handler, turned into MHD's response with every
// header by answer_build.
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/log.h"
#include "server/http/internal.h"
#include "server/http/page_files.h"
#include "server/http/problem.h"

static const struct {
    const char *name, *value;
} security_headers[] = {
    {"Content-Security-Policy", page_policy},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
};

bool answered(const Request *request) {
    return request->answer.status != 0;
}

void answer_finish(Answer *answer) {
    text_finish(&answer->text);
    if (answer->descriptor >= 0)
        close(answer->descriptor);
    stream_destroy(answer->stream);
    for (size_t i = 0; i < answer->headers; i++) {
        memory_free(answer->header[i].name);
        memory_free(answer->header[i].value);
    }
    *answer = (Answer){.descriptor = -1};
}

// The first answer counts: false for a second one.
static bool answer_begin(Request *request, int status, const char *content_type) {
    if (answered(request))
        return false;
    request->answer.status = status;
    request->answer.content_type = content_type;
    return true;
}

static void answer_without_memory(Request *request) {
    static const char body[] =
        "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
        "\"detail\":\"The server has not enough memory for this now.\"}";
    request->answer.status = 0;
    answer_static(request, 503, "application/problem+json", body, sizeof body - 1);
}

void answer_header(Request *request, const char *name, const char *format, ...) {
    Answer *answer = &request->answer;
    Text value;
    va_list list;
    if (answer->headers == ANSWER_HEADERS_MAX)
        return;
    text_init(&value);
    va_start(list, format);
    text_add_format_list(&value, format, list);
    va_end(list);
    char *name_copy = memory_string(name);
    char *value_copy = text_take(&value);
    if (name_copy == NULL || value_copy == NULL) {
        memory_free(name_copy);
        memory_free(value_copy);
        answer->lacks_header = true;
        return;
    }
    answer->header[answer->headers].name = name_copy;
    answer->header[answer->headers++].value = value_copy;
}

void answer_empty(Request *request, int status) {
    answer_static(request, status, NULL, "", 0);
}

void answer_text(Request *request, int status, const char *content_type, Text *text) {
    if (!answer_begin(request, status, content_type)) {
        text_finish(text);
        return;
    }
    if (text->failed) {
        text_finish(text);
        answer_without_memory(request);
        return;
    }
    request->answer.text = *text;
    text_init(text);
}

void answer_json(Request *request, int status, JsonOut *json) {
    answer_text(request, status, "application/json", &json->text);
}

void answer_copy(Request *request, int status, const char *content_type, const char *text) {
    Text copy;
    text_init(&copy);
    text_add(&copy, text);
    answer_text(request, status, content_type, &copy);
}

void answer_static(Request *request, int status, const char *content_type, const void *data,
                   size_t length) {
    if (!answer_begin(request, status, content_type))
        return;
    request->answer.data = data;
    request->answer.length = length;
}

void answer_file(Request *request, const char *content_type, int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) != 0 || !answer_begin(request, 200, content_type)) {
        close(descriptor);
        answer_error(request, ERR_IO, NULL);
        return;
    }
    request->answer.descriptor = descriptor;
    request->answer.length = (size_t)status.st_size;
}

// What a text came to; NULL where memory did not suffice for it.
static const char *text_whole(Text *text) {
    return text->failed ? NULL : text_string(text);
}

// Under /v2 errors are those of the Open Inference Protocol: one sentence.
static bool speaks_inference(const Request *request) {
    const char *path = request->target.path;
    return path != NULL && strncmp(path, "/v2", 3) == 0 && (path[3] == '\0' || path[3] == '/');
}

static void answer_sentence(Request *request, int status, const char *detail,
                            const Issues *issues) {
    Text said;
    text_init(&said);
    text_add(&said, detail);
    for (size_t i = 0; issues != NULL && i < issues->count; i++)
        text_add_format(&said, " %s: %s.", issues->items[i].pointer, issues->items[i].detail);
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    json_string(&out, "error", text_string(&said));
    json_end_object(&out);
    out.text.failed |= said.failed;
    text_finish(&said);
    answer_text(request, status, "application/json", &out.text);
}

// detail: NULL for want of memory, of which the answer then speaks.
static void answer_problem_text(Request *request, int status, const char *detail,
                                const Issues *issues) {
    if (detail == NULL) {
        if (!answered(request))
            answer_without_memory(request);
        return;
    }
    if (speaks_inference(request)) {
        answer_sentence(request, status, detail, issues);
        return;
    }
    JsonOut out;
    json_init(&out);
    problem_write(&out, status, detail, issues);
    answer_text(request, status, "application/problem+json", &out.text);
}

void answer_problem(Request *request, int status, const char *format, ...) {
    Text detail;
    va_list list;
    text_init(&detail);
    va_start(list, format);
    text_add_format_list(&detail, format, list);
    va_end(list);
    answer_problem_text(request, status, text_whole(&detail), NULL);
    text_finish(&detail);
}

void answer_issues(Request *request, int status, const Issues *issues) {
    if (issues->failed) {
        answer_error(request, ERR_NO_MEMORY, NULL);
        return;
    }
    size_t count = issues->count + issues->omitted;
    Text detail;
    text_init(&detail);
    text_add_format(&detail,
                    status == 400 ? strcmp(request->content_type, "multipart/form-data") == 0
                                        ? "The body is not multipart/form-data."
                                        : "The body is not JSON."
                                  : "The body has %zu mistake%s; `errors` names each.",
                    count, count == 1 ? "" : "s");
    answer_problem_text(request, status, text_whole(&detail), issues);
    text_finish(&detail);
}

// Whoever means another lack by ERR_UNAVAILABLE says so.
static const char disk_full[] =
    "The server's disk is full: nothing was changed. Free some space on it, or delete datasets, "
    "models or jobs, and try again; predictions go on meanwhile.";

void answer_error(Request *request, int code, const char *what) {
    int status = problem_status(code);
    if (status >= 500)
        log_error("%s %s: %s", request->method,
                  request->target.path != NULL ? request->target.path : "?", error_text(code));
    if (status == 503)
        answer_header(request, "Retry-After", "5");
    if (what == NULL)
        what = code == ERR_UNAVAILABLE ? disk_full : error_text(code);
    answer_problem(request, status, "%s", what);
}

// ---- what goes out ----

// The text as gzip, or false where that is no gain or there is no memory for it.
static bool compress_text(const void *data, size_t length, Text *ret_text) {
    z_stream stream = {0};
    if (length > UINT32_MAX / 2 ||
        deflateInit2(&stream, 4, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    size_t bound = deflateBound(&stream, (uLong)length);
    char *out = memory_array(bound, 1);
    bool done = false;
    if (out != NULL) {
        stream.next_in = (Bytef *)data;
        stream.avail_in = (uInt)length;
        stream.next_out = (Bytef *)out;
        stream.avail_out = (uInt)bound;
        done = deflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_out < length;
    }
    if (done)
        *ret_text = (Text){.data = out, .length = stream.total_out, .capacity = bound};
    else
        memory_free(out);
    deflateEnd(&stream);
    return done;
}

static bool is_compressible(const char *content_type) {
    return content_type != NULL &&
           (strncmp(content_type, "text/", 5) == 0 || strstr(content_type, "json") != NULL);
}

static struct MHD_Response *answer_body(Answer *answer, bool *ret_compressed, bool gzip) {
    if (answer->stream != NULL)
        return stream_response(TAKE(answer->stream));
    if (answer->descriptor >= 0) {
        struct MHD_Response *response =
            MHD_create_response_from_fd64(answer->length, answer->descriptor);
        if (response != NULL)
            answer->descriptor = -1; // MHD closes it
        return response;
    }
    const void *data = answer->data != NULL ? answer->data : text_string(&answer->text);
    size_t length = answer->data != NULL ? answer->length : answer->text.length;
    Text compressed;
    if (gzip && compress_text(data, length, &compressed)) {
        text_finish(&answer->text);
        answer->text = compressed;
        *ret_compressed = true;
    } else if (answer->data != NULL) {
        return MHD_create_response_from_buffer(length, (void *)answer->data,
                                               MHD_RESPMEM_PERSISTENT);
    }
    length = answer->text.length;
    if (length == 0)
        return MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    answer->length = length;
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(length, answer->text.data, memory_free);
    if (response != NULL)
        text_init(&answer->text); // MHD frees it
    return response;
}

static void add_header(struct MHD_Response *response, const char *name, const char *value,
                       bool *whole) {
    *whole = MHD_add_response_header(response, name, value) == MHD_YES && *whole;
}

// None without every header: a body without its Content-Encoding would be another body.
struct MHD_Response *answer_build(Request *request) {
    Answer *answer = &request->answer;
    size_t length = answer->data != NULL ? answer->length : answer->text.length;
    bool may_compress = answer->stream == NULL && answer->descriptor < 0 &&
                        length >= HTTP_GZIP_FROM && is_compressible(answer->content_type);
    bool compressed = false;
    struct MHD_Response *response =
        answer_body(answer, &compressed, may_compress && request->accepts_gzip);
    if (response == NULL)
        return NULL;
    bool whole = !answer->lacks_header;
    for (size_t i = 0; i < ARRAY_LENGTH(security_headers); i++)
        add_header(response, security_headers[i].name, security_headers[i].value, &whole);
    if (answer->content_type != NULL)
        add_header(response, "Content-Type", answer->content_type, &whole);
    if (compressed)
        add_header(response, "Content-Encoding", "gzip", &whole);
    if (may_compress)
        add_header(response, "Vary", "Accept-Encoding", &whole);
    bool cache = false;
    for (size_t i = 0; i < answer->headers; i++) {
        cache = cache || strcmp(answer->header[i].name, "Cache-Control") == 0;
        add_header(response, answer->header[i].name, answer->header[i].value, &whole);
    }
    if (!cache)
        add_header(response, "Cache-Control", "no-store", &whole);
    if (request->closes)
        add_header(response, "Connection", "close", &whole);
    if (whole)
        return response;
    MHD_destroy_response(response);
    return NULL;
}

void answer_send(Request *request) {
    Answer *answer = &request->answer;
    Text text;
    text_init(&text);
    text_add_format(&text, "HTTP/1.1 %d %s\r\n", answer->status, status_title(answer->status));
    for (size_t i = 0; i < ARRAY_LENGTH(security_headers); i++)
        text_add_format(&text, "%s: %s\r\n", security_headers[i].name, security_headers[i].value);
    for (size_t i = 0; i < answer->headers; i++)
        text_add_format(&text, "%s: %s\r\n", answer->header[i].name, answer->header[i].value);
    text_add_format(&text, "Content-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                    answer->content_type, answer->text.length);
    text_add_bytes(&text, answer->text.data, answer->text.length);
    if (!text.failed)
        (void)!send(request->peer->descriptor, text.data, text.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    text_finish(&text);
}
