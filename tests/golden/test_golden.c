// The core in single precision against PyTorch's numbers in the topics' files (format: golden.py), at
// 1e-5 relative to the greatest number of an array.
#include <criterion/criterion.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/inits/inits.h"
#include "core/losses/losses.h"
#include "core/model/model.h"
#include "core/optimizers/optimizers.h"
#include "core/schedules/schedules.h"
#include "tests/support/coverage.h"
#include "tests/support/graphs.h"
#include "tests/support/json.h"

static const double TOLERANCE = 1e-5, TRUE_ZERO = 1e-12;

enum { ARRAYS_MAX = 64, ELEMENTS_MAX = 4096 };

typedef struct GoldenArray {
    const char *name;
    double *values; // [count]
    size_t count;
} GoldenArray;

typedef struct Case {
    const char *text; // of the spec, for messages
    Value spec;
    GoldenArray arrays[ARRAYS_MAX];
    size_t count;
} Case;

static Arena arena;

static void set_up(void) {
    arena_init(&arena, 0);
}

static void tear_down(void) {
    arena_finish(&arena);
}

TestSuite(golden, .init = set_up, .fini = tear_down);

// ---- the file ----

static GoldenArray read_array(char *line) {
    char *name = strtok(line, " "), *count = strtok(NULL, " ");
    cr_assert(name != NULL && count != NULL);
    GoldenArray array = {arena_string(&arena, name), NULL, strtoul(count, NULL, 10)};
    cr_assert(array.count <= ELEMENTS_MAX);
    array.values = arena_array(&arena, array.count, sizeof(double));
    for (size_t i = 0; i < array.count; i++) {
        const char *number = strtok(NULL, " \n");
        cr_assert_not_null(number, "%s is short", array.name);
        array.values[i] = strtod(number, NULL);
    }
    return array;
}

// Runs `check` on every case of a kind in one file; returns how many there are.
static int check_file(const char *path, const char *kind, void (*check)(const Case *golden)) {
    FILE *file = fopen(path, "re");
    cr_assert_not_null(file, "%s", path);
    char *line = NULL;
    size_t capacity = 0;
    int checked = 0;
    bool wanted = false;
    Case golden = {0};
    while (getline(&line, &capacity, file) > 0) {
        if (strncmp(line, "case ", 5) == 0) {
            if (wanted)
                check(&golden);
            char *spec = strchr(line + 5, ' ');
            cr_assert_not_null(spec);
            *spec = '\0';
            wanted = strcmp(line + 5, kind) == 0;
            checked += wanted;
            golden = (Case){.text = arena_string(&arena, spec + 1)};
            golden.spec = json_value(&arena, golden.text);
        } else if (wanted) {
            cr_assert(golden.count < ARRAYS_MAX);
            golden.arrays[golden.count++] = read_array(line);
        }
    }
    if (wanted)
        check(&golden);
    free(line);
    fclose(file);
    return checked;
}

// … and in all files.
static void check_cases(const char *kind, void (*check)(const Case *golden)) {
    glob_t found;
    cr_assert_eq(glob("tests/golden/*.txt", 0, NULL, &found), 0, "run from the repository's root");
    int checked = 0;
    for (size_t i = 0; i < found.gl_pathc; i++)
        checked += check_file(found.gl_pathv[i], kind, check);
    globfree(&found);
    cr_assert(checked > 0, "no case of %s", kind);
}

static const GoldenArray *find_array(const Case *golden, const char *name) {
    for (size_t i = 0; i < golden->count; i++)
        if (strcmp(golden->arrays[i].name, name) == 0)
            return &golden->arrays[i];
    return NULL;
}

static const GoldenArray *array_of(const Case *golden, const char *name) {
    const GoldenArray *array = find_array(golden, name);
    cr_assert_not_null(array, "%s lacks %s", golden->text, name);
    return array;
}

// A given array in the core's precision.
static Real *reals_of(const Case *golden, const char *name) {
    const GoldenArray *array = array_of(golden, name);
    Real *reals = arena_array(&arena, array->count, sizeof(Real));
    for (size_t i = 0; i < array->count; i++)
        reals[i] = (Real)array->values[i];
    return reals;
}

static int32_t *integers_of(const Case *golden, const char *name) {
    const GoldenArray *array = array_of(golden, name);
    int32_t *integers = arena_array(&arena, array->count, sizeof(int32_t));
    for (size_t i = 0; i < array->count; i++)
        integers[i] = (int32_t)array->values[i];
    return integers;
}

static double greatest_of(const GoldenArray *array) {
    double greatest = 0;
    for (size_t i = 0; i < array->count; i++)
        greatest = fmax(greatest, fabs(array->values[i]));
    return greatest;
}

// What an array's errors are measured by: its greatest number; but where a gradient is truly zero (of a key's bias
// in attention, say), so that PyTorch's digits are noise too, the greatest of all gradients.
static double scale_of(const Case *golden, const GoldenArray *array) {
    static const char gradient[] = "gradient:";
    double greatest = greatest_of(array);
    if (strncmp(array->name, gradient, strlen(gradient)) != 0 || greatest > TRUE_ZERO)
        return greatest;
    for (size_t i = 0; i < golden->count; i++)
        if (strncmp(golden->arrays[i].name, gradient, strlen(gradient)) == 0)
            greatest = fmax(greatest, greatest_of(&golden->arrays[i]));
    return greatest;
}

static void expect_array(const Case *golden, const char *name, const Real *actual) {
    const GoldenArray *expected = array_of(golden, name);
    double worst = 0;
    size_t at = 0;
    for (size_t i = 0; i < expected->count; i++) {
        double error = fabs((double)actual[i] - expected->values[i]);
        if (!(error <= worst)) {
            worst = error;
            at = i;
        }
    }
    cr_expect(worst <= TOLERANCE * scale_of(golden, expected), "%s: %s[%zu] is %.9g, not %.9g",
              golden->text, name, at, (double)actual[at], expected->values[at]);
}

static Selection select_entry(const Registry *registry, Value value) {
    Selection selection;
    Issues issues;
    issues_init(&issues);
    int err = selection_read(registry, NULL, value, NULL, &arena, &issues, &selection);
    cr_assert_eq(err, OK, "%s", issues.count > 0 ? issues.items[0].detail : error_name(err));
    issues_finish(&issues);
    return selection;
}

// ---- nets ----

typedef struct Net {
    Model *model;
    Plan *plan;
    OpContext context;
    Tensor input;
    Real *weights, *gradients; // flat
    int64_t rows;
    AdjacencyBuffer graphs; // where the rows are nodes
} Net;

// The name of a weight in a case: prefix, layer and weight.
static const char *weight_name(const Net *net, const char *prefix, int weight) {
    const GraphWeight *of = graph_weight_at(model_graph(net->model), weight);
    return arena_format(&arena, "%s%s.%s", prefix, model_layer(net->model, of->layer)->name,
                        of->name);
}

static Net net_of(const Case *golden) {
    Net net = {.context = {.training = true, .step = 1}};
    Task task = {.kind = TASK_REGRESSION, .outputs = 1};
    VALUE_FOREACH(axis, value_member(golden->spec, "shape"))
    task.input.dim[task.input.rank++] = (int64_t)value_number(axis);
    if (find_array(golden, "lengths") != NULL) {
        task.rows = ROWS_SEQUENCES;
        net.context.lengths = integers_of(golden, "lengths");
    }
    if (graphs_read(golden->spec, &net.graphs))
        task.rows = net.graphs.adjacency.graphs == 1 ? ROWS_NODES : ROWS_GRAPHS;
    Issues issues;
    issues_init(&issues);
    int err = model_create(value_member(golden->spec, "model"), NULL, &task, &issues, &net.model);
    cr_assert_eq(err, OK, "%s: %s", golden->text,
                 issues.count > 0 ? issues.items[0].detail : error_name(err));
    issues_finish(&issues);

    net.rows = (int64_t)array_of(golden, "input")->count / shape_elements(&task.input);
    net.input =
        (Tensor){reals_of(golden, "input"), {.rank = task.input.rank + 1, .dim = {net.rows}}};
    for (int d = 0; d < task.input.rank; d++)
        net.input.shape.dim[d + 1] = task.input.dim[d];

    const Graph *graph = model_graph(net.model);
    net.weights = memory_array(graph_weight_elements(graph), sizeof(Real));
    net.gradients = memory_array(graph_learned(graph), sizeof(Real));
    cr_assert_eq(graph_initialise(graph, 0, net.weights), OK);
    for (int w = 0; w < graph_weights(graph); w++) {
        const GraphWeight *weight = graph_weight_at(graph, w);
        const char *name = weight_name(&net, "", w);
        size_t elements = (size_t)shape_elements(&weight->shape);
        if (weight->state && find_array(golden, name) == NULL)
            continue;
        cr_assert_eq(array_of(golden, name)->count, elements, "%s", name);
        memcpy(net.weights + weight->offset, reals_of(golden, name), elements * sizeof(Real));
    }
    PlanOptions options = {.max_rows = net.rows,
                           .backward = true,
                           .keep_all = true,
                           .output = model_output(net.model)};
    if (net.graphs.memory != NULL) {
        options.max_rows = net.graphs.adjacency.graphs;
        options.max_nodes = net.graphs.adjacency.nodes;
        options.max_edges = net.graphs.adjacency.edges;
    }
    cr_assert_eq(plan_create(graph, &options, &net.plan), OK);
    plan_want_input_gradients(net.plan);
    return net;
}

static void net_finish(Net *net) {
    plan_destroy(net->plan);
    memory_free(net->weights);
    memory_free(net->gradients);
    adjacency_finish(&net->graphs);
    model_destroy(net->model);
}

static void check_net(const Case *golden) {
    Net net = net_of(golden);
    net.context.training = value_boolean(value_member(golden->spec, "training"));
    if (net.graphs.memory != NULL)
        net.context.adjacency = &net.graphs.adjacency;
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, &net.input, net.weights, &output);
    expect_array(golden, "output", output.data);
    memcpy(plan_output_gradient(net.plan), reals_of(golden, "objective"),
           array_of(golden, "objective")->count * sizeof(Real));
    plan_backward(net.plan, &net.context, NULL, net.gradients);
    expect_array(golden, "gradient:input", plan_gradient(net.plan, 0).data);
    const Graph *graph = model_graph(net.model);
    for (int w = 0; w < graph_weights(graph); w++) {
        const GraphWeight *weight = graph_weight_at(graph, w);
        if (weight->state)
            expect_array(golden, weight_name(&net, "after:", w), net.weights + weight->offset);
        else
            expect_array(golden, weight_name(&net, "gradient:", w), net.gradients + weight->offset);
    }
    net_finish(&net);
}

Test(golden, nets) {
    check_cases("net", check_net);
}

// ---- losses ----

static const Real *class_weights_of(Value given, const LossCall *call) {
    int64_t *counts = arena_array(&arena, (size_t)call->width, sizeof(int64_t));
    Real *weights = arena_array(&arena, (size_t)call->width, sizeof(Real));
    for (int64_t r = 0; r < call->rows; r++)
        if (call->classes[r] >= 0)
            counts[call->classes[r]]++;
    Issues issues;
    issues_init(&issues);
    cr_assert_eq(class_weights_read(given, call->width, counts, NULL, &issues, weights), OK);
    issues_finish(&issues);
    return weights;
}

static void check_loss(const Case *golden) {
    Selection selection = select_entry(&loss_registry, golden->spec);
    const LossDesc *loss = (const LossDesc *)selection.desc;
    size_t outputs = array_of(golden, "outputs")->count,
           targets = array_of(golden, "targets")->count;
    Real gradients[ELEMENTS_MAX];
    LossCall call = {
        .params = selection.params, .outputs = reals_of(golden, "outputs"), .gradients = gradients};
    if (loss->targets == TARGETS_CLASSES) {
        call.rows = (int64_t)targets;
        call.classes = integers_of(golden, "targets");
    } else {
        call.rows = 1;
        call.values = reals_of(golden, "targets");
    }
    call.width = (int64_t)outputs / call.rows;
    Value class_weight = value_member(golden->spec, "class_weight");
    if (value_kind(class_weight) != VALUE_MISSING)
        call.class_weights = class_weights_of(class_weight, &call);
    Real value = (Real)loss->value(&call);
    expect_array(golden, "value", &value);
    expect_array(golden, "gradient", gradients);
}

Test(golden, losses) {
    check_cases("loss", check_loss);
}

// ---- optimizers ----

static void check_optimizer(const Case *golden) {
    Selection selection = select_entry(&optimizer_registry, golden->spec);
    const OptimizerDesc *optimizer = (const OptimizerDesc *)selection.desc;
    size_t count = array_of(golden, "weights")->count;
    int64_t steps = (int64_t)(array_of(golden, "gradients")->count / count);
    const Real *gradients = reals_of(golden, "gradients");
    Real *after = arena_array(&arena, (size_t)steps * count, sizeof(Real));
    OptimizerCall call = {.params = selection.params,
                          .learning_rate =
                              ((const OptimizerCommon *)selection.params)->learning_rate,
                          .gradient_scale = 1,
                          .clip_value = INFINITY,
                          .count = count,
                          .weights = reals_of(golden, "weights")};
    for (int slot = 0; slot < optimizer->slots(selection.params); slot++)
        call.slots[slot] = arena_array(&arena, count, sizeof(Real));
    for (call.step = 1; call.step <= steps; call.step++) {
        size_t offset = (size_t)(call.step - 1) * count;
        call.gradients = gradients + offset;
        optimizer->step(&call);
        memcpy(after + offset, call.weights, count * sizeof(Real));
    }
    expect_array(golden, "after", after);
}

Test(golden, optimizers) {
    check_cases("optimizer", check_optimizer);
}

// ---- schedules ----

static void check_schedule(const Case *golden) {
    Selection selection = select_entry(&schedule_registry, value_member(golden->spec, "schedule"));
    double state[SCHEDULE_STATE] = {0};
    ScheduleCall call = {.params = selection.params,
                         .steps = (int64_t)value_number(value_member(golden->spec, "steps")),
                         .steps_per_epoch =
                             (int64_t)value_number(value_member(golden->spec, "steps_per_epoch")),
                         .warmup_steps = ((const ScheduleCommon *)selection.params)->warmup_steps,
                         .state = state};
    Real factors[ELEMENTS_MAX];
    cr_assert(call.steps <= ELEMENTS_MAX);
    const ScheduleDesc *schedule = (const ScheduleDesc *)selection.desc;
    const GoldenArray *losses = find_array(golden, "losses");
    for (call.step = 1; call.step <= call.steps; call.step++) {
        factors[call.step - 1] = (Real)schedule_rate(schedule, &call, 1);
        if (losses != NULL && call.step % call.steps_per_epoch == 0)
            schedule->watch(call.params, losses->values[call.step / call.steps_per_epoch - 1],
                            state);
    }
    expect_array(golden, "factors", factors);
}

Test(golden, schedules) {
    check_cases("schedule", check_schedule);
}

// ---- a whole training ----

static void check_training(const Case *golden) {
    Net net = net_of(golden);
    size_t learned = graph_learned(model_graph(net.model));
    const LossDesc *loss = loss_find("cross_entropy");
    Selection params = select_entry(&loss_registry, json_value(&arena, "\"cross_entropy\""));
    Selection optimizer =
        select_entry(&optimizer_registry, value_member(golden->spec, "optimizer"));
    OptimizerCall update = {.params = optimizer.params,
                            .learning_rate =
                                ((const OptimizerCommon *)optimizer.params)->learning_rate,
                            .gradient_scale = 1,
                            .clip_value = INFINITY,
                            .count = learned,
                            .weights = net.weights,
                            .gradients = net.gradients};
    for (int slot = 0; slot < OPTIMIZER_SLOTS_MAX; slot++)
        update.slots[slot] = arena_array(&arena, learned, sizeof(Real));
    Real losses[16];
    size_t steps = array_of(golden, "losses")->count;
    cr_assert(steps <= ARRAY_LENGTH(losses));
    for (size_t step = 0; step < steps; step++) {
        Tensor output;
        plan_forward(net.plan, &net.context, NULL, &net.input, net.weights, &output);
        LossCall call = {.params = params.params,
                         .rows = net.rows,
                         .width = shape_last(&output.shape),
                         .outputs = output.data,
                         .classes = integers_of(golden, "targets"),
                         .gradients = plan_output_gradient(net.plan)};
        losses[step] = (Real)loss->value(&call);
        plan_backward(net.plan, &net.context, NULL, net.gradients);
        update.step = net.context.step++;
        ((const OptimizerDesc *)optimizer.desc)->step(&update);
    }
    expect_array(golden, "losses", losses);
    net_finish(&net);
}

Test(golden, training) {
    check_cases("training", check_training);
}

// ---- nothing is left out ----

static Coverage coverage;

static void note_layers(const Case *golden) {
    coverage_layers(&coverage, &layer_registry,
                    value_member(value_member(golden->spec, "model"), "layers"));
}

static void note_loss(const Case *golden) {
    coverage_note(&coverage, &loss_registry, golden->spec);
}

static void note_optimizer(const Case *golden) {
    coverage_note(&coverage, &optimizer_registry, golden->spec);
}

static void note_schedule(const Case *golden) {
    coverage_note(&coverage, &schedule_registry, value_member(golden->spec, "schedule"));
}

// What a case gives its nets is no initialiser's.
static bool matters(const ParamSpec *param) {
    return param->registry != &init_registry;
}

Test(golden, cases_leave_out_no_entry_parameter_or_value) {
    check_cases("net", note_layers);
    check_cases("loss", note_loss);
    check_cases("optimizer", note_optimizer);
    check_cases("schedule", note_schedule);
    const Registry *const registries[] = {&layer_registry, &activation_registry, &loss_registry,
                                          &optimizer_registry, &schedule_registry};
    for (size_t i = 0; i < ARRAY_LENGTH(registries); i++)
        coverage_expect_all(&coverage, registries[i], matters);
    text_finish(&coverage.seen);
}
