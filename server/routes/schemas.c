#include "server/routes/schemas.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/catalog/catalog.h"
#include "core/train/lr_range.h"
#include "server/routes/generate.h"

// ---- what the routes take and give ----

#define TEXT "{\"type\":\"string\"}"
#define TEXT_OR_NULL "{\"type\":[\"string\",\"null\"]}"
#define TIME "{\"type\":\"string\",\"format\":\"date-time\"}"
#define TIME_OR_NULL "{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}"
#define WHOLE "{\"type\":\"integer\"}"
#define NUMBER "{\"$ref\":\"#/components/schemas/Number\"}"
#define NUMBERS "{\"type\":\"array\",\"items\":" NUMBER "}"
#define WHOLES "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}"
#define TEXTS "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"
#define TEXTS_OR_NULL "{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"string\"}}"
#define ANY_OBJECT "{\"type\":\"object\"}"
#define ANY_OBJECT_OR_NULL "{\"type\":[\"object\",\"null\"]}"
#define ANY_ARRAY "{\"type\":\"array\"}"
#define REF(name) "{\"$ref\":\"#/components/schemas/" name "\"}"
#define LIST_OF(name)                                                                              \
    "{\"type\":\"object\",\"required\":[\"items\",\"next\"],\"properties\":{\"items\":{\"type\":"  \
    "\"array\",\"items\":" REF(name) "},\"next\":" TEXT_OR_NULL "}}"

#define ARRAY_FILE                                                                                 \
    "{\"type\":\"string\",\"contentMediaType\":\"application/octet-stream\",\"description\":"      \
    "\"An array with an axis of rows: IDX, or NPY of versions 1 to 3 (f4, f8, i1 to i8, u1 to "    \
    "u8, "                                                                                         \
    "b1; little-endian, C order); gzip or not. NaN is missing.\"}"

#define SPLITS                                                                                     \
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"train\":" WHOLES        \
    ",\"validation\":" WHOLES ",\"test\":" WHOLES "}}"
#define GRAPH_MEMBERS                                                                              \
    "\"nodes\":{\"description\":\"Rows of numbers, or sparse.\",\"oneOf\":[" ANY_ARRAY             \
    ",{\"type\":\"object\",\"required\":[\"shape\",\"indices\",\"values\"],"                       \
    "\"additionalProperties\":false,\"properties\":{\"shape\":" WHOLES                             \
    ",\"indices\":{\"type\":\"array\",\"items\":" WHOLES "},\"values\":" ANY_ARRAY                 \
    "}}]},\"edges\":{\"type\":\"array\",\"items\":" WHOLES                                         \
    "},\"directed\":{\"type\":\"boolean\",\"default\":false}"

static const struct {
    const char *name, *json;
} schemas[] = {
    {"NodeGraph",
     "{\"type\":\"object\",\"required\":[\"nodes\",\"edges\"],\"additionalProperties\":false,"
     "\"properties\":{" GRAPH_MEMBERS ",\"targets\":{\"type\":\"array\",\"description\":"
     "\"One for each node; null is none.\"},\"splits\":" SPLITS ",\"class_names\":" TEXTS
     ",\"feature_names\":" TEXTS "}}"},
    {"Graph", "{\"type\":\"object\",\"required\":[\"nodes\",\"edges\"],\"additionalProperties\":"
              "false,\"properties\":{" GRAPH_MEMBERS "}}"},
    {"Number", "{\"description\":\"A number; what JSON cannot hold is a "
               "string.\",\"oneOf\":[{\"type\":\"number\"},"
               "{\"enum\":[\"NaN\",\"Infinity\",\"-Infinity\"]}]}"},
    {"Problem",
     "{\"description\":\"RFC "
     "9457\",\"type\":\"object\",\"required\":[\"type\",\"title\",\"status\",\"detail\"],"
     "\"properties\":{"
     "\"type\":" TEXT ",\"title\":" TEXT ",\"status\":" WHOLE ",\"detail\":" TEXT
     ",\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"pointer\","
     "\"detail\"],\"properties\":{"
     "\"pointer\":{\"type\":\"string\",\"description\":\"JSON Pointer, RFC 6901\"},\"detail\":" TEXT
     "}}}}}"},
    {"DatasetInput",
     "{\"type\":\"object\",\"oneOf\":[{\"required\":[\"inputs\",\"targets\"]},"
     "{\"required\":[\"series\"]},{\"required\":[\"texts\",\"targets\"]},{\"required\":[\"text\"]},"
     "{\"required\":[\"graph\"]},{\"required\":[\"graphs\",\"targets\"]}]"
     ","
     "\"additionalProperties\":false,\"properties\":{"
     "\"name\":" TEXT ",\"task\":{\"enum\":[\"classification\",\"regression\",\"language_model\"]},"
     "\"inputs\":{\"type\":\"array\",\"description\":\"Rows of any equal shape; null is "
     "missing.\"},"
     "\"targets\":{\"type\":\"array\",\"description\":\"Class names, class numbers, numbers or "
     "arrays.\"},"
     "\"series\":{\"type\":\"array\",\"description\":\"Steps of a series: numbers, or arrays "
     "with one for each column.\"},"
     "\"window\":{\"type\":\"integer\",\"minimum\":1,\"default\":24},"
     "\"horizon\":{\"type\":\"integer\",\"minimum\":1,\"default\":1},"
     "\"columns\":" TEXTS ",\"target_columns\":{\"type\":\"array\",\"description\":\"Names or "
     "numbers of columns; all by default.\"},"
     "\"transform\":{\"enum\":[\"none\",\"log\",\"difference\",\"log_difference\"]},"
     "\"test_inputs\":{\"type\":[\"array\",\"string\"],\"description\":\"As the rows, texts, steps "
     "or "
     "graphs for training; of a corpus a text.\"},\"test_targets\":" ANY_ARRAY
     ",\"feature_names\":" TEXTS ",\"class_names\":" TEXTS ",\"splits\":" SPLITS ","
     "\"graph\":" REF(
         "NodeGraph") ","
                      "\"graphs\":{\"type\":\"array\",\"minItems\":1,\"items\":" REF(
                          "Graph") "},"
                                   "\"texts\":" TEXTS
                                   ",\"text\":{\"type\":\"string\",\"description\":\"A corpus "
                                   "for a language model.\"},"
                                   "\"tokenizer\":{\"enum\":[\"word\",\"char\",\"byte\"],"
                                   "\"description\":"
                                   "\"word for texts, char for a corpus, unless given.\"},"
                                   "\"max_length\":{\"type\":\"integer\",\"minimum\":1,\"default\":"
                                   "128},"
                                   "\"vocabulary_size\":{\"type\":\"integer\",\"minimum\":3,"
                                   "\"default\":20000}}}"},
    {"DatasetLines",
     "{\"type\":\"string\",\"description\":\"A line a row: {\\\"input\\\": …, "
     "\\\"target\\\": …}, each as an item of inputs and of targets in DatasetInput.\"}"},
    {"DatasetTable",
     "{\"type\":\"string\",\"description\":\"CSV as RFC 4180 has it, in UTF-8: commas, lines "
     "that end in LF or CRLF, cells of at most 1 MiB. The first line names the columns. Empty "
     "cells are missing; text columns other than the target become one-hot.\"}"},
    {"DatasetParts",
     "{\"type\":\"object\",\"required\":[\"inputs\",\"targets\"],"
     "\"additionalProperties\":false,\"properties\":{"
     "\"inputs\":" ARRAY_FILE ",\"targets\":" ARRAY_FILE ",\"test_inputs\":" ARRAY_FILE
     ",\"test_targets\":" ARRAY_FILE ",\"name\":" TEXT
     ",\"task\":{\"enum\":[\"classification\",\"regression\"]},\"class_names\":" TEXTS
     ",\"feature_names\":" TEXTS ",\"splits\":" SPLITS "}}"},
    {"InferenceError",
     "{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{\"error\":" TEXT "}}"},
    {"InferenceServer",
     "{\"type\":\"object\",\"required\":[\"name\",\"version\",\"extensions\"],"
     "\"properties\":{\"name\":" TEXT ",\"version\":" TEXT ",\"extensions\":" TEXTS "}}"},
    {"InferenceHealth", "{\"type\":\"object\",\"properties\":{\"live\":{\"type\":\"boolean\"},"
                        "\"ready\":{\"type\":\"boolean\"}}}"},
    {"InferenceReady", "{\"type\":\"object\",\"required\":[\"name\",\"ready\"],\"properties\":{"
                       "\"name\":" TEXT ",\"ready\":{\"type\":\"boolean\"}}}"},
    {"InferenceTensor",
     "{\"type\":\"object\",\"required\":[\"name\",\"datatype\",\"shape\"],\"properties\":{"
     "\"name\":" TEXT ",\"datatype\":" TEXT ",\"shape\":" WHOLES ",\"parameters\":" ANY_OBJECT
     ",\"data\":" ANY_ARRAY "}}"},
    {"InferenceModel",
     "{\"type\":\"object\",\"required\":[\"name\",\"platform\"],\"properties\":{\"name\":" TEXT
     ",\"platform\":" TEXT ",\"inputs\":{\"type\":\"array\",\"items\":" REF(
         "InferenceTensor") "},"
                            "\"outputs\":{\"type\":\"array\",\"items\":" REF(
                                "InferenceTensor") "}}}"},
    {"InferenceRequest",
     "{\"type\":\"object\",\"required\":[\"inputs\"],\"properties\":{\"id\":" TEXT
     ",\"parameters\":" ANY_OBJECT ",\"inputs\":{\"type\":\"array\",\"minItems\":1,\"items\":" REF(
         "InferenceTensor") "},\"outputs\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
                            "\"required\":[\"name\"],\"properties\":{\"name\":" TEXT "}}}}}"},
    {"InferenceResponse",
     "{\"type\":\"object\",\"required\":[\"model_name\",\"outputs\"],\"properties\":{"
     "\"model_name\":" TEXT ",\"id\":" TEXT
     ",\"outputs\":{\"type\":\"array\",\"items\":" REF("InferenceTensor") "}}}"},
    {"Dataset",
     "{\"type\":\"object\",\"required\":[\"id\",\"name\",\"task\",\"rows\",\"created_at\"],"
     "\"properties\":{\"id\":" TEXT ",\"name\":" TEXT ",\"task\":" TEXT ",\"rows\":" WHOLE
     ",\"input_shape\":" WHOLES ",\"target_shape\":" WHOLES ",\"classes\":" TEXTS_OR_NULL
     ",\"bytes\":" WHOLE ",\"sha256\":" TEXT ",\"created_at\":" TIME
     ",\"profile\":{\"type\":\"object\",\"properties\":{\"features\":{\"type\":\"array\","
     "\"items\":" ANY_OBJECT "},\"classes\":{\"type\":[\"array\",\"null\"],\"items\":" ANY_OBJECT
     "}}},\"findings\":{\"type\":\"array\",\"items\":" REF("Finding") "}}}"},
    {"DatasetList", LIST_OF("Dataset")},
    {"RowList", "{\"type\":\"object\",\"required\":[\"items\"],\"properties\":{\"items\":{\"type\":"
                "\"array\",\"items\":{"
                "\"type\":\"object\",\"properties\":{\"row\":" WHOLE
                ",\"input\":{},\"target\":{}}}},\"rows\":" WHOLE "}}"},
    {"Finding",
     "{\"type\":\"object\",\"required\":[\"code\",\"severity\"],\"properties\":{\"code\":" TEXT
     ",\"severity\":{\"enum\":[\"info\",\"warning\",\"critical\"]},\"layer\":" TEXT_OR_NULL
     ",\"first_step\":{\"type\":[\"integer\",\"null\"]},\"evidence\":" ANY_OBJECT
     ",\"explanation\":" TEXT ",\"symptom\":" TEXT
     ",\"remedies\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"code\":" TEXT ",\"title\":" TEXT_OR_NULL ",\"why\":" TEXT_OR_NULL ",\"patch\":" ANY_OBJECT
     "}}}}}"},
    {"Diagnosis",
     "{\"type\":\"object\",\"required\":[\"verdict\",\"findings\",\"checklist\"],\"properties\":{"
     "\"verdict\":{\"enum\":[\"healthy\",\"warning\",\"critical\"]},\"findings\":{\"type\":"
     "\"array\","
     "\"items\":" REF(
         "Finding") "},\"checklist\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
                    "\"properties\":{\"group\":" TEXT ",\"item\":" TEXT ",\"title\":" TEXT
                    ",\"state\":{\"enum\":[\"ok\","
                    "\"attention\",\"not_applicable\"]},\"note\":" TEXT_OR_NULL "}}}}}"},
    {"JobInput",
     "{\"type\":\"object\",\"required\":[\"dataset\",\"model\"],\"additionalProperties\":false,"
     "\"properties\":{\"name\":" TEXT ",\"dataset\":{\"oneOf\":[" TEXT "," REF(
         "DatasetInput") "]},\"model\":{\"type\":\"object\",\"required\":[\"layers\"],"
                         "\"additionalProperties\":false,\"properties\":{\"layers\":{\"type\":"
                         "\"array\",\"items\":" REF(
                             "Layer") "},\"input\":{\"type\":\"object\",\"properties\":{"
                                      "\"shape\":" WHOLES "}},\"initial\":" TEXT
                                      "}},\"training\":" REF(
                                          "Training") ",\"tags\":" TEXTS
                                                      ",\"priority\":{\"type\":\"integer\","
                                                      "\"minimum\":-10,\"maximum\":10},"
                                                      "\"threads\":" WHOLE
                                                      ",\"kind\":{\"enum\":[\"train\",\"lr_range\"]"
                                                      ",\"default\":\"train\"},\"lr_range\":" REF(
                                                          "LrRange") ",\"max_seconds\":{\"type\":"
                                                                     "\"number\"},"
                                                                     "\"max_memory_bytes\":" WHOLE
                                                                     ",\"alias\":" TEXT "}}"},
    {"Plan",
     "{\"type\":\"object\",\"properties\":{\"parameters\":" WHOLE
     ",\"layers\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
     "\"properties\":{\"name\":" TEXT ",\"type\":" TEXT ",\"output_shape\":" WHOLES
     ",\"parameters\":" WHOLE ",\"flops\":" WHOLE "}}},\"flops_per_step\":" WHOLE
     ",\"memory_bytes\":" WHOLE
     ",\"memory\":{\"type\":\"object\",\"description\":\"What memory_bytes is made of.\","
     "\"additionalProperties\":" WHOLE "},\"steps\":" WHOLE ",\"estimated_seconds\":" NUMBER "}}"},
    {"Job",
     "{\"type\":\"object\",\"properties\":{\"id\":" TEXT ",\"name\":" TEXT
     ",\"status\":{\"enum\":[\"queued\",\"running\",\"paused\",\"succeeded\",\"failed\","
     "\"cancelled\"]},"
     "\"created_at\":" TIME ",\"started_at\":" TIME_OR_NULL ",\"finished_at\":" TIME_OR_NULL
     ",\"queue_position\":{\"type\":[\"integer\",\"null\"]},\"attempt\":" WHOLE
     ",\"interruption\":" ANY_OBJECT_OR_NULL ",\"parent\":" TEXT_OR_NULL ",\"tags\":" TEXTS
     ",\"priority\":" WHOLE ",\"dataset\":" TEXT_OR_NULL ",\"spec\":" ANY_OBJECT
     ",\"plan\":" REF("Plan") ",\"progress\":" ANY_OBJECT_OR_NULL ",\"metrics\":" ANY_OBJECT_OR_NULL
                              ",\"best\":" ANY_OBJECT_OR_NULL ",\"model\":" TEXT_OR_NULL
                              ",\"result\":{},\"diagnosis\":" ANY_OBJECT_OR_NULL
                              ",\"error\":{\"oneOf\":[{\"type\":\"null\"}," REF("Problem") "]}}}"},
    {"JobList", LIST_OF("Job")},
    {"DryRun",
     "{\"description\":\"What a job would be. With probe also probe: its steps on one batch, the "
     "first loss and the last.\",\"type\":\"object\",\"required\":[\"plan\",\"spec\",\"findings\"],"
     "\"properties\":{\"plan\":" REF("Plan") ",\"spec\":{\"type\":\"object\"},\"findings\":{"
                                             "\"type\":\"array\",\"items\":" REF(
                                                 "Finding") "},\"probe\":{\"type\":\"object\"}}}"},
    {"RerunInput",
     "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"remedies\":{"
     "\"type\":\"array\",\"maxItems\":16,\"description\":\"Codes of remedies of the job's "
     "findings, applied in this order.\",\"items\":" TEXT
     "},\"patch\":{\"type\":\"object\",\"description\":\"Merge patch of the spec (RFC 7396), after "
     "the remedies.\"},\"seeds\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":16,\"default\":1,"
     "\"description\":\"Run this spec and the parent's under so many seeds each.\"}}}"},
    {"Rerun", "{\"description\":\"The child, and the jobs that run for it.\",\"allOf\":[" REF(
                  "Job") ",{\"type\":\"object\",\"properties\":{\"runs\":{\"type\":\"object\","
                         "\"properties\":{\"parent\":" TEXTS ",\"child\":" TEXTS "}}}}]}"},
    {"MetricPair", "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"object\","
                   "\"properties\":{\"from\":{},\"to\":{},\"difference\":{\"oneOf\":[" NUMBER
                   ",{\"type\":\"null\"}]}}}}"},
    {"Comparison",
     "{\"description\":\"from: the job named by `with`; to: that of the "
     "path.\",\"type\":"
     "\"object\",\"properties\":{\"from\":" TEXT ",\"to\":" TEXT
     ",\"spec_difference\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
     "\"properties\":{"
     "\"pointer\":" TEXT ",\"from\":{},\"to\":{}}}},\"metrics\":{\"type\":\"object\","
     "\"properties\":{\"final\":" REF("MetricPair") ",\"best\":" REF(
         "MetricPair") "}},\"gradients\":{\"type\":\"object\",\"properties\":{"
                       "\"layers\":{\"type\":"
                       "\"array\",\"description\":\"Medians over the "
                       "run.\",\"items\":{\"type\":"
                       "\"object\",\"properties\":{\"name\":" TEXT ",\"from\":" ANY_OBJECT_OR_NULL
                       ",\"to\":" ANY_OBJECT_OR_NULL
                       "}}}}},\"findings\":{\"type\":\"object\",\"properties\":{"
                       "\"opened\":{"
                       "\"type\":\"array\",\"items\":" REF(
                           "Finding") "},\"closed\":{\"type\":\"array\","
                                      "\"items\":" REF("Finding") "}}},"
                                                                  "\"spread\""
                                                                  ":" ANY_OBJECT_OR_NULL
                                                                  ",\"verdict\":" TEXT "}}"},
    {"Series", "{\"type\":\"object\",\"properties\":{\"step\":" WHOLES ",\"value\":" NUMBERS
               ",\"min\":" NUMBERS ",\"max\":" NUMBERS "}}"},
    {"Metrics", "{\"type\":\"object\",\"properties\":{\"series\":{\"type\":\"object\","
                "\"additionalProperties\":" REF("Series") "}}}"},
    {"Gradients",
     "{\"type\":\"object\",\"properties\":{\"layers\":{\"type\":\"array\",\"items\":{\"type\":"
     "\"object\",\"properties\":{\"name\":" TEXT ",\"type\":" TEXT ",\"index\":" WHOLE
     ",\"parameters\":" WHOLE
     ",\"series\":{\"type\":\"object\",\"additionalProperties\":" REF("Series") "}}}}}}"},
    {"Histograms",
     "{\"type\":\"object\",\"description\":\"At each of the steps: 33 edges of 32 bins, and how "
     "many of "
     "up to 2,048 numbers of the layer lie in each. Gradients are those before clipping, weights "
     "those after the step. A step at which none was finite is left out.\",\"required\":["
     "\"steps\",\"edges\",\"counts\"],\"properties\":{\"layer\":" TEXT
     ",\"kind\":{\"enum\":[\"gradient\",\"weight\",\"activation\"]},\"steps\":" WHOLES
     ",\"edges\":{\"type\":\"array\",\"items\":" NUMBERS
     "},\"counts\":{\"type\":\"array\",\"items\":" WHOLES "}}}"},
    {"Confusion",
     "{\"type\":\"object\",\"properties\":{\"classes\":" TEXTS
     ",\"matrix\":{\"type\":\"array\",\"description\":\"A row for each true class, a column for "
     "each "
     "predicted one.\",\"items\":" WHOLES "},"
     "\"per_class\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"class\":" TEXT ",\"precision\":" NUMBER ",\"recall\":" NUMBER ",\"f1\":" NUMBER
     ",\"support\":" WHOLE "}}},\"worst\":{\"type\":\"array\",\"description\":\"Wrong rows, the "
     "surest first.\",\"items\":{"
     "\"type\":\"object\",\"properties\":{\"row\":" WHOLE ",\"true\":" TEXT ",\"predicted\":" TEXT
     ",\"probability\":" NUMBER "}}}}}"},
    {"Model",
     "{\"type\":\"object\",\"properties\":{\"id\":" TEXT ",\"name\":" TEXT ",\"job\":" TEXT_OR_NULL
     ",\"aliases\":" TEXTS ",\"spec\":" ANY_OBJECT ",\"input_shape\":" WHOLES
     ",\"classes\":" TEXTS_OR_NULL ",\"metrics\":" ANY_OBJECT_OR_NULL ",\"parameters\":" WHOLE
     ",\"sha256\":" TEXT ",\"bytes\":" WHOLE ",\"created_at\":" TIME "}}"},
    {"ModelList", LIST_OF("Model")},
    {"Alias",
     "{\"type\":\"object\",\"required\":[\"name\",\"model\"],\"properties\":{\"name\":" TEXT
     ",\"model\":" TEXT ",\"updated_at\":" TIME "}}"},
    {"AliasList", LIST_OF("Alias")},
    {"AliasInput", "{\"type\":\"object\",\"required\":[\"model\"],\"additionalProperties\":false,"
                   "\"properties\":{\"model\":{\"type\":\"string\",\"description\":\"An id, or "
                   "another alias.\"}}}"},
    {"PredictInput",
     "{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":1,"
     "\"additionalProperties\":false,\"properties\":{\"nodes\":{\"type\":\"array\","
     "\"minItems\":1,\"items\":{\"type\":\"integer\"},\"description\":\"Of the graph "
     "that the model learned on.\"},\"graph\":" REF(
         "Graph") ",\"graphs\":{"
                  "\"type\":\"array\",\"minItems\":1,\"items\":" REF(
                      "Graph") "},\"inputs\":{\"type\":\"array\","
                               "\"minItems\":1,\"description\":\"Rows as the dataset's columns "
                               "were: arrays, "
                               "or objects by column name.\"},"
                               "\"texts\":{\"type\":\"array\",\"minItems\":1,"
                               "\"items\":" TEXT "}}}"},
    {"Prediction",
     "{\"type\":\"object\",\"properties\":{\"outputs\":{\"type\":\"array\",\"items\":" NUMBERS
     "},\"predictions\":" ANY_ARRAY ",\"probabilities\":{\"type\":\"array\",\"items\":" NUMBERS
     "},\"drift\":{\"type\":\"object\",\"description\":\"There where the inputs do not come from "
     "where the training rows came from.\",\"properties\":{\"explanation\":" TEXT
     ",\"features\":{\"type\":\"array\",\"items\":" ANY_OBJECT "}}}}}"},
    {"Drift", "{\"type\":\"object\",\"properties\":{\"since\":" TIME ",\"rows\":" WHOLE
              ",\"window_rows\":{\"type\":\"integer\",\"description\":\"The rows that the counts "
              "speak of: all "
              "are halved at 4096.\"},\"training_rows\":" WHOLE
              ",\"features\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
              "\"feature\":" TEXT ",\"drifted\":{\"type\":\"boolean\"},\"index\":" NUMBER
              ",\"p\":" NUMBER ",\"outside\":" WHOLE ",\"range\":" NUMBERS ",\"edges\":" NUMBERS
              ",\"training\":" WHOLES ",\"asked\":" WHOLES "}}}}}"},
    {"ExplainInput",
     "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"nodes\":" WHOLES
     ",\"graph\":" REF("Graph") ",\"graphs\":{\"type\":\"array\",\"minItems\":1,\"items\":" REF(
         "Graph") "},\"inputs\":{\"type\":\"array\",\"minItems\":1,\"description\":\"As for a "
                  "prediction, like nodes, graph, graphs and texts.\"},\"texts\":" TEXTS
                  ",\"method\":{\"enum\":[\"gradient\",\"gradient_x_input\","
                  "\"integrated_gradients\"],\"default\":\"integrated_gradients\"},"
                  "\"target\":{\"type\":[\"string\",\"integer\"],\"description\":\"A class by name "
                  "or "
                  "number, or the number of an output; each row's predicted class unless given.\"},"
                  "\"baseline\":{\"enum\":[\"mean\",\"zeros\"],\"description\":\"Of integrated "
                  "gradients: mean for tables and series, zeros else.\"},\"steps\":{\"type\":"
                  "\"integer\",\"minimum\":8,\"maximum\":2048,\"default\":128}}}"},
    {"Explanation",
     "{\"type\":\"object\",\"properties\":{\"method\":" TEXT ",\"baseline\":" TEXT
     ",\"transform\":" TEXT ",\"targets\":" ANY_ARRAY ",\"outputs\":" NUMBERS
     ",\"tokens\":{\"type\":\"array\",\"items\":" TEXTS
     "},\"attributions\":{\"type\":\"array\",\"description\":\"In the input's shape; of texts one "
     "a "
     "token; of nodes asked the nodes that each hangs on.\"},\"ranking\":{\"type\":\"array\","
     "\"items\":{\"type\":\"object\",\"properties\":{\"feature\":" TEXT ",\"importance\":" NUMBER
     "}}},\"completeness\":" ANY_OBJECT "}}"},
    {"EvaluateInput",
     "{\"type\":\"object\",\"required\":[\"dataset\"],\"additionalProperties\":false,"
     "\"properties\":{"
     "\"dataset\":" TEXT ",\"split\":{\"enum\":[\"train\",\"validation\",\"test\"],\"description\":"
     "\"Only these rows, where the dataset has splits; all by default.\"}}}"},
    {"Evaluation",
     "{\"type\":\"object\",\"properties\":{\"metrics\":{\"type\":\"object\",\"properties\":{"
     "\"loss\":" NUMBER ",\"accuracy\":" NUMBER ",\"mae\":" NUMBER ",\"rmse\":" NUMBER
     ",\"r2\":" NUMBER ",\"perplexity\":" NUMBER
     "}},\"confusion\":{\"oneOf\":[{\"type\":\"null\"}," REF("Confusion") "]}}}"},
    {"Generated",
     "{\"type\":\"object\",\"required\":[\"text\",\"tokens\",\"finish_reason\"],\"properties\":{"
     "\"text\":{\"type\":\"string\",\"description\":\"What comes after the prompt; words with "
     "blanks between them, bytes that make no UTF-8 as U+FFFD.\"},"
     "\"tokens\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"description\":\"Their "
     "ids in the vocabulary.\"},"
     "\"finish_reason\":{\"enum\":[\"length\",\"time\"],\"description\":\"length: max_tokens are "
     "there. time: an answer that is no stream takes at most 20 seconds.\"}}}"},
    {"GradientCheck",
     "{\"type\":\"object\",\"properties\":{\"passed\":{\"type\":\"boolean\"},\"max_relative_"
     "error\":" NUMBER ",\"weights\":{\"type\":\"object\",\"additionalProperties\":{\"type\":"
     "\"object\",\"additionalProperties\":{"
     "\"type\":\"object\",\"properties\":{\"max_relative_error\":" NUMBER "}}}}}}"},
    {"TraceInput",
     "{\"type\":\"object\",\"required\":[\"model\"],\"oneOf\":[{\"required\":[\"inputs\","
     "\"targets\"]},{\"required\":[\"graph\"]}],"
     "\"additionalProperties\":false,\"properties\":{\"graph\":" REF(
         "NodeGraph") ",\"model\":{\"type\":\"object\",\"required\":["
                      "\"layers\"],\"additionalProperties\":false,\"properties\":{\"layers\":{"
                      "\"type\":\"array\","
                      "\"items\":" REF(
                          "Layer") "},\"input\":{\"type\":\"object\",\"properties\":{"
                                   "\"shape\":" WHOLES "}}}},\"loss\":" REF(
                                       "Loss") ",\"inputs\":{\"type\":\"array\",\"minItems\":1,"
                                               "\"maxItems\":64,"
                                               "\"description\":\"Rows of one shape, or sequences "
                                               "each as long as it "
                                               "is.\"},\"targets\":{\"type\":\"array\","
                                               "\"description\":"
                                               "\"Class names, class numbers, numbers or "
                                               "arrays.\"},\"optimizer\":{\"oneOf\":[{\"type\":"
                                               "\"null\"}," REF(
                                                   "Optimizer") "]},\"weights\":{\"description\":"
                                                                "\"Nested lists by "
                                                                "layer and "
                                                                "weight.\",\"type\":\"object\","
                                                                "\"additionalProperties\":{"
                                                                "\"type\":\"object\","
                                                                "\"additionalProperties\":{"
                                                                "\"type\":[\"array\"]}}},"
                                                                "\"class_weight\":{\"oneOf\":[{"
                                                                "\"enum\":["
                                                                "\"balanced\"]},{\"type\":"
                                                                "\"array\",\"items\":{"
                                                                "\"type\":"
                                                                "\"number\"}}]},\"seed\":" WHOLE
                                                                ",\"dropout\":{\"type\":"
                                                                "\"boolean\"}}}"},
    {"Trace",
     "{\"type\":\"object\",\"properties\":{\"forward\":{\"type\":\"array\",\"items\":{\"type\":"
     "\"object\","
     "\"properties\":{\"layer\":" TEXT ",\"type\":" TEXT ",\"input\":{},\"pre_activation\":{},"
     "\"output\":{}}}},\"loss\":{\"type\":\"object\",\"properties\":{\"type\":" TEXT
     ",\"value\":" NUMBER ",\"classes\":" TEXTS
     "}},\"backward\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
     "\"properties\":{\"layer\":" TEXT ",\"type\":" TEXT ",\"gradient_output\":{},"
     "\"gradient_pre_activation\":{},\"gradient_input\":{},\"gradients\":" ANY_OBJECT
     "}}},\"update\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"object\","
     "\"additionalProperties\":{\"type\":\"object\",\"properties\":{\"before\":{},\"after\":{}}}}},"
     "\"check\":{\"type\":\"object\",\"properties\":{\"max_relative_error\":" NUMBER
     ",\"weights\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"object\","
     "\"additionalProperties\":{\"type\":\"object\",\"properties\":{\"numeric\":{},"
     "\"max_relative_error\":" NUMBER "}}}}}}}}"},
    {"Catalog", "{\"type\":\"object\",\"additionalProperties\":true}"},
    {"Status", "{\"type\":\"object\",\"required\":[\"version\",\"workers\",\"queue\",\"machine\"],"
               "\"properties\":{\"version\":" TEXT ",\"uptime_seconds\":" NUMBER
               ",\"draining\":{\"type\":\"boolean\"},\"workers\":" ANY_OBJECT
               ",\"queue\":" ANY_OBJECT ",\"machine\":" ANY_OBJECT "}}"},
    {"State", "{\"type\":\"object\",\"properties\":{\"status\":" TEXT "}}"},
    {"SessionInput", "{\"type\":\"object\",\"required\":[\"token\"],\"additionalProperties\":false,"
                     "\"properties\":{\"token\":" TEXT "}}"},
};

// ---- what a job can name ----

enum { NAME_BYTES = 96 };

// "layer" → "Layer", "dense" of it → "Layer.dense".
// "early_stopping" → "EarlyStopping".
static void object_name(const Desc *desc, char name[NAME_BYTES]) {
    size_t length = 0;
    bool upper = true;
    for (const char *c = desc->name; *c != '\0' && length < NAME_BYTES - 1; c++) {
        if (*c != '_')
            name[length++] = (char)(upper ? toupper((unsigned char)*c) : *c);
        upper = *c == '_';
    }
    name[length] = '\0';
}

static void schema_name(const Registry *registry, const Desc *desc, char name[NAME_BYTES]) {
    snprintf(name, NAME_BYTES, "%s%s%s", registry->kind, desc == NULL ? "" : ".",
             desc == NULL ? "" : desc->name);
    name[0] = (char)toupper((unsigned char)name[0]);
}

static void write_ref(JsonOut *out, const char *key, const char *name) {
    char reference[NAME_BYTES + 32];
    snprintf(reference, sizeof reference, "#/components/schemas/%s", name);
    json_begin_object(out, key);
    json_string(out, "$ref", reference);
    json_end_object(out);
}

static void write_entry_ref(JsonOut *out, const char *key, const Registry *registry) {
    char name[NAME_BYTES];
    schema_name(registry, NULL, name);
    write_ref(out, key, name);
}

static void write_bounds(JsonOut *out, const ParamSpec *param) {
    if (param->minimum == 0 && param->maximum == 0)
        return;
    if (isfinite(param->minimum))
        json_number(out, param->above_minimum ? "exclusiveMinimum" : "minimum", param->minimum);
    if (isfinite(param->maximum))
        json_number(out, param->below_maximum ? "exclusiveMaximum" : "maximum", param->maximum);
}

static void write_number_schema(JsonOut *out, const char *key, const ParamSpec *param,
                                const char *type, bool as_default) {
    json_begin_object(out, key);
    json_string(out, "type", type);
    write_bounds(out, param);
    if (as_default && isfinite(param_default(param)) && !param->required)
        json_number(out, "default", param_default(param));
    json_end_object(out);
}

static void write_array_schema(JsonOut *out, const ParamSpec *param) {
    json_begin_object(out, NULL);
    json_string(out, "type", "array");
    if (param->type == PARAM_INTEGERS) {
        write_number_schema(out, "items", param, "integer", false);
    } else if (param->type == PARAM_ENTRIES) {
        write_entry_ref(out, "items", param->registry);
    } else {
        json_begin_object(out, "items");
        json_string(out, "type", "string");
        json_end_object(out);
    }
    json_end_object(out);
}

// A parameter that may be several things.
static void write_either(JsonOut *out, const ParamSpec *param) {
    json_begin_object(out, NULL);
    json_begin_array(out, "oneOf");
    if (param->type == PARAM_INTEGERS) {
        write_number_schema(out, NULL, param, "integer", false);
        write_array_schema(out, param);
    } else {
        write_number_schema(out, NULL, param, param->type == PARAM_INTEGER ? "integer" : "number",
                            false);
        json_begin_object(out, NULL);
        json_string(out, "const", param->keyword);
        json_end_object(out);
    }
    json_end_array(out);
    json_end_object(out);
}

// The object that a value is, or the list of such objects; nothing for one that no table describes.
static void write_object_refs(JsonOut *out, const ParamSpec *param) {
    char name[NAME_BYTES];
    if (param->object == NULL)
        return;
    object_name(param->object, name);
    if (param->many)
        json_string(out, "type", "array");
    else
        json_begin_array(out, "allOf");
    write_ref(out, param->many ? "items" : NULL, name);
    if (!param->many)
        json_end_array(out);
}

static void write_plain(JsonOut *out, const ParamSpec *param) {
    json_begin_object(out, NULL);
    switch (param->type) {
    case PARAM_BOOLEAN:
        json_string(out, "type", "boolean");
        if (!param->required)
            json_boolean(out, "default", param->default_number != 0);
        break;
    case PARAM_CHOICE:
        json_begin_array(out, "enum");
        for (const char *const *choice = param->choices; *choice != NULL; choice++)
            json_string(out, NULL, *choice);
        json_end_array(out);
        json_string(out, "default",
                    param->default_text != NULL ? param->default_text : param->choices[0]);
        break;
    case PARAM_STRING:
        json_string(out, "type", "string");
        break;
    case PARAM_STRINGS:
    case PARAM_ENTRIES:
        json_begin_array(out, "allOf");
        write_array_schema(out, param);
        json_end_array(out);
        break;
    case PARAM_ENTRY:
        json_begin_array(out, "allOf");
        write_entry_ref(out, NULL, param->registry);
        json_end_array(out);
        break;
    default: // PARAM_VALUE: read by a reader of its own
        write_object_refs(out, param);
        break;
    }
    json_end_object(out);
}

// What may be left out may also be null, as it stands in a spec that is answered.
static void write_param(JsonOut *out, const ParamSpec *param) {
    bool number = param->type == PARAM_INTEGER || param->type == PARAM_NUMBER;
    json_begin_object(out, param->name);
    json_string(out, "description", param->help);
    json_begin_array(out, "anyOf");
    if (!param->required)
        json_raw(out, NULL, "{\"type\":\"null\"}");
    if (param->type == PARAM_INTEGERS || (number && param->keyword != NULL))
        write_either(out, param);
    else if (number)
        write_number_schema(out, NULL, param, param->type == PARAM_INTEGER ? "integer" : "number",
                            true);
    else
        write_plain(out, param);
    json_end_array(out);
    json_end_object(out);
}

static void write_params(JsonOut *out, const Desc *desc, const Registry *registry) {
    json_begin_object(out, "properties");
    if (registry != NULL) {
        json_begin_object(out, "type");
        json_begin_array(out, "enum");
        json_string(out, NULL, desc->name);
        for (size_t i = 0; desc->aliases != NULL && desc->aliases[i] != NULL; i++)
            json_string(out, NULL, desc->aliases[i]);
        json_end_array(out);
        json_end_object(out);
    }
    if (registry == &layer_registry) { // what every layer takes (model.md)
        json_raw(out, "name", TEXT);
        json_raw(out, "inputs", TEXTS);
        json_raw(out, "trainable", "{\"type\":\"boolean\",\"default\":true}");
    }
    for (size_t i = 0; i < desc->param_count; i++)
        write_param(out, &desc->params[i]);
    json_end_object(out);
}

static void write_desc(JsonOut *out, const char *name, const Desc *desc, const Registry *registry) {
    json_begin_object(out, name);
    json_string(out, "type", "object");
    json_string(out, "description", desc->summary);
    json_begin_array(out, "required");
    if (registry != NULL)
        json_string(out, NULL, "type");
    for (size_t i = 0; i < desc->param_count; i++)
        if (desc->params[i].required)
            json_string(out, NULL, desc->params[i].name);
    json_end_array(out);
    json_boolean(out, "additionalProperties", false);
    write_params(out, desc, registry);
    json_end_object(out);
}

// One of the entries as an object; but for layers also by its bare name.
static void write_registry(JsonOut *out, const Registry *registry) {
    char name[NAME_BYTES];
    schema_name(registry, NULL, name);
    json_begin_object(out, name);
    json_begin_array(out, "oneOf");
    if (registry != &layer_registry) {
        json_begin_object(out, NULL);
        json_begin_array(out, "enum");
        for (size_t i = 0; i < registry->count; i++) {
            json_string(out, NULL, registry->entries[i]->name);
            for (const char *const *alias = registry->entries[i]->aliases;
                 alias != NULL && *alias != NULL; alias++)
                json_string(out, NULL, *alias);
        }
        json_end_array(out);
        json_end_object(out);
    }
    for (size_t i = 0; i < registry->count; i++) {
        schema_name(registry, registry->entries[i], name);
        write_ref(out, NULL, name);
    }
    json_end_array(out);
    json_end_object(out);
    for (size_t i = 0; i < registry->count; i++) {
        schema_name(registry, registry->entries[i], name);
        write_desc(out, name, registry->entries[i], registry);
    }
}

void schemas_write(JsonOut *out) {
    for (size_t i = 0; i < ARRAY_LENGTH(schemas); i++)
        json_raw(out, schemas[i].name, schemas[i].json);
    for (size_t i = 0; i < catalog_parts(); i++)
        write_registry(out, catalog_part(i)->registry);
    const Desc *const objects[] = {&lr_range_desc, &training_desc, &early_stopping_desc,
                                   &phase_desc, &generate_desc};
    for (size_t i = 0; i < ARRAY_LENGTH(objects); i++) {
        char name[NAME_BYTES];
        object_name(objects[i], name);
        write_desc(out, name, objects[i], NULL);
    }
}
