// One cycle of training with every number: forward, loss, backward, the optimizer's update, and every gradient against
// its numeric twin. In double precision, for small nets.
//
// As check.h's, this function exists only in the core's double build, and nothing here mentions Real.
#pragma once
#include "core/base/issues.h"
#include "core/base/value.h"

enum { TRACE_ROWS_MAX = 64, TRACE_PARAMETERS_MAX = 10000 };

// `body` is http.md's of POST /v1/trace; the answer goes to `out`. Inputs and targets are taken as they are: nothing is
// scaled. ERR_INVALID: the issues name every mistake.
//
// A layer's entry:
//   forward   layer, type, input (a list of its inputs where it reads several), pre_activation, output
//   backward  layer, type, gradient_output, gradient_pre_activation, gradient_input (as input), gradients by weight
// Without an activation of its own a layer's pre_activation is its output. `forward` goes by the time at which a layer's
// output is there, so a residual stands behind the layers that it holds; `backward` is the same order turned round.
// gradient_input is what flows back through this layer (and those that it holds) alone; where others read the same
// values, the output's gradient of the layer before is the sum. Frozen weights have no gradients. A layer that the
// output does not depend on has no entry.
//
// Rows of sequences, [time, …] or token ids for an embedding, may differ in length: all that stands for their steps then
// ends where each does.
//
// A graph stands in place of rows: its nodes are the rows then, and those without a target, or that a split keeps from
// training, do not count for the loss.
//
// `update` has every weight before and after the step, states (moving_mean) too. `check` has the numeric gradient of
// every element; where a net is so costly that all of them would take minutes, of a seeded sample, and null elsewhere.
int trace_run(Value body, Issues *issues, const ValueWriter *out);
