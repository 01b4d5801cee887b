// A job that starts from a trained model (model.initial): its weights of the same names and shapes are the job's first, all
// others are drawn as ever. The states of a batch_norm are among them, the scaling of inputs is not: it belongs to the job's
// dataset.
//
// Nothing that fits is refused, with what there is. Where a part fits, which is how a new head is put on an old body, a finding
// says so; another one warns of tokens that have other numbers than they had.
#include <string.h>
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/train/job_private.h"

enum { LISTED_MAX = 12 }; // weights that a sentence names

// ---- what there is ----

// Adds "dense_1.kernel [4, 16]" to a list of at most LISTED_MAX.
static void add_weight(Text *text, size_t index, const char *name, int rank, const int64_t *dims) {
    if (index > LISTED_MAX)
        return;
    if (index == LISTED_MAX) {
        text_add(text, ", …");
        return;
    }
    text_add_format(text, "%s%s [", index > 0 ? ", " : "", name);
    for (int i = 0; i < rank; i++)
        text_add_format(text, "%s%lld", i > 0 ? ", " : "", (long long)dims[i]);
    text_add(text, "]");
}

// Weights are sections "layer.weight"; what else has a dot is of the task or a scaler.
static bool is_weight(const ArchiveSection *section) {
    static const char *const others[] = {"task.", "input.", "target."};
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        if (strncmp(section->name, others[i], strlen(others[i])) == 0)
            return false;
    return section->type == ARCHIVE_F32 && strchr(section->name, '.') != NULL;
}

static void refuse(const Job *job, const Archive *initial, Issues *issues) {
    const Graph *graph = model_graph(job->model);
    Text theirs, ours;
    text_init(&theirs);
    text_init(&ours);
    size_t count = 0;
    for (size_t i = 0; i < archive_count(initial); i++) {
        const ArchiveSection *section = archive_section(initial, i);
        if (is_weight(section))
            add_weight(&theirs, count++, section->name, section->rank, section->dims);
    }
    for (int w = 0; w < graph_weights(graph); w++) {
        const GraphWeight *weight = graph_weight_at(graph, w);
        char name[ARCHIVE_NAME_MAX + 1];
        model_weight_name(job->model, w, name);
        add_weight(&ours, (size_t)w, name, weight->shape.rank, weight->shape.dim);
    }
    issues_add(issues, PATH_KEY(PATH_KEY(NULL, "model"), "initial"),
               "none of its weights has the name and shape of one of this model's: it has %s; this "
               "model has %s",
               text_string(&theirs), text_string(&ours));
    issues->failed |= theirs.failed || ours.failed;
    text_finish(&theirs);
    text_finish(&ours);
}

// ---- starting ----

static void note_first_drawn(Job *job) {
    const Graph *graph = model_graph(job->model);
    for (int w = 0; w < graph_weights(graph); w++) {
        if (model_copies_weight(job->model, w, job->initial))
            continue;
        model_weight_name(job->model, w, job->first_drawn.name);
        shape_text(&graph_weight_at(graph, w)->shape, job->first_drawn.shape);
        return;
    }
}

int job_start_from(Job *job, Archive *initial, Issues *issues) {
    archive_close(job->initial);
    job->initial = initial;
    job->initial_weights = model_copy_weights(job->model, initial, NULL);
    note_first_drawn(job);
    if (job->initial_weights > 0)
        return OK;
    refuse(job, initial, issues);
    return issues->failed ? ERR_NO_MEMORY : ERR_INVALID;
}

void job_first_weights(const Job *job, Real *weights) {
    if (job->initial != NULL)
        model_copy_weights(job->model, job->initial, weights);
}

// ---- findings ----

static bool same_section(const Archive *a, const Archive *b, const char *name) {
    const ArchiveSection *first = archive_find(a, name), *second = archive_find(b, name);
    if (first == NULL || second == NULL)
        return first == second;
    return first->bytes == second->bytes && memcmp(first->data, second->data, first->bytes) == 0;
}

static void find_partial(const Job *job, Finding *finding) {
    int all = graph_weights(model_graph(job->model));
    *finding = (Finding){.code = "initial_weights", .severity = SEVERITY_INFO};
    finding_number(finding, "copied", job->initial_weights);
    finding_number(finding, "weights", all);
    finding_number(finding, "missing", all - job->initial_weights);
    finding_word(finding, "first", job->first_drawn.name);
    finding_word(finding, "shape", job->first_drawn.shape);
    finding_word(finding, "model", model_initial(job->model));
    finding_explain(finding);
}

void job_initial_findings(const Job *job, void (*found)(void *context, const Finding *finding),
                          void *context) {
    Finding finding;
    if (job->initial == NULL)
        return;
    if (job->initial_weights < graph_weights(model_graph(job->model))) {
        find_partial(job, &finding);
        found(context, &finding);
    }
    if (job->task.vocabulary == 0 ||
        (same_section(job->dataset->archive, job->initial, "vocabulary") &&
         same_section(job->dataset->archive, job->initial, "tokenizer")))
        return;
    finding = (Finding){.code = "initial_vocabulary", .severity = SEVERITY_WARNING};
    finding_word(&finding, "model", model_initial(job->model));
    finding_explain(&finding);
    found(context, &finding);
}
