// A recursive-descent reader and a writer of JSON for tests; see json.h for what they trust.
#include "tests/support/json.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Node {
    ValueKind kind;
    bool boolean;
    double number;
    const char *string, *key;
    struct Node *child, *next;
} Node;

typedef struct Reader {
    Arena *arena;
    const char *at, *text;
} Reader;

static _Noreturn void stop(const Reader *reader, const char *expected) {
    fprintf(stderr, "a test's JSON lacks %s at byte %td of: %s\n", expected,
            reader->at - reader->text, reader->text);
    abort();
}

static char skip_blanks(Reader *reader) {
    while (isspace((unsigned char)*reader->at)) {
        reader->at++;
    }
    return *reader->at;
}

static bool accept(Reader *reader, const char *token) {
    skip_blanks(reader);
    if (strncmp(reader->at, token, strlen(token)) != 0) {
        return false;
    }
    reader->at += strlen(token);
    return true;
}

static void expect(Reader *reader, const char *token) {
    if (!accept(reader, token)) {
        stop(reader, token);
    }
}

static void *allocate(Reader *reader, size_t bytes) {
    void *memory = arena_array(reader->arena, bytes, 1);
    if (memory == NULL) {
        stop(reader, "memory");
    }
    return memory;
}

static const char *read_string(Reader *reader) {
    expect(reader, "\"");
    char *string = allocate(reader, strlen(reader->at) + 1);
    size_t length = 0;
    for (; *reader->at != '"'; reader->at++) {
        if (*reader->at == '\0') {
            stop(reader, "\"");
        }
        if (*reader->at == '\\') {
            reader->at++;
            string[length++] = *reader->at == 'n' ? '\n' : *reader->at;
        } else {
            string[length++] = *reader->at;
        }
    }
    reader->at++;
    return string;
}

static Node *read_node(Reader *reader);

static void read_items(Reader *reader, Node *container, const char *end) {
    Node **place = &container->child;
    if (accept(reader, end)) {
        return;
    }
    do {
        const char *key = NULL;
        if (container->kind == VALUE_OBJECT) {
            key = read_string(reader);
            expect(reader, ":");
        }
        *place = read_node(reader);
        (*place)->key = key;
        place = &(*place)->next;
    } while (accept(reader, ","));
    expect(reader, end);
}

static Node *read_node(Reader *reader) {
    Node *node = allocate(reader, sizeof(Node));
    char first = skip_blanks(reader);
    if (accept(reader, "{")) {
        node->kind = VALUE_OBJECT;
        read_items(reader, node, "}");
    } else if (accept(reader, "[")) {
        node->kind = VALUE_ARRAY;
        read_items(reader, node, "]");
    } else if (first == '"') {
        node->kind = VALUE_STRING;
        node->string = read_string(reader);
    } else if (accept(reader, "null")) {
        node->kind = VALUE_NULL;
    } else if (accept(reader, "true")) {
        node->kind = VALUE_BOOLEAN;
        node->boolean = true;
    } else if (accept(reader, "false")) {
        node->kind = VALUE_BOOLEAN;
    } else {
        char *end;
        node->kind = VALUE_NUMBER;
        node->number = strtod(reader->at, &end);
        if (end == reader->at) {
            stop(reader, "a value");
        }
        reader->at = end;
    }
    return node;
}

static ValueKind node_kind(const void *node) {
    return ((const Node *)node)->kind;
}

static bool node_boolean(const void *node) {
    return ((const Node *)node)->boolean;
}

static double node_number(const void *node) {
    return ((const Node *)node)->number;
}

static const char *node_string(const void *node) {
    return ((const Node *)node)->string;
}

static const void *node_child(const void *node) {
    return ((const Node *)node)->child;
}

static const void *node_next(const void *node) {
    return ((const Node *)node)->next;
}

static const char *node_key(const void *node) {
    return ((const Node *)node)->key;
}

Value json_value(Arena *arena, const char *text) {
    static const ValueReader value_reader = {node_kind,  node_boolean, node_number, node_string,
                                             node_child, node_next,    node_key};
    Reader reader = {arena, text, text};
    Value value = {&value_reader, read_node(&reader)};
    if (skip_blanks(&reader) != '\0') {
        stop(&reader, "its end");
    }
    return value;
}

// ---- writing ----

static void separate(JsonWriter *writer) {
    if (writer->needs_comma) {
        text_add_char(&writer->text, ',');
    }
    writer->needs_comma = true;
}

static void open_container(JsonWriter *writer, char bracket) {
    separate(writer);
    text_add_char(&writer->text, bracket);
    writer->needs_comma = false;
}

static void close_container(JsonWriter *writer, char bracket) {
    text_add_char(&writer->text, bracket);
    writer->needs_comma = true;
}

static void add_quoted(JsonWriter *writer, const char *string) {
    text_add_char(&writer->text, '"');
    for (; *string != '\0'; string++) {
        if (*string == '"' || *string == '\\') {
            text_add_char(&writer->text, '\\');
        }
        text_add_char(&writer->text, *string);
    }
    text_add_char(&writer->text, '"');
}

static void put_begin_object(void *context) {
    open_container(context, '{');
}

static void put_end_object(void *context) {
    close_container(context, '}');
}

static void put_begin_array(void *context) {
    open_container(context, '[');
}

static void put_end_array(void *context) {
    close_container(context, ']');
}

static void put_null(void *context) {
    JsonWriter *writer = context;
    separate(writer);
    text_add(&writer->text, "null");
}

static void put_key(void *context, const char *key) {
    JsonWriter *writer = context;
    separate(writer);
    add_quoted(writer, key);
    text_add_char(&writer->text, ':');
    writer->needs_comma = false;
}

static void put_string(void *context, const char *string) {
    JsonWriter *writer = context;
    if (string == NULL) {
        put_null(context);
        return;
    }
    separate(writer);
    add_quoted(writer, string);
}

static void put_number(void *context, double number) {
    JsonWriter *writer = context;
    if (!isfinite(number)) {
        put_string(context, isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
        return;
    }
    separate(writer);
    text_add_format(&writer->text, "%.15g", number);
}

static void put_integer(void *context, int64_t integer) {
    JsonWriter *writer = context;
    separate(writer);
    text_add_format(&writer->text, "%lld", (long long)integer);
}

static void put_boolean(void *context, bool boolean) {
    JsonWriter *writer = context;
    separate(writer);
    text_add(&writer->text, boolean ? "true" : "false");
}

void json_writer_init(JsonWriter *writer) {
    *writer = (JsonWriter){0};
}

void json_writer_finish(JsonWriter *writer) {
    text_finish(&writer->text);
}

ValueWriter json_value_writer(JsonWriter *writer) {
    return (ValueWriter){
        .context = writer,
        .begin_object = put_begin_object,
        .end_object = put_end_object,
        .begin_array = put_begin_array,
        .end_array = put_end_array,
        .key = put_key,
        .string = put_string,
        .number = put_number,
        .integer = put_integer,
        .boolean = put_boolean,
        .null = put_null,
    };
}
