// A text that a language model is writing: its prompt read and its tokens drawn one after the other, each in a short step, so
// that whoever asks for it decides how long to go on.
//
// The next token depends on the last tokens of prompt and text together, as many as the model looks back at (see
// core/model/generator.h); a net that carries a state along has read the prompt's last GENERATION_PROMPT_TOKENS. A prompt without
// any token stands for a line break, where the vocabulary has one; else the first token is drawn evenly. Padding and the
// unknown word are never drawn.
#pragma once
#include "core/model/generator.h"
#include "core/tokens/encoding.h"
#include "server/routes/predictors.h"

enum { GENERATION_PROMPT_TOKENS = 1024 };

typedef struct Generation {
    Predictors *predictors;
    LoadedModel *model; // shared
    Generator *generator;
    size_t reserved; // bytes of the generator's that were reserved
    Sampling sampling;
    TokenIds prompt;
    size_t read;         // of the prompt's tokens
    int32_t *tokens;     // [max_tokens]
    int64_t count, most; // of the tokens: drawn, and to be drawn
    TokenDecoder decoder;
    Text text; // of the tokens drawn
} Generation;

// Takes the shared model in any case. ERR_INVALID: the issues say what is wrong with the prompt. ERR_UNAVAILABLE: others have
// the memory.
int generation_create(Predictors *predictors, LoadedModel *model, const char *prompt,
                      const Sampling *sampling, int64_t max_tokens, Issues *issues,
                      Generation **ret_generation);
void generation_destroy(Generation *generation); // takes NULL

bool generation_ended(const Generation *generation);
// Reads one token of the prompt, or draws one. ERR_INVALID: the net gives what is no number. ERR_NO_MEMORY.
int generation_step(Generation *generation);
