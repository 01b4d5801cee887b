// Streams: answers that come piece by piece, above all server-sent events.
//
// Between pieces the connection is suspended and costs no thread. Three parties meet in `state`:
// the I/O thread parks (PARKED), whoever has news wakes (AWAKE), a handler thread fills. The one
// who completes the pair PARKED and AWAKE submits the fill, and only that one; so a fill never runs
// twice at once, and no wake is lost:
//
//   nothing to send: suspend, set PARKED ─┐            ┌─ stream_wake: set AWAKE
//                                         └─ both set ─┘
//                                              │ submit
//   fill: clear both, next() ── something: resume; the I/O thread sends it, parks again, and one
//   asks for more
//                             └─ nothing: set PARKED; AWAKE meanwhile: fill again
//
// While suspended a connection cannot be closed, so the stream outlives its fill. That the client
// went away is noticed when something is sent, which is every 15 s at the latest.
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/time.h"
#include "server/http/internal.h"

enum { STATE_PARKED = 1, STATE_AWAKE = 2 };

struct Stream {
    Task task; // first
    Http *http;
    struct MHD_Connection *connection;
    Connection *peer;
    StreamSource source;
    atomic_int state;
    atomic_llong next_beat; // time_monotonic
    atomic_bool over;       // it is to end: the server stops, or the client was cut
    // Touched by the I/O thread while not parked, by the fill while parked.
    Text text;
    size_t sent;
    bool ended;
    bool broken; // it failed: the connection ends in the middle, so that nobody takes it for whole
};

void stream_wake(Stream *stream) {
    if (atomic_fetch_or(&stream->state, STATE_AWAKE) == STATE_PARKED)
        executor_submit(stream->http->executor, &stream->task, true);
}

static void stream_fill(Task *task) {
    Stream *stream = (Stream *)task;
    for (;;) {
        atomic_store(&stream->state, 0);
        stream->ended = atomic_load(&stream->over);
        atomic_store(&stream->next_beat, time_monotonic() + STREAM_BEAT_MS);
        if (!stream->ended)
            stream->source.next(stream->source.context, &stream->text, &stream->ended);
        if (stream->text.failed) {
            text_finish(&stream->text);
            stream->ended = stream->broken = true;
        }
        if (stream->text.length > 0 || stream->ended) {
            // There may be more: ask again once this is sent.
            atomic_store(&stream->state, STATE_AWAKE);
            MHD_resume_connection(stream->connection); // from here on the stream may be gone
            return;
        }
        if (atomic_fetch_or(&stream->state, STATE_PARKED) == 0)
            return; // likewise
    }
}

static ssize_t stream_read(void *context, uint64_t position, char *buffer, size_t max) {
    Stream *stream = context;
    (void)position;
    size_t left = stream->text.length - stream->sent;
    if (left > 0) {
        size_t length = left < max ? left : max;
        memcpy(buffer, stream->text.data + stream->sent, length);
        stream->sent += length;
        atomic_store(&stream->peer->deadline, time_monotonic() + IDLE_MS);
        return (ssize_t)length;
    }
    if (stream->ended)
        return stream->broken ? MHD_CONTENT_READER_END_WITH_ERROR
                              : MHD_CONTENT_READER_END_OF_STREAM;
    text_finish(&stream->text); // thousands of idle streams keep nothing
    stream->sent = 0;
    atomic_store(&stream->peer->deadline, 0);
    MHD_suspend_connection(stream->connection);
    if (atomic_fetch_or(&stream->state, STATE_PARKED) == STATE_AWAKE)
        executor_submit(stream->http->executor, &stream->task, true);
    return 0;
}

void stream_destroy(Stream *stream) {
    if (stream == NULL)
        return;
    pthread_mutex_lock(&stream->http->connections_lock); // the clock looks at the peer's stream
    if (stream->peer->stream == stream)
        stream->peer->stream = NULL;
    pthread_mutex_unlock(&stream->http->connections_lock);
    stream->source.finish(stream->source.context);
    atomic_fetch_sub(&stream->http->streams, 1);
    text_finish(&stream->text);
    memory_free(stream);
}

static void stream_over(void *context) {
    stream_destroy(context);
}

void stream_attach(Stream *stream, Request *request) {
    pthread_mutex_lock(&stream->http->connections_lock);
    request->peer->stream = stream;
    pthread_mutex_unlock(&stream->http->connections_lock);
}

struct MHD_Response *stream_response(Stream *stream) {
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, stream_read, stream, stream_over);
    if (response == NULL)
        stream_destroy(stream);
    return response;
}

// The clock's beat, under connections_lock: a stream that has heard nothing for too long asks
// again.
void stream_tick(Stream *stream, int64_t now, bool over) {
    int64_t deadline = stream->source.deadline;
    if (over)
        atomic_store(&stream->over, true);
    if (over || now >= atomic_load(&stream->next_beat) || (deadline != 0 && now >= deadline))
        stream_wake(stream);
}

void answer_stream(Request *request, const char *content_type, const StreamSource *source,
                   Stream **ret_stream) {
    Http *http = request->http;
    Stream *stream = NULL;
    if (atomic_fetch_add(&http->streams, 1) >= http->connections_max / 2 ||
        (stream = memory_new(Stream)) == NULL) {
        atomic_fetch_sub(&http->streams, 1);
        source->finish(source->context);
        answer_header(request, "Retry-After", "5");
        answer_problem(request, 503, "There are too many open streams.");
        *ret_stream = NULL;
        return;
    }
    *stream = (Stream){.task = {.run = stream_fill, .lane = LANE_STREAM},
                       .http = http,
                       .connection = request->connection,
                       .peer = request->peer,
                       .source = *source};
    atomic_init(&stream->state, STATE_AWAKE); // so that the first park asks at once
    atomic_init(&stream->next_beat, INT64_MAX);
    atomic_init(&stream->over, atomic_load(&http->stopping));
    text_init(&stream->text);
    request->answer.status = 200;
    request->answer.content_type = content_type;
    request->answer.stream = stream;
    *ret_stream = stream;
}
