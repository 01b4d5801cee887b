// The frame of the recurrent operators: everything but the cell.
//
//   forward:  1. x in slabs (slabs.h), kernels in panels (panels.h)
//             2. by direction and piece, through time: x W for the next slabs, then the cell, slab by slab
//   backward: 1. as forward, the kernels transposed
//             2. by direction and piece, against time: the gradients dG at the gates, slab by slab
//             3. by columns of the kernels, all steps at once, and by pieces:
//                  dW = xᵀ · dG      dU = (states before)ᵀ · dG      db = Σ dG
//                  dx = Σ_directions dG · Wᵀ
//
// The backward direction takes the slabs from the last to the first: a row joins at its own last step, with a state of
// 0. Threads share the directions and pieces, each of which goes through time alone; what padding must not do (move a
// state, be counted in a gradient) cannot happen, since no slab has any.
#include "core/ops/recurrent.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/ops/slabs.h"
#include "core/tensor/blas.h"
#include "core/tensor/kernels.h"

enum { KERNEL, RECURRENT_KERNEL, BIAS, WEIGHTS }; // of a direction
enum {
    DIRECTIONS_MAX = 2,
    COLUMN_BLOCK = 16, // the kernels' columns are shared by so many
    AHEAD = 64, // packed rows whose x W, or dx, is made at once; x W of a slab's if it has more
    ALIGNMENT = 64,
};

// Less work than this a thread is done sooner than it wakes.
static const double SHARE_FLOPS = 8e6;

typedef struct Direction {
    Real *values;                       // [steps, values · units]
    Real *before[RECURRENT_STATES_MAX]; // [steps, units] the states before each step
    Real *state[RECURRENT_STATES_MAX];  // [rows, units] by rank: the states, or their gradients
    Real *value_gradients;              // [steps, values · units]
    Real *kernel_panels;                // of W, backward of Wᵀ
    Real *product_panels[RECURRENT_PRODUCTS_MAX]; // of U's columns, backward of their transpose
    const Real *weight[WEIGHTS];
    Real *weight_gradient[WEIGHTS];
} Direction;

typedef struct Pass {
    const OpCall *call;
    const RecurrentCell *cell;
    const RecurrentParams *params;
    const PanelKernel *kernel;
    bool backward;
    size_t in, units, directions;
    size_t gates, values; // columns: of the kernels, of the values
    size_t shares; // what the work is cut into for threads; as many pieces, if there are rows
    Slabs slabs;
    Direction direction[DIRECTIONS_MAX];
    Real *packed;          // [steps, in] x
    Real *packed_gradient; // [steps, in] dL/dx
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

bool recurrent_carries(const RecurrentCell *cell, const RecurrentParams *params,
                       size_t *ret_bytes) {
    *ret_bytes = (size_t)cell->states * (size_t)params->units * sizeof(Real);
    return params->return_sequences && !params->bidirectional;
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
    Slabs *slabs = &pass->slabs;
    size_t steps = slabs->rows * slabs->time; // at most
    slabs->row = area_take(area, slabs->rows, sizeof(int32_t));
    slabs->length = area_take(area, slabs->rows, sizeof(int32_t));
    for (size_t d = 0; d < pass->directions; d++) {
        Direction *direction = &pass->direction[d];
        direction->values = area_take(area, steps * pass->values, sizeof(Real));
        for (int s = 0; s < pass->cell->states; s++)
            direction->before[s] = area_take(area, steps * pass->units, sizeof(Real));
    }
}

static void lay_scratch(Pass *pass, Area *area) {
    size_t steps = pass->slabs.rows * pass->slabs.time;
    pass->packed = area_take(area, steps * pass->in, sizeof(Real));
    if (pass->backward)
        pass->packed_gradient = area_take(area, steps * pass->in, sizeof(Real));
    for (size_t d = 0; d < pass->directions; d++) {
        Direction *direction = &pass->direction[d];
        for (int s = 0; s < pass->cell->states; s++)
            direction->state[s] = area_take(area, pass->slabs.rows * pass->units, sizeof(Real));
        if (pass->backward)
            direction->value_gradients = area_take(area, steps * pass->values, sizeof(Real));
        // Packed or packed transposed, the other side is filled up.
        size_t k = pass->backward ? pass->gates : pass->in;
        size_t n = pass->backward ? pass->in : pass->gates;
        direction->kernel_panels =
            area_take(area, panels_elements(pass->kernel, k, n), sizeof(Real));
        for (int p = 0; p < RECURRENT_PRODUCTS_MAX; p++) {
            size_t columns = (size_t)pass->cell->products[p].blocks * pass->units;
            k = pass->backward ? columns : pass->units;
            n = pass->backward ? pass->units : columns;
            direction->product_panels[p] =
                area_take(area, panels_elements(pass->kernel, k, n), sizeof(Real));
        }
    }
}

static Pass pass_of(const RecurrentCell *cell, const RecurrentParams *params, bool backward,
                    size_t rows, size_t time, size_t in) {
    size_t units = (size_t)params->units;
    return (Pass){.cell = cell,
                  .params = params,
                  .kernel = panel_kernel(),
                  .backward = backward,
                  .in = in,
                  .units = units,
                  .directions = params->bidirectional ? 2 : 1,
                  .gates = (size_t)cell->gates * units,
                  .values = (size_t)cell->values * units,
                  .slabs = {.rows = rows, .time = time}};
}

// Of the forward products, where no row is padded.
static double products_flops(const Pass *pass) {
    return 2.0 * (double)(pass->in + pass->units) * (double)(pass->gates * pass->directions) *
           (double)(pass->slabs.rows * pass->slabs.time);
}

OpCost recurrent_cost(const RecurrentCell *cell, const RecurrentParams *params,
                      const OpExtent *extent, const Shape *input) {
    size_t scratch_bytes[2], saved_bytes = 0;
    double by_input = 0, by_state = 0, gates = 0;
    for (int backward = 0; backward < 2; backward++) {
        Pass pass = pass_of(cell, params, backward, (size_t)extent->rows, (size_t)input->dim[0],
                            (size_t)input->dim[1]);
        Area saved = {0}, scratch = {0};
        lay_saved(&pass, &saved);
        lay_scratch(&pass, &scratch);
        saved_bytes = saved.used;
        scratch_bytes[backward] = scratch.used;
        double steps = (double)(pass.slabs.rows * pass.slabs.time * pass.directions);
        by_input = 2 * steps * (double)(pass.in * pass.gates);
        by_state = 2 * steps * (double)(pass.units * pass.gates);
        gates = cell->flops * steps * (double)pass.units;
    }
    // Back through time goes in any case; what follows for inputs and weights, where it is wanted.
    double backward = by_state + (extent->wants_inputs ? by_input : 0) +
                      (extent->wants_weights ? by_input + by_state : 0);
    return (OpCost){.forward_flops = by_input + by_state + gates,
                    .backward_flops = backward + gates,
                    .saved_bytes = saved_bytes,
                    .scratch_bytes =
                        scratch_bytes[0] > scratch_bytes[1] ? scratch_bytes[0] : scratch_bytes[1]};
}

// ---- packing ----

// Share s of `count` things are those from share_begin(s) to share_begin(s + 1).
static size_t share_begin(const Pass *pass, size_t count, size_t share) {
    return count * share / pass->shares;
}

// Packs W [k, n] or some columns of U, or their transposes.
static void pack_matrix(const Pass *pass, size_t share, size_t rows, size_t columns,
                        const Real *matrix, Real *panels) {
    size_t k = pass->backward ? columns : rows, n = pass->backward ? rows : columns;
    size_t count = panels_count(pass->kernel, n);
    panels_pack(pass->kernel, pass->backward, k, n, matrix, pass->gates,
                share_begin(pass, count, share), share_begin(pass, count, share + 1), panels);
}

static void pack_shares(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Pass *pass = context;
    const Slabs *slabs = &pass->slabs;
    for (size_t share = begin; share < end; share++) {
        for (size_t p = share_begin(pass, slabs->pieces, share);
             p < share_begin(pass, slabs->pieces, share + 1); p++)
            slabs_pack(slabs, &slabs->piece[p], pass->in, pass->call->input[0].data, pass->packed);
        for (size_t d = 0; d < pass->directions; d++) {
            const Direction *direction = &pass->direction[d];
            pack_matrix(pass, share, pass->in, pass->gates, direction->weight[KERNEL],
                        direction->kernel_panels);
            size_t from = 0;
            for (int p = 0; p < RECURRENT_PRODUCTS_MAX; p++) {
                size_t columns = (size_t)pass->cell->products[p].blocks * pass->units;
                pack_matrix(pass, share, pass->units, columns,
                            direction->weight[RECURRENT_KERNEL] + from,
                            direction->product_panels[p]);
                from += columns;
            }
        }
    }
}

// ---- through time ----

static RecurrentStep step_of(const Pass *pass, const Direction *direction, const Slab *slab) {
    RecurrentStep step = {.rows = slab->rows,
                          .units = pass->units,
                          .kernel = pass->kernel,
                          .bias = direction->weight[BIAS],
                          .values = direction->values + slab->at * pass->values};
    for (int p = 0; p < RECURRENT_PRODUCTS_MAX; p++)
        step.panels[p] = direction->product_panels[p];
    for (int s = 0; s < pass->cell->states; s++)
        step.before[s] = direction->before[s] + slab->at * pass->units;
    return step;
}

// x W of packed rows [begin, end), into the gates' blocks of the values.
static void input_product(const Pass *pass, const Direction *direction, size_t begin, size_t end) {
    pass->kernel->multiply(end - begin, pass->gates, pass->in, pass->packed + begin * pass->in,
                           pass->in, 1, direction->kernel_panels, 0, NULL,
                           direction->values + begin * pass->values, pass->values);
}

// Makes x W for the slab if it is not there, and for some of those that follow: one that is still in the cache when the
// cell adds to it. `edge` is the end of what is there, seen in the order of time.
static void look_ahead(const Pass *pass, const Direction *direction, const Slab *slab, bool rising,
                       size_t *edge) {
    const SlabPiece *piece = slab->piece;
    if (rising && slab->at + slab->rows > *edge) {
        size_t end = *edge + (slab->rows > AHEAD ? slab->rows : AHEAD),
               last = piece->at + piece->steps;
        end = end < last ? end : last;
        input_product(pass, direction, *edge, end);
        *edge = end;
    }
    if (!rising && slab->at < *edge) {
        size_t rows = slab->rows > AHEAD ? slab->rows : AHEAD;
        size_t begin = *edge - piece->at > rows ? *edge - rows : piece->at;
        input_product(pass, direction, begin, *edge);
        *edge = begin;
    }
}

// Where direction d's numbers of a row's step stand in the output or its gradient: the only ones without sequences.
static size_t output_of(const Pass *pass, size_t d, size_t row, size_t t) {
    size_t place = pass->params->return_sequences ? row * pass->slabs.time + t : row;
    return (place * pass->directions + d) * pass->units;
}

// A piece's states before its first step: 0, or what the rows carry.
static void start_states(const Pass *pass, const SlabPiece *piece,
                         Real *const state[RECURRENT_STATES_MAX]) {
    size_t units = pass->units, states = (size_t)pass->cell->states;
    const Real *carried = pass->call->carried; // [rows, states, units]
    for (size_t s = 0; s < states; s++)
        for (size_t i = 0; i < piece->rows; i++) {
            size_t row = (size_t)pass->slabs.row[piece->first + i];
            if (carried == NULL)
                memset(state[s] + i * units, 0, units * sizeof(Real));
            else
                memcpy(state[s] + i * units, carried + (row * states + s) * units,
                       units * sizeof(Real));
        }
}

// And behind its last one.
static void carry_states(const Pass *pass, const SlabPiece *piece,
                         Real *const state[RECURRENT_STATES_MAX]) {
    size_t units = pass->units, states = (size_t)pass->cell->states;
    Real *carried = pass->call->carried;
    for (size_t s = 0; carried != NULL && s < states; s++)
        for (size_t i = 0; i < piece->rows; i++) {
            size_t row = (size_t)pass->slabs.row[piece->first + i];
            memcpy(carried + (row * states + s) * units, state[s] + i * units,
                   units * sizeof(Real));
        }
}

static void forward_piece(const Pass *pass, size_t d, const SlabPiece *piece) {
    const Direction *direction = &pass->direction[d];
    bool sequences = pass->params->return_sequences, rising = d == 0;
    size_t units = pass->units, edge = rising ? piece->at : piece->at + piece->steps;
    Real *y = pass->call->output.data; // [rows, time, directions · units]
    Real *state[RECURRENT_STATES_MAX] = {NULL};
    for (int s = 0; s < pass->cell->states; s++)
        state[s] = direction->state[s] + piece->first * units;
    start_states(pass, piece, state);
    bool first = pass->call->carried == NULL;
    for (Slab slab = slab_start(&pass->slabs, piece, rising); slab.rows > 0;
         slab_move(&slab, rising)) {
        look_ahead(pass, direction, &slab, rising, &edge);
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
    carry_states(pass, piece, state);
    for (size_t i = 0; i < piece->rows; i++) {
        size_t rank = piece->first + i, row = (size_t)pass->slabs.row[rank];
        if (!sequences)
            memcpy(y + output_of(pass, d, row, 0), state[0] + i * units, units * sizeof(Real));
        for (size_t t = (size_t)pass->slabs.length[rank]; sequences && t < pass->slabs.time; t++)
            memset(y + output_of(pass, d, row, t), 0, units * sizeof(Real));
    }
}

static void backward_piece(const Pass *pass, size_t d, const SlabPiece *piece) {
    const Direction *direction = &pass->direction[d];
    const Slabs *slabs = &pass->slabs;
    bool sequences = pass->params->return_sequences, rising = d != 0; // against its time
    size_t units = pass->units;
    const Real *dy = pass->call->output_gradient.data; // [rows, time, directions · units]
    Real *gradient[RECURRENT_STATES_MAX] = {NULL};
    for (int s = 0; s < pass->cell->states; s++) {
        gradient[s] = direction->state[s] + piece->first * units;
        memset(gradient[s], 0, piece->rows * units * sizeof(Real));
    }
    for (size_t i = 0; !sequences && i < piece->rows; i++)
        memcpy(gradient[0] + i * units,
               dy + output_of(pass, d, (size_t)slabs->row[piece->first + i], 0),
               units * sizeof(Real));
    for (Slab slab = slab_start(slabs, piece, rising); slab.rows > 0; slab_move(&slab, rising)) {
        RecurrentStep step = step_of(pass, direction, &slab);
        step.first = slab.t == (rising ? (size_t)slab.length[0] - 1 : 0);
        step.value_gradients = direction->value_gradients + slab.at * pass->values;
        for (int s = 0; s < pass->cell->states; s++)
            step.state_gradient[s] = gradient[s];
        for (size_t i = 0; sequences && i < slab.rows; i++)
            kernel_add(gradient[0] + i * units,
                       dy + output_of(pass, d, (size_t)slab.row[i], slab.t), units);
        pass->cell->backward(&step);
    }
}

// Items are a direction's pieces, the forward direction's first.
static void piece_items(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Pass *pass = context;
    for (size_t item = begin; item < end; item++) {
        size_t d = item / pass->slabs.pieces;
        const SlabPiece *piece = &pass->slabs.piece[item % pass->slabs.pieces];
        if (pass->backward)
            backward_piece(pass, d, piece);
        else
            forward_piece(pass, d, piece);
    }
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
    size_t units = pass->units, values = pass->values, columns = pass->gates;
    const Real *dv = direction->value_gradients; // [steps, values]
    Real *d_kernel = direction->weight_gradient[KERNEL];
    Real *d_recurrent = direction->weight_gradient[RECURRENT_KERNEL];
    Real *d_bias = direction->weight_gradient[BIAS];
    int steps = (int)pass->slabs.steps;
    if (d_kernel != NULL)
        blas_gemm(1, 0, (int)pass->in, (int)(end - begin), steps, 1, pass->packed, (int)pass->in,
                  dv + begin, (int)values, 0, d_kernel + begin, (int)columns);
    if (d_bias != NULL)
        kernel_sum_columns(dv + begin, values, d_bias + begin, pass->slabs.steps, end - begin);
    bool two_biases = pass->call->weight[BIAS].shape.rank == 2;
    size_t from = 0; // of the product's columns
    for (int p = 0; p < RECURRENT_PRODUCTS_MAX; p++) {
        const RecurrentProduct *product = &pass->cell->products[p];
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
            kernel_sum_columns(right, values, d_bias + columns + from + part.begin,
                               pass->slabs.steps, part.count);
        from += width;
    }
}

// dx of a piece: blocks of packed rows, so that dG comes from far once.
static void input_gradients(const Pass *pass, const SlabPiece *piece) {
    for (size_t done = 0; done < piece->steps; done += AHEAD) {
        size_t at = piece->at + done, rest = piece->steps - done;
        for (size_t d = 0; d < pass->directions; d++)
            pass->kernel->multiply(rest < AHEAD ? rest : AHEAD, pass->in, pass->gates,
                                   pass->direction[d].value_gradients + at * pass->values,
                                   pass->values, 1, pass->direction[d].kernel_panels,
                                   d == 0 ? 0 : 1, NULL, pass->packed_gradient + at * pass->in,
                                   pass->in);
    }
    slabs_unpack(&pass->slabs, piece, pass->in, pass->packed_gradient,
                 pass->call->input_gradient[0].data);
}

static void gradient_shares(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Pass *pass = context;
    size_t blocks = (pass->gates + COLUMN_BLOCK - 1) / COLUMN_BLOCK, pieces = pass->slabs.pieces;
    for (size_t share = begin; share < end; share++) {
        size_t from = share_begin(pass, blocks, share) * COLUMN_BLOCK;
        size_t to = share_begin(pass, blocks, share + 1) * COLUMN_BLOCK;
        to = to < pass->gates ? to : pass->gates;
        for (size_t d = 0; d < pass->directions && from < to; d++)
            column_gradients(pass, &pass->direction[d], from, to);
        for (size_t p = share_begin(pass, pieces, share);
             pass->call->input_gradient[0].data != NULL && p < share_begin(pass, pieces, share + 1);
             p++)
            input_gradients(pass, &pass->slabs.piece[p]);
    }
}

// ---- the passes ----

// As many as there are threads, as long as each has work enough to be worth waking one.
static size_t shares_for(const Pass *pass, int threads) {
    size_t enough = (size_t)(products_flops(pass) / SHARE_FLOPS);
    return enough < 1 ? 1 : enough < (size_t)threads ? enough : (size_t)threads;
}

static Pass pass_make(const RecurrentCell *cell, const OpCall *call, bool backward) {
    const Shape *x = &call->input[0].shape;
    Pass pass = pass_of(cell, call->params, backward, (size_t)x->dim[0], (size_t)x->dim[1],
                        (size_t)x->dim[2]);
    pass.call = call;
    pass.shares = shares_for(&pass, parallel_threads(call->context->parallel));
    Area saved = {.start = call->saved}, scratch = {.start = call->scratch};
    lay_saved(&pass, &saved);
    lay_scratch(&pass, &scratch);
    slabs_make(&pass.slabs, pass.shares, !backward, call->lengths);
    for (size_t d = 0; d < pass.directions; d++)
        for (int w = 0; w < WEIGHTS; w++) {
            pass.direction[d].weight[w] = call->weight[d * WEIGHTS + (size_t)w].data;
            pass.direction[d].weight_gradient[w] =
                backward ? call->weight_gradient[d * WEIGHTS + (size_t)w].data : NULL;
        }
    return pass;
}

static void run(Pass *pass) {
    Parallel *parallel = pass->call->context->parallel;
    size_t shares = pass->shares, items = pass->directions * pass->slabs.pieces;
    parallel_for(parallel, shares, 1, pack_shares, pass);
    parallel_for(parallel, items, items / shares, piece_items, pass);
    if (pass->backward)
        blas_parallel_for(parallel, shares, 1, gradient_shares, pass);
}

void recurrent_forward(const RecurrentCell *cell, const OpCall *call) {
    Pass pass = pass_make(cell, call, false);
    run(&pass);
}

void recurrent_backward(const RecurrentCell *cell, const OpCall *call) {
    Pass pass = pass_make(cell, call, true);
    run(&pass);
}
