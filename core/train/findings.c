// What can be told of a job that does not run: by its spec, and by a look at its data where that is small enough for a request.
#include <math.h>
#include "core/base/error.h"
#include "core/train/job_private.h"
#include "core/train/survey.h"
#include "core/train/watch.h"

// Numbers in the dataset up to which it is looked at, rows looked at at once, and multiplications.
enum { CELLS_MOST = 1 << 22, ROWS_AT_ONCE = 32 };
static const double WORK = 4e6;

static bool is_small(const Job *job) {
    size_t cells;
    return size_multiply((size_t)job_dataset(job)->rows,
                         (size_t)shape_elements(&job_task(job)->input), &cells) &&
           cells <= CELLS_MOST && task_graph_rows(job_task(job)) != GRAPH_NODES;
}

// Where it fails for want of memory the survey stays empty: then only the spec is judged.
static void survey(const Job *job, Survey *ret_survey) {
    Scalers scalers = {0};
    Batch batch = {0};
    int error = scalers_fit(job, &scalers);
    if (error == OK)
        error = batch_init(&batch, job, &scalers, ROWS_AT_ONCE);
    if (error == OK)
        survey_take(job, &batch, WORK, ret_survey);
    batch_finish(&batch);
    scalers_finish(&scalers);
}

void job_findings(const Job *job, void (*found)(void *context, const Finding *finding),
                  void *context) {
    AUTO_FREE Finding *findings = memory_array(rule_registry.count, sizeof(Finding));
    AUTO_FREE Net *net = memory_new(Net);
    AUTO_FREE Facts *facts = memory_new(Facts);
    if (findings == NULL || net == NULL || facts == NULL)
        return;
    net_read(job->model, net);
    facts_fill(job, facts);
    facts->survey = SURVEY_NONE;
    if (is_small(job))
        survey(job, &facts->survey);
    const RuleView view = {.model = job->model,
                           .loss = job_loss(job)->desc.name,
                           .facts = facts,
                           .net = net,
                           .train_loss = NAN,
                           .gradient_norm = NAN};
    int count = rules_run(&view, findings);
    for (int i = 0; i < count; i++)
        found(context, &findings[i]);
    job_initial_findings(job, found, context);
}
