// What server and worker say to each other: frames over a byte stream, so that a worker can later
// stand elsewhere.
//
//   u32 length of the body, u32 attempt, u8 type, 3 zero bytes (little-endian); then the body
//
// The reader takes bytes as they come and trusts none of them: a type that is not known, a length
// beyond the bound or a byte that must be zero ends it (ERR_DAMAGED, for good). What a body holds
// is for whoever reads it to check.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

//  X(NAME, letter): server → worker
//   JOB        what to train (worker.c says which members)
//  worker → server
//   STARTED    {"step"}: it goes on from there; what was recorded after it will come again
//   METRICS    a table of series over steps          GRADIENTS  a table: layer, then its statistics
//   STEP       i64: the step just done, told one by one after an earlier worker's death
//   FINDING    a finding                             PROGRESS   {"progress", "metrics", "best",
//                                                                "samples" of this attempt}
//   HISTOGRAMS {"step", "interval", "layers": {NAME: {KIND: {"least", "greatest", "counts"}}}}
//   BEAT       nothing: it lives and works
//   DIAGNOSIS  {"findings", "checklist"}: all that holds now
//   FINISHED   {"progress", "metrics", "best", "model": {"sha256", "parameters", "input_shape"},
//               "samples", "confusion" of a classifier};
//               {"progress", "metrics", "best", "result"} of a job that leaves no model;
//               {"probe": {"steps", "first_loss", "loss"}, "findings"} of a probe
//   FAILED     {"code", "detail"}: the run ended with this error
//   STOPPED    {"step"}: asked to, after a checkpoint
#define FRAME_TYPES(X)                                                                             \
    X(JOB, 'j')                                                                                    \
    X(STARTED, 's')                                                                                \
    X(METRICS, 'm')                                                                                \
    X(STEP, 'n')                                                                                   \
    X(BEAT, 'b')                                                                                   \
    X(GRADIENTS, 'g')                                                                              \
    X(HISTOGRAMS, 'h')                                                                             \
    X(FINDING, 'f')                                                                                \
    X(DIAGNOSIS, 'd')                                                                              \
    X(PROGRESS, 'p')                                                                               \
    X(FINISHED, 'e')                                                                               \
    X(FAILED, 'x')                                                                                 \
    X(STOPPED, 'q')

typedef enum FrameType {
#define X(name, letter) FRAME_##name = letter,
    FRAME_TYPES(X)
#undef X
} FrameType;

enum { FRAME_HEAD = 12, FRAME_BODY_MAX = 4 << 20 };

typedef struct Frame {
    FrameType type;
    uint32_t attempt;
    const uint8_t *body; // borrowed: holds until the reader is given more bytes
    size_t length;
} Frame;

void frame_head(FrameType type, uint32_t attempt, size_t length, uint8_t ret_head[FRAME_HEAD]);
// Writes all of it to a blocking descriptor. ERR_TOO_LARGE, ERR_IO.
int frame_write(int descriptor, FrameType type, uint32_t attempt, const void *body, size_t length);

// Frames are looked at in order and then accepted, so that what could not be handled yet is there
// again after a rewind.
typedef struct FrameReader {
    uint8_t *data;
    size_t start;  // accepted up to here
    size_t cursor; // looked at up to here
    size_t length, capacity;
    bool damaged;
} FrameReader;

void frame_reader_init(FrameReader *reader);
void frame_reader_finish(FrameReader *reader);
int frame_reader_add(FrameReader *reader, const void *bytes, size_t count); // ERR_NO_MEMORY
// The next frame; ERR_NOT_FOUND: more bytes are needed; ERR_DAMAGED.
int frame_next(FrameReader *reader, Frame *ret_frame);
void frame_accept(FrameReader *reader); // all that were looked at are done with
void frame_rewind(FrameReader *reader); // look again from the first that was not accepted
