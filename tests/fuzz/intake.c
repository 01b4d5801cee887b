// Datasets as users send them: CSV, lines of JSON, every form of JSON, and IDX and NPY files in multipart. What is taken in can be opened and shown again; what is
// refused says why and leaves no file.
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/data/intake.h"
#include "server/data/rows.h"
#include "tests/fuzz/fuzz.h"

// The first character says how it comes.
static const char *const seeds[] = {
    "cage,color,class\n1.5,red,yes\n 7,,no\n,\"b\"\"lue\",yes\n",
    "ca,b\r\n1,2\r\n3,4\r\n",
    "c\"x\ny\",z\n1e3,a\n",
    "l{\"input\": [1, 2], \"target\": \"a\"}\n{\"input\": [3, null], \"target\": \"b\"}\n",
    "l{\"input\": 1, \"target\": 2.5}\n",
    "j{\"inputs\": [[0, 1], [1, 0], [1, 1]], \"targets\": [\"a\", \"b\", \"a\"], \"name\": \"x\", "
    "\"feature_names\": [\"p\", \"q\"]}",
    "j{\"inputs\": [[[[1], [2]], [[3], [4]]], [[[5], [6]], [[7], [8]]]], \"targets\": [0, 1], "
    "\"test_inputs\": [[[[1], [2]], [[3], [4]]]], "
    "\"test_targets\": [1]}",
    "j{\"inputs\": [{\"a\": 1, \"b\": \"x\"}, {\"a\": 2, \"b\": \"y\"}], \"targets\": [[1, 2], [3, "
    "4]], \"task\": \"regression\"}",
    "j{\"texts\": [\"a b c\", \"b c d\", \"e\"], \"targets\": [\"x\", \"y\", \"x\"], "
    "\"tokenizer\": \"word\", \"max_length\": 2}",
    "j{\"text\": \"to be or not to be, that is the question\", \"tokenizer\": \"char\"}",
    "j{\"series\": [[1, 2], [2, 4], [3, 6], [4, 8], [5, 10], [6, 12]], \"window\": 2, \"horizon\": "
    "1, \"transform\": \"difference\", "
    "\"columns\": [\"a\", \"b\"], \"target_columns\": [\"b\"]}",
    "j{\"graph\": {\"nodes\": [[1, 0], [0, 1], [1, 1]], \"edges\": [[0, 1], [1, 2]], \"targets\": "
    "[\"a\", \"b\", \"a\"], \"splits\": "
    "{\"train\": [0, 1], \"validation\": [2], \"test\": []}}}",
    "j{\"graph\": {\"nodes\": {\"shape\": [3, 4], \"indices\": [[0, 1], [2, 3]], \"values\": [1, "
    "2]}, \"edges\": [[0, 2]], \"directed\": "
    "true, \"targets\": [0, 1, 0], \"splits\": {\"train\": [0, 1, 2]}}}",
    "j{\"graphs\": [{\"nodes\": [[1], [2]], \"edges\": [[0, 1]]}, {\"nodes\": [[3]], \"edges\": "
    "[]}], \"targets\": [\"a\", \"b\"]}",
    "j{\"inputs\": [[1], [2], [3], [4]], \"targets\": [1.5, 2, 3, 4], \"splits\": {\"train\": [0, "
    "1], \"validation\": [2], \"test\": [3]}}"};

#define PART(name)                                                                                 \
    "--X\r\nContent-Disposition: form-data; name=\"" name "\"; filename=\"f\"\r\n\r\n"
#define NPY(length, shape, type)                                                                   \
    "\x93NUMPY\x01\x00" length "\x00{'descr': '" type "', 'fortran_order': False, 'shape': " shape \
    ", "                                                                                           \
    "}\n"

// Bytes with zeros in them: a multipart body of two arrays.
static const struct {
    const char *bytes;
    size_t length;
} files[] = {
#define FILE_SEED(text)                                                                            \
    { text, sizeof(text) - 1 }
    FILE_SEED("m" PART("inputs") "\0\0\x08\x03\0\0\0\x04\0\0\0\x02\0\0\0\x02"
                                 "abcdefghijklmnop"
                                 "\r\n" PART("targets") "\0\0\x08\x01\0\0\0\x04"
                                                        "\0\x01\0\x01"
                                                        "\r\n--X--\r\n"),
    FILE_SEED("m" PART("inputs")
                  NPY("\x3c", "(4, 2)", "<f4") "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                               "\r\n" PART("targets")
                                                   NPY("\x3a", "(4,)",
                                                       "|u1") "\0\x01\0\x01"
                                                              "\r\n" PART("name") "n"
                                                                                  "\r\n--X--\r\n"),
};

size_t fuzz_seed(unsigned pick, uint8_t *bytes, size_t max) {
    size_t count = ARRAY_LENGTH(seeds) + 2 * ARRAY_LENGTH(files), index = pick % count;
    if (index < ARRAY_LENGTH(seeds))
        return fuzz_text(seeds[index], bytes, max);
    index = (index - ARRAY_LENGTH(seeds)) / 2;
    size_t length = files[index].length < max ? files[index].length : max;
    memcpy(bytes, files[index].bytes, length);
    return length;
}

int fsync(int file) { // the disk is not at stake
    (void)file;
    return 0;
}

static int take_json(int directory, const char *text, size_t length, Issues *issues,
                     DatasetRow *row) {
    Document *document = NULL;
    int error = document_parse(text, length, intake_lifted_top, issues, &document);
    if (error == OK)
        error = intake_json(directory, document, document_root(document), "", issues, row);
    document_destroy(document);
    return error;
}

static void look_at(int directory, DatasetRow *row) {
    char path[96];
    Dataset *dataset = NULL;
    JsonOut out;
    snprintf(path, sizeof path, "datasets/%s.bpa", row->id);
    fuzz_assert(dataset_open(directory, path, true, &dataset) == OK);
    json_init(&out);
    json_begin_object(&out, NULL);
    fuzz_assert(rows_write(dataset, 0, 20, &out) == OK);
    json_end_object(&out);
    json_finish(&out);
    dataset_close(dataset);
    fuzz_assert(unlinkat(directory, path, 0) == 0);
    dataset_row_finish(row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int directory = -1;
    if (directory < 0) {
        directory = open(fuzz_folder(), O_RDONLY | O_DIRECTORY);
        fuzz_assert(directory >= 0 && mkdirat(directory, "datasets", 0700) == 0);
    }
    if (size == 0)
        return 0;
    size_t length = size - 1;
    char *text = malloc(length > 0 ? length : 1);
    Issues issues;
    DatasetRow row = {0};
    int error;
    fuzz_assert(text != NULL);
    memcpy(text, data + 1, length);
    issues_init(&issues);
    Source source = source_in_memory(text, length);
    IntakeWish wish = {.name = "x"};
    if (data[0] == 'c')
        error = intake_csv(directory, &source, &wish, &issues, &row);
    else if (data[0] == 'l')
        error = intake_ndjson(directory, &source, &wish, &issues, &row);
    else if (data[0] == 'm')
        error = intake_multipart(directory, &source, "multipart/form-data; boundary=X", 1 << 20,
                                 &issues, &row);
    else
        error = take_json(directory, text, length, &issues, &row);
    fuzz_assert(error == OK || issues.count > 0 || error == ERR_NO_MEMORY);
    if (error == OK)
        look_at(directory, &row);
    else
        fuzz_assert(row.name == NULL);
    issues_finish(&issues);
    free(text);
    return 0;
}
