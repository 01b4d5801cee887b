// Which numbers of an input an answer hangs on. The model is shared: predictions with it go on meanwhile.
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/routes/common.h"
#include "server/routes/explaining.h"

enum { STEPS = 128, STEPS_MIN = 8, STEPS_MAX = 2048, NODES_MAX = 32 };
static const double FLOPS_MAX = 2e12;      // a minute or so of one core
static const double NUMBERS_MAX = 5000000; // of an answer

const char *const explain_methods[] = {"gradient", "gradient_x_input", "integrated_gradients",
                                       NULL};
const char *const explain_baselines[] = {"mean", "zeros", NULL};

static void explaining_finish(Explaining *explaining) {
    model_inputs_finish(&explaining->inputs);
    memory_free(explaining->targets);
    memory_free(explaining->attributions);
    memory_free(explaining->outputs);
    memory_free(explaining->baselines);
}

// ---- the body ----

static bool is_given(Value value) {
    return value_kind(value) != VALUE_MISSING && value_kind(value) != VALUE_NULL;
}

static int choice_read(Value body, const char *key, const char *const *choices, int fallback,
                       Issues *issues) {
    Value value = value_member(body, key);
    const char *name = value_string(value);
    Text known;
    if (!is_given(value))
        return fallback;
    for (int i = 0; name != NULL && choices[i] != NULL; i++)
        if (strcmp(choices[i], name) == 0)
            return i;
    text_init(&known);
    for (int i = 0; choices[i] != NULL; i++)
        text_add_format(&known, "%s\"%s\"", i > 0 ? ", " : "", choices[i]);
    issues_add(issues, PATH_KEY(NULL, key), "must be one of %s", text_string(&known));
    text_finish(&known);
    return fallback;
}

// Tables have a mean to stand for "nothing known"; an image's is black, a token's and a node's nothing at all.
static ExplainBaseline baseline_fitting(const Predictor *predictor) {
    const Task *task = predictor_task(predictor);
    bool table = task->rows == ROWS_ALIKE && task->vocabulary == 0 &&
                 (task->input.rank == 1 || predictor_forecast(predictor) != NULL);
    return table ? BASELINE_MEAN : BASELINE_ZEROS;
}

static void baseline_read(Explaining *explaining, Value body, Issues *issues) {
    const Predictor *predictor = explaining->model->predictor;
    explaining->options.baseline = (ExplainBaseline)choice_read(
        body, "baseline", explain_baselines, baseline_fitting(predictor), issues);
    if (predictor_task(predictor)->vocabulary > 0 && explaining->options.baseline == BASELINE_MEAN)
        issues_add_at(issues, "/baseline",
                      "must be \"zeros\": this model reads tokens, which have no mean");
}

static int32_t class_find(const Predictor *predictor, const char *name) {
    for (int64_t i = 0; i < predictor_classes(predictor); i++) {
        const char *known = predictor_class_name(predictor, i);
        if (known != NULL && strcmp(known, name) == 0)
            return (int32_t)i;
    }
    return EXPLAIN_PREDICTED;
}

static void target_read(Explaining *explaining, Value body, Issues *issues) {
    const Predictor *predictor = explaining->model->predictor;
    Value value = value_member(body, "target");
    bool classes = predictor_classifies(predictor);
    int64_t count = classes ? predictor_classes(predictor) : predictor_output_width(predictor);
    int64_t number;
    explaining->target = EXPLAIN_PREDICTED;
    if (!is_given(value))
        return;
    if (value_integer(value, 0, count - 1, &number))
        explaining->target = (int32_t)number;
    else if (value_kind(value) == VALUE_STRING)
        explaining->target = class_find(predictor, value_string(value));
    if (explaining->target == EXPLAIN_PREDICTED)
        issues_add_at(issues, "/target", "must be %s from 0 to %lld",
                      classes ? "one of the model's classes, or its number"
                              : "the number of an output,",
                      (long long)count - 1);
}

static int body_read(Explaining *explaining, const Document *document, Issues *issues) {
    static const char *const more[] = {"method", "target", "baseline", "steps", NULL};
    Value body = document_root(document), steps = value_member(body, "steps");
    explaining->options = (ExplainOptions){
        .method = (ExplainMethod)choice_read(body, "method", explain_methods,
                                             EXPLAIN_INTEGRATED_GRADIENTS, issues),
        .steps = STEPS,
    };
    baseline_read(explaining, body, issues);
    target_read(explaining, body, issues);
    if (is_given(steps) && !value_integer(steps, STEPS_MIN, STEPS_MAX, &explaining->options.steps))
        issues_add_at(issues, "/steps", "must be a whole number from %d to %d", STEPS_MIN,
                      STEPS_MAX);
    return model_inputs_read(document, explaining->model, more, issues, &explaining->inputs);
}

// ---- what it takes ----

static const GraphData *graphs_of(const Explaining *explaining) {
    return task_graph_rows(predictor_task(explaining->model->predictor)) == GRAPH_NODES
               ? &explaining->inputs.graphs.data
               : NULL;
}

// Nodes are asked one by one, for they meet.
static bool asks_nodes(const Explaining *explaining) {
    return predictor_task(explaining->model->predictor)->rows == ROWS_NODES;
}

static int count_asked(Explaining *explaining, Issues *issues) {
    const GraphData *graphs = graphs_of(explaining);
    const GraphRequest *request = &explaining->inputs.graphs;
    explaining->rows = 1;
    if (graphs == NULL) {
        explaining->asked = explaining->inputs.rows;
    } else if (!asks_nodes(explaining)) {
        explaining->asked = graphs->graphs;
    } else {
        explaining->asked = request->nodes == NULL ? graphs->nodes : request->node_count;
        explaining->rows = graphs->nodes;
        if (explaining->asked > NODES_MAX)
            issues_add_at(issues, request->nodes == NULL ? "/graph/nodes" : "/nodes",
                          "asks about %lld nodes; at most %d at once can be explained",
                          (long long)explaining->asked, NODES_MAX);
    }
    return issues_any(issues) ? ERR_INVALID : OK;
}

// Refuses what would take too long or answer with too much.
static int check_work(const Explaining *explaining, const Explainer *explainer, Issues *issues) {
    const GraphData *graphs = graphs_of(explaining);
    bool integrates = explaining->options.method == EXPLAIN_INTEGRATED_GRADIENTS;
    double passes = integrates ? (double)explaining->options.steps + 2 : 1;
    double numbers = (double)explaining->asked * (double)explaining->width;
    if (graphs == NULL)
        passes *= ceil((double)explaining->asked / (double)explainer_rows(explainer));
    else if (asks_nodes(explaining))
        passes *= (double)explaining->asked;
    if (graphs != NULL)
        numbers = (double)graphs->nodes * (double)explaining->width *
                  (asks_nodes(explaining) ? (double)explaining->asked : 1);
    if (passes * explainer_flops(explainer) > FLOPS_MAX)
        issues_add_at(issues, "", "takes too long: ask about fewer rows%s",
                      integrates ? ", or with fewer \"steps\"" : "");
    if (numbers > NUMBERS_MAX)
        issues_add_at(issues, "", "has more than %.0f attributions: ask about less at once",
                      NUMBERS_MAX);
    return issues_any(issues) ? ERR_INVALID : OK;
}

static int make_room(Explaining *explaining) {
    const GraphData *graphs = graphs_of(explaining);
    size_t asked = (size_t)explaining->asked;
    size_t rows = graphs != NULL && !asks_nodes(explaining) ? (size_t)graphs->nodes
                                                            : asked * (size_t)explaining->rows;
    explaining->targets = memory_array(asked, sizeof *explaining->targets);
    explaining->outputs = memory_array(asked, sizeof *explaining->outputs);
    explaining->attributions =
        memory_array(rows * (size_t)explaining->width, sizeof *explaining->attributions);
    if (explaining->options.method == EXPLAIN_INTEGRATED_GRADIENTS)
        explaining->baselines = memory_array(asked, sizeof *explaining->baselines);
    if (explaining->targets == NULL || explaining->outputs == NULL ||
        explaining->attributions == NULL ||
        (explaining->options.method == EXPLAIN_INTEGRATED_GRADIENTS &&
         explaining->baselines == NULL))
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < asked; i++)
        explaining->targets[i] = explaining->target;
    return OK;
}

static void explain_nodes(const Explaining *explaining, Explainer *explainer) {
    const GraphRequest *request = &explaining->inputs.graphs;
    for (int64_t i = 0; i < explaining->asked; i++) {
        const Explanation one = {
            .targets = explaining->targets + i,
            .attributions = explaining->attributions + i * explaining->rows * explaining->width,
            .outputs = explaining->outputs + i,
            .baselines = explaining->baselines == NULL ? NULL : explaining->baselines + i};
        explainer_run_node(explainer, &explaining->options,
                           request->nodes == NULL ? i : request->nodes[i], &one);
    }
}

static void explain_all(const Explaining *explaining, Explainer *explainer) {
    const Explanation all = {explaining->targets, explaining->attributions, explaining->outputs,
                             explaining->baselines};
    const PredictorInput input = {.rows = explaining->inputs.rows,
                                  .values = explaining->inputs.values,
                                  .lengths = explaining->inputs.lengths};
    if (asks_nodes(explaining))
        explain_nodes(explaining, explainer);
    else if (graphs_of(explaining) != NULL)
        explainer_run_graphs(explainer, &explaining->options, &all);
    else
        explainer_run(explainer, &explaining->options, &input, &all);
}

// ---- the route ----

static int explain(Explaining *explaining, Predictors *predictors, const Document *document,
                   Issues *issues) {
    Explainer *explainer = NULL;
    int error = body_read(explaining, document, issues);
    if (error == OK)
        error = count_asked(explaining, issues);
    if (error != OK)
        return error;
    error = explainer_create(explaining->model->predictor, graphs_of(explaining), &explainer);
    if (error != OK)
        return error;
    size_t bytes = explainer_bytes(explainer);
    explaining->width = explainer_width(explainer);
    error = predictors_reserve(predictors, bytes) ? OK : ERR_UNAVAILABLE;
    if (error == OK) {
        error = check_work(explaining, explainer, issues);
        if (error == OK)
            error = make_room(explaining);
        if (error == OK)
            explain_all(explaining, explainer);
        predictors_release(predictors, bytes);
    }
    explainer_destroy(explainer);
    return error;
}

static void explain_with(Request *request, const Document *document, LoadedModel *model) {
    Explaining explaining = {.model = model};
    Issues issues;
    JsonOut out;
    issues_init(&issues);
    int error = explain(&explaining, request_services(request)->predictors, document, &issues);
    if (error == OK) {
        json_init(&out);
        explaining_write(&explaining, &out);
        answer_json(request, 200, &out);
        json_finish(&out);
    } else if (error == ERR_INVALID) {
        answer_issues(request, 422, &issues);
    } else if (error == ERR_NOT_FOUND) {
        answer_problem(request, 422,
                       "This model reads tokens without an embedding layer, so they have no "
                       "gradient.");
    } else {
        answer_error(request, error,
                     error == ERR_UNAVAILABLE
                         ? "Other explanations take what memory there is for them: try again."
                         : NULL);
    }
    explaining_finish(&explaining);
    issues_finish(&issues);
}

static void explain_post(Request *request) {
    Predictors *predictors = request_services(request)->predictors;
    char id[ID_TEXT];
    LoadedModel *model;
    int error = request_model(request, id);
    if (error == OK)
        error = predictors_share(predictors, id, &model);
    if (error != OK) {
        answer_error(request, error, error == ERR_NOT_FOUND ? "There is no such model." : NULL);
        return;
    }
    Document *document = NULL;
    if (predictor_task(model->predictor)->kind == TASK_LANGUAGE_MODEL)
        answer_problem(request, 422,
                       "This is a language model, which answers at every token: there is no one "
                       "output to explain.");
    else
        document = body_parse(request, model_inputs_lifted, true);
    if (document != NULL)
        explain_with(request, document, model);
    document_destroy(document);
    predictors_leave(predictors, model);
}

static const int errors[] = {400, 404, 413, 415, 422, 503, 0};

static const RouteDesc routes[] = {
    {.method = "POST",
     .path = "/v1/models/{id}/explain",
     .tag = "models",
     .summary = "What its answers hang on: attributions of each number, token or node",
     .accepts = http_accepts_json,
     .request_schema = "ExplainInput",
     .status = 200,
     .response_schema = "Explanation",
     .errors = errors,
     .flags = ROUTE_HEAVY,
     .handler = explain_post},
};

const RouteGroup explain_routes = {"explain", NULL, routes, ARRAY_LENGTH(routes)};
