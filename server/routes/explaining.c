// Attributions as the user wrote the inputs: a table's by its columns, a text's by its tokens, a graph's by node; all others in
// the input's shape. And the features ranked by what all of them have to do with the outputs, on the average.
#include "server/routes/explaining.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/tokens/encoding.h"
#include "server/data/columns.h"

enum { RANKED_MAX = 100 };

static const GraphData *graphs_of(const Explaining *explaining) {
    return task_graph_rows(predictor_task(explaining->model->predictor)) == GRAPH_NODES
               ? &explaining->inputs.graphs.data
               : NULL;
}

static bool is_table(const Explaining *explaining) {
    const LoadedModel *model = explaining->model;
    return graphs_of(explaining) == NULL && model->columns != NULL && model->input.rank == 1 &&
           model->columns->width == explaining->width &&
           predictor_task(model->predictor)->vocabulary == 0;
}

static bool is_text(const Explaining *explaining) {
    return predictor_task(explaining->model->predictor)->vocabulary > 0;
}

// ---- a table's columns ----

// Of a category the places add up; a gradient is that of the value which the row has.
static double column_attribution(const Explaining *explaining, const Column *column, int64_t row) {
    const double *attributions = explaining->attributions + row * explaining->width;
    const float *values = explaining->inputs.values + row * explaining->width;
    double sum = 0;
    for (int64_t k = column->offset; k < column->offset + column_width(column); k++)
        if (!column->category || explaining->options.method != EXPLAIN_GRADIENT || values[k] != 0)
            sum += attributions[k];
    return sum;
}

static void write_table(const Explaining *explaining, JsonOut *out) {
    const Columns *columns = explaining->model->columns;
    for (int64_t row = 0; row < explaining->asked; row++) {
        json_begin_array(out, NULL);
        for (size_t c = 0; c < columns->count; c++)
            json_number(out, NULL, column_attribution(explaining, &columns->items[c], row));
        json_end_array(out);
    }
}

// ---- other shapes ----

static const double *write_nested(JsonOut *out, const Shape *shape, int axis,
                                  const double *numbers) {
    if (axis == shape->rank) {
        json_number(out, NULL, *numbers);
        return numbers + 1;
    }
    json_begin_array(out, NULL);
    for (int64_t i = 0; i < shape->dim[axis]; i++)
        numbers = write_nested(out, shape, axis + 1, numbers);
    json_end_array(out);
    return numbers;
}

static void write_rows(const Explaining *explaining, JsonOut *out) {
    for (int64_t row = 0; row < explaining->asked; row++)
        write_nested(out, &explaining->model->input, 0,
                     explaining->attributions + row * explaining->width);
}

static void write_numbers(JsonOut *out, const char *key, const double *numbers, int64_t count) {
    json_begin_array(out, key);
    for (int64_t i = 0; i < count; i++)
        json_number(out, NULL, numbers[i]);
    json_end_array(out);
}

// ---- texts ----

static void write_texts(const Explaining *explaining, JsonOut *out) {
    for (int64_t row = 0; row < explaining->asked; row++)
        write_numbers(out, NULL, explaining->attributions + row * explaining->width,
                      explaining->inputs.lengths[row]);
}

// The token as text: U+FFFD for a byte that makes none, "?" for one that is not known.
static void token_text(const Vocabulary *vocabulary, int32_t id, Text *text) {
    TokenDecoder decoder = {.vocabulary = vocabulary};
    text_clear(text);
    decoder_add(&decoder, id, text);
    decoder_end(&decoder, text);
    if (text->length == 0)
        text_add(text, id == TOKEN_PADDING ? "" : "?");
}

static void write_tokens(const Explaining *explaining, JsonOut *out) {
    Text text;
    text_init(&text);
    json_begin_array(out, "tokens");
    for (int64_t row = 0; row < explaining->asked; row++) {
        const float *ids = explaining->inputs.values + row * explaining->width;
        json_begin_array(out, NULL);
        for (int64_t t = 0; t < explaining->inputs.lengths[row]; t++) {
            token_text(&explaining->model->vocabulary, (int32_t)ids[t], &text);
            json_string(out, NULL, text_string(&text));
        }
        json_end_array(out);
    }
    json_end_array(out);
    text_finish(&text);
}

// ---- graphs ----

// Each graph's nodes, [nodes, features].
static void write_graphs(const Explaining *explaining, JsonOut *out) {
    const GraphData *graphs = graphs_of(explaining);
    const double *at = explaining->attributions;
    for (int64_t g = 0; g < graphs->graphs; g++) {
        json_begin_array(out, NULL);
        for (int64_t v = 0; v < graph_data_nodes(graphs, g); v++, at += explaining->width)
            write_numbers(out, NULL, at, explaining->width);
        json_end_array(out);
    }
}

// For each node asked, those nodes that it hangs on.
static void write_nodes(const Explaining *explaining, JsonOut *out) {
    const double *at = explaining->attributions;
    for (int64_t i = 0; i < explaining->asked; i++) {
        json_begin_array(out, NULL);
        for (int64_t v = 0; v < explaining->rows; v++, at += explaining->width) {
            bool any = false;
            for (int64_t k = 0; k < explaining->width && !any; k++)
                any = at[k] != 0;
            if (!any)
                continue;
            json_begin_object(out, NULL);
            json_integer(out, "node", v);
            write_numbers(out, "features", at, explaining->width);
            json_end_object(out);
        }
        json_end_array(out);
    }
}

// ---- the ranking ----

typedef struct Ranked {
    int64_t feature;
    double importance;
} Ranked;

static int compare(const void *a, const void *b) {
    const Ranked *x = a, *y = b;
    if (x->importance != y->importance)
        return x->importance < y->importance ? 1 : -1;
    return (x->feature > y->feature) - (x->feature < y->feature);
}

static int64_t rows_of(const Explaining *explaining) {
    const GraphData *graphs = graphs_of(explaining);
    if (graphs == NULL)
        return explaining->asked;
    bool nodes = predictor_task(explaining->model->predictor)->rows == ROWS_NODES;
    return nodes ? explaining->asked * explaining->rows : graphs->nodes;
}

// Which feature a number of a row is: of a series its column.
static int64_t features_of(const Explaining *explaining) {
    const LoadedModel *model = explaining->model;
    if (is_text(explaining))
        return vocabulary_size(&model->vocabulary);
    if (is_table(explaining))
        return (int64_t)model->columns->count;
    return predictor_forecast(model->predictor) != NULL ? shape_last(&model->input)
                                                        : explaining->width;
}

static void rank_all(const Explaining *explaining, Ranked *ranked, int64_t features) {
    const LoadedModel *model = explaining->model;
    int64_t width = explaining->width;
    for (int64_t f = 0; f < features; f++)
        ranked[f].feature = f;
    for (int64_t row = 0; row < rows_of(explaining); row++) {
        const double *at = explaining->attributions + row * width;
        for (int64_t k = 0; is_table(explaining) && k < features; k++)
            ranked[k].importance +=
                fabs(column_attribution(explaining, &model->columns->items[k], row));
        for (int64_t k = 0; !is_table(explaining) && k < width; k++) {
            if (is_text(explaining) && k >= explaining->inputs.lengths[row])
                break;
            int64_t f = is_text(explaining) ? (int64_t)explaining->inputs.values[row * width + k]
                                            : k % features;
            ranked[f].importance += fabs(at[k]);
        }
    }
}

// "12" of a row of numbers, "3,5" of an image: where it stands.
static void place_text(const Shape *shape, int64_t index, Text *text) {
    int64_t place[SHAPE_RANK_MAX];
    for (int i = shape->rank - 1; i >= 0; i--) {
        place[i] = index % shape->dim[i];
        index /= shape->dim[i];
    }
    for (int i = 0; i < shape->rank; i++)
        text_add_format(text, "%s%lld", i > 0 ? "," : "", (long long)place[i]);
}

static void feature_text(const Explaining *explaining, int64_t feature, int64_t features,
                         Text *text) {
    const LoadedModel *model = explaining->model;
    text_clear(text);
    if (is_text(explaining))
        token_text(&model->vocabulary, (int32_t)feature, text);
    else if (model->columns != NULL && (int64_t)model->columns->count == features)
        text_add(text, model->columns->items[feature].name);
    else if (features == explaining->width && graphs_of(explaining) == NULL)
        place_text(&model->input, feature, text);
    else
        text_add_format(text, "%lld", (long long)feature);
}

static void write_ranking(const Explaining *explaining, JsonOut *out) {
    int64_t features = features_of(explaining);
    AUTO_FREE Ranked *ranked = memory_array((size_t)features, sizeof *ranked);
    Text name;
    if (ranked == NULL) {
        out->text.failed = true;
        return;
    }
    rank_all(explaining, ranked, features);
    qsort(ranked, (size_t)features, sizeof *ranked, compare);
    text_init(&name);
    json_begin_array(out, "ranking");
    for (int64_t i = 0; i < features && i < RANKED_MAX && ranked[i].importance > 0; i++) {
        feature_text(explaining, ranked[i].feature, features, &name);
        json_begin_object(out, NULL);
        json_string(out, "feature", text_string(&name));
        json_number(out, "importance", ranked[i].importance / (double)explaining->asked);
        json_end_object(out);
    }
    json_end_array(out);
    text_finish(&name);
}

// ---- completeness ----

// Numbers of the attributions that belong to what was asked as its number `asked`.
static const double *own_numbers(const Explaining *explaining, int64_t asked, int64_t *ret_count) {
    const GraphData *graphs = graphs_of(explaining);
    if (graphs == NULL || predictor_task(explaining->model->predictor)->rows == ROWS_NODES) {
        *ret_count = explaining->rows * explaining->width;
        return explaining->attributions + asked * *ret_count;
    }
    int64_t first = graphs->first_node == NULL ? 0 : graphs->first_node[asked];
    *ret_count = graph_data_nodes(graphs, asked) * explaining->width;
    return explaining->attributions + first * explaining->width;
}

static void write_completeness(const Explaining *explaining, JsonOut *out) {
    double worst = 0;
    json_begin_object(out, "completeness");
    json_integer(out, "steps", explaining->options.steps);
    json_begin_array(out, "targets");
    for (int64_t i = 0; i < explaining->asked; i++) {
        int64_t count;
        const double *numbers = own_numbers(explaining, i, &count);
        double sum = 0, difference = explaining->outputs[i] - explaining->baselines[i];
        for (int64_t k = 0; k < count; k++)
            sum += numbers[k];
        worst = fmax(worst, fabs(sum - difference));
        json_begin_object(out, NULL);
        json_number(out, "baseline_output", explaining->baselines[i]);
        json_number(out, "difference", difference);
        json_number(out, "attributions_sum", sum);
        json_end_object(out);
    }
    json_end_array(out);
    json_number(out, "max_error", worst);
    json_end_object(out);
}

// ---- the answer ----

static void write_targets(const Explaining *explaining, JsonOut *out) {
    const Predictor *predictor = explaining->model->predictor;
    json_begin_array(out, "targets");
    for (int64_t i = 0; i < explaining->asked; i++) {
        const char *name = predictor_class_name(predictor, explaining->targets[i]);
        if (name != NULL)
            json_string(out, NULL, name);
        else
            json_integer(out, NULL, explaining->targets[i]);
    }
    json_end_array(out);
}

void explaining_write(const Explaining *explaining, JsonOut *out) {
    const LoadedModel *model = explaining->model;
    const Forecast *forecast = predictor_forecast(model->predictor);
    json_begin_object(out, NULL);
    json_string(out, "method", explain_methods[explaining->options.method]);
    if (explaining->baselines != NULL)
        json_string(out, "baseline", explain_baselines[explaining->options.baseline]);
    if (forecast != NULL)
        json_string(out, "transform", transform_name(forecast->transform));
    write_targets(explaining, out);
    write_numbers(out, "outputs", explaining->outputs, explaining->asked);
    if (is_text(explaining))
        write_tokens(explaining, out);
    json_begin_array(out, "attributions");
    if (is_text(explaining))
        write_texts(explaining, out);
    else if (is_table(explaining))
        write_table(explaining, out);
    else if (graphs_of(explaining) == NULL)
        write_rows(explaining, out);
    else if (predictor_task(model->predictor)->rows == ROWS_NODES)
        write_nodes(explaining, out);
    else
        write_graphs(explaining, out);
    json_end_array(out);
    write_ranking(explaining, out);
    if (explaining->baselines != NULL)
        write_completeness(explaining, out);
    json_end_object(out);
}
