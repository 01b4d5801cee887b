// Predictions: scale, forward, unscale; in pieces of a fixed number of rows, so that any request
// runs in the memory of one plan. An archive that does not fit its own spec is damaged.
#include "core/model/predictor.h"
#include <math.h>
#include <string.h>
#include "core/base/error.h"

struct Predictor {
    Model *model;
    Plan *plan;
    Real *weights; // [graph_weight_elements]
    Real *inputs;  // [max_rows, input width]
    int64_t max_rows, input_width, output_width;
    Task task;
    bool binary; // one output stands for two classes: its sigmoid is the second's probability
    Scaler input_scaler;
    Scaler target_scaler;    // regression
    char *class_names;       // NUL-terminated names one after the other; NULL: none
    const char **class_name; // [task.outputs] into class_names
};

static int load_task(const Archive *archive, Task *ret_task) {
    AUTO_FREE char *name = archive_text(archive, "task");
    const ArchiveSection *input = archive_typed(archive, "task.input", ARCHIVE_I64);
    const ArchiveSection *outputs = archive_typed(archive, "task.outputs", ARCHIVE_I64);
    Task task = {0};
    if (name == NULL || input == NULL || outputs == NULL || input->rank != 1 ||
        input->dims[0] < 1 || input->dims[0] > SHAPE_RANK_MAX || outputs->rank != 1 ||
        outputs->dims[0] != 1 || task_parse(name, &task.kind) != OK)
        return ERR_DAMAGED;
    task.input.rank = (int)input->dims[0];
    memcpy(task.input.dim, input->data, input->bytes);
    memcpy(&task.outputs, outputs->data, sizeof(task.outputs));
    if (shape_elements(&task.input) == 0 || task.outputs < 1)
        return ERR_DAMAGED;
    *ret_task = task;
    return OK;
}

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
    predictor->weights = memory_array(graph_weight_elements(graph), sizeof(Real));
    if (predictor->weights == NULL)
        return ERR_NO_MEMORY;
    return model_load_weights(predictor->model, archive, predictor->weights);
}

// The output must have the width that the task gives it, or results would be read past their end.
static int check_outputs(Predictor *predictor, const Archive *archive) {
    AUTO_FREE char *loss = archive_text(archive, "loss");
    if (loss == NULL)
        return ERR_DAMAGED;
    predictor->binary =
        predictor_classifies(predictor) && strcmp(loss, "binary_cross_entropy") == 0;
    predictor->output_width = shape_elements(model_output_shape(predictor->model));
    int64_t expected = predictor->binary ? 1 : predictor->task.outputs;
    if (predictor->output_width != expected || (predictor->binary && predictor->task.outputs != 2))
        return ERR_DAMAGED;
    return OK;
}

static int load_scalers(Predictor *predictor, const Archive *archive) {
    int error = scaler_load(archive, "input", &predictor->input_scaler);
    if (error != OK)
        return error;
    int64_t width = predictor->input_scaler.width;
    if (width != 1 && width != predictor->input_width)
        return ERR_DAMAGED;
    if (predictor_classifies(predictor))
        return OK;
    error = scaler_load(archive, "target", &predictor->target_scaler);
    if (error != OK)
        return error;
    width = predictor->target_scaler.width;
    return width == 1 || width == predictor->output_width ? OK : ERR_DAMAGED;
}

int predictor_create(Value spec, const Archive *archive, int64_t max_rows,
                     Predictor **ret_predictor) {
    Predictor *predictor = memory_new(Predictor);
    if (predictor == NULL)
        return ERR_NO_MEMORY;
    predictor->max_rows = max_rows;
    int error = load_task(archive, &predictor->task);
    if (error == OK)
        error = load_class_names(predictor, archive);
    if (error == OK)
        error = load_model(predictor, spec, archive);
    if (error == OK)
        error = check_outputs(predictor, archive);
    predictor->input_width = shape_elements(&predictor->task.input);
    if (error == OK)
        error = load_scalers(predictor, archive);
    size_t elements;
    if (error == OK) {
        if (!size_multiply((size_t)max_rows, (size_t)predictor->input_width, &elements))
            error = ERR_TOO_LARGE;
        else if ((predictor->inputs = memory_array(elements, sizeof(Real))) == NULL)
            error = ERR_NO_MEMORY;
    }
    if (error == OK) {
        PlanOptions options = {.max_rows = max_rows, .output = model_output(predictor->model)};
        error = plan_create(model_graph(predictor->model), &options, &predictor->plan);
    }
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

bool predictor_classifies(const Predictor *predictor) {
    return predictor->task.kind == TASK_CLASSIFICATION;
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

int predictor_run(Predictor *predictor, const float *inputs, int64_t rows, float *outputs,
                  float *probabilities) {
    const OpContext context = {.training = false};
    int64_t width = predictor->output_width, classes = predictor_classes(predictor);
    while (rows > 0) {
        int64_t n = rows < predictor->max_rows ? rows : predictor->max_rows;
        scaler_apply(&predictor->input_scaler, inputs, predictor->inputs, n,
                     predictor->input_width);
        Tensor input = {.data = predictor->inputs}, output;
        const Shape *shape = model_input_shape(predictor->model);
        input.shape.rank = shape->rank + 1;
        input.shape.dim[0] = n;
        memcpy(input.shape.dim + 1, shape->dim, (size_t)shape->rank * sizeof(*shape->dim));
        plan_forward(predictor->plan, &context, NULL, &input, predictor->weights, &output);
        if (classes == 0)
            scaler_invert(&predictor->target_scaler, output.data, outputs, n, width);
        else
            for (int64_t i = 0; i < n * width; i++)
                outputs[i] = (float)output.data[i];
        if (probabilities != NULL && classes > 0) {
            if (predictor->binary)
                for (int64_t r = 0; r < n; r++) {
                    probabilities[2 * r] = sigmoid(-outputs[r]);
                    probabilities[2 * r + 1] = sigmoid(outputs[r]);
                }
            else
                softmax_rows(outputs, probabilities, n, width);
            probabilities += n * classes;
        }
        inputs += n * predictor->input_width;
        outputs += n * width;
        rows -= n;
    }
    return OK;
}
