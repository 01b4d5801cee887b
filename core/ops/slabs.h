// Sequences of different lengths, packed as in cuDNN and PyTorch: rows sorted by falling length, so that those still
// running at step t are the first n_t, and what a step has of them is one contiguous slab, in the order of time:
//
//   slab of t = 0: n_0 rows │ t = 1: n_1 rows │ …       Σ lengths packed rows in all; padding is nowhere
//
// For threads the rows are dealt out to pieces, each sorted by itself and with slabs of its own, one piece's after the
// other's; all pieces have nearly as many steps. A rank is a row's place in this order.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/real.h"

enum { SLAB_PIECES_MAX = 64 };

typedef struct SlabPiece {
    size_t first, rows; // ranks [first, first + rows)
    size_t at, steps;   // its slabs: packed rows [at, at + steps)
} SlabPiece;

typedef struct Slabs {
    size_t rows, time;
    int32_t *row;    // [rows] of each rank: its row …
    int32_t *length; // [rows] … and its length, falling within a piece
    size_t steps;    // Σ lengths
    size_t pieces;
    SlabPiece piece[SLAB_PIECES_MAX];
} Slabs;

// Makes the pieces (as many as wanted, if there are rows for them) from rows, time and the arrays' memory. `deal`: fills
// the arrays from the lengths [rows] (NULL: all are `time`); else they have been filled for as many pieces before.
void slabs_make(Slabs *slabs, size_t pieces, bool deal, const int32_t *lengths);

// One slab of a piece: packed rows [at, at + rows) are step t of the piece's first `rows` ranks. None where rows is 0.
typedef struct Slab {
    const SlabPiece *piece;
    const int32_t *row, *length; // [piece->rows] of its ranks
    size_t t, at, rows;
} Slab;

// The first and the next in rising order of time, or in falling order.
Slab slab_start(const Slabs *slabs, const SlabPiece *piece, bool rising);
void slab_move(Slab *slab, bool rising);

// Between rows [rows, time, width] and packed rows [steps, width], those of one piece; unpacking writes 0 to padding.
void slabs_pack(const Slabs *slabs, const SlabPiece *piece, size_t width, const Real *rows,
                Real *packed);
void slabs_unpack(const Slabs *slabs, const SlabPiece *piece, size_t width, const Real *packed,
                  Real *rows);
