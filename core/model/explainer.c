// A plan that keeps everything, so that the input's gradient (or that of the embeddings) is there after a pass. The backward
// pass gives the weights' gradients too, which nobody reads.
//
// Rows do not meet outside training, so one pass serves all rows of a piece, each with its own target. Nodes do: one at a time.
#include "core/model/explainer.h"
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/ops/ops.h"

enum { ROWS_AT_ONCE = 64 };
static const size_t PLAN_BYTES = (size_t)128 << 20;     // of a plan, where rows can be fewer
static const size_t PLAN_BYTES_MAX = (size_t)512 << 20; // where they cannot

struct Explainer {
    const Predictor *predictor;
    const Graph *graph;
    Plan *plan;
    PlanCost cost;
    int64_t max_rows, width; // rows (or nodes) of a pass, and numbers of each
    Real *
        weights; // [graph_weight_elements] own copy, whose embeddings are scaled; NULL: the predictor's
    Real *gradients;           // [graph_learned]
    Real *whole, *moved;       // [max_rows, width] z, and z′ + α (z − z′)
    float *window;             // [width] of forecasts
    AdjacencyBuffer adjacency; // of graphs
    int64_t graphs;
};

// A pass: what it reads, and which outputs are asked for.
typedef struct Piece {
    OpContext context;
    int64_t rows;         // of the input
    int64_t targets;      // rows of the output
    int32_t *target;      // [asked] column of each
    int64_t asked, first; // those from row `first` of the output on
    double *attributions; // [rows, width]
    double *outputs;      // [asked]
    double *baselines;    // [asked]
} Piece;

// ---- making ----

static bool is_table(const GraphNode *node) {
    return node->op == &op_embedding;
}

static bool has_table(const Graph *graph) {
    for (int i = 0; i < graph_nodes(graph); i++)
        if (is_table(graph_node(graph, i)))
            return true;
    return false;
}

// As many rows as fit a plan of bounded size.
static int choose_rows(const Explainer *explainer, PlanOptions *options, PlanCost *cost) {
    int error = plan_cost(explainer->graph, options, NULL, cost);
    while (error == OK && options->max_nodes == 0 && options->max_rows > 1 &&
           cost->activation_bytes > PLAN_BYTES) {
        options->max_rows /= 2;
        error = plan_cost(explainer->graph, options, NULL, cost);
    }
    return error == OK && cost->activation_bytes > PLAN_BYTES_MAX ? ERR_TOO_LARGE : error;
}

static int make_plan(Explainer *explainer, const GraphData *graphs) {
    PlanOptions options = {.max_rows = graphs != NULL ? graphs->graphs : ROWS_AT_ONCE,
                           .max_nodes = graphs != NULL ? graphs->nodes : 0,
                           .max_edges = graphs != NULL ? graphs->edges : 0,
                           .backward = true,
                           .keep_all = true,
                           .output = model_output(predictor_model(explainer->predictor))};
    int error = choose_rows(explainer, &options, &explainer->cost);
    if (error == OK)
        error = plan_create(explainer->graph, &options, &explainer->plan);
    if (error != OK)
        return error;
    plan_want_input_gradients(explainer->plan);
    explainer->max_rows = graphs != NULL ? options.max_nodes : options.max_rows;
    return OK;
}

static int make_buffers(Explainer *explainer) {
    size_t numbers, elements = graph_weight_elements(explainer->graph);
    if (!size_multiply((size_t)explainer->max_rows, (size_t)explainer->width, &numbers))
        return ERR_TOO_LARGE;
    explainer->whole = memory_array(numbers, sizeof(Real));
    explainer->moved = memory_array(numbers, sizeof(Real));
    explainer->gradients = memory_array(graph_learned(explainer->graph), sizeof(Real));
    explainer->window = memory_array((size_t)explainer->width, sizeof(float));
    if (explainer->whole == NULL || explainer->moved == NULL || explainer->gradients == NULL ||
        explainer->window == NULL)
        return ERR_NO_MEMORY;
    if (!explainer_reads_tokens(explainer))
        return OK;
    explainer->weights = memory_array(elements, sizeof(Real));
    if (explainer->weights == NULL)
        return ERR_NO_MEMORY;
    memcpy(explainer->weights, predictor_weights(explainer->predictor), elements * sizeof(Real));
    return OK;
}

static int join_graphs(Explainer *explainer, const GraphData *graphs) {
    int error = adjacency_init(&explainer->adjacency, graphs->nodes, graphs->graphs, graphs->edges);
    for (int64_t g = 0; error == OK && g < graphs->graphs; g++)
        graph_data_join(graphs, g, &explainer->adjacency);
    if (error != OK)
        return error;
    adjacency_close(&explainer->adjacency);
    graph_data_fill(graphs, 0, graphs->nodes, predictor_input_scaler(explainer->predictor),
                    explainer->whole);
    explainer->graphs = graphs->graphs;
    return OK;
}

int explainer_create(const Predictor *predictor, const GraphData *graphs,
                     Explainer **ret_explainer) {
    Explainer *explainer = memory_new(Explainer);
    if (explainer == NULL)
        return ERR_NO_MEMORY;
    explainer->predictor = predictor;
    explainer->graph = model_graph(predictor_model(predictor));
    explainer->width = predictor_input_width(predictor);
    int error =
        explainer_reads_tokens(explainer) && !has_table(explainer->graph) ? ERR_NOT_FOUND : OK;
    if (error == OK)
        error = make_plan(explainer, graphs);
    if (error == OK)
        error = make_buffers(explainer);
    if (error == OK && graphs != NULL)
        error = join_graphs(explainer, graphs);
    if (error != OK) {
        explainer_destroy(explainer);
        return error;
    }
    *ret_explainer = explainer;
    return OK;
}

void explainer_destroy(Explainer *explainer) {
    if (explainer == NULL)
        return;
    plan_destroy(explainer->plan);
    adjacency_finish(&explainer->adjacency);
    memory_free(explainer->weights);
    memory_free(explainer->gradients);
    memory_free(explainer->whole);
    memory_free(explainer->moved);
    memory_free(explainer->window);
    memory_free(explainer);
}

size_t explainer_bytes(const Explainer *explainer) {
    size_t elements = graph_learned(explainer->graph) +
                      2 * (size_t)explainer->max_rows * (size_t)explainer->width;
    if (explainer->weights != NULL)
        elements += graph_weight_elements(explainer->graph);
    return explainer->cost.activation_bytes + elements * sizeof(Real);
}

int64_t explainer_rows(const Explainer *explainer) {
    return explainer->max_rows;
}

double explainer_flops(const Explainer *explainer) {
    return explainer->cost.forward_flops + explainer->cost.backward_flops;
}

bool explainer_reads_tokens(const Explainer *explainer) {
    return predictor_task(explainer->predictor)->vocabulary > 0;
}

int64_t explainer_width(const Explainer *explainer) {
    return explainer->width;
}

// ---- the way from the baseline to the input ----

// z′ of a feature.
static double baseline_of(const Explainer *explainer, ExplainBaseline baseline, int64_t feature) {
    const Scaler *scaler = predictor_input_scaler(explainer->predictor);
    int64_t k = feature % scaler->width;
    double x = baseline == BASELINE_MEAN ? (double)scaler->mean[k] : 0;
    return (x - (double)scaler->offset[k]) * (double)scaler->factor[k];
}

// The tables, and so the embeddings, are α times what they were.
static void scale_tables(Explainer *explainer, double alpha) {
    const Real *from = predictor_weights(explainer->predictor);
    for (int i = 0; i < graph_nodes(explainer->graph); i++) {
        const GraphNode *node = graph_node(explainer->graph, i);
        if (!is_table(node))
            continue;
        const GraphWeight *table = graph_weight_at(explainer->graph, node->weight[0]);
        size_t count = (size_t)shape_elements(&table->shape);
        for (size_t k = 0; k < count; k++)
            explainer->weights[table->offset + k] = (Real)(alpha * (double)from[table->offset + k]);
    }
}

static void move(Explainer *explainer, const ExplainOptions *options, const Piece *piece,
                 double alpha) {
    int64_t width = explainer->width, numbers = piece->rows * width;
    if (explainer_reads_tokens(explainer)) {
        memcpy(explainer->moved, explainer->whole, (size_t)numbers * sizeof(Real));
        scale_tables(explainer, alpha);
        return;
    }
    for (int64_t i = 0; i < numbers; i++) {
        double from = alpha == 1 ? 0 : baseline_of(explainer, options->baseline, i % width);
        double z = (double)explainer->whole[i];
        explainer->moved[i] = alpha == 1 ? explainer->whole[i] : (Real)(from + alpha * (z - from));
    }
}

static Tensor run_forward(Explainer *explainer, const Piece *piece) {
    const Shape *row = model_input_shape(predictor_model(explainer->predictor));
    Tensor input = {.data = explainer->moved}, output;
    input.shape.rank = row->rank + 1;
    input.shape.dim[0] = piece->rows;
    memcpy(input.shape.dim + 1, row->dim, (size_t)row->rank * sizeof(*row->dim));
    // Only training writes to weights.
    Real *weights = explainer->weights != NULL ? explainer->weights
                                               : (Real *)predictor_weights(explainer->predictor);
    plan_forward(explainer->plan, &piece->context, NULL, &input, weights, &output);
    return output;
}

// ---- the output that is asked for ----

// The column of the net's output that a target is, and what it counts in the answer's unit: y = offset + unit · output.
typedef struct Reading {
    int64_t column;
    double unit, offset;
} Reading;

static Reading reading_of(const Explainer *explainer, int32_t target) {
    const Scaler *scaler = predictor_target_scaler(explainer->predictor);
    if (predictor_binary(explainer->predictor))
        return (Reading){0, target == 0 ? -1 : 1, 0};
    if (scaler == NULL)
        return (Reading){target, 1, 0};
    int64_t k = target % scaler->width;
    return (Reading){target, 1 / (double)scaler->factor[k], (double)scaler->offset[k]};
}

static int32_t predicted(const Explainer *explainer, const Real *outputs) {
    int64_t width = predictor_output_width(explainer->predictor), best = 0;
    if (!predictor_classifies(explainer->predictor))
        return 0;
    if (predictor_binary(explainer->predictor))
        return outputs[0] > 0;
    for (int64_t c = 1; c < width; c++)
        best = outputs[c] > outputs[best] ? c : best;
    return (int32_t)best;
}

static void read_outputs(const Explainer *explainer, const Piece *piece, const Tensor *output,
                         double *values) {
    int64_t width = predictor_output_width(explainer->predictor);
    for (int64_t i = 0; i < piece->asked; i++) {
        const Real *outputs = output->data + (piece->first + i) * width;
        if (piece->target[i] == EXPLAIN_PREDICTED)
            piece->target[i] = predicted(explainer, outputs);
        Reading reading = reading_of(explainer, piece->target[i]);
        values[i] = reading.offset + reading.unit * (double)outputs[reading.column];
    }
}

static void run_backward(Explainer *explainer, const Piece *piece) {
    int64_t width = predictor_output_width(explainer->predictor);
    Real *gradient = plan_output_gradient(explainer->plan);
    memset(gradient, 0, (size_t)(piece->targets * width) * sizeof(Real));
    for (int64_t i = 0; i < piece->asked; i++) {
        Reading reading = reading_of(explainer, piece->target[i]);
        gradient[(piece->first + i) * width + reading.column] = (Real)reading.unit;
    }
    plan_backward(explainer->plan, &piece->context, NULL, explainer->gradients);
}

// ---- attributions ----

static void add_numbers(const Explainer *explainer, const ExplainOptions *options,
                        const Piece *piece, double share) {
    const Scaler *scaler = predictor_input_scaler(explainer->predictor);
    const Real *gradient = plan_gradient(explainer->plan, 0).data;
    int64_t width = explainer->width;
    for (int64_t i = 0; gradient != NULL && i < piece->rows * width; i++) {
        int64_t k = i % width % scaler->width;
        double g = (double)gradient[i], z = (double)explainer->whole[i];
        double factor = (double)scaler->factor[k];
        double x = z / factor + (double)scaler->offset[k], attribution = 0;
        switch (options->method) {
        case EXPLAIN_GRADIENT:
            attribution = g * factor;
            break;
        case EXPLAIN_GRADIENT_X_INPUT:
            attribution = g * factor * x;
            break;
        case EXPLAIN_INTEGRATED_GRADIENTS:
            attribution = share * g * (z - baseline_of(explainer, options->baseline, i % width));
            break;
        }
        piece->attributions[i] += attribution;
    }
}

// One table's part: its numbers at each token are `scale` times the embedding.
static void add_embeddings(const Explainer *explainer, const ExplainOptions *options,
                           const Piece *piece, int node, double share, double scale) {
    const Real *gradient = plan_gradient(explainer->plan, node).data;
    const Real *value = plan_value(explainer->plan, node).data;
    int64_t units = shape_last(&graph_node(explainer->graph, node)->shape);
    for (int64_t t = 0; t < piece->rows * explainer->width; t++) {
        double sum = 0;
        for (int64_t u = t * units; u < (t + 1) * units; u++)
            sum += options->method == EXPLAIN_GRADIENT
                       ? (double)gradient[u] * (double)gradient[u]
                       : (double)gradient[u] * (double)value[u] / scale;
        piece->attributions[t] += options->method == EXPLAIN_GRADIENT ? sqrt(sum) : share * sum;
    }
}

static void add_attributions(const Explainer *explainer, const ExplainOptions *options,
                             const Piece *piece, double share, double scale) {
    if (!explainer_reads_tokens(explainer)) {
        add_numbers(explainer, options, piece, share);
        return;
    }
    for (int i = 0; i < graph_nodes(explainer->graph); i++)
        if (is_table(graph_node(explainer->graph, i)) &&
            plan_gradient(explainer->plan, i).data != NULL)
            add_embeddings(explainer, options, piece, i, share, scale);
}

// The input is in `whole`.
static void run_piece(Explainer *explainer, const ExplainOptions *options, const Piece *piece) {
    bool integrates = options->method == EXPLAIN_INTEGRATED_GRADIENTS;
    memset(piece->attributions, 0,
           (size_t)(piece->rows * explainer->width) * sizeof *piece->attributions);
    move(explainer, options, piece, 1);
    Tensor output = run_forward(explainer, piece);
    read_outputs(explainer, piece, &output, piece->outputs);
    if (!integrates) {
        run_backward(explainer, piece);
        add_attributions(explainer, options, piece, 1, 1);
        return;
    }
    double share = 1 / (double)options->steps;
    for (int64_t step = 0; step < options->steps; step++) {
        double alpha = ((double)step + 0.5) * share;
        move(explainer, options, piece, alpha);
        run_forward(explainer, piece);
        run_backward(explainer, piece);
        add_attributions(explainer, options, piece, share, alpha);
    }
    move(explainer, options, piece, 0);
    output = run_forward(explainer, piece);
    read_outputs(explainer, piece, &output, piece->baselines);
}

// ---- rows ----

static void take_rows(Explainer *explainer, const float *values, int64_t rows) {
    const Forecast *forecast = predictor_forecast(explainer->predictor);
    const Scaler *scaler = predictor_input_scaler(explainer->predictor);
    int64_t width = explainer->width;
    for (int64_t r = 0; r < rows; r++, values += width) {
        if (forecast != NULL)
            forecast_inputs(forecast, values, width / forecast->columns, explainer->window);
        scaler_apply(scaler, forecast != NULL ? explainer->window : values,
                     explainer->whole + r * width, 1, width);
    }
}

void explainer_run(Explainer *explainer, const ExplainOptions *options, const PredictorInput *input,
                   const Explanation *explanation) {
    for (int64_t begin = 0; begin < input->rows; begin += explainer->max_rows) {
        int64_t left = input->rows - begin, width = explainer->width;
        int64_t rows = left < explainer->max_rows ? left : explainer->max_rows;
        const Piece piece = {
            .context = {.lengths = input->lengths == NULL ? NULL : input->lengths + begin},
            .rows = rows,
            .targets = rows,
            .target = explanation->targets + begin,
            .asked = rows,
            .attributions = explanation->attributions + begin * width,
            .outputs = explanation->outputs + begin,
            .baselines = explanation->baselines == NULL ? NULL : explanation->baselines + begin};
        take_rows(explainer, input->values + begin * width, rows);
        run_piece(explainer, options, &piece);
    }
}

// ---- graphs ----

void explainer_run_graphs(Explainer *explainer, const ExplainOptions *options,
                          const Explanation *explanation) {
    const Piece piece = {.context = {.adjacency = &explainer->adjacency.adjacency},
                         .rows = explainer->max_rows,
                         .targets = explainer->graphs,
                         .target = explanation->targets,
                         .asked = explainer->graphs,
                         .attributions = explanation->attributions,
                         .outputs = explanation->outputs,
                         .baselines = explanation->baselines};
    run_piece(explainer, options, &piece);
}

void explainer_run_node(Explainer *explainer, const ExplainOptions *options, int64_t node,
                        const Explanation *explanation) {
    const Piece piece = {.context = {.adjacency = &explainer->adjacency.adjacency},
                         .rows = explainer->max_rows,
                         .targets = explainer->max_rows,
                         .target = explanation->targets,
                         .asked = 1,
                         .first = node,
                         .attributions = explanation->attributions,
                         .outputs = explanation->outputs,
                         .baselines = explanation->baselines};
    run_piece(explainer, options, &piece);
}
