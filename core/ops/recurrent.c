// The frame of the recurrent operators: everything but the cell.
//
// Rows are packed as in cuDNN and PyTorch: sorted by falling length, so that the rows still running at step t are the
// first n_t, and every step of those is one contiguous slab, in the order of time:
//
//   slab of t = 0: n_0 rows │ t = 1: n_1 rows │ …       N = Σ lengths rows in all; padding is nowhere
//
// So x W is one product for all steps, the recurrent product of a step works on contiguous memory, and what padding
// must not do (move a state, be counted in a gradient) cannot happen. The backward direction takes the slabs from the
// last to the first: a row joins at its own last step, with a state of 0.
//
// Threads share the rows: each of `pieces` has its own rows (dealt out by length, so that all have as much to do) and
// its own slabs, one piece's after the other's, and goes through time alone. Directions are independent too.
//
//   backward: 1. by direction and piece, against time: gradients at the gates of every step
//             2. by columns of the kernels, all steps at once:
//                   dW = xᵀ · dG      dU = (states before)ᵀ · dG      db = Σ dG
//                and by slabs: dx = Σ_directions dG · Wᵀ
#include "core/ops/recurrent.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/tensor/blas.h"
#include "core/tensor/kernels.h"

enum { KERNEL, RECURRENT_KERNEL, BIAS, WEIGHTS }; // of a direction
enum { DIRECTIONS_MAX = 2, PIECES_MAX = 64, COLUMN_BLOCK = 16, ALIGNMENT = 64 };

// What a piece has: ranks are places in the packed order.
typedef struct Piece {
    size_t first, rows; // ranks [first, first + rows)
    size_t at, steps;   // its slabs: packed rows [at, at + steps)
} Piece;

typedef struct Direction {
    Real *values;                       // [N, values · units]
    Real *before[RECURRENT_STATES_MAX]; // [N, units] the states before each step
    Real *state[RECURRENT_STATES_MAX];  // [rows, units] by rank: the states, or their gradients
    Real *value_gradients;              // [N, values · units]
    const Real *weight[WEIGHTS];
    Real *weight_gradient[WEIGHTS];
} Direction;

typedef struct Pass {
    const OpCall *call;
    const RecurrentCell *cell;
    const RecurrentParams *params;
    size_t rows, time, in, units, directions;
    size_t steps;    // N
    int32_t *row;    // [rows] of each rank: its row …
    int32_t *length; // [rows] … and its length, falling within a piece
    Piece piece[PIECES_MAX];
    size_t pieces;
    Direction direction[DIRECTIONS_MAX];
    Real *packed;          // [N, in] x
    Real *packed_gradient; // [N, in] dL/dx
} Pass;

int recurrent_shape(const void *op_params, int inputs, const Shape *input, Shape *ret_output,
                    char why[OP_WHY]) {
    const RecurrentParams *params = op_params;
    if (inputs != 1 || input[0].rank != 2) {
        char text[SHAPE_TEXT];
        snprintf(why, OP_WHY, "it needs a sequence [time, features], and its input has shape %s%s",
                 shape_text(&input[0], text),
                 input[0].rank == 1 ? "; an embedding makes one of token ids" : "");
        return ERR_INVALID;
    }
    int64_t units = params->units * (params->bidirectional ? 2 : 1);
    *ret_output = params->return_sequences ? SHAPE(input[0].dim[0], units) : SHAPE(units);
    return OK;
}

int64_t recurrent_length(const void *params, const Shape *input, int64_t length) {
    (void)input;
    return ((const RecurrentParams *)params)->return_sequences ? length : -1;
}

// ---- memory ----

// Hands out aligned arrays of an area; without one it only measures.
typedef struct Area {
    char *start;
    size_t used;
} Area;

static void *area_take(Area *area, size_t count, size_t size) {
    void *array = area->start == NULL ? NULL : area->start + area->used;
    area->used += (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return array;
}

static void lay_saved(Pass *pass, Area *area) {
    size_t steps = pass->rows * pass->time;
    pass->row = area_take(area, pass->rows, sizeof(int32_t));
    pass->length = area_take(area, pass->rows, sizeof(int32_t));
    for (size_t d = 0; d < pass->directions; d++) {
        Direction *direction = &pass->direction[d];
        size_t values = (size_t)pass->cell->values * pass->units;
        direction->values = area_take(area, steps * values, sizeof(Real));
        for (int s = 0; s < pass->cell->states; s++)
            direction->before[s] = area_take(area, steps * pass->units, sizeof(Real));
    }
}

static void lay_scratch(Pass *pass, bool backward, Area *area) {
    size_t steps = pass->rows * pass->time;
    pass->packed = area_take(area, steps * pass->in, sizeof(Real));
    for (size_t d = 0; d < pass->directions; d++)
        for (int s = 0; s < pass->cell->states; s++)
            pass->direction[d].state[s] = area_take(area, pass->rows * pass->units, sizeof(Real));
    if (!backward)
        return;
    pass->packed_gradient = area_take(area, steps * pass->in, sizeof(Real));
    for (size_t d = 0; d < pass->directions; d++)
        pass->direction[d].value_gradients =
            area_take(area, steps * (size_t)pass->cell->values * pass->units, sizeof(Real));
}

OpCost recurrent_cost(const RecurrentCell *cell, const RecurrentParams *params,
                      const OpExtent *extent, const Shape *input) {
    Pass pass = {.cell = cell,
                 .params = params,
                 .rows = (size_t)extent->rows,
                 .time = (size_t)input->dim[0],
                 .in = (size_t)input->dim[1],
                 .units = (size_t)params->units,
                 .directions = params->bidirectional ? 2 : 1};
    Area saved = {0}, scratch = {0};
    lay_saved(&pass, &saved);
    lay_scratch(&pass, true, &scratch);
    double unit_steps = (double)(pass.rows * pass.time * pass.units * pass.directions);
    double products = 2.0 * cell->gates * (double)(pass.in + pass.units) * unit_steps;
    return (OpCost){.forward_flops = products + cell->flops * unit_steps,
                    .backward_flops = 2 * products + cell->flops * unit_steps,
                    .saved_bytes = saved.used,
                    .scratch_bytes = scratch.used};
}

// ---- packing ----

static size_t length_of(const Pass *pass, size_t row) {
    return pass->call->lengths == NULL ? pass->time : (size_t)pass->call->lengths[row];
}

// Rank of the k-th longest row: dealt out to the pieces in turn.
static size_t rank_of(const Pass *pass, size_t k) {
    return pass->piece[k % pass->pieces].first + k / pass->pieces;
}

static void deal_rows(Pass *pass) {
    size_t k = 0;
    for (size_t left = pass->rows, length = pass->time; left > 0; length--)
        for (size_t r = 0; r < pass->rows; r++)
            if (length_of(pass, r) == length) {
                size_t rank = rank_of(pass, k++);
                pass->row[rank] = (int32_t)r;
                pass->length[rank] = (int32_t)length;
                left--;
            }
}

static void make_pieces(Pass *pass, bool deal) {
    size_t threads = (size_t)parallel_threads(pass->call->context->parallel);
    size_t wanted = (threads + pass->directions - 1) / pass->directions;
    pass->pieces = wanted < PIECES_MAX ? wanted : PIECES_MAX;
    if (pass->pieces > pass->rows)
        pass->pieces = pass->rows;
    size_t first = 0;
    for (size_t p = 0; p < pass->pieces; p++) {
        size_t rows = pass->rows / pass->pieces + (p < pass->rows % pass->pieces);
        pass->piece[p] = (Piece){.first = first, .rows = rows};
        first += rows;
    }
    if (deal)
        deal_rows(pass);
    for (size_t p = 0; p < pass->pieces; p++) {
        Piece *piece = &pass->piece[p];
        piece->at = pass->steps;
        for (size_t i = 0; i < piece->rows; i++)
            piece->steps += (size_t)pass->length[piece->first + i];
        pass->steps += piece->steps;
    }
}

// A piece's slabs, one after the other: those of steps before `time` from the first, or from the last to the first.
typedef struct Slab {
    const Pass *pass;
    const Piece *piece;
    const int32_t *row, *length; // [piece->rows] of its ranks
    size_t t, at, rows;          // packed rows [at, at + rows) are step t of the first `rows` ranks
} Slab;

static Slab slab_none(const Pass *pass, const Piece *piece) {
    return (Slab){.pass = pass,
                  .piece = piece,
                  .row = pass->row + piece->first,
                  .length = pass->length + piece->first};
}

static void slab_fit(Slab *slab) {
    while (slab->rows > 0 && (size_t)slab->length[slab->rows - 1] <= slab->t)
        slab->rows--;
    while (slab->rows < slab->piece->rows && (size_t)slab->length[slab->rows] > slab->t)
        slab->rows++;
}

static Slab slab_first(const Pass *pass, const Piece *piece) {
    Slab slab = slab_none(pass, piece);
    slab.at = piece->at;
    slab_fit(&slab);
    return slab;
}

static void slab_next(Slab *slab) {
    slab->at += slab->rows;
    slab->t++;
    slab_fit(slab);
}

// The last one: of the longest row's last step.
static Slab slab_last(const Pass *pass, const Piece *piece) {
    Slab slab = slab_none(pass, piece);
    slab.at = piece->at + piece->steps;
    slab.t = piece->rows > 0 ? (size_t)slab.length[0] : 0;
    if (slab.t > 0) {
        slab.t--;
        slab_fit(&slab);
        slab.at -= slab.rows;
    }
    return slab;
}

static void slab_previous(Slab *slab) {
    if (slab->t == 0) {
        slab->rows = 0;
        return;
    }
    slab->t--;
    slab_fit(slab);
    slab->at -= slab->rows;
}

// In the order in which a direction reads time, or against it.
static Slab slab_start(const Pass *pass, const Piece *piece, bool rising) {
    return rising ? slab_first(pass, piece) : slab_last(pass, piece);
}

static void slab_move(Slab *slab, bool rising) {
    if (rising)
        slab_next(slab);
    else
        slab_previous(slab);
}

static void pack_pieces(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Pass *pass = context;
    const Real *x = pass->call->input[0].data; // [rows, time, in]
    size_t in = pass->in;
    for (size_t p = begin; p < end; p++)
        for (Slab slab = slab_first(pass, &pass->piece[p]); slab.rows > 0; slab_next(&slab))
            for (size_t i = 0; i < slab.rows; i++)
                memcpy(pass->packed + (slab.at + i) * in,
                       x + ((size_t)slab.row[i] * pass->time + slab.t) * in, in * sizeof(Real));
}

static void unpack_pieces(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Pass *pass = context;
    Real *dx = pass->call->input_gradient[0].data; // [rows, time, in]
    size_t in = pass->in;
    for (size_t p = begin; p < end; p++) {
        const Piece *piece = &pass->piece[p];
        for (Slab slab = slab_first(pass, piece); slab.rows > 0; slab_next(&slab))
            for (size_t i = 0; i < slab.rows; i++)
                memcpy(dx + ((size_t)slab.row[i] * pass->time + slab.t) * in,
                       pass->packed_gradient + (slab.at + i) * in, in * sizeof(Real));
        for (size_t rank = piece->first; rank < piece->first + piece->rows; rank++) {
            size_t row = (size_t)pass->row[rank], length = (size_t)pass->length[rank];
            memset(dx + (row * pass->time + length) * in, 0,
                   (pass->time - length) * in * sizeof(Real));
        }
    }
}

// ---- through time ----

static RecurrentStep step_of(const Pass *pass, const Direction *direction, const Slab *slab) {
    size_t units = pass->units, values = (size_t)pass->cell->values * units;
    RecurrentStep step = {.rows = slab->rows,
                          .units = units,
                          .recurrent_kernel = direction->weight[RECURRENT_KERNEL],
                          .bias = direction->weight[BIAS],
                          .values = direction->values + slab->at * values};
    for (int s = 0; s < pass->cell->states; s++)
        step.before[s] = direction->before[s] + slab->at * units;
    return step;
}

// Where direction d's numbers of a rank's step stand in the output or its gradient: the only ones without sequences.
static size_t output_of(const Pass *pass, size_t d, size_t row, size_t t) {
    size_t place = pass->params->return_sequences ? row * pass->time + t : row;
    return (place * pass->directions + d) * pass->units;
}

static void forward_piece(const Pass *pass, size_t d, const Piece *piece) {
    const Direction *direction = &pass->direction[d];
    bool sequences = pass->params->return_sequences, rising = d == 0;
    size_t units = pass->units, values = (size_t)pass->cell->values * units;
    int gates = pass->cell->gates * (int)units;
    Real *y = pass->call->output.data; // [rows, time, directions · units]
    Real *state[RECURRENT_STATES_MAX] = {NULL};
    for (int s = 0; s < pass->cell->states; s++) {
        state[s] = direction->state[s] + piece->first * units;
        memset(state[s], 0, piece->rows * units * sizeof(Real));
    }
    if (piece->steps > 0)
        blas_gemm(0, 0, (int)piece->steps, gates, (int)pass->in, 1,
                  pass->packed + piece->at * pass->in, (int)pass->in, direction->weight[KERNEL],
                  gates, 0, direction->values + piece->at * values, (int)values);
    bool first = true;
    for (Slab slab = slab_start(pass, piece, rising); slab.rows > 0; slab_move(&slab, rising)) {
        RecurrentStep step = step_of(pass, direction, &slab);
        step.first = first;
        for (int s = 0; s < pass->cell->states; s++) {
            step.state[s] = state[s];
            memcpy(direction->before[s] + slab.at * units, state[s],
                   slab.rows * units * sizeof(Real));
        }
        pass->cell->forward(&step);
        for (size_t i = 0; sequences && i < slab.rows; i++)
            memcpy(y + output_of(pass, d, (size_t)slab.row[i], slab.t), state[0] + i * units,
                   units * sizeof(Real));
        first = false;
    }
    for (size_t i = 0; i < piece->rows; i++) {
        size_t rank = piece->first + i, row = (size_t)pass->row[rank];
        if (!sequences)
            memcpy(y + output_of(pass, d, row, 0), state[0] + i * units, units * sizeof(Real));
        for (size_t t = (size_t)pass->length[rank]; sequences && t < pass->time; t++)
            memset(y + output_of(pass, d, row, t), 0, units * sizeof(Real));
    }
}

static void backward_piece(const Pass *pass, size_t d, const Piece *piece) {
    const Direction *direction = &pass->direction[d];
    bool sequences = pass->params->return_sequences, rising = d != 0; // against its time
    size_t units = pass->units, values = (size_t)pass->cell->values * units;
    const Real *dy = pass->call->output_gradient.data; // [rows, time, directions · units]
    Real *gradient[RECURRENT_STATES_MAX] = {NULL};
    for (int s = 0; s < pass->cell->states; s++) {
        gradient[s] = direction->state[s] + piece->first * units;
        memset(gradient[s], 0, piece->rows * units * sizeof(Real));
    }
    for (size_t i = 0; !sequences && i < piece->rows; i++)
        memcpy(gradient[0] + i * units,
               dy + output_of(pass, d, (size_t)pass->row[piece->first + i], 0),
               units * sizeof(Real));
    size_t last = rising && piece->rows > 0 ? (size_t)pass->length[piece->first] - 1 : 0;
    for (Slab slab = slab_start(pass, piece, rising); slab.rows > 0; slab_move(&slab, rising)) {
        RecurrentStep step = step_of(pass, direction, &slab);
        step.first = slab.t == last;
        step.value_gradients = direction->value_gradients + slab.at * values;
        for (int s = 0; s < pass->cell->states; s++)
            step.state_gradient[s] = gradient[s];
        for (size_t i = 0; sequences && i < slab.rows; i++)
            kernel_add(gradient[0] + i * units,
                       dy + output_of(pass, d, (size_t)slab.row[i], slab.t), units);
        pass->cell->backward(&step);
    }
}

// Items are a direction's pieces, the forward direction's first.
static void forward_items(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Pass *pass = context;
    for (size_t item = begin; item < end; item++)
        forward_piece(pass, item / pass->pieces, &pass->piece[item % pass->pieces]);
}

static void backward_items(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Pass *pass = context;
    for (size_t item = begin; item < end; item++)
        backward_piece(pass, item / pass->pieces, &pass->piece[item % pass->pieces]);
}

// ---- the weights' gradients ----

// The part of [begin, end) within [from, from + width), seen from `from`.
typedef struct Range {
    size_t begin, count;
} Range;

static Range range_within(size_t begin, size_t end, size_t from, size_t width) {
    size_t low = begin > from ? begin : from;
    size_t high = end < from + width ? end : from + width;
    return low < high ? (Range){low - from, high - low} : (Range){0, 0};
}

// Columns [begin, end) of the gradients of a direction's kernels and biases.
static void column_gradients(const Pass *pass, const Direction *direction, size_t begin,
                             size_t end) {
    const RecurrentCell *cell = pass->cell;
    size_t units = pass->units, values = (size_t)cell->values * units;
    size_t columns = (size_t)cell->gates * units;
    const Real *dv = direction->value_gradients; // [N, values]
    Real *d_kernel = direction->weight_gradient[KERNEL];
    Real *d_recurrent = direction->weight_gradient[RECURRENT_KERNEL];
    Real *d_bias = direction->weight_gradient[BIAS];
    int steps = (int)pass->steps;
    if (d_kernel != NULL)
        blas_gemm(1, 0, (int)pass->in, (int)(end - begin), steps, 1, pass->packed, (int)pass->in,
                  dv + begin, (int)values, 0, d_kernel + begin, (int)columns);
    if (d_bias != NULL)
        kernel_sum_columns(dv + begin, values, d_bias + begin, pass->steps, end - begin);
    bool two_biases = pass->call->weight[BIAS].shape.rank == 2;
    size_t from = 0; // of the product's columns
    for (int p = 0; p < RECURRENT_PRODUCTS_MAX && cell->products[p].blocks > 0; p++) {
        const RecurrentProduct *product = &cell->products[p];
        size_t width = (size_t)product->blocks * units;
        Range part = range_within(begin, end, from, width);
        bool state = product->left == RECURRENT_BEFORE;
        const Real *left =
            state ? direction->before[0] : direction->values + (size_t)product->left * units;
        const Real *right = dv + (size_t)product->right * units + part.begin;
        if (part.count > 0 && d_recurrent != NULL)
            blas_gemm(1, 0, (int)units, (int)part.count, steps, 1, left,
                      (int)(state ? units : values), right, (int)values, 0,
                      d_recurrent + from + part.begin, (int)columns);
        if (part.count > 0 && d_bias != NULL && two_biases)
            kernel_sum_columns(right, values, d_bias + columns + from + part.begin, pass->steps,
                               part.count);
        from += width;
    }
}

static void weight_gradients(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Pass *pass = context;
    size_t columns = (size_t)pass->cell->gates * pass->units;
    size_t from = begin * COLUMN_BLOCK, to = end * COLUMN_BLOCK;
    for (size_t d = 0; d < pass->directions; d++)
        column_gradients(pass, &pass->direction[d], from, to < columns ? to : columns);
}

static void input_gradients(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Pass *pass = context;
    size_t in = pass->in, values = (size_t)pass->cell->values * pass->units;
    int gates = pass->cell->gates * (int)pass->units;
    for (size_t d = 0; d < pass->directions; d++) {
        const Direction *direction = &pass->direction[d];
        blas_gemm(0, 1, (int)(end - begin), (int)in, gates, 1,
                  direction->value_gradients + begin * values, (int)values,
                  direction->weight[KERNEL], gates, d == 0 ? 0 : 1,
                  pass->packed_gradient + begin * in, (int)in);
    }
}

// ---- the passes ----

static Pass pass_make(const RecurrentCell *cell, const OpCall *call, bool backward) {
    const RecurrentParams *params = call->params;
    const Shape *x = &call->input[0].shape;
    Pass pass = {.call = call,
                 .cell = cell,
                 .params = params,
                 .rows = (size_t)x->dim[0],
                 .time = (size_t)x->dim[1],
                 .in = (size_t)x->dim[2],
                 .units = (size_t)params->units,
                 .directions = params->bidirectional ? 2 : 1};
    Area saved = {.start = call->saved}, scratch = {.start = call->scratch};
    lay_saved(&pass, &saved);
    lay_scratch(&pass, backward, &scratch);
    make_pieces(&pass, !backward);
    for (size_t d = 0; d < pass.directions; d++)
        for (int w = 0; w < WEIGHTS; w++) {
            pass.direction[d].weight[w] = call->weight[d * WEIGHTS + (size_t)w].data;
            pass.direction[d].weight_gradient[w] =
                backward ? call->weight_gradient[d * WEIGHTS + (size_t)w].data : NULL;
        }
    return pass;
}

void recurrent_forward(const RecurrentCell *cell, const OpCall *call) {
    Pass pass = pass_make(cell, call, false);
    Parallel *parallel = call->context->parallel;
    parallel_for(parallel, pass.pieces, 1, pack_pieces, &pass);
    blas_parallel_for(parallel, pass.directions * pass.pieces, 1, forward_items, &pass);
}

void recurrent_backward(const RecurrentCell *cell, const OpCall *call) {
    Pass pass = pass_make(cell, call, true);
    Parallel *parallel = call->context->parallel;
    size_t columns = (size_t)cell->gates * pass.units;
    parallel_for(parallel, pass.pieces, 1, pack_pieces, &pass);
    blas_parallel_for(parallel, pass.directions * pass.pieces, 1, backward_items, &pass);
    blas_parallel_for(parallel, (columns + COLUMN_BLOCK - 1) / COLUMN_BLOCK, 1, weight_gradients,
                      &pass);
    if (call->input_gradient[0].data == NULL)
        return;
    blas_parallel_for(parallel, pass.steps, 1, input_gradients, &pass);
    parallel_for(parallel, pass.pieces, 1, unpack_pieces, &pass);
}
