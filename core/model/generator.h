// Text out of a language model, token by token.
//
// What the next token depends on, and what it costs:
//
//   nets whose layers work at each step alone or carry a state (rnn, lstm, gru; see graph_carries): all tokens so far. One
//   step a token; the state is kept.
//   all others (attention, positions, convolutions, bidirectional): the last `sequence_length` tokens. A pass over that window
//   a token, since in the next one every token stands elsewhere. Fewer are told apart from padding, as in training on texts
//   of different lengths.
//
// Nets that cannot tell padding apart (a flatten layer) need a whole window of tokens to begin with.
//
// A generator stands on a predictor, of which it reads model and weights and no more: there may be many, each with a thread of
// its own, while another one predicts.
#pragma once
#include "core/model/predictor.h"
#include "core/model/sampling.h"

typedef struct Generator Generator;

// `spec` is what the predictor was made of. ERR_INVALID: it is no language model.
int generator_create(const Predictor *predictor, Value spec, Generator **ret_generator);
void generator_destroy(Generator *generator); // takes NULL

// How many of the last tokens the next one depends on; 0: all.
int64_t generator_window(const Generator *generator);
// How many it needs; 1 for most.
int64_t generator_least(const Generator *generator);

// Of the memory that it has beside the predictor's.
size_t generator_bytes(const Generator *generator);

// The text goes on with this token, which is one of the vocabulary's.
void generator_take(Generator *generator, int32_t token);
// What the net makes of each token as the next: [vocabulary], valid until the next call. At least `generator_least` are taken.
const Real *generator_logits(Generator *generator);
// Draws the next one, from the ids `first` on, and takes it. place: see sampling_draw, whose errors it gives.
int generator_next(Generator *generator, const Sampling *sampling, int64_t first, uint64_t place,
                   int32_t *ret_token);
