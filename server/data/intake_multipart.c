// multipart/form-data: the arrays as files, and what goes beside them as texts. The texts become the JSON object that they
// would be in a JSON body, so that the form of rows (intake_rows.c) takes both and says the same of both.
#include <string.h>
#include "core/base/descriptor.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "server/base/json_out.h"
#include "server/data/intake_form.h"
#include "server/http/multipart.h"

enum { PART_TEXT_MAX = 1 << 20 };

typedef enum PartKind { PART_ARRAY, PART_TEXT, PART_JSON } PartKind;

static const char *const part_names[] = {"inputs",       "targets",       "test_inputs",
                                         "test_targets", "name",          "task",
                                         "class_names",  "feature_names", "splits"};
static const PartKind part_kinds[] = {PART_ARRAY, PART_ARRAY, PART_ARRAY, PART_ARRAY, PART_TEXT,
                                      PART_TEXT,  PART_JSON,  PART_JSON,  PART_JSON};

typedef struct Parts {
    Issues *issues;
    bool seen[ARRAY_LENGTH(part_names)];
    Arrays arrays;
    JsonOut members; // the texts, as an object
} Parts;

static void part_issue(Parts *parts, const Part *part, const char *detail) {
    issues_add(parts->issues, PATH_KEY(NULL, part->name), "%s", detail);
}

static void unknown_part(Parts *parts, const Part *part) {
    const char *nearest = nearest_name(part->name, part_names, ARRAY_LENGTH(part_names));
    if (nearest != NULL) {
        issues_add(parts->issues, PATH_KEY(NULL, part->name), "unknown part; did you mean \"%s\"?",
                   nearest);
    } else {
        part_issue(
            parts, part,
            "unknown part; there are inputs, targets, test_inputs, test_targets, name, task, "
            "class_names, feature_names and splits");
    }
}

// A part that must be JSON itself, whose mistakes lie below its name.
static bool is_json(Parts *parts, const Part *part) {
    Issues found;
    issues_init(&found);
    Document *document = NULL;
    int result = document_parse_source(&part->bytes, NULL, &found, &document);
    document_destroy(document);
    for (size_t i = 0; i < found.count; i++) {
        issues_add(parts->issues, PATH_KEY(NULL, part->name),
                   "must be JSON, like [\"cat\", \"dog\"] for names: %s%s%s",
                   found.items[i].pointer, *found.items[i].pointer != '\0' ? " " : "",
                   found.items[i].detail);
    }
    parts->issues->failed |= found.failed || result == ERR_NO_MEMORY;
    issues_finish(&found);
    return result == OK;
}

static void take_text(Parts *parts, const Part *part, PartKind kind) {
    const Source *bytes = &part->bytes;
    if (bytes->length > PART_TEXT_MAX) {
        part_issue(parts, part, "has more than 1 MiB");
        return;
    }
    if (utf8_check(bytes->text, bytes->length) < bytes->length ||
        memchr(bytes->text, '\0', bytes->length) != NULL) {
        part_issue(parts, part, "is not UTF-8 text");
        return;
    }
    if (kind == PART_JSON && !is_json(parts, part)) {
        return;
    }
    Text text;
    text_init(&text);
    text_add_bytes(&text, bytes->text, bytes->length);
    if (kind == PART_JSON) {
        json_raw(&parts->members, part->name, text_string(&text));
    } else {
        json_string(&parts->members, part->name, text_string(&text));
    }
    parts->issues->failed |= text.failed;
    text_finish(&text);
}

static void take_part(Parts *parts, const Part *part) {
    size_t index = 0;
    while (index < ARRAY_LENGTH(part_names) && strcmp(part_names[index], part->name) != 0) {
        index++;
    }
    if (index == ARRAY_LENGTH(part_names)) {
        unknown_part(parts, part);
    } else if (parts->seen[index]) {
        part_issue(parts, part, "this part stands twice");
    } else if (part_kinds[index] == PART_ARRAY) {
        parts->arrays.items[parts->arrays.count++] =
            (ArrayMember){.key = part_names[index], .bytes = part->bytes};
    } else {
        take_text(parts, part, part_kinds[index]);
    }
    parts->seen[index < ARRAY_LENGTH(part_names) ? index : 0] |= index < ARRAY_LENGTH(part_names);
}

// ERR_DAMAGED, with an issue, where the body is no multipart/form-data.
static int take_parts(Parts *parts, const Source *source, const char *content_type) {
    Multipart multipart;
    Part part;
    int result = multipart_init(&multipart, content_type, source);
    while (result == OK && (result = multipart_next(&multipart, &part)) == OK) {
        take_part(parts, &part);
    }
    if (result == ERR_NOT_FOUND) {
        return OK;
    }
    issues_add_at(parts->issues, "", "byte %zu, part %d: %s", multipart.offset, multipart.parts,
                  multipart.error);
    return ERR_DAMAGED;
}

int intake_multipart(int directory, const Source *source, const char *content_type,
                     uint64_t unpacked_max, Issues *issues, DatasetRow *ret_row) {
    Parts parts = {.issues = issues, .arrays = {.left = &unpacked_max}};
    Document *document = NULL;
    json_init(&parts.members);
    json_begin_object(&parts.members, NULL);
    int result = take_parts(&parts, source, content_type);
    json_end_object(&parts.members);
    const Text *text = &parts.members.text;
    if (result == OK && text->failed) {
        result = ERR_NO_MEMORY;
    }
    if (result == OK) {
        result = document_parse(text_string(text), text->length, NULL, issues, &document);
    }
    if (result == OK) {
        result = intake_arrays(directory, document, &parts.arrays, issues, ret_row);
    }
    document_destroy(document);
    json_finish(&parts.members);
    return result;
}
