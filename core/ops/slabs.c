// Packing of sequences. Where a slab lies follows from the lengths alone: walking through time, the number of rows
// moves with it, and the place by that number.
#include "core/ops/slabs.h"
#include <string.h>

static void deal_rows(Slabs *slabs, const int32_t *lengths) {
    size_t k = 0;
    for (size_t length = slabs->time; k < slabs->rows; length--)
        for (size_t r = 0; r < slabs->rows; r++)
            if ((lengths == NULL ? slabs->time : (size_t)lengths[r]) == length) {
                // The k-th longest: each piece has one before any has the next.
                size_t rank = slabs->piece[k % slabs->pieces].first + k / slabs->pieces;
                slabs->row[rank] = (int32_t)r;
                slabs->length[rank] = (int32_t)length;
                k++;
            }
}

void slabs_make(Slabs *slabs, size_t pieces, bool deal, const int32_t *lengths) {
    pieces = pieces < SLAB_PIECES_MAX ? pieces : SLAB_PIECES_MAX;
    slabs->pieces = pieces < slabs->rows ? pieces : slabs->rows;
    size_t first = 0;
    for (size_t p = 0; p < slabs->pieces; p++) {
        size_t rows = slabs->rows / slabs->pieces + (p < slabs->rows % slabs->pieces);
        slabs->piece[p] = (SlabPiece){.first = first, .rows = rows};
        first += rows;
    }
    if (deal)
        deal_rows(slabs, lengths);
    slabs->steps = 0;
    for (size_t p = 0; p < slabs->pieces; p++) {
        SlabPiece *piece = &slabs->piece[p];
        piece->at = slabs->steps;
        for (size_t i = 0; i < piece->rows; i++)
            piece->steps += (size_t)slabs->length[piece->first + i];
        slabs->steps += piece->steps;
    }
}

// As many rows as are longer than t.
static void fit_rows(Slab *slab) {
    while (slab->rows > 0 && (size_t)slab->length[slab->rows - 1] <= slab->t)
        slab->rows--;
    while (slab->rows < slab->piece->rows && (size_t)slab->length[slab->rows] > slab->t)
        slab->rows++;
}

static void move_back(Slab *slab) {
    if (slab->t == 0) {
        slab->rows = 0;
        return;
    }
    slab->t--;
    fit_rows(slab);
    slab->at -= slab->rows;
}

Slab slab_start(const Slabs *slabs, const SlabPiece *piece, bool rising) {
    Slab slab = {.piece = piece,
                 .row = slabs->row + piece->first,
                 .length = slabs->length + piece->first,
                 .at = piece->at};
    if (rising) {
        fit_rows(&slab);
    } else {
        slab.t = (size_t)slab.length[0]; // the longest's end
        slab.at += piece->steps;
        move_back(&slab);
    }
    return slab;
}

void slab_move(Slab *slab, bool rising) {
    if (!rising) {
        move_back(slab);
        return;
    }
    slab->at += slab->rows;
    slab->t++;
    fit_rows(slab);
}

void slabs_pack(const Slabs *slabs, const SlabPiece *piece, size_t width, const Real *rows,
                Real *packed) {
    for (Slab slab = slab_start(slabs, piece, true); slab.rows > 0; slab_move(&slab, true))
        for (size_t i = 0; i < slab.rows; i++)
            memcpy(packed + (slab.at + i) * width,
                   rows + ((size_t)slab.row[i] * slabs->time + slab.t) * width,
                   width * sizeof(Real));
}

void slabs_unpack(const Slabs *slabs, const SlabPiece *piece, size_t width, const Real *packed,
                  Real *rows) {
    for (Slab slab = slab_start(slabs, piece, true); slab.rows > 0; slab_move(&slab, true))
        for (size_t i = 0; i < slab.rows; i++)
            memcpy(rows + ((size_t)slab.row[i] * slabs->time + slab.t) * width,
                   packed + (slab.at + i) * width, width * sizeof(Real));
    for (size_t rank = piece->first; rank < piece->first + piece->rows; rank++) {
        size_t row = (size_t)slabs->row[rank], length = (size_t)slabs->length[rank];
        memset(rows + (row * slabs->time + length) * width, 0,
               (slabs->time - length) * width * sizeof(Real));
    }
}
