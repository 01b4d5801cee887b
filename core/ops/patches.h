// Patches: what the window of one output reads, laid out as one row, so that a convolution is a
// matrix product (im2col; Chellapilla, Puri, Simard 2006), and the way back (col2im).
//
//   patches [positions, taps, channels of the group]      position = (row · out_h + y) · out_w + x
//                                                         tap = ky · size_w + kx
#pragma once
#include "core/ops/window.h"

// Elements behind the patches that patches_fill may write over: it copies in whole vectors.
enum { PATCHES_SLACK = 8 };

typedef struct Patches {
    const WindowGrid *grid;
    int64_t first_channel, channels; // of the group
    int64_t first_tap, taps;         // of the window
} Patches;

// Copies positions [begin, end) of x [rows, in_h, in_w, channels]; what is outside is 0.
// patches [end − begin, taps, channels], and PATCHES_SLACK behind.
void patches_fill(const Patches *patches, const Real *x, int64_t begin, int64_t end, Real *to);
// Adds them up: x += the patches, each element where it was read. All taps.
void patches_add(const Patches *patches, const Real *from, int64_t begin, int64_t end, Real *x);
