// The loop. A step allocates nothing, formats nothing and asks the clock at most twice.
//
//   a batch (loader.h) → forward → loss → backward (statistics on the way) → clip → optimizer by layer → events
//   → at an epoch's end: validation, early stopping → a checkpoint where it is time
//
// Hooks see the state after everything that belongs to a step, so a checkpoint is always between
// two steps.
#include "core/train/watch.h"
#include <math.h>
#include <string.h>
#include <time.h>
#include "core/base/error.h"
#include "core/tensor/blas.h"
#include "core/tensor/kernels.h"

// A probe's steps, and over how many of them a job that warms up does so.
enum { PROBE_STEPS = 200, PROBE_WARMUP = 20 };

double trainer_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

// ---- life ----

static int allocate(Trainer *trainer) {
    const Job *job = trainer->job;
    const Graph *graph = model_graph(job_model(job));
    const TrainingParams *training = job_training(job);
    size_t elements = graph_weight_elements(graph), learned = graph_learned(graph), slots;
    if (!size_multiply(learned, (size_t)job_slots(job), &slots))
        return ERR_TOO_LARGE;
    trainer->weights = memory_array(elements, sizeof(Real));
    trainer->gradients = memory_array(learned, sizeof(Real));
    trainer->slots = memory_array(slots, sizeof(Real));
    trainer->reported = memory_array(rule_registry.count, sizeof(bool));
    trainer->histograms =
        memory_array((size_t)model_layers(job_model(job)), sizeof(*trainer->histograms));
    bool keeps_best = training->stop != NULL && training->stop->restore_best;
    if (keeps_best)
        trainer->best_weights = memory_array(elements, sizeof(Real));
    if (trainer->weights == NULL || trainer->gradients == NULL || trainer->slots == NULL ||
        trainer->reported == NULL || trainer->histograms == NULL ||
        (keeps_best && trainer->best_weights == NULL))
        return ERR_NO_MEMORY;
    return OK;
}

static int prepare(Trainer *trainer) {
    const Job *job = trainer->job;
    const Model *model = job_model(job);
    blas_set_threads(job_threads(job));
    int error = parallel_create(job_threads(job), &trainer->parallel);
    if (error == OK) {
        parallel_set_pause(trainer->parallel, trainer->hooks.pause, trainer->hooks.context);
        error = allocate(trainer);
    }
    if (error == OK)
        error = scalers_fit(job, &trainer->scalers);
    if (error == OK)
        error = batch_init(&trainer->batch, job, &trainer->scalers, job_batch_rows(job));
    if (error == OK)
        error = loader_create(job, &trainer->scalers, &trainer->loader);
    if (error == OK) {
        PlanOptions options = job_plan_options(job, job_batch_rows(job), true);
        error = plan_create(model_graph(model), &options, &trainer->plan);
    }
    trainer->evaluates = evaluation_rows(job) > 0;
    if (error == OK && trainer->evaluates)
        error = evaluator_init(&trainer->evaluator, job, &trainer->scalers);
    if (error == OK)
        error = statistics_create(model, &trainer->statistics);
    if (error == OK)
        error = watch_create(trainer);
    if (error == OK)
        error = graph_initialise(model_graph(model), (uint64_t)job_training(job)->seed,
                                 trainer->weights);
    if (error == OK)
        job_first_weights(job, trainer->weights);
    return error;
}

int trainer_create(const Job *job, const TrainerHooks *hooks, Trainer **ret_trainer) {
    Trainer *trainer = memory_new(Trainer);
    if (trainer == NULL)
        return ERR_NO_MEMORY;
    trainer->job = job;
    if (hooks != NULL)
        trainer->hooks = *hooks;
    trainer->state.validation = METRICS_NONE;
    trainer->state.best = METRICS_NONE;
    int error = prepare(trainer);
    if (error != OK) {
        trainer_destroy(trainer);
        return error;
    }
    *ret_trainer = trainer;
    return OK;
}

void trainer_destroy(Trainer *trainer) {
    if (trainer == NULL)
        return;
    watch_destroy(trainer);
    statistics_destroy(trainer->statistics);
    evaluator_finish(&trainer->evaluator);
    plan_destroy(trainer->plan);
    loader_destroy(trainer->loader);
    batch_finish(&trainer->batch);
    scalers_finish(&trainer->scalers);
    parallel_destroy(trainer->parallel);
    memory_free(trainer->weights);
    memory_free(trainer->gradients);
    memory_free(trainer->slots);
    memory_free(trainer->best_weights);
    memory_free(trainer->reported);
    memory_free(trainer->histograms);
    memory_free(trainer);
}

int64_t trainer_step(const Trainer *trainer) {
    return trainer->state.step;
}

int64_t trainer_best_epoch(const Trainer *trainer) {
    return trainer->state.best_epoch;
}

const Metrics *trainer_validation(const Trainer *trainer) {
    return &trainer->state.validation;
}

const Metrics *trainer_best(const Trainer *trainer) {
    return &trainer->state.best;
}

const Real *trainer_weights(const Trainer *trainer) {
    return trainer->weights;
}

bool trainer_test(Trainer *trainer, Metrics *ret_metrics) {
    const JobRows *rows = job_rows(trainer->job);
    if (rows->test_count == 0)
        return false;
    *ret_metrics = evaluator_run(&trainer->evaluator, trainer->weights, rows->test,
                                 rows->test_count, trainer->parallel);
    return true;
}

int trainer_confusion(Trainer *trainer, Confusion *ret_confusion) {
    const JobRows *rows = job_rows(trainer->job);
    const Task *task = job_task(trainer->job);
    if (task->kind != TASK_CLASSIFICATION || task->outputs > CONFUSION_CLASSES_MAX ||
        rows->validation_count == 0)
        return ERR_NOT_FOUND;
    Confusion confusion;
    int error = confusion_init(&confusion, job_dataset(trainer->job)->archive, task->outputs);
    if (error != OK)
        return error;
    trainer->evaluator.confusion = &confusion;
    evaluator_run(&trainer->evaluator, trainer->weights, rows->validation, rows->validation_count,
                  trainer->parallel);
    trainer->evaluator.confusion = NULL;
    *ret_confusion = confusion;
    return OK;
}

// ---- events ----

static void send(const Trainer *trainer, const TrainEvent *event) {
    if (trainer->hooks.event != NULL)
        trainer->hooks.event(trainer->hooks.context, event);
}

// ---- a step ----

// What one step knows of itself.
typedef struct Step {
    const JobPhase *phase;
    int64_t number, epoch, rows;
    bool recorded, counted; // its statistics, its histograms
    bool
        validated; // what is not finite is the validation loss: the layers were measured on training rows
    double learning_rate, loss, gradient_norm, clipped_norm;
} Step;

static OpContext step_context(const Trainer *trainer, const Step *step) {
    OpContext context = {.training = true,
                         .seed = (uint64_t)job_training(trainer->job)->seed,
                         .step = step->number,
                         .parallel = trainer->parallel};
    batch_context(&trainer->batch, &context);
    return context;
}

// A phase starts with its schedule's state anew, and with the optimizer's memory where it is another.
static void begin_phase(Trainer *trainer, const JobPhase *phase) {
    TrainerState *state = &trainer->state;
    memset(state->schedule_state, 0, sizeof(state->schedule_state));
    state->epochs_waited = 0;
    if (phase->memory_begin == phase->begin)
        memset(trainer->slots, 0,
               graph_learned(model_graph(job_model(trainer->job))) * (size_t)phase_slots(phase) *
                   sizeof(Real));
}

static Step next_step(Trainer *trainer) {
    const Job *job = trainer->job;
    int64_t number = trainer->state.step + 1;
    const JobPhase *phase = job_phase_at(job, number);
    Step step = {.phase = phase, .number = number, .epoch = job_epoch_at(job, number)};
    step.recorded = trainer->probes || (number - 1) % job_record_every(job) == 0;
    step.counted = !trainer->probes && histogram_due(number, job_steps(job));
    if (number == phase->begin + 1)
        begin_phase(trainer, phase);
    if ((number - 1 - phase->begin) % phase->steps_per_epoch == 0) {
        trainer->state.loss_sum = trainer->state.weight_sum = 0;
        trainer->state.correct = trainer->state.rows = 0;
    }
    return step;
}

static double learning_rate(Trainer *trainer, const Step *step) {
    const JobPhase *phase = step->phase;
    const OptimizerCommon *optimizer = phase->optimizer.params;
    const ScheduleCommon *schedule = phase->schedule.params;
    if (trainer->probes) // what the run has most of
        return optimizer->learning_rate *
               (schedule->warmup_steps > 0 ? fmin(1, (double)step->number / PROBE_WARMUP) : 1);
    const ScheduleCall call = {.params = schedule,
                               .step = step->number - phase->begin,
                               .steps = phase->end - phase->begin,
                               .steps_per_epoch = phase->steps_per_epoch,
                               .warmup_steps = schedule->warmup_steps,
                               .state = trainer->state.schedule_state};
    return schedule_rate((const ScheduleDesc *)phase->schedule.desc, &call,
                         optimizer->learning_rate);
}

static void run_passes(Trainer *trainer, Step *step) {
    Batch *batch = &trainer->batch;
    if (!trainer->probes || step->number == 1)
        loader_take(trainer->loader, step->number, trainer->parallel, batch);
    step->rows = batch->rows;
    OpContext context = step_context(trainer, step);
    const PlanObserver *observer =
        statistics_begin(trainer->statistics, trainer->parallel, trainer->gradients, step->recorded,
                         step->counted ? trainer->histograms : NULL);
    Tensor output;
    plan_forward(trainer->plan, &context, observer, &batch->inputs, trainer->weights, &output);
    const Real *picked = batch_pick(batch, output.data);
    // Before the loss: its gradient may be written over the output.
    trainer->state.correct += batch_correct(batch, picked);
    step->loss = batch_loss(batch, picked, plan_output_gradient(trainer->plan));
    trainer->state.rows += batch_counted(batch);
    double weight = batch_weight(batch);
    trainer->state.loss_sum += step->loss * weight;
    trainer->state.weight_sum += weight;
    plan_backward(trainer->plan, &context, observer, trainer->gradients);
    step->gradient_norm = statistics_gradient_norm(trainer->statistics);
}

// The factor by which clip_norm shortens all gradients (Pascanu et al. 2013; the 1e-6 is
// PyTorch's).
static double clip_factor(const TrainingParams *training, double norm) {
    if (isnan(training->clip_norm))
        return 1;
    return fmin(1, training->clip_norm / (norm + 1e-6));
}

// Sum of squares of what the bound leaves of the layer's scaled gradients.
static double bounded_squares(const Real *gradients, size_t count, double scale, double bound) {
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        double gradient = fmin(fmax((double)gradients[i] * scale, -bound), bound);
        squares += gradient * gradient;
    }
    return squares;
}

static void update_weights(Trainer *trainer, Step *step) {
    const Model *model = job_model(trainer->job);
    const Graph *graph = model_graph(model);
    const TrainingParams *training = job_training(trainer->job);
    const JobPhase *phase = step->phase;
    const OptimizerDesc *optimizer = (const OptimizerDesc *)phase->optimizer.desc;
    size_t learned = graph_learned(graph);
    bool bounded = !isnan(training->clip_value);
    double scale = clip_factor(training, step->gradient_norm), squares = 0;
    step->learning_rate = learning_rate(trainer, step);
    for (int i = 0; i < model_layers(model); i++) {
        size_t begin, end;
        graph_layer_range(graph, i, &begin, &end);
        if (begin == end || graph_frozen(graph, i))
            continue;
        OptimizerCall call = {.params = phase->optimizer.params,
                              .learning_rate = step->learning_rate,
                              .step = step->number - phase->memory_begin,
                              .gradient_scale = scale,
                              .clip_value = bounded ? training->clip_value : INFINITY,
                              .count = end - begin,
                              .weights = trainer->weights + begin,
                              .gradients = trainer->gradients + begin,
                              .parallel = trainer->parallel};
        for (int s = 0; s < phase_slots(phase); s++)
            call.slots[s] = trainer->slots + (size_t)s * learned + begin;
        if (bounded)
            squares += bounded_squares(call.gradients, call.count, scale, call.clip_value);
        OptimizerSums sums = optimizer->step(&call);
        statistics_updated(trainer->statistics, i, sums.update_squares, sums.weight_squares);
    }
    step->clipped_norm = bounded ? sqrt(squares) : step->gradient_norm * scale;
}

static void send_step(Trainer *trainer, const Step *step) {
    TrainEvent event = {.kind = TRAIN_STEP,
                        .step = step->number,
                        .epoch = step->epoch,
                        .loss = step->loss,
                        .learning_rate = step->learning_rate,
                        .gradient_norm = step->gradient_norm,
                        .clipped_gradient_norm = step->clipped_norm};
    send(trainer, &event);
    watch_step(trainer, step->number, step->loss, step->gradient_norm, step->learning_rate);
    trainer->rows_since_record += step->rows;
    if (!step->recorded)
        return;
    watch_record(trainer, step->number);
    double now = trainer_clock();
    event.kind = TRAIN_GRADIENTS;
    event.layers = statistics_layers(trainer->statistics);
    event.samples_per_second =
        (double)trainer->rows_since_record / fmax(now - trainer->recorded_at, 1e-9);
    trainer->recorded_at = now;
    trainer->rows_since_record = 0;
    send(trainer, &event);
}

// The activations were counted in the forward pass; here the rest: gradients before clipping, weights after the step.
static void send_histograms(Trainer *trainer, const Step *step) {
    const Model *model = job_model(trainer->job);
    int layers = model_layers(model) < HISTOGRAM_LAYERS ? model_layers(model) : HISTOGRAM_LAYERS;
    for (int i = 0; i < layers; i++) {
        LayerHistograms *layer = &trainer->histograms[i];
        size_t begin, end;
        graph_layer_range(model_graph(model), i, &begin, &end);
        bool frozen = graph_frozen(model_graph(model), i);
        histogram_take(trainer->gradients + begin, frozen ? 0 : end - begin, 0, &layer->gradient);
        histogram_take(trainer->weights + begin, end - begin, 0, &layer->weight);
    }
    send(trainer,
         &(TrainEvent){.kind = TRAIN_HISTOGRAMS,
                       .step = step->number,
                       .epoch = step->epoch,
                       .histograms = trainer->histograms,
                       .histogram_layers = layers,
                       .interval = histogram_interval(step->number, job_steps(trainer->job))});
}

// Rows of the batch whose outputs are not finite: the first few, by their numbers in the dataset.
static void find_bad_rows(const Trainer *trainer, const Tensor *output, WatchFailure *failure) {
    const Batch *batch = &trainer->batch;
    if (batch->rows == 0 || job_task(trainer->job)->rows == ROWS_NODES)
        return;
    size_t width = (size_t)shape_elements(&output->shape) / (size_t)batch->rows;
    for (int64_t r = 0; r < batch->rows && failure->row_count < (int)ARRAY_LENGTH(failure->rows);
         r++)
        if (!kernel_finite(output->data + (size_t)r * width, width))
            failure->rows[failure->row_count++] = batch->numbers[r];
}

// Looks for the layer and the rows where it began, tells, and says how the run goes on. The weights are those
// before the step.
static int diverged(Trainer *trainer, const Step *step) {
    WatchFailure failure = {
        .step = step->number, .loss = step->loss, .gradient_norm = step->gradient_norm};
    if (!step->validated) {
        OpContext context = step_context(trainer, step);
        const PlanObserver *observer = statistics_begin(trainer->statistics, trainer->parallel,
                                                        trainer->gradients, true, NULL);
        Tensor output;
        plan_forward(trainer->plan, &context, observer, &trainer->batch.inputs, trainer->weights,
                     &output);
        find_bad_rows(trainer, &output, &failure);
    }
    watch_failed(trainer, &failure, step->epoch);
    return job_training(trainer->job)->stop_on_divergence ? ERR_DIVERGED : OK;
}

static bool all_finite(double loss, double gradient_norm) {
    return isfinite(loss) && isfinite(gradient_norm);
}

static int run_step(Trainer *trainer, Step *ret_step) {
    Step step = next_step(trainer);
    run_passes(trainer, &step);
    bool finite = all_finite(step.loss, step.gradient_norm);
    if (!finite && job_training(trainer->job)->stop_on_divergence) {
        step.learning_rate = learning_rate(trainer, &step);
        step.clipped_norm = step.gradient_norm;
        send_step(trainer, &step);
        return diverged(trainer, &step);
    }
    int error = finite ? OK : diverged(trainer, &step);
    if (error != OK)
        return error;
    update_weights(trainer, &step);
    trainer->state.step = step.number;
    send_step(trainer, &step);
    if (step.counted)
        send_histograms(trainer, &step);
    *ret_step = step;
    return OK;
}

// ---- an epoch's end ----

static double watched_value(const Trainer *trainer, const Metrics *train) {
    const TrainingParams *training = job_training(trainer->job);
    const Metrics *validation = &trainer->state.validation;
    const char *metric = training->stop != NULL                         ? training->stop->metric
                         : job_rows(trainer->job)->validation_count > 0 ? "val_loss"
                                                                        : "train_loss";
    const struct {
        const char *name;
        double value; // the smaller the better
    } values[] = {{"val_loss", validation->loss},
                  {"val_accuracy", -validation->accuracy},
                  {"val_mae", validation->mae},
                  {"val_rmse", validation->rmse},
                  {"val_r2", -validation->r2},
                  {"val_perplexity", metrics_perplexity(job_task(trainer->job), validation)},
                  {"train_loss", train->loss},
                  {"train_accuracy", -train->accuracy}};
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++)
        if (strcmp(values[i].name, metric) == 0)
            return values[i].value;
    return NAN;
}

// Whether this epoch is the best so far; ends the run where early stopping has waited long enough.
static bool note_epoch(Trainer *trainer, int64_t epoch, const Metrics *train) {
    TrainerState *state = &trainer->state;
    const EarlyStoppingParams *stop = job_training(trainer->job)->stop;
    double value = watched_value(trainer, train);
    double margin = stop != NULL ? stop->min_delta : 0;
    bool best = isfinite(value) && (state->best_epoch == 0 || value < state->best_value - margin);
    if (best) {
        state->best_epoch = epoch;
        state->best_value = value;
        state->best = state->validation;
        state->epochs_waited = 0;
        if (trainer->best_weights != NULL)
            memcpy(trainer->best_weights, trainer->weights,
                   graph_weight_elements(model_graph(job_model(trainer->job))) * sizeof(Real));
    } else {
        state->epochs_waited++;
    }
    state->stopped = stop != NULL && state->epochs_waited >= stop->patience;
    return best;
}

static int end_epoch(Trainer *trainer, const Step *step) {
    TrainerState *state = &trainer->state;
    const JobRows *rows = job_rows(trainer->job);
    Metrics train = METRICS_NONE;
    train.loss = state->loss_sum / state->weight_sum;
    if (job_task(trainer->job)->kind != TASK_REGRESSION)
        train.accuracy = (double)state->correct / (double)state->rows;
    if (rows->validation_count > 0)
        state->validation = evaluator_run(&trainer->evaluator, trainer->weights, rows->validation,
                                          rows->validation_count, trainer->parallel);
    const Selection *selection = &step->phase->schedule;
    const ScheduleDesc *schedule = (const ScheduleDesc *)selection->desc;
    if (schedule->watch != NULL)
        schedule->watch(selection->params,
                        rows->validation_count > 0 ? state->validation.loss : train.loss,
                        state->schedule_state);
    bool best = note_epoch(trainer, step->epoch, &train);
    watch_epoch(trainer, step->epoch, step->number, &train);
    send(trainer, &(TrainEvent){.kind = TRAIN_EPOCH,
                                .step = step->number,
                                .epoch = step->epoch,
                                .loss = step->loss,
                                .learning_rate = step->learning_rate,
                                .gradient_norm = step->gradient_norm,
                                .clipped_gradient_norm = step->clipped_norm,
                                .train = train,
                                .validation = state->validation,
                                .best = best});
    if (rows->validation_count == 0 || isfinite(state->validation.loss))
        return OK;
    // The last update of the epoch overshot: the step itself still saw finite numbers.
    Step validated = *step;
    validated.loss = state->validation.loss;
    validated.validated = true;
    return diverged(trainer, &validated);
}

// ---- the run ----

// Layers that do not learn have a norm all the same, and it never changes.
static void measure_frozen(Trainer *trainer) {
    const Model *model = job_model(trainer->job);
    for (int i = 0; i < model_layers(model); i++) {
        size_t begin, end;
        graph_layer_range(model_graph(model), i, &begin, &end);
        if (begin < end && graph_frozen(model_graph(model), i))
            statistics_updated(trainer->statistics, i, 0,
                               kernel_sum_squares(trainer->weights + begin, end - begin));
    }
}

static int save_when_due(Trainer *trainer) {
    if (trainer->hooks.checkpoint == NULL || trainer_clock() < trainer->checkpoint_at)
        return OK;
    int error = trainer->hooks.checkpoint(trainer->hooks.context, trainer);
    trainer->checkpoint_at = trainer_clock() + job_training(trainer->job)->checkpoint_seconds;
    return error;
}

static bool wanted(const atomic_bool *flag) {
    return flag != NULL && atomic_load_explicit(flag, memory_order_relaxed);
}

static bool ends_epoch(const Job *job, const Step *step) {
    const JobPhase *phase = step->phase;
    return (step->number - phase->begin) % phase->steps_per_epoch == 0 ||
           step->number == job_steps(job);
}

static int run_steps(Trainer *trainer) {
    const Job *job = trainer->job;
    TrainerState *state = &trainer->state;
    bool finish = false;
    while (state->step < job_steps(job) && !state->stopped && !finish) {
        if (wanted(trainer->hooks.stop))
            return ERR_STOPPED;
        Step step;
        int error = run_step(trainer, &step);
        finish = wanted(trainer->hooks.finish);
        if (error == OK && (finish || ends_epoch(job, &step)))
            error = end_epoch(trainer, &step);
        if (error == OK)
            watch_look(trainer, step.number, step.epoch);
        if (error == OK && !finish)
            error = save_when_due(trainer);
        if (error != OK)
            return error;
    }
    return OK;
}

int trainer_probe(Trainer *trainer, double seconds) {
    const Job *job = trainer->job;
    trainer->probes = true;
    trainer->recorded_at = trainer_clock();
    measure_frozen(trainer);
    int error = watch_begin(trainer);
    double until = trainer_clock() + seconds;
    while (error == OK && trainer->state.step < job_steps(job) &&
           trainer->state.step < PROBE_STEPS && trainer_clock() < until) {
        Step step;
        if (wanted(trainer->hooks.stop))
            return ERR_STOPPED;
        error = run_step(trainer, &step);
        if (error == OK && !all_finite(step.loss, step.gradient_norm))
            error = ERR_DIVERGED; // and it was told
    }
    if (error == OK)
        watch_probed(trainer);
    return error;
}

int trainer_run(Trainer *trainer) {
    double now = trainer_clock();
    trainer->recorded_at = now;
    trainer->checkpoint_at = now + job_training(trainer->job)->checkpoint_seconds;
    measure_frozen(trainer);
    int error = watch_begin(trainer);
    if (error == OK)
        error = run_steps(trainer);
    if (error == OK)
        watch_end(trainer,
                  job_epoch_at(trainer->job, trainer->state.step > 0 ? trainer->state.step : 1));
    if (error == OK && trainer->best_weights != NULL && trainer->state.best_epoch > 0)
        memcpy(trainer->weights, trainer->best_weights,
               graph_weight_elements(model_graph(job_model(trainer->job))) * sizeof(Real));
    return error;
}
