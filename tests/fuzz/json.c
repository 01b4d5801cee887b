// The strict JSON front, the walk over what was lifted, and the way back: what was read and written again is read the same.
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/json_out.h"
#include "server/json/document.h"
#include "server/json/span.h"
#include "tests/fuzz/fuzz.h"

static const char *const seeds[] = {
    "{\"dataset\": {\"inputs\": [[0, 0.5], [1e-3, -1]], \"targets\": [\"a\", \"b\"]}, \"model\": "
    "{\"layers\": [{\"type\": \"dense\", "
    "\"units\": 8}]}, \"training\": {\"epochs\": 3, \"seed\": 1, \"a\": null, \"b\": true, \"c\": "
    "false}}",
    "{\"inputs\": [[[1], [2]], {\"x\": [null, \"\\u00e9\\ud83d\\ude00\"]}], \"text\": "
    "\"a\\n\\tb\\\\\", \"e\": {}, \"f\": []}",
    "[0, -0, 1.5e300, 1e-400, 123456789012345678901234567890, "
    "0.1000000000000000055511151231257827021181583404541015625000000001]",
    "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"",
    "{\"a\": {\"b\": {\"c\": [[[[[[[1]]]]]]]}}, \"a/b~\": 1}",
    " [ true , false , null ] "};

size_t fuzz_seed(unsigned pick, uint8_t *bytes, size_t max) {
    return fuzz_text(seeds[pick % ARRAY_LENGTH(seeds)], bytes, max);
}

static void walk(Span *span, int depth) {
    Text text;
    double number;
    fuzz_assert(depth < JSON_DEPTH_MAX);
    switch (span_kind(span)) {
    case VALUE_NUMBER:
        fuzz_assert(span_number(span, &number) == OK);
        break;
    case VALUE_STRING:
        text_init(&text);
        span_string(span, &text);
        text_finish(&text);
        break;
    case VALUE_ARRAY:
        for (span_enter(span); span_next(span);)
            walk(span, depth + 1);
        break;
    case VALUE_OBJECT:
        for (span_enter(span); span_next(span);) {
            text_init(&text);
            span_key(span, &text);
            text_finish(&text);
            walk(span, depth + 1);
        }
        break;
    default:
        span_skip(span);
    }
}

static void again(const Document *document) {
    JsonOut out;
    Issues issues;
    Document *other = NULL, *merged = NULL;
    json_init(&out);
    issues_init(&issues);
    ValueWriter writer = json_writer(&out);
    write_value(&writer, NULL, document_root(document));
    fuzz_assert(document_parse(text_string(&out.text), out.text.length, NULL, &issues, &other) ==
                OK);
    fuzz_assert(document_merge(document_root(document), document_root(other), &merged) == OK);
    document_destroy(merged);
    document_destroy(other);
    issues_finish(&issues);
    json_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const lifted[] = {"/inputs", "/dataset/inputs", "/text", "/dataset/targets",
                                         NULL};
    char *text = malloc(size > 0 ? size : 1); // exactly as long, so that a byte too far is seen
    Issues issues;
    Document *document = NULL;
    fuzz_assert(text != NULL);
    memcpy(text, data, size);
    issues_init(&issues);
    int error = document_parse(text, size, lifted, &issues, &document);
    fuzz_assert(error == OK || error == ERR_NO_MEMORY || issues.count == 1);
    if (error == OK) {
        for (size_t i = 0; lifted[i] != NULL; i++) {
            const char *start;
            size_t length;
            if (document_lifted(document, lifted[i], &start, &length)) {
                fuzz_assert(start >= text && start + length <= text + size);
                Span span = {.at = start, .end = start + length};
                walk(&span, 0);
                fuzz_assert(span.at == start + length);
            }
        }
        again(document);
        document_destroy(document);
    }
    issues_finish(&issues);
    free(text);
    return 0;
}
