#include "server/routes/generation.h"
#include "core/base/error.h"

// The line break that a prompt without tokens stands for, where there is one.
static int begin_line(Generation *generation) {
    const Vocabulary *vocabulary = &generation->model->vocabulary;
    if (vocabulary->kind == TOKENIZER_WORD || vocabulary_id(vocabulary, "\n", 1) == TOKEN_NONE)
        return OK;
    memory_free(generation->prompt.items);
    generation->prompt = (TokenIds){.items = memory_array(1, sizeof(int32_t)), .count = 1};
    if (generation->prompt.items == NULL)
        return ERR_NO_MEMORY;
    generation->prompt.items[0] = vocabulary_id(vocabulary, "\n", 1);
    return OK;
}

static int read_prompt(Generation *generation, const char *prompt, Issues *issues) {
    const Path *path = PATH_KEY(NULL, "prompt");
    int error =
        tokens_encode(&generation->model->vocabulary, prompt, path, issues, &generation->prompt);
    size_t least = (size_t)generator_least(generation->generator);
    if (error == OK && least > 1 && generation->prompt.count < least) {
        issues_add(issues, path,
                   "has %zu tokens, and this model needs %zu to begin with: its layers cannot tell "
                   "a shorter text from padding",
                   generation->prompt.count, least);
        return ERR_INVALID;
    }
    if (error == OK && generation->prompt.count == 0)
        error = begin_line(generation);
    size_t looked_at = (size_t)generator_window(generation->generator);
    if (looked_at == 0)
        looked_at = GENERATION_PROMPT_TOKENS;
    if (generation->prompt.count > looked_at)
        generation->read = generation->prompt.count - looked_at;
    return error;
}

// The memory is there already: of more than may be kept there is never more than the heavy handlers make at once.
static int reserve(Generation *generation) {
    size_t bytes = generator_bytes(generation->generator);
    if (!predictors_reserve(generation->predictors, bytes))
        return ERR_UNAVAILABLE;
    generation->reserved = bytes;
    return OK;
}

int generation_create(Predictors *predictors, LoadedModel *model, const char *prompt,
                      const Sampling *sampling, int64_t max_tokens, Issues *issues,
                      Generation **ret_generation) {
    Generation *generation = memory_new(Generation);
    if (generation == NULL) {
        predictors_leave(predictors, model);
        return ERR_NO_MEMORY;
    }
    *generation = (Generation){.predictors = predictors,
                               .model = model,
                               .sampling = *sampling,
                               .most = max_tokens,
                               .decoder = {.vocabulary = &model->vocabulary}};
    text_init(&generation->text);
    generation->tokens = memory_array((size_t)max_tokens, sizeof(int32_t));
    int error = generation->tokens == NULL
                    ? ERR_NO_MEMORY
                    : generator_create(model->predictor, model->spec, &generation->generator);
    if (error == OK)
        error = reserve(generation);
    if (error == OK)
        error = read_prompt(generation, prompt, issues);
    if (error != OK) {
        generation_destroy(generation);
        return error;
    }
    *ret_generation = generation;
    return OK;
}

void generation_destroy(Generation *generation) {
    if (generation == NULL)
        return;
    generator_destroy(generation->generator);
    predictors_release(generation->predictors, generation->reserved);
    predictors_leave(generation->predictors, generation->model);
    memory_free(generation->prompt.items);
    memory_free(generation->tokens);
    text_finish(&generation->text);
    memory_free(generation);
}

bool generation_ended(const Generation *generation) {
    return generation->count == generation->most;
}

// The next token, which the generator has taken.
static int draw(Generation *generation, int32_t *ret_token) {
    int32_t first = generation->model->vocabulary.reserved;
    if (generation->prompt.count > 0 || generation->count > 0)
        return generator_next(generation->generator, &generation->sampling, first,
                              (uint64_t)generation->count, ret_token);
    *ret_token = sampling_draw_first(&generation->sampling, first,
                                     vocabulary_size(&generation->model->vocabulary));
    generator_take(generation->generator, *ret_token);
    return OK;
}

int generation_step(Generation *generation) {
    int32_t token;
    if (generation->read < generation->prompt.count) {
        generator_take(generation->generator, generation->prompt.items[generation->read++]);
        return OK;
    }
    int error = draw(generation, &token);
    if (error != OK)
        return error;
    generation->tokens[generation->count++] = token;
    decoder_add(&generation->decoder, token, &generation->text);
    if (generation_ended(generation))
        decoder_end(&generation->decoder, &generation->text);
    return generation->text.failed ? ERR_NO_MEMORY : OK;
}
