// Predictions: scale, forward, unscale; in pieces of a fixed number of rows, so that any request
// runs in the memory of one plan. An archive that does not fit its own spec is damaged.
#include "core/model/predictor.h"
#include <math.h>
#include <string.h>
#include "core/base/archive_text.h"
#include "core/base/error.h"
#include "core/model/graph_pass.h"

struct Predictor {
    Model *model;
    Plan *plan;
    Real *weights;    // [graph_weight_elements]
    Real *inputs;     // [max_rows, input width]
    int64_t max_rows; // that plan and inputs have room for; both NULL until rows come
    int64_t input_width, output_width;
    Task task;
    bool binary;    // one output stands for two classes: its sigmoid is the second's probability
    bool fractions; // numbers from 0 to 1, of which the outputs are logits
    Scaler input_scaler;
    Scaler target_scaler;    // regression
    Forecast forecast;       // targets 0: none
    int32_t *forecast_of;    // [forecast.targets] its target columns
    float *window;           // [input width] of one row, transformed
    double *ahead;           // [output width] likewise
    char *class_names;       // NUL-terminated names one after the other; NULL: none
    const char **class_name; // [task.outputs] into class_names
};

static int load_class_names(Predictor *predictor, const Archive *archive) {
    const ArchiveSection *section = archive_typed(archive, "class_names", ARCHIVE_U8);
    if (section == NULL)
        return OK;
    predictor->class_names = memory_array(section->bytes + 1, 1);
    predictor->class_name = memory_array((size_t)predictor->task.outputs, sizeof(char *));
    if (predictor->class_names == NULL || predictor->class_name == NULL)
        return ERR_NO_MEMORY;
    memcpy(predictor->class_names, section->data, section->bytes);
    const char *at = predictor->class_names, *end = at + section->bytes;
    for (int64_t i = 0; i < predictor->task.outputs; i++) {
        if (at >= end)
            return ERR_DAMAGED;
        predictor->class_name[i] = at;
        at += strlen(at) + 1;
    }
    return OK;
}

static int load_model(Predictor *predictor, Value spec, const Archive *archive) {
    CLEANUP(issues_finish) Issues issues;
    issues_init(&issues);
    int error = model_create(spec, NULL, &predictor->task, &issues, &predictor->model);
    if (error != OK)
        return error == ERR_INVALID ? ERR_DAMAGED : error;
    const Graph *graph = model_graph(predictor->model);
    if (graph_weight_elements(graph) > archive_bytes(archive) / sizeof(float))
        return ERR_DAMAGED; // no memory is asked for what cannot be in the file
    predictor->weights = memory_array(graph_weight_elements(graph), sizeof(Real));
    if (predictor->weights == NULL)
        return ERR_NO_MEMORY;
    return model_load_weights(predictor->model, archive, predictor->weights);
}

// The output must have the width that the task gives it, or results would be read past their end.
static int check_outputs(Predictor *predictor, const Archive *archive) {
    AUTO_FREE char *loss = archive_text(archive, "loss");
    if (loss == NULL)
        return archive_text_error(archive, "loss");
    bool sigmoids = strcmp(loss, "binary_cross_entropy") == 0;
    predictor->binary = sigmoids && predictor_classifies(predictor);
    predictor->fractions = sigmoids && !predictor_classifies(predictor);
    const Task *task = &predictor->task;
    const Graph *graph = model_graph(predictor->model);
    predictor->output_width = predictor->binary ? 1 : task->outputs;
    int64_t places = task->steps > 0 ? task->steps : 1;
    if (shape_elements(model_output_shape(predictor->model)) != places * predictor->output_width ||
        graph_node(graph, model_output(predictor->model))->per_node != (task->rows == ROWS_NODES) ||
        (predictor->binary && task->outputs != 2))
        return ERR_DAMAGED;
    return OK;
}

static int load_scalers(Predictor *predictor, const Archive *archive) {
    int error = scaler_load(archive, "input", &predictor->input_scaler);
    if (error != OK)
        return error;
    int64_t width = predictor->input_scaler.width;
    if (predictor->input_width % width != 0)
        return ERR_DAMAGED;
    if (predictor_classifies(predictor))
        return OK;
    error = scaler_load(archive, "target", &predictor->target_scaler);
    if (error != OK)
        return error;
    return predictor->output_width % predictor->target_scaler.width == 0 ? OK : ERR_DAMAGED;
}

static int load_forecast(Predictor *predictor, const Archive *archive) {
    const Task *task = &predictor->task;
    Forecast *forecast = &predictor->forecast;
    int error = forecast_load(archive, shape_last(&task->input), forecast);
    if (error != OK) // most models forecast nothing
        return error == ERR_NOT_FOUND ? OK : error;
    if (task->kind != TASK_REGRESSION || task->rows != ROWS_ALIKE || task->input.rank != 2 ||
        predictor->output_width % forecast->targets != 0)
        return ERR_DAMAGED;
    size_t bytes = (size_t)forecast->targets * sizeof(int32_t);
    predictor->forecast_of = memory_array((size_t)forecast->targets, sizeof(int32_t));
    predictor->window = memory_array((size_t)predictor->input_width, sizeof(float));
    predictor->ahead = memory_array((size_t)predictor->output_width, sizeof(double));
    if (predictor->forecast_of == NULL || predictor->window == NULL || predictor->ahead == NULL)
        return ERR_NO_MEMORY;
    memcpy(predictor->forecast_of, forecast->target, bytes);
    forecast->target = predictor->forecast_of;
    return OK;
}

// What rows need, once some come: who only reads the model goes without.
static int make_room(Predictor *predictor) {
    PlanOptions options = {.max_rows = predictor->max_rows,
                           .output = model_output(predictor->model)};
    size_t elements;
    if (predictor->plan != NULL)
        return OK;
    if (!size_multiply((size_t)options.max_rows, (size_t)predictor->input_width, &elements))
        return ERR_TOO_LARGE;
    if (predictor->inputs == NULL)
        predictor->inputs = memory_array(elements, sizeof(Real));
    if (predictor->inputs == NULL)
        return ERR_NO_MEMORY;
    return plan_create(model_graph(predictor->model), &options, &predictor->plan);
}

int predictor_create(Value spec, const Archive *archive, int64_t max_rows,
                     Predictor **ret_predictor) {
    Predictor *predictor = memory_new(Predictor);
    if (predictor == NULL)
        return ERR_NO_MEMORY;
    predictor->max_rows = max_rows;
    int error = task_load(archive, &predictor->task);
    if (error == OK)
        error = load_class_names(predictor, archive);
    if (error == OK)
        error = load_model(predictor, spec, archive);
    if (error == OK)
        error = check_outputs(predictor, archive);
    predictor->input_width = shape_elements(&predictor->task.input);
    if (error == OK)
        error = load_scalers(predictor, archive);
    if (error == OK)
        error = load_forecast(predictor, archive);
    if (error != OK) {
        predictor_destroy(predictor);
        return error;
    }
    *ret_predictor = predictor;
    return OK;
}

void predictor_destroy(Predictor *predictor) {
    if (predictor == NULL)
        return;
    plan_destroy(predictor->plan);
    model_destroy(predictor->model);
    scaler_finish(&predictor->input_scaler);
    scaler_finish(&predictor->target_scaler);
    memory_free(predictor->weights);
    memory_free(predictor->inputs);
    memory_free(predictor->forecast_of);
    memory_free(predictor->window);
    memory_free(predictor->ahead);
    memory_free(predictor->class_names);
    memory_free(predictor->class_name);
    memory_free(predictor);
}

const Model *predictor_model(const Predictor *predictor) {
    return predictor->model;
}

const Real *predictor_weights(const Predictor *predictor) {
    return predictor->weights;
}

const Task *predictor_task(const Predictor *predictor) {
    return &predictor->task;
}

const Forecast *predictor_forecast(const Predictor *predictor) {
    return predictor->forecast.targets > 0 ? &predictor->forecast : NULL;
}

bool predictor_classifies(const Predictor *predictor) {
    return predictor->task.kind != TASK_REGRESSION;
}

int64_t predictor_input_width(const Predictor *predictor) {
    return predictor->input_width;
}

int64_t predictor_output_width(const Predictor *predictor) {
    return predictor->output_width;
}

int64_t predictor_classes(const Predictor *predictor) {
    return predictor_classifies(predictor) ? predictor->task.outputs : 0;
}

const char *predictor_class_name(const Predictor *predictor, int64_t index) {
    if (predictor->class_name == NULL || index < 0 || index >= predictor->task.outputs)
        return NULL;
    return predictor->class_name[index];
}

const Scaler *predictor_input_scaler(const Predictor *predictor) {
    return &predictor->input_scaler;
}

const Scaler *predictor_target_scaler(const Predictor *predictor) {
    return predictor_classifies(predictor) ? NULL : &predictor->target_scaler;
}

bool predictor_binary(const Predictor *predictor) {
    return predictor->binary;
}

// p = softmax(logits), shifted by the greatest so that nothing overflows. [rows, width]
static void softmax_rows(const float *logits, float *p, int64_t rows, int64_t width) {
    for (int64_t r = 0; r < rows; r++, logits += width, p += width) {
        float greatest = logits[0];
        for (int64_t c = 1; c < width; c++)
            greatest = fmaxf(greatest, logits[c]);
        double sum = 0;
        for (int64_t c = 0; c < width; c++) {
            p[c] = expf(logits[c] - greatest);
            sum += p[c];
        }
        for (int64_t c = 0; c < width; c++)
            p[c] = (float)(p[c] / sum);
    }
}

static float sigmoid(float x) {
    float e = expf(-fabsf(x));
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

int64_t predictor_targets(const Predictor *predictor, const PredictorInput *input) {
    const Task *task = &predictor->task;
    if (task->rows == ROWS_GRAPHS)
        return input->graphs->graphs;
    if (task->rows == ROWS_NODES)
        return input->graphs->nodes;
    return task->steps > 0 ? input->rows * task->steps : input->rows;
}

// The inputs of a piece as the net has learned to see them, into predictor->inputs.
static void take_inputs(Predictor *predictor, const PredictorInput *piece) {
    const Forecast *forecast = predictor_forecast(predictor);
    const Scaler *scaler = &predictor->input_scaler;
    int64_t width = predictor->input_width;
    if (forecast == NULL) {
        scaler_apply(scaler, piece->values, predictor->inputs, piece->rows, width);
        return;
    }
    for (int64_t row = 0; row < piece->rows; row++) {
        forecast_inputs(forecast, piece->values + row * width, width / forecast->columns,
                        predictor->window);
        scaler_apply(scaler, predictor->window, predictor->inputs + row * width, 1, width);
    }
}

// Forecasts, unscaled, into the series' own unit: outputs [rows, output_width].
static void undo_forecasts(const Predictor *predictor, const PredictorInput *piece,
                           float *outputs) {
    const Forecast *forecast = predictor_forecast(predictor);
    int64_t inputs = predictor->input_width, width = predictor->output_width;
    for (int64_t row = 0; row < piece->rows; row++, outputs += width) {
        for (int64_t i = 0; i < width; i++)
            predictor->ahead[i] = (double)outputs[i];
        forecast_undo(forecast, piece->values + row * inputs, inputs / forecast->columns,
                      width / forecast->targets, predictor->ahead);
        for (int64_t i = 0; i < width; i++)
            outputs[i] = (float)predictor->ahead[i];
    }
}

// What the net gave for the piece's targets, in the units of the answer.
static void give_answers(const Predictor *predictor, const PredictorInput *piece, const Real *given,
                         float *outputs, float *probabilities) {
    int64_t width = predictor->output_width, targets = predictor_targets(predictor, piece);
    if (!predictor_classifies(predictor)) {
        scaler_invert(&predictor->target_scaler, given, outputs, targets, width);
        for (int64_t i = 0; predictor->fractions && i < targets * width; i++)
            outputs[i] = sigmoid(outputs[i]);
        if (predictor_forecast(predictor) != NULL)
            undo_forecasts(predictor, piece, outputs);
        return;
    }
    for (int64_t i = 0; i < targets * width; i++)
        outputs[i] = (float)given[i];
    if (probabilities == NULL)
        return;
    if (!predictor->binary) {
        softmax_rows(outputs, probabilities, targets, width);
        return;
    }
    for (int64_t r = 0; r < targets; r++) {
        probabilities[2 * r] = sigmoid(-outputs[r]);
        probabilities[2 * r + 1] = sigmoid(outputs[r]);
    }
}

// One pass over what fits the plan.
static void run_piece(Predictor *predictor, const PredictorInput *piece, float *outputs,
                      float *probabilities) {
    const OpContext context = {.training = false, .lengths = piece->lengths};
    take_inputs(predictor, piece);
    Tensor input = {.data = predictor->inputs}, output;
    const Shape *shape = model_input_shape(predictor->model);
    input.shape.rank = shape->rank + 1;
    input.shape.dim[0] = piece->rows;
    memcpy(input.shape.dim + 1, shape->dim, (size_t)shape->rank * sizeof(*shape->dim));
    plan_forward(predictor->plan, &context, NULL, &input, predictor->weights, &output);
    give_answers(predictor, piece, output.data, outputs, probabilities);
}

static int run_graphs(Predictor *predictor, const PredictorInput *input, float *outputs,
                      float *probabilities) {
    CLEANUP(graph_pass_finish) GraphPass pass = {0};
    int error = graph_pass_run(&pass, predictor->model, predictor->weights,
                               &predictor->input_scaler, input->graphs);
    if (error == OK)
        give_answers(predictor, input, pass.output.data, outputs, probabilities);
    return error;
}

int predictor_run(Predictor *predictor, const PredictorInput *input, float *outputs,
                  float *probabilities) {
    if (input->graphs != NULL)
        return run_graphs(predictor, input, outputs, probabilities);
    int error = make_room(predictor);
    if (error != OK)
        return error;
    int64_t max_rows = predictor->max_rows;
    for (int64_t begin = 0; begin < input->rows; begin += max_rows) {
        int64_t left = input->rows - begin;
        PredictorInput piece = {.rows = left < max_rows ? left : max_rows,
                                .values = input->values + begin * predictor->input_width,
                                .lengths = input->lengths == NULL ? NULL : input->lengths + begin};
        run_piece(predictor, &piece, outputs, probabilities);
        int64_t targets = predictor_targets(predictor, &piece);
        outputs += targets * predictor->output_width;
        if (probabilities != NULL)
            probabilities += targets * predictor_classes(predictor);
    }
    return OK;
}
