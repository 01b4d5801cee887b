#include <math.h>
#include "core/model/graph_data.h"
#include "tests/server/data/intake_json.h"

#define GRAPH_MAY_HAVE                                                                             \
    ", which may have \"name\", \"task\", \"splits\", \"class_names\", \"feature_names\"\n"

TestSuite(intake_graphs, .init = folder_make, .fini = folder_remove);

static void expect_numbers(const char *what, const int32_t *actual, const int32_t *wanted,
                           int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        cr_expect_eq(actual[i], wanted[i], "%s[%d] is %d, not %d", what, (int)i, actual[i],
                     wanted[i]);
    }
}

#define NODES "\"nodes\":[[1,0.5],[2,null],[3,1.5],[4,-1]]"
#define FINDING(code) "\"code\":\"" code "\",\"severity\":\"info\""

// Edges go both ways, whichever way round and however often they stand there.
Test(intake_graphs, a_graph_of_rows) {
    DatasetRow row =
        taken("{\"name\":\"g\",\"graph\":{" NODES ",\"edges\":[[1,0],[0,1],[2,1],[2,2],[0,1]],"
              "\"targets\":[\"b\",\"a\",\"b\",null]}}");
    cr_expect_str_eq(row.task, "classification");
    cr_expect_str_eq(row.input_shape, "[2]");
    cr_expect_str_eq(row.classes, "[\"a\",\"b\"]");
    cr_expect_eq(row.rows, 4);
    cr_expect_not_null(strstr(row.findings, FINDING("repeated_edges")));
    cr_expect_not_null(strstr(row.findings, "\"edges\":2}"));
    cr_expect_not_null(strstr(row.findings, FINDING("self_loops")));
    cr_expect_not_null(strstr(row.findings, FINDING("isolated_nodes")));
    cr_expect_not_null(strstr(row.profile, "\"edges\":{\"nodes\":4,\"edges\":2,\"directed\":false,"
                                           "\"mean_neighbors\":1,\"isolated_nodes\":1}"));
    cr_expect_not_null(strstr(row.profile, "\"classes\":[{\"name\":\"a\",\"count\":1},{\"name\":"
                                           "\"b\",\"count\":2}]"));
    Dataset *dataset = dataset_of(&row);
    const GraphData *data = dataset->more;
    cr_assert_eq(data->edges, 4);
    expect_numbers("pairs", data->pairs, (const int32_t[]){0, 1, 1, 0, 1, 2, 2, 1}, 8);
    expect_numbers("classes", dataset->classes, (const int32_t[]){1, 0, 1, -1}, 4);
    cr_expect_eq(memcmp(dataset->splits, "\0\0\0\3", 4), 0);
    dataset_close(dataset);
    expect_rows(&row,
                "{\"items\":[{\"row\":0,\"input\":[1,0.5],\"neighbors\":[1],\"split\":\"train\","
                "\"target\":\"b\"},"
                "{\"row\":1,\"input\":[2,null],\"neighbors\":[0,2],\"split\":\"train\","
                "\"target\":\"a\"},"
                "{\"row\":2,\"input\":[3,1.5],\"neighbors\":[1],\"split\":\"train\","
                "\"target\":\"b\"},"
                "{\"row\":3,\"input\":[4,-1],\"neighbors\":[],\"split\":null,\"target\":null}]}");
    dataset_row_finish(&row);
}

Test(intake_graphs, directed_edges_go_one_way) {
    DatasetRow row = taken("{\"graph\":{" NODES ",\"directed\":true,\"edges\":[[3,0],[0,1],[3,0]],"
                           "\"targets\":[0,1,0,1]}}");
    Dataset *dataset = dataset_of(&row);
    const GraphData *data = dataset->more;
    cr_assert_eq(data->edges, 2);
    expect_numbers("pairs", data->pairs, (const int32_t[]){0, 1, 3, 0}, 4);
    cr_expect_null(dataset->splits, "the job splits them");
    cr_expect_not_null(strstr(row.findings, "\"edges\":1}"));
    dataset_close(dataset);
    dataset_row_finish(&row);
}

Test(intake_graphs, sparse_features_stay_sparse) {
    DatasetRow row =
        taken("{\"graph\":{\"nodes\":{\"shape\":[3,5],\"indices\":[[2,4],[0,1],[2,0],[0,3]],"
              "\"values\":[1,2,3.5,-4]},\"edges\":[[0,1]],\"targets\":[0,1,1]},"
              "\"class_names\":[\"no\",\"yes\"]}");
    cr_expect_str_eq(row.input_shape, "[5]");
    cr_expect_str_eq(row.classes, "[\"no\",\"yes\"]");
    Dataset *dataset = dataset_of(&row);
    const GraphData *data = dataset->more;
    cr_assert_eq(data->numbers, 4);
    expect_numbers("first", data->first, (const int32_t[]){0, 2, 2, 4}, 4);
    expect_numbers("column", data->column, (const int32_t[]){1, 3, 0, 4}, 4);
    cr_expect_eq(data->value[0], 2);
    cr_expect_eq(data->value[1], -4);
    cr_expect_eq(data->value[2], 3.5f);
    cr_expect_eq(data->value[3], 1);
    dataset_close(dataset);
    expect_rows(&row,
                "{\"items\":[{\"row\":0,\"input\":{\"indices\":[1,3],\"values\":[2,-4]},"
                "\"neighbors\":[1],\"target\":\"no\"},"
                "{\"row\":1,\"input\":{\"indices\":[],\"values\":[]},\"neighbors\":[0],"
                "\"target\":\"yes\"},"
                "{\"row\":2,\"input\":{\"indices\":[0,4],\"values\":[3.5,1]},\"neighbors\":[],"
                "\"target\":\"yes\"}]}");
    // Zeros are numbers too: of the first column's 0, 0, 3.5 the mean is 3.5 / 3.
    cr_expect_not_null(strstr(row.profile, "{\"name\":\"0\",\"mean\":1.16666"));
    cr_expect_not_null(strstr(row.profile, "\"min\":0,\"max\":3.5,\"missing\":0,\"distinct\":2}"));
    cr_expect_not_null(strstr(row.findings, "\"features\":[\"2\"]"), "constant: %s", row.findings);
    dataset_row_finish(&row);
}

Test(intake_graphs, splits_list_the_nodes_that_count) {
    DatasetRow row = taken("{\"graph\":{" NODES ",\"edges\":[],\"targets\":[0,1,1,0],"
                           "\"splits\":{\"train\":[2,0],\"test\":[1]}}}");
    Dataset *dataset = dataset_of(&row);
    cr_expect_eq(memcmp(dataset->splits, "\0\2\0\3", 4), 0);
    dataset_close(dataset);
    dataset_row_finish(&row);
    // Beside the graph as beside any other form; without a list of its own, training takes the rest.
    row = taken("{\"graph\":{" NODES ",\"edges\":[],\"targets\":[0,1,1,null]},"
                "\"splits\":{\"validation\":[1]}}");
    dataset = dataset_of(&row);
    cr_expect_eq(memcmp(dataset->splits, "\0\1\0\3", 4), 0);
    dataset_close(dataset);
    dataset_row_finish(&row);
}

Test(intake_graphs, numbers_of_nodes) {
    DatasetRow row =
        taken("{\"graph\":{\"nodes\":[1,2,3],\"edges\":[[0,1]],\"targets\":[0.5,null,-2]},"
              "\"feature_names\":[\"height\"]}");
    cr_expect_str_eq(row.task, "regression");
    cr_expect_str_eq(row.target_shape, "[1]");
    cr_expect_not_null(strstr(row.profile, "\"name\":\"height\""));
    Dataset *dataset = dataset_of(&row);
    cr_expect(isnan(dataset->values[1]));
    cr_expect_eq(memcmp(dataset->splits, "\0\3\0", 3), 0);
    dataset_close(dataset);
    expect_rows(&row,
                "{\"items\":[{\"row\":0,\"input\":[1],\"neighbors\":[1],\"split\":\"train\","
                "\"target\":0.5},"
                "{\"row\":1,\"input\":[2],\"neighbors\":[0],\"split\":null,\"target\":null},"
                "{\"row\":2,\"input\":[3],\"neighbors\":[],\"split\":\"train\",\"target\":-2}]}");
    dataset_row_finish(&row);
    row = taken("{\"graph\":{\"nodes\":[1,2,3],\"edges\":[],\"targets\":[null,[1,2],[3,4]]}}");
    cr_expect_str_eq(row.target_shape, "[2]");
    dataset_row_finish(&row);
}

Test(intake_graphs, many_graphs) {
    DatasetRow row = taken("{\"graphs\":[{\"nodes\":[[1],[2]],\"edges\":[[0,1]]},"
                           "{\"edges\":[[2,0],[0,2]],\"nodes\":[[3],[4],[5]],\"directed\":true},"
                           "{\"nodes\":[[6]],\"edges\":[]}],\"targets\":[\"x\",\"y\",\"x\"],"
                           "\"splits\":{\"test\":[2]}}");
    cr_expect_eq(row.rows, 3);
    cr_expect_str_eq(row.input_shape, "[1]");
    cr_expect_not_null(strstr(row.profile, "\"edges\":{\"nodes\":6,\"edges\":4,\"directed\":true"));
    Dataset *dataset = dataset_of(&row);
    const GraphData *data = dataset->more;
    expect_numbers("first_node", data->first_node, (const int32_t[]){0, 2, 5, 6}, 4);
    expect_numbers("first_edge", data->first_edge, (const int32_t[]){0, 2, 4, 4}, 4);
    expect_numbers("pairs", data->pairs, (const int32_t[]){0, 1, 1, 0, 0, 2, 2, 0}, 8);
    dataset_close(dataset);
    expect_rows(
        &row, "{\"items\":[{\"row\":0,\"input\":{\"nodes\":[[1],[2]],\"edges\":[[0,1],[1,0]],"
              "\"directed\":true},\"target\":\"x\"},"
              "{\"row\":1,\"input\":{\"nodes\":[[3],[4],[5]],\"edges\":[[0,2],[2,0]],\"directed\":"
              "true},\"target\":\"y\"},"
              "{\"row\":2,\"input\":{\"nodes\":[[6]],\"edges\":[],\"directed\":true},\"target\":"
              "\"x\"}]}");
    dataset_row_finish(&row);
    row = taken(
        "{\"graphs\":[{\"nodes\":{\"shape\":[2,4],\"indices\":[[1,3]],\"values\":[7]},\"edges\":[]}"
        ","
        "{\"nodes\":{\"values\":[8,9],\"indices\":[[0,2],[0,1]],\"shape\":[1,4]},\"edges\":[]}],"
        "\"targets\":[0.5,1.5]}");
    dataset = dataset_of(&row);
    data = dataset->more;
    expect_numbers("first", data->first, (const int32_t[]){0, 0, 1, 3}, 4);
    expect_numbers("column", data->column, (const int32_t[]){3, 1, 2}, 3);
    dataset_close(dataset);
    dataset_row_finish(&row);
}

Test(intake_graphs, every_mistake_has_its_place) {
    refused("{\"graph\":[1]}",
            "/graph: must be an object with \"nodes\", \"edges\" and \"targets\", "
            "not an array\n");
    refused("{\"graph\":{\"node\":1}}",
            "/graph/node: unknown key; did you mean \"nodes\"?\n/graph/nodes: is required\n"
            "/graph/edges: is required\n/graph/targets: is required\n");
    refused("{\"graph\":{\"nodes\":5,\"edges\":[],\"targets\":[]}}",
            "/graph/nodes: must be an array of rows of numbers, or {\"shape\": [nodes, features], "
            "\"indices\": [[row, column], …], \"values\": […]}, not a number\n");
    refused("{\"graph\":{\"nodes\":[],\"edges\":[],\"targets\":[]}}",
            "/graph/nodes: must have at least one node\n");
    refused("{\"graph\":{\"nodes\":[[1,2],[3],[\"a\",4]],\"edges\":[[0,3],[1],[0.5,1],\"x\"],"
            "\"targets\":"
            "[0,1]}}",
            "/graph/nodes/1: must have 2 items, not 1\n"
            "/graph/nodes/2/0: must be a number or null, not a string\n"
            "/graph/edges/0/1: must be the number of a node, from 0 to 2\n"
            "/graph/edges/1: must be an edge [source, target], two numbers of nodes\n"
            "/graph/edges/2/0: must be the number of a node, from 0 to 2\n"
            "/graph/edges/3: must be an edge [source, target], two numbers of nodes\n"
            "/graph/targets: must have one item for each of the 3 rows of nodes, not 2\n");
    refused("{\"graph\":{\"nodes\":[[[1]],[[2]]],\"edges\":[],\"targets\":[0,1]}}",
            "/graph/nodes/0: must be one row of numbers, not of shape [1, 1]\n"
            "/graph/nodes/1: must be one row of numbers, not of shape [1, 1]\n");
    refused("{\"graph\":{" NODES ",\"edges\":[],\"directed\":1,\"targets\":[0,{},true,1]}}",
            "/graph/directed: must be true or false, not a number\n"
            "/graph/targets/1: must be a string, a number or an array of numbers, not an object\n"
            "/graph/targets/2: must be a string, a number or an array of numbers, not a "
            "boolean\n");
    refused("{\"graph\":{" NODES ",\"edges\":[],\"targets\":[null,null,null,null]}}",
            "/graph/targets: must have at least one target that is not null\n");
    refused("{\"graph\":{" NODES ",\"edges\":[],\"targets\":[0,1,null,1],"
            "\"splits\":{\"train\":[2,4,0,0],\"rest\":[]}}}",
            "/graph/splits/train/0: node 2 has no target\n"
            "/graph/splits/train/1: must be a node number from 0 to 3\n"
            "/graph/splits/train/3: node 0 is in \"train\" already\n"
            "/graph/splits/rest: unknown key; splits are \"train\", \"validation\" and \"test\"\n");
    refused("{\"graph\":{" NODES
            ",\"edges\":[],\"targets\":[0,1,null,1],\"splits\":{}},\"splits\":{}}",
            "/splits: stands in the graph already\n");
    refused("{\"graph\":{" NODES ",\"edges\":[],\"targets\":[0,1,0,1]},\"feature_names\":[\"a\"],"
            "\"targets\":[1]}",
            "/targets: does not belong to a dataset of \"graph\"" GRAPH_MAY_HAVE
            "/feature_names: has 1 names for nodes of 2 features\n");
    refused("{\"graph\":{" NODES
            ",\"edges\":[],\"targets\":[0,1,0,1]},\"task\":\"language_model\"}",
            "/task: a language model needs a \"text\", not graphs\n");
}

#define SPARSE(shape, indices, values)                                                             \
    "{\"graph\":{\"nodes\":{\"shape\":" shape ",\"indices\":" indices ",\"values\":" values        \
    "},\"edges\":[],\"targets\":[0,1]}}"

Test(intake_graphs, every_mistake_in_sparse_features_has_its_place) {
    refused(SPARSE("[2]", "[]", "1"),
            "/graph/nodes/shape: must be [nodes, features], two whole numbers from 1 to 16777216, "
            "not an array\n/graph/nodes/values: must be an array of numbers, not a number\n");
    refused("{\"graph\":{\"nodes\":{\"shap\":[2,2]},\"edges\":[],\"targets\":[0,1]}}",
            "/graph/nodes/shap: unknown key\n/graph/nodes/shape: is required\n"
            "/graph/nodes/indices: is required\n/graph/nodes/values: is required\n");
    refused(SPARSE("[2,3]", "[[0,0],[2,0],[0,3],[1]]", "[1,1,1,1]"),
            "/graph/nodes/indices/1/0: must be the number of a row, from 0 to 1\n"
            "/graph/nodes/indices/2/1: must be the number of a column, from 0 to 2\n"
            "/graph/nodes/indices/3: must be a place [row, column], two whole numbers\n");
    refused(SPARSE("[2,3]", "[[0,0],[1,2]]", "[1]"),
            "/graph/nodes/values: must have one item for each of the 2 indices, not 1\n");
    refused(SPARSE("[2,3]", "[[0,0],[1,2]]", "[null,1e99]"),
            "/graph/nodes/values/0: must be a number, not null\n"
            "/graph/nodes/values/1: 1e+99 is beyond the range of single precision\n");
    refused(SPARSE("[2,3]", "[[1,2],[0,0],[1,2]]", "[1,1,1]"),
            "/graph/nodes/indices/2: row 1, column 2 stands twice\n");
    refused(SPARSE("[3,3]", "[]", "[]"),
            "/graph/targets: must have one item for each of the 3 rows of nodes, not 2\n");
}

Test(intake_graphs, for_testing_stand_behind_the_others) {
    DatasetRow row =
        taken("{\"graphs\":[{\"nodes\":[[1],[2]],\"edges\":[[0,1]]},{\"nodes\":[[3]],"
              "\"edges\":[]}],\"targets\":[\"a\",\"b\"],\"test_inputs\":[{\"nodes\":"
              "[[4],[5]],\"edges\":[[1,0]],\"directed\":true}],\"test_targets\":[\"a\"]}");
    Dataset *dataset = dataset_of(&row);
    const GraphData *data = dataset->more;
    cr_assert_eq(dataset->rows, 3);
    expect_numbers("first nodes", data->first_node, (const int32_t[]){0, 2, 3, 5}, 4);
    expect_numbers("classes", dataset->classes, (const int32_t[]){0, 1, 0}, 3);
    cr_expect_eq(memcmp(dataset->splits, "\0\0\2", 3), 0);
    cr_expect_eq(data->value[4], 5);
    dataset_close(dataset);
    dataset_row_finish(&row);
}

Test(intake_graphs, every_mistake_in_many_graphs_has_its_place) {
    refused(
        "{\"graphs\":[{\"nodes\":[[1]],\"edges\":[]}],\"targets\":[0],\"test_inputs\":[{\"nodes\":"
        "[[1,2]],\"edges\":[]}],\"test_targets\":[0,1]}",
        "/test_inputs/0/nodes/0: must have 1 items, not 2\n"
        "/test_targets: must have one item for each of the 1 rows of test_inputs, not 2\n");
    refused("{\"graphs\":[],\"targets\":[]}", "/graphs: must have at least one graph\n");
    refused("{\"graphs\":[{\"nodes\":[[1]],\"edges\":[]},7,{\"nodes\":[[1,2]],\"edges\":[[0,1]],"
            "\"x/y\":1},"
            "{\"edges\":{}}],\"targets\":[0,1,0,1]}",
            "/graphs/1: must be a graph {\"nodes\", \"edges\"}, not a number\n"
            "/graphs/2/x~1y: unknown key\n"
            "/graphs/2/nodes/0: must have 1 items, not 2\n"
            "/graphs/2/edges/0/1: must be the number of a node, from 0 to 0\n"
            "/graphs/3/nodes: is required\n"
            "/graphs/3/edges: must be an array of edges [source, target], not an object\n");
    refused(
        "{\"graphs\":[{\"nodes\":[[1]],\"edges\":[]},{\"nodes\":{\"shape\":[1,1],\"indices\":[],"
        "\"values\":[]},\"edges\":[]}],\"targets\":[0,1]}",
        "/graphs/1/nodes: must be rows of numbers, as the first graph's are\n");
    refused("{\"graphs\":[{\"nodes\":[[1]],\"edges\":[]},{\"nodes\":[[1]],\"edges\":[]}],"
            "\"targets\":[0,null]}",
            "/targets/1: must be a string, a number or an array of numbers, not null\n");
    Issues issues;
    DatasetRow row = {0};
    cr_assert_eq(
        take_from(
            "{\"dataset\":{\"graphs\":[{\"nodes\":[[1]],\"edges\":[[0,0,0]]}],\"targets\":[0]}}",
            true, &issues, &row),
        ERR_INVALID);
    AUTO_FREE char *said = issues_as_text(&issues);
    cr_expect_str_eq(said,
                     "/dataset/graphs/0/edges/0: must be an edge [source, target], two numbers of "
                     "nodes\n");
    issues_finish(&issues);
    cr_assert_eq(
        take_from(
            "{\"dataset\":{\"graph\":{\"nodes\":[[1],[2]],\"edges\":[[0,5]],\"targets\":[0,1]}}}",
            true, &issues, &row),
        ERR_INVALID);
    AUTO_FREE char *again = issues_as_text(&issues);
    cr_expect_str_eq(again,
                     "/dataset/graph/edges/0/1: must be the number of a node, from 0 to 1\n");
    issues_finish(&issues);
}
