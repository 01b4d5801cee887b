// Frames: whole, in pieces, cut short, and with any byte wrong.
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/jobs/frames.h"

typedef struct Stream {
    uint8_t bytes[512];
    size_t length;
} Stream;

static void stream_add(Stream *stream, FrameType type, uint32_t attempt, const char *body) {
    size_t length = strlen(body);
    frame_head(type, attempt, length, stream->bytes + stream->length);
    memcpy(stream->bytes + stream->length + FRAME_HEAD, body, length);
    stream->length += FRAME_HEAD + length;
}

static Stream three_frames(void) {
    Stream stream = {0};
    stream_add(&stream, FRAME_STARTED, 7, "{\"step\":0}");
    stream_add(&stream, FRAME_METRICS, 7, "some bytes of a table");
    stream_add(&stream, FRAME_FINISHED, 7, "");
    return stream;
}

// Feeds the stream in pieces; returns how many frames came out whole.
static int feed(const Stream *stream, size_t piece, int *ret_result) {
    FrameReader reader;
    Frame frame;
    int count = 0, result = ERR_NOT_FOUND;
    frame_reader_init(&reader);
    for (size_t at = 0; at < stream->length; at += piece) {
        size_t size = stream->length - at < piece ? stream->length - at : piece;
        cr_assert_eq(frame_reader_add(&reader, stream->bytes + at, size), OK);
        while ((result = frame_next(&reader, &frame)) == OK) {
            for (size_t i = 0; i < frame.length; i++) // all of it must be there to read
                ((volatile const uint8_t *)frame.body)[i];
            count++;
        }
        frame_accept(&reader);
    }
    frame_reader_finish(&reader);
    *ret_result = result;
    return count;
}

Test(frames, come_out_as_they_went_in_however_they_are_cut) {
    Stream stream = three_frames();
    for (size_t piece = 1; piece <= stream.length; piece++) {
        int result;
        cr_expect_eq(feed(&stream, piece, &result), 3, "pieces of %zu", piece);
        cr_expect_eq(result, ERR_NOT_FOUND);
    }
}

Test(frames, of_a_stream_cut_short_wait_for_more) {
    Stream whole = three_frames();
    for (size_t length = 0; length < whole.length; length++) {
        Stream stream = whole;
        int result;
        stream.length = length;
        cr_expect_lt(feed(&stream, 5, &result), 3);
        cr_expect_eq(result, ERR_NOT_FOUND);
    }
}

Test(frames, with_any_byte_wrong_are_survived) {
    Stream whole = three_frames();
    for (size_t at = 0; at < whole.length; at++) {
        for (int value = 0; value < 256; value++) {
            Stream stream = whole;
            int result;
            stream.bytes[at] = (uint8_t)value;
            cr_expect_leq(feed(&stream, 16, &result), 32);
        }
    }
}

Test(frames, beyond_the_bound_are_refused_before_their_body) {
    Stream stream = {.length = FRAME_HEAD};
    int result;
    frame_head(FRAME_METRICS, 1, (size_t)FRAME_BODY_MAX + 1, stream.bytes);
    feed(&stream, 64, &result);
    cr_expect_eq(result, ERR_DAMAGED);
    cr_expect_eq(frame_write(STDOUT_FILENO, FRAME_METRICS, 1, "", (size_t)FRAME_BODY_MAX + 1),
                 ERR_TOO_LARGE);
}

Test(frames, damage_is_for_good) {
    FrameReader reader;
    Frame frame;
    Stream good = three_frames();
    uint8_t bad[FRAME_HEAD];
    frame_reader_init(&reader);
    frame_head((FrameType)'?', 1, 0, bad);
    frame_reader_add(&reader, bad, sizeof bad);
    cr_expect_eq(frame_next(&reader, &frame), ERR_DAMAGED);
    frame_reader_add(&reader, good.bytes, good.length);
    cr_expect_eq(frame_next(&reader, &frame), ERR_DAMAGED);
    frame_reader_finish(&reader);
}

Test(frames, that_were_not_accepted_come_again_after_a_rewind) {
    FrameReader reader;
    Frame frame;
    Stream stream = three_frames();
    frame_reader_init(&reader);
    frame_reader_add(&reader, stream.bytes, stream.length);
    cr_assert_eq(frame_next(&reader, &frame), OK);
    frame_accept(&reader);
    cr_assert_eq(frame_next(&reader, &frame), OK);
    cr_expect_eq(frame.type, FRAME_METRICS);
    frame_rewind(&reader);
    frame_reader_add(&reader, stream.bytes, 1);
    cr_assert_eq(frame_next(&reader, &frame), OK);
    cr_expect_eq(frame.type, FRAME_METRICS);
    cr_expect_eq(frame.attempt, 7);
    cr_expect_arr_eq(frame.body, "some bytes of a table", frame.length);
    frame_reader_finish(&reader);
}

Test(frames, go_through_a_pipe) {
    int ends[2];
    char bytes[64];
    FrameReader reader;
    Frame frame;
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(frame_write(ends[1], FRAME_PROGRESS, 3, "{}", 2), OK);
    ssize_t count = read(ends[0], bytes, sizeof bytes);
    frame_reader_init(&reader);
    cr_assert_eq(frame_reader_add(&reader, bytes, (size_t)count), OK);
    cr_assert_eq(frame_next(&reader, &frame), OK);
    cr_expect_eq(frame.type, FRAME_PROGRESS);
    cr_expect_eq(frame.length, 2);
    frame_reader_finish(&reader);
    close(ends[0]);
    close(ends[1]);
}
