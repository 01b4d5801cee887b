// Texts continued by a language model, whole or as Server-Sent Events.
//
//   event: token   {"text": "…", "tokens": [ids]}    what came since the last one: whole characters, so maybe of several tokens
//   event: end     the answer as it would be without "stream"
//   event: error   a problem, in place of the end
//
// Whole, an answer takes a thread for at most WHOLE_MS. A stream works in slices and leaves the thread to others between them;
// it goes on as fast as its reader takes what it gives, and ends when that is gone.
#include "server/routes/generate.h"
#include <string.h>
#include "core/base/error.h"
#include "server/base/time.h"
#include "server/http/problem.h"
#include "server/routes/common.h"
#include "server/routes/generation.h"

enum {
    PROMPT_BYTES_MAX = 65536,
    BODY_BYTES_MAX = 8 * PROMPT_BYTES_MAX, // a character of two bytes may come as \uXXXX
    WHOLE_MS = 20000,
    SLICE_MS = 20,
};

static const char too_many[] = "Too many texts are being generated.";
static const char not_numbers[] =
    "What the model makes of this text is no number: its training went out of all bounds.";

// ---- the body ----

typedef struct GenerateParams {
    const char *prompt; // NULL: none
    int64_t max_tokens;
    double temperature;
    int64_t top_k;
    int64_t seed;
    bool stream;
} GenerateParams;

#define FIELD(name) offsetof(GenerateParams, name)
static const ParamSpec params[] = {
    {.name = "prompt",
     .type = PARAM_STRING,
     .offset = FIELD(prompt),
     .help =
         "what the text goes on from, at most 65536 bytes; without it the text begins as behind "
         "a line break, or with any token where the vocabulary has no line break"},
    {.name = "max_tokens",
     .type = PARAM_INTEGER,
     .offset = FIELD(max_tokens),
     .default_number = 100,
     .minimum = 1,
     .maximum = 10000,
     .help = "how many tokens to generate: characters, words or bytes, as the corpus was cut"},
    {.name = "temperature",
     .type = PARAM_NUMBER,
     .offset = FIELD(temperature),
     .default_number = 1,
     .minimum = 0,
     .maximum = 100,
     .help = "logits are divided by it before the draw; 0 always takes the likeliest token"},
    {.name = "top_k",
     .type = PARAM_INTEGER,
     .offset = FIELD(top_k),
     .minimum = 0,
     .maximum = TOKENS_DISTINCT_MAX,
     .help = "draw only from the so many likeliest tokens; 0 from all"},
    {.name = "seed",
     .type = PARAM_INTEGER,
     .offset = FIELD(seed),
     .minimum = 0,
     .maximum = 9007199254740991, // every whole number up to here is exact in JSON
     .help = "decides the draws: the same seed gives the same text"},
    {.name = "stream",
     .type = PARAM_BOOLEAN,
     .offset = FIELD(stream),
     .help = "answer with Server-Sent Events: token, with the text and tokens that came; end, with "
             "the whole answer; error"},
};
#undef FIELD

const Desc generate_desc = {
    .name = "generate",
    .summary = "How a language model continues a text",
    .params = params,
    .param_count = ARRAY_LENGTH(params),
    .params_size = sizeof(GenerateParams),
};

// Every mistake of the body at once: what the prompt says is looked at even where other members are wrong. Takes the model.
static int body_read(const Document *document, Predictors *predictors, LoadedModel *model,
                     Arena *arena, Issues *issues, const GenerateParams **ret_params,
                     Generation **ret_generation) {
    const void *read = NULL;
    Value body = document_root(document);
    const char *prompt = value_string(value_member(body, "prompt"));
    int params_error = params_read(&generate_desc, body, NULL, NULL, arena, issues, &read);
    const GenerateParams *given = params_error == OK ? read : &(GenerateParams){.max_tokens = 1};
    const Sampling sampling = {given->temperature, given->top_k, (uint64_t)given->seed};
    if (prompt != NULL && strlen(prompt) > PROMPT_BYTES_MAX) {
        issues_add_at(issues, "/prompt", "must have at most %d bytes, not %zu", PROMPT_BYTES_MAX,
                      strlen(prompt));
        predictors_leave(predictors, model);
        return ERR_INVALID;
    }
    Generation *generation = NULL;
    int error = generation_create(predictors, model, prompt == NULL ? "" : prompt, &sampling,
                                  given->max_tokens, issues, &generation);
    if (error == OK && params_error != OK) {
        generation_destroy(generation);
        error = params_error;
    }
    if (error != OK)
        return error;
    *ret_params = given;
    *ret_generation = generation;
    return OK;
}

// ---- the answer ----

static void write_tokens(JsonOut *out, const Generation *generation, int64_t from) {
    json_begin_array(out, "tokens");
    for (int64_t i = from; i < generation->count; i++)
        json_integer(out, NULL, generation->tokens[i]);
    json_end_array(out);
}

static void write_answer(JsonOut *out, const Generation *generation) {
    json_begin_object(out, NULL);
    json_string(out, "text", text_string(&generation->text));
    write_tokens(out, generation, 0);
    json_string(out, "finish_reason", generation_ended(generation) ? "length" : "time");
    json_end_object(out);
}

static void answer_whole(Request *request, Generation *generation) {
    int64_t until = time_monotonic() + WHOLE_MS;
    int error = OK;
    while (error == OK && !generation_ended(generation) && time_monotonic() < until &&
           !http_draining(request_http(request)))
        error = generation_step(generation);
    if (error == ERR_INVALID) {
        answer_problem(request, 422, "%s", not_numbers);
    } else if (error != OK) {
        answer_error(request, error, NULL);
    } else if (!generation_ended(generation) && http_draining(request_http(request))) {
        answer_header(request, "Retry-After", "10");
        answer_problem(request, 503, "The server is about to stop.");
    } else {
        JsonOut out;
        json_init(&out);
        decoder_end(&generation->decoder, &generation->text);
        write_answer(&out, generation);
        out.text.failed |= generation->text.failed;
        answer_json(request, 200, &out);
        json_finish(&out);
    }
    generation_destroy(generation);
}

// ---- the stream ----

static void add_event(Text *out, const char *name, JsonOut *data) {
    text_add_format(out, "event: %s\ndata: ", name);
    text_add(out, text_string(&data->text));
    text_add(out, "\n\n");
    out->failed |= data->text.failed;
    json_finish(data);
}

typedef struct Writer {
    Generation *generation;
    size_t sent;         // bytes of the text
    int64_t sent_tokens; // of its tokens
} Writer;

static void add_token_event(Writer *writer, Text *out) {
    const Generation *generation = writer->generation;
    JsonOut data;
    json_init(&data);
    json_begin_object(&data, NULL);
    json_string(&data, "text", text_string(&generation->text) + writer->sent);
    write_tokens(&data, generation, writer->sent_tokens);
    json_end_object(&data);
    add_event(out, "token", &data);
    writer->sent = generation->text.length;
    writer->sent_tokens = generation->count;
}

static void add_last_event(const Writer *writer, int error, Text *out) {
    JsonOut data;
    json_init(&data);
    if (error == OK)
        write_answer(&data, writer->generation);
    else
        problem_write(&data, error == ERR_INVALID ? 422 : problem_status(error),
                      error == ERR_INVALID ? not_numbers : error_text(error), NULL);
    add_event(out, error == OK ? "end" : "error", &data);
}

static void writer_next(void *context, Text *out, bool *ret_end) {
    Writer *writer = context;
    Generation *generation = writer->generation;
    int64_t until = time_monotonic() + SLICE_MS;
    int error = OK;
    do {
        if (!generation_ended(generation))
            error = generation_step(generation);
        if (error == OK && generation->text.length > writer->sent)
            add_token_event(writer, out);
        *ret_end = error != OK || generation_ended(generation);
    } while (!*ret_end && time_monotonic() < until);
    if (*ret_end)
        add_last_event(writer, error, out);
    else if (out->length == 0) // whoever sends something is asked again at once
        text_add(out, ": \n\n");
}

static void writer_finish(void *context) {
    Writer *writer = context;
    generation_destroy(writer->generation);
    memory_free(writer);
}

static void answer_events(Request *request, Generation *generation) {
    Writer *writer = memory_new(Writer);
    if (writer == NULL) {
        generation_destroy(generation);
        answer_error(request, ERR_NO_MEMORY, NULL);
        return;
    }
    writer->generation = generation;
    const StreamSource source = {writer, writer_next, writer_finish, 0};
    Stream *stream;
    answer_header(request, "Cache-Control", "no-store");
    answer_stream(request, "text/event-stream", &source, &stream);
}

// ---- the route ----

// Takes the model.
static void generate_with(Request *request, const Document *document, LoadedModel *model) {
    const GenerateParams *given;
    Generation *generation;
    Issues issues;
    Arena arena;
    issues_init(&issues);
    arena_init(&arena, 0);
    int error = body_read(document, request_services(request)->predictors, model, &arena, &issues,
                          &given, &generation);
    if (error == ERR_INVALID)
        answer_issues(request, 422, &issues);
    else if (error != OK)
        answer_error(request, error, error == ERR_UNAVAILABLE ? too_many : NULL);
    else if (given->stream)
        answer_events(request, generation);
    else
        answer_whole(request, generation);
    arena_finish(&arena);
    issues_finish(&issues);
}

static void generate_post(Request *request) {
    Predictors *predictors = request_services(request)->predictors;
    char id[ID_TEXT];
    LoadedModel *model;
    int error = request_model(request, id);
    if (error == OK)
        error = predictors_share(predictors, id, &model);
    if (error != OK) {
        answer_error(request, error,
                     error == ERR_NOT_FOUND     ? "There is no such model."
                     : error == ERR_UNAVAILABLE ? too_many
                                                : NULL);
        return;
    }
    const Task *task = predictor_task(model->predictor);
    Document *document = NULL;
    if (task->kind != TASK_LANGUAGE_MODEL)
        answer_problem(request, 422,
                       "This model is no language model, which learns from a corpus "
                       "({\"text\": \"…\"}): it has no next token to tell. POST "
                       "/v1/models/%s/predict asks it.",
                       id);
    else
        document = body_parse(request, NULL, true);
    if (document != NULL)
        generate_with(request, document, model);
    else
        predictors_leave(predictors, model);
    document_destroy(document);
}

static const char *const produces[] = {"application/json", "text/event-stream", NULL};
static const int errors[] = {400, 404, 413, 415, 422, 503, 0};

static const RouteDesc routes[] = {
    {.method = "POST",
     .path = "/v1/models/{id}/generate",
     .tag = "models",
     .summary = "Continue a text with a language model",
     .accepts = http_accepts_json,
     .request_schema = "Generate",
     .max_body = BODY_BYTES_MAX,
     .status = 200,
     .produces = produces,
     .response_schema = "Generated",
     .errors = errors,
     .flags = ROUTE_HEAVY,
     .handler = generate_post},
};

const RouteGroup generate_routes = {"generate", NULL, routes, ARRAY_LENGTH(routes)};
