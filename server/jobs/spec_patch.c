#include "server/jobs/spec_patch.h"

#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/losses/losses.h"
#include "core/optimizers/optimizers.h"
#include "core/schedules/schedules.h"
#include "server/base/json_out.h"

// ---- what a change of type leaves behind ----

static const struct {
    const char *key;
    const Registry *registry;
} entries[] = {
    {"optimizer", &optimizer_registry},
    {"schedule", &schedule_registry},
    {"loss", &loss_registry},
};

static bool takes(const Desc *desc, const char *name) {
    for (size_t i = 0; i < desc->param_count; i++)
        if (strcmp(desc->params[i].name, name) == 0)
            return true;
    return false;
}

// Nulls for the members of `entry` that the type in `change` does not have, as an object under `key`.
static void write_leftovers(const Registry *registry, const char *key, Value entry, Value change,
                            JsonOut *out) {
    const char *before = value_string(value_member(entry, "type"));
    const char *after = value_string(value_member(change, "type"));
    const Desc *desc = after == NULL ? NULL : registry_find(registry, after);
    if (before == NULL || desc == NULL || strcmp(before, after) == 0)
        return;
    json_begin_object(out, key);
    VALUE_FOREACH(member, entry) {
        const char *name = value_key(member);
        if (strcmp(name, "type") != 0 && !takes(desc, name) &&
            value_kind(value_member(change, name)) == VALUE_MISSING)
            json_null(out, name);
    }
    json_end_object(out);
}

// As a patch of its own: {"training": {"optimizer": {"beta1": null, …}}}.
static int leftovers(Value spec, Value patch, char **ret_text, Document **ret_document) {
    Value training = value_member(spec, "training"), changes = value_member(patch, "training");
    JsonOut out;
    Issues issues;
    json_init(&out);
    json_begin_object(&out, NULL);
    if (value_kind(training) == VALUE_OBJECT) {
        json_begin_object(&out, "training");
        for (size_t i = 0; i < ARRAY_LENGTH(entries); i++)
            write_leftovers(entries[i].registry, entries[i].key,
                            value_member(training, entries[i].key),
                            value_member(changes, entries[i].key), &out);
        json_end_object(&out);
    }
    json_end_object(&out);
    size_t length = out.text.length;
    *ret_text = text_take(&out.text);
    if (*ret_text == NULL)
        return ERR_NO_MEMORY;
    issues_init(&issues);
    int error = document_parse(*ret_text, length, NULL, &issues, ret_document);
    issues_finish(&issues);
    return error;
}

int spec_patch(Value spec, Value patch, Document **ret_document) {
    AUTO_FREE char *text = NULL;
    Document *merged = NULL, *rest = NULL;
    int error = document_merge(spec, patch, &merged);
    if (error == OK)
        error = leftovers(spec, patch, &text, &rest);
    if (error == OK)
        error = document_merge(document_root(merged), document_root(rest), ret_document);
    document_destroy(rest);
    document_destroy(merged);
    return error;
}

// ---- places ----

// The pointer's first key, unescaped (RFC 6901); returns what is behind it.
static const char *read_key(const char *pointer, char *key, size_t size) {
    size_t length = 0;
    pointer++;
    for (; *pointer != '\0' && *pointer != '/'; pointer++) {
        char c = *pointer;
        if (c == '~' && (pointer[1] == '0' || pointer[1] == '1'))
            c = *++pointer == '0' ? '~' : '/';
        if (length + 1 < size)
            key[length++] = c;
    }
    key[length] = '\0';
    return pointer;
}

bool spec_patch_names(Value patch, const char *pointer) {
    if (value_kind(patch) == VALUE_MISSING || *pointer == '\0')
        return false;
    while (*pointer == '/' && value_kind(patch) == VALUE_OBJECT) {
        char key[256];
        pointer = read_key(pointer, key, sizeof key);
        patch = value_member(patch, key);
    }
    return value_kind(patch) != VALUE_MISSING;
}

// ---- whole specs ----

int spec_reseed(Value spec, int64_t seed, Document **ret_document) {
    JsonOut out;
    Issues issues;
    Document *patch = NULL;
    json_init(&out);
    json_begin_object(&out, NULL);
    json_begin_object(&out, "training");
    json_integer(&out, "seed", seed);
    json_end_object(&out);
    json_end_object(&out);
    issues_init(&issues);
    int error = out.text.failed ? ERR_NO_MEMORY
                                : document_parse(text_string(&out.text), out.text.length, NULL,
                                                 &issues, &patch);
    if (error == OK)
        error = document_merge(spec, document_root(patch), ret_document);
    document_destroy(patch);
    issues_finish(&issues);
    json_finish(&out);
    return error;
}

char *spec_as_text(Value spec) {
    JsonOut out;
    json_init(&out);
    ValueWriter writer = json_writer(&out);
    write_value(&writer, NULL, spec);
    return text_take(&out.text);
}
