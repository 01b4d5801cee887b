// Words changed for others that mean the same, by a table of the user's: {"film": ["movie", "picture"]}. A word that stands in
// the table stays, or becomes one of its alternatives, each with the same probability.
//
// Words are read as the dataset's tokenizer reads them, so "Film" is "film"; what gives no or several tokens is refused.
// Alternatives, and words, that the dataset does not have are passed over: nobody makes a thesaurus for one dataset. A table
// of which nothing is left is refused.
//
// Prepared, alternatives lie one word after the other: those of token t in ids[starts[t]] … ids[starts[t + 1] − 1].
#include <string.h>
#include "core/base/error.h"
#include "core/train/augmentations/augmentations.h"

typedef struct SynonymParams {
    Value table;
} SynonymParams;

static const ParamSpec params[] = {
    {.name = "table",
     .type = PARAM_VALUE,
     .offset = offsetof(SynonymParams, table),
     .required = true,
     .help = "words and the lists of their alternatives: {\"film\": [\"movie\", \"picture\"]}"},
};

typedef struct Synonyms {
    int32_t *starts; // [vocabulary + 1]
    int32_t *ids;    // [starts[vocabulary]]
} Synonyms;

// ---- reading ----

typedef struct Pairs {
    const Vocabulary *vocabulary;
    Issues *issues;
    Tokenizer tokenizer;
    int tokens;     // of the text that is being read
    int32_t newest; // the newest one's id
    struct {
        int32_t word, alternative;
    } * items; // [count]
    size_t count;
} Pairs;

static void take(void *context, const char *token, size_t length) {
    Pairs *pairs = context;
    pairs->tokens++;
    pairs->newest = vocabulary_id(pairs->vocabulary, token, length);
}

// The id of a word, TOKEN_UNKNOWN where the dataset has it not; false where it is no single word.
static bool read_word(Pairs *pairs, const char *text, const Path *path, int32_t *ret_id) {
    pairs->tokens = 0;
    tokenizer_run(&pairs->tokenizer, text, strlen(text));
    *ret_id = pairs->newest;
    if (pairs->tokens == 1)
        return true;
    issues_add(pairs->issues, path, "must be one word of letters and digits, not \"%.60s\"", text);
    return false;
}

static void read_alternatives(Pairs *pairs, Value list, const Path *path) {
    int32_t word, alternative;
    bool known = read_word(pairs, value_key(list), path, &word) && word != TOKEN_UNKNOWN;
    if (value_kind(list) != VALUE_ARRAY) {
        issues_add(pairs->issues, path, "must be a list of words, not %s",
                   value_kind_name(value_kind(list)));
        return;
    }
    size_t index = 0;
    VALUE_FOREACH(item, list) {
        const Path *place = PATH_INDEX(path, index++);
        if (value_string(item) == NULL)
            issues_add(pairs->issues, place, "must be a word, not %s",
                       value_kind_name(value_kind(item)));
        else if (read_word(pairs, value_string(item), place, &alternative) && known &&
                 alternative != TOKEN_UNKNOWN && alternative != word) {
            pairs->items[pairs->count].word = word;
            pairs->items[pairs->count++].alternative = alternative;
        }
    }
}

static int read_table(Pairs *pairs, Value table, const Path *path, Arena *arena) {
    Issues *issues = pairs->issues;
    size_t before = issues->count + issues->omitted, all = 0;
    VALUE_FOREACH(list, table) {
        all += value_length(list);
    }
    pairs->items = arena_array(arena, all, sizeof(*pairs->items));
    if (pairs->items == NULL)
        return ERR_NO_MEMORY;
    int error = tokenizer_init(&pairs->tokenizer, pairs->vocabulary->kind, take, pairs);
    if (error != OK)
        return error;
    VALUE_FOREACH(list, table) {
        read_alternatives(pairs, list, PATH_KEY(path, value_key(list)));
    }
    tokenizer_finish(&pairs->tokenizer);
    if (issues->count + issues->omitted > before)
        return ERR_INVALID;
    if (pairs->count > 0)
        return OK;
    issues_add(issues, path, "has no word and alternative that are both in the dataset");
    return ERR_INVALID;
}

// Sorts the pairs by their words, by counting.
static int arrange(const Pairs *pairs, Arena *arena, Synonyms *ret_synonyms) {
    int64_t vocabulary = vocabulary_size(pairs->vocabulary);
    int32_t *starts = arena_array(arena, (size_t)vocabulary + 1, sizeof(*starts));
    int32_t *ids = arena_array(arena, pairs->count, sizeof(*ids));
    if (starts == NULL || ids == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < pairs->count; i++)
        starts[pairs->items[i].word + 1]++;
    for (int64_t t = 0; t < vocabulary; t++)
        starts[t + 1] += starts[t];
    for (size_t i = pairs->count; i-- > 0;)
        ids[--starts[pairs->items[i].word + 1]] = pairs->items[i].alternative;
    // Each start has moved to the begin of its word: to the end of the one before.
    memmove(starts, starts + 1, (size_t)vocabulary * sizeof(*starts));
    starts[vocabulary] = (int32_t)pairs->count;
    *ret_synonyms = (Synonyms){starts, ids};
    return OK;
}

static int prepare(const void *untyped, const AugmentTask *task, const Path *path, Issues *issues,
                   Arena *arena, const void **ret_prepared) {
    Value table = ((const SynonymParams *)untyped)->table;
    path = PATH_KEY(path, "table");
    if (value_kind(table) != VALUE_OBJECT) {
        issues_add(issues, path, "must be an object of words and lists of words, not %s",
                   value_kind_name(value_kind(table)));
        return ERR_INVALID;
    }
    if (task->vocabulary->kind != TOKENIZER_WORD) {
        issues_add(issues, path, "has words, and the dataset's texts have no tokens of words");
        return ERR_INVALID;
    }
    Synonyms *synonyms = arena_new(arena, Synonyms);
    Pairs pairs = {.vocabulary = task->vocabulary, .issues = issues};
    int result = synonyms == NULL ? ERR_NO_MEMORY : read_table(&pairs, table, path, arena);
    if (result == OK)
        result = arrange(&pairs, arena, synonyms);
    if (result == OK)
        *ret_prepared = synonyms;
    return result;
}

static void apply(const void *prepared, const AugmentRow *text, Rng *rng) {
    const Synonyms *synonyms = prepared;
    for (int64_t i = 0; i < text->count; i++) {
        const int32_t *start = synonyms->starts + (int32_t)text->values[i];
        uint64_t alternatives = (uint64_t)(start[1] - start[0]);
        if (alternatives == 0)
            continue;
        uint64_t chosen = rng_below(rng, alternatives + 1);
        if (chosen < alternatives)
            text->values[i] = (Real)synonyms->ids[start[0] + (int32_t)chosen];
    }
}

const AugmentationDesc augmentation_synonym = {
    .desc = {.name = "synonym",
             .summary = "Changes words for others of the same meaning.",
             .reference = "Zhang et al. 2015, Character-level Convolutional Networks, section 2.4",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(SynonymParams),
             .probes =
                 (const char *const[]){"{\"table\": {\"film\": [\"movie\", \"picture\"]}}", NULL}},
    .rows = AUGMENT_TEXTS,
    .prepare = prepare,
    .apply = apply,
};
