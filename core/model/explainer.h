// How much each number of an input has to do with one output of a trained model: by the model's own backward pass, run down to
// the inputs outside training.
//
//   gradient              ∂y/∂x
//   gradient_x_input      x · ∂y/∂x                                       (Shrikumar et al. 2016)
//   integrated_gradients  (x − x′) · ∫₀¹ ∂y/∂x (x′ + α (x − x′)) dα       (Sundararajan et al. 2017, equation 1)
//
// y is one output: a class's logit (of two classes told apart by one output, that output or its negative), or a number in the
// target's own unit. x are the numbers in the user's unit: what lies between them and the net, z = (x − offset) · factor, is
// undone by the chain rule. A missing number is the training mean, as in predictions. Forecasts are explained in the numbers
// that their net reads and gives: those of the transformed series.
//
// The integral is a sum over the midpoints of `steps` equal parts. Completeness (the same paper, proposition 1): attributions sum
// up to y(x) − y(x′), by which a caller sees how good that sum is.
//
// Token ids are no quantities: there x is the embedding of each token, x′ = 0, and a token's attribution is the sum over its
// embedding's numbers (of the gradient: the Euclidean norm). All steps to 0 are taken by scaling the tables.
#pragma once
#include "core/model/predictor.h"

typedef enum ExplainMethod {
    EXPLAIN_GRADIENT,
    EXPLAIN_GRADIENT_X_INPUT,
    EXPLAIN_INTEGRATED_GRADIENTS,
} ExplainMethod;

typedef enum ExplainBaseline { BASELINE_MEAN, BASELINE_ZEROS } ExplainBaseline;

typedef struct ExplainOptions {
    ExplainMethod method;
    ExplainBaseline baseline; // x′ of numbers: the training means, or 0 in the user's unit
    int64_t steps;            // of the integral
} ExplainOptions;

enum {
    EXPLAIN_PREDICTED = -1
}; // in place of a target: that which the model predicts (of numbers, the first)

typedef struct Explainer Explainer;

// Only reads the predictor, which must outlive it, so that others may predict meanwhile. graphs: what a model of graphs is asked
// about, borrowed; else NULL. ERR_NOT_FOUND: it reads tokens by nothing that is an embedding. ERR_TOO_LARGE, ERR_NO_MEMORY.
int explainer_create(const Predictor *predictor, const GraphData *graphs,
                     Explainer **ret_explainer);
void explainer_destroy(Explainer *explainer);       // takes NULL
size_t explainer_bytes(const Explainer *explainer); // that it holds
int64_t explainer_rows(const Explainer *explainer); // that a pass takes at once
double explainer_flops(const Explainer *explainer); // of a pass of so many, forward and back
bool explainer_reads_tokens(const Explainer *explainer);
int64_t explainer_width(
    const Explainer *explainer); // attributions a row has, or a node: numbers, or tokens

// What comes of it; `baselines` only of integrated gradients, else left alone.
typedef struct Explanation {
    int32_t *targets;     // [targets] in and out: EXPLAIN_PREDICTED becomes what it predicts
    double *attributions; // [rows, width]; of graphs [nodes, width]
    double *outputs;      // [targets] y(x)
    double *baselines;    // [targets] y(x′)
} Explanation;

// Rows: a target each.
void explainer_run(Explainer *explainer, const ExplainOptions *options, const PredictorInput *input,
                   const Explanation *explanation);
// The graphs that it was made for: a target each.
void explainer_run_graphs(Explainer *explainer, const ExplainOptions *options,
                          const Explanation *explanation);
// One node of the graph that it was made for: one target, and attributions of all nodes' numbers.
void explainer_run_node(Explainer *explainer, const ExplainOptions *options, int64_t node,
                        const Explanation *explanation);
