// What only the whole model shows: layers whose output nothing reads, which would be left out in silence, and layers that
// reckon with token ids as if they were quantities.
#include "core/base/error.h"
#include "core/model/model_private.h"
#include "core/ops/ops.h"

// The layers [begin, end) are a list, each with what it holds behind it. What the last one gives is the list's.
static void mark_read(const Model *model, int begin, int end, bool *read) {
    int previous = -1;
    for (int i = begin; i < end; previous = i, i = model->entries[i].end) {
        const ModelEntry *entry = &model->entries[i];
        for (int s = 0; s < entry->source_count; s++)
            if (entry->sources[s] != SOURCE_INPUT)
                read[entry->sources[s]] = true;
        if (entry->source_count == 0 && previous >= 0)
            read[previous] = true;
        mark_read(model, i + 1, entry->end, read);
    }
    if (previous >= 0)
        read[previous] = true;
}

// The node, or what it is another shape of.
static const GraphNode *unshaped(const Model *model, int node) {
    const GraphNode *source = graph_node(model->graph, node);
    while (source->op == &op_reshape)
        source = graph_node(model->graph, source->input[0]);
    return source;
}

static bool reckons_with_tokens(const Model *model, const ModelLayer *layer) {
    const GraphNode *output = unshaped(model, layer->output);
    if (output->op == NULL || output->op == &op_embedding)
        return false;
    for (int i = 0; i < layer->inputs; i++)
        if (unshaped(model, layer->input[i])->op == NULL)
            return true;
    return false;
}

// Every layer with its place: read NULL: those that reckon with tokens are told, else those that are not read.
static void judge(const Model *model, int begin, int end, const bool *read, const Path *path,
                  Issues *issues) {
    size_t place = 0;
    for (int i = begin; i < end; i = model->entries[i].end) {
        const ModelEntry *entry = &model->entries[i];
        const Path *layer = PATH_INDEX(path, place++);
        if (read != NULL && !read[i])
            issues_add(issues, layer,
                       "no layer reads \"%s\": name it among the \"inputs\" of one behind it, or "
                       "leave it out",
                       entry->layer.name);
        if (read == NULL && reckons_with_tokens(model, &entry->layer))
            issues_add(issues, layer,
                       "it would reckon with token ids, which only number the tokens: put an "
                       "embedding before it");
        judge(model, i + 1, entry->end, read, PATH_KEY(layer, "layers"), issues);
    }
}

int wiring_check(const Model *model, const Path *path, Issues *issues) {
    AUTO_FREE bool *read = memory_array((size_t)model->count, sizeof(*read));
    if (read == NULL)
        return ERR_NO_MEMORY;
    mark_read(model, 0, model->count, read);
    judge(model, 0, model->count, read, path, issues);
    return OK;
}

void model_check_tokens(const Model *model, const Path *path, Issues *issues) {
    judge(model, 0, model->count, NULL, path, issues);
}
