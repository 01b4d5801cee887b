// A document is cJSON's tree of the scanned text, behind the core's Value reader.
//
// What always holds: cJSON only ever sees text that the strict scanner has passed, so that none of
// its leniencies can be met; its memory is ours (counted, and made to fail by tests); look-ups go
// by exact key through Value.
#include "server/json/document.h"
#include <cjson/cJSON.h>
#include <pthread.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/json/scan.h"

struct Document {
    cJSON *root;
    ScanLift lifts[SCAN_LIFTS_MAX]; // [lift_count]
    size_t lift_count;
    bool mapped; // the text
};

// ---- reading ----

static ValueKind node_kind(const void *node) {
    switch (((const cJSON *)node)->type & 0xFF) {
    case cJSON_False:
    case cJSON_True:
        return VALUE_BOOLEAN;
    case cJSON_Number:
        return VALUE_NUMBER;
    case cJSON_String:
        return VALUE_STRING;
    case cJSON_Array:
        return VALUE_ARRAY;
    case cJSON_Object:
        return VALUE_OBJECT;
    default:
        return VALUE_NULL;
    }
}

static bool node_boolean(const void *node) {
    return cJSON_IsTrue(node);
}

static double node_number(const void *node) {
    return ((const cJSON *)node)->valuedouble;
}

static const char *node_string(const void *node) {
    return ((const cJSON *)node)->valuestring;
}

static const void *node_child(const void *node) {
    return ((const cJSON *)node)->child;
}

static const void *node_next(const void *node) {
    return ((const cJSON *)node)->next;
}

static const char *node_key(const void *node) {
    return ((const cJSON *)node)->string;
}

static const ValueReader reader = {
    .kind = node_kind,
    .boolean = node_boolean,
    .number = node_number,
    .string = node_string,
    .child = node_child,
    .next = node_next,
    .key = node_key,
};

// ---- making ----

static void *allocate(size_t size) {
    return memory_array(size, 1);
}

static void set_hooks(void) {
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = allocate, .free_fn = memory_free});
}

static void use_our_memory(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_hooks);
}

int document_parse(const char *text, size_t length, const char *const *lifted, Issues *issues,
                   Document **ret_document) {
    Source source = source_in_memory(text, length);
    return document_parse_source(&source, lifted, issues, ret_document);
}

int document_parse_source(const Source *source, const char *const *lifted, Issues *issues,
                          Document **ret_document) {
    use_our_memory();
    Scan scan;
    int result = scan_json(source, lifted, issues, &scan);
    if (result != OK) {
        return result;
    }
    Document *document = memory_new(Document);
    if (document != NULL) {
        memcpy(document->lifts, scan.lifts, sizeof scan.lifts);
        document->lift_count = scan.lift_count;
        document->root = scan.reduced_used
                             ? cJSON_ParseWithLength(scan.reduced.data, scan.reduced.length)
                             : cJSON_ParseWithLength(source->text, source->length);
        document->mapped = source->mapped;
    }
    scan_finish(&scan);
    if (document == NULL || document->root == NULL) {
        // The text is valid, so only memory can have been missing.
        memory_free(document);
        return ERR_NO_MEMORY;
    }
    *ret_document = document;
    return OK;
}

void document_destroy(Document *document) {
    if (document != NULL) {
        cJSON_Delete(document->root);
        memory_free(document);
    }
}

Value document_root(const Document *document) {
    return (Value){&reader, document->root};
}

bool document_mapped(const Document *document) {
    return document->mapped;
}

bool document_lifted(const Document *document, const char *pointer, const char **ret_text,
                     size_t *ret_length) {
    for (size_t i = 0; i < document->lift_count; i++) {
        if (strcmp(document->lifts[i].pointer, pointer) == 0) {
            *ret_text = document->lifts[i].text;
            *ret_length = document->lifts[i].length;
            return true;
        }
    }
    return false;
}

// ---- merging (RFC 7396) ----

// Both take ownership of `item`, also on failure; NULL items are the failure of the call that made
// them.
static bool give_item(cJSON *array, cJSON *item) {
    if (item != NULL && cJSON_AddItemToArray(array, item)) {
        return true;
    }
    cJSON_Delete(item);
    return false;
}

static bool give_member(cJSON *object, const char *key, cJSON *item) {
    if (item != NULL && cJSON_AddItemToObject(object, key, item)) {
        return true;
    }
    cJSON_Delete(item);
    return false;
}

static cJSON *copy(Value value) {
    switch (value_kind(value)) {
    case VALUE_BOOLEAN:
        return cJSON_CreateBool(value_boolean(value));
    case VALUE_NUMBER:
        return cJSON_CreateNumber(value_number(value));
    case VALUE_STRING:
        return cJSON_CreateString(value_string(value));
    case VALUE_ARRAY:
    case VALUE_OBJECT: {
        bool array = value_kind(value) == VALUE_ARRAY;
        cJSON *made = array ? cJSON_CreateArray() : cJSON_CreateObject();
        VALUE_FOREACH(item, value) {
            if (made == NULL || !(array ? give_item(made, copy(item))
                                        : give_member(made, value_key(item), copy(item)))) {
                cJSON_Delete(made);
                return NULL;
            }
        }
        return made;
    }
    default:
        return cJSON_CreateNull();
    }
}

static cJSON *merge(Value target, Value patch) {
    if (value_kind(patch) != VALUE_OBJECT) {
        return copy(patch);
    }
    cJSON *made = cJSON_CreateObject();
    bool well = made != NULL;
    bool has_members = value_kind(target) == VALUE_OBJECT;
    if (has_members) {
        VALUE_FOREACH(member, target) {
            const char *key = value_key(member);
            Value change = value_member(patch, key);
            if (well && value_kind(change) != VALUE_NULL) {
                cJSON *item =
                    value_kind(change) == VALUE_MISSING ? copy(member) : merge(member, change);
                well = give_member(made, key, item);
            }
        }
    }
    VALUE_FOREACH(change, patch) {
        const char *key = value_key(change);
        bool known = has_members && value_kind(value_member(target, key)) != VALUE_MISSING;
        if (well && !known && value_kind(change) != VALUE_NULL) {
            well = give_member(made, key, merge(VALUE_NONE, change));
        }
    }
    if (!well) {
        cJSON_Delete(made);
        return NULL;
    }
    return made;
}

int document_merge(Value target, Value patch, Document **ret_document) {
    use_our_memory();
    Document *document = memory_new(Document);
    if (document == NULL) {
        return ERR_NO_MEMORY;
    }
    document->root = merge(target, patch);
    if (document->root == NULL) {
        memory_free(document);
        return ERR_NO_MEMORY;
    }
    *ret_document = document;
    return OK;
}
