#include "tests/core/sample.h"
#include "core/base/archive.h"
#include "core/model/model.h"

static Model *model;
static Real *weights;

static void begin(void) {
    sample_begin();
    Issues issues;
    issues_init(&issues);
    const Task task = {.kind = TASK_CLASSIFICATION, .input = SHAPE(4), .outputs = 3};
    Value spec = json_value(&sample_arena,
                            "{\"layers\": [{\"type\": \"dense\", \"units\": 5},"
                            " {\"type\": \"batch_norm\"}, {\"type\": \"dense\", \"units\": 3}]}");
    cr_assert_eq(model_create(spec, NULL, &task, &issues, &model), OK);
    issues_finish(&issues);
    weights = memory_array(graph_weight_elements(model_graph(model)), sizeof(Real));
    cr_assert_eq(graph_initialise(model_graph(model), 3, weights), OK);
}

static void end(void) {
    memory_free(weights);
    model_destroy(model);
    sample_end();
}

TestSuite(weights, .init = begin, .fini = end);

Test(weights, survive_an_archive_to_the_bit) {
    size_t elements = graph_weight_elements(model_graph(model));
    ArchiveWriter *writer;
    Archive *archive;
    cr_assert_eq(archive_writer_create(sample_directory, "w", &writer), OK);
    cr_assert_eq(model_save_weights(model, weights, writer), OK);
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    cr_assert_eq(archive_open(sample_directory, "w", true, &archive), OK);
    cr_assert_not_null(archive_typed(archive, "batch_norm_1.moving_variance", ARCHIVE_F32));
    AUTO_FREE Real *loaded = memory_array(elements, sizeof(Real));
    cr_assert_eq(model_load_weights(model, archive, loaded), OK);
    cr_assert_arr_eq(loaded, weights, elements * sizeof(Real));
    archive_close(archive);
}

Test(weights, of_another_shape_are_refused) {
    ArchiveWriter *writer;
    Archive *archive;
    float kernel[12] = {0};
    cr_assert_eq(archive_writer_create(sample_directory, "w", &writer), OK);
    archive_add(writer, "dense_1.kernel", ARCHIVE_F32, 2, (int64_t[]){3, 4}, kernel);
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    cr_assert_eq(archive_open(sample_directory, "w", true, &archive), OK);
    cr_assert_eq(model_load_weights(model, archive, weights), ERR_DAMAGED);
    archive_close(archive);
}

Test(weights, have_a_hash_that_sees_every_element) {
    char before[65], after[65];
    model_hash_weights(model, weights, before);
    size_t elements = graph_weight_elements(model_graph(model));
    for (size_t i = 0; i < elements; i++) {
        Real kept = weights[i];
        weights[i] += 1;
        model_hash_weights(model, weights, after);
        cr_assert_str_neq(after, before);
        weights[i] = kept;
    }
    model_hash_weights(model, weights, after);
    cr_assert_str_eq(after, before);
}

Test(weights, are_written_as_safetensors) {
    char path[128], file[4096];
    snprintf(path, sizeof(path), "%s/w.safetensors", sample_folder);
    cr_assert_eq(model_export_safetensors(model, weights, path), OK);
    FILE *opened = fopen(path, "rb");
    cr_assert_not_null(opened);
    size_t bytes = fread(file, 1, sizeof(file), opened);
    fclose(opened);
    uint64_t header_bytes;
    memcpy(&header_bytes, file, 8);
    cr_assert_eq(header_bytes % 8, 0);
    size_t elements = graph_weight_elements(model_graph(model));
    cr_assert_eq(bytes, 8 + header_bytes + elements * sizeof(float));
    char *text = arena_array(&sample_arena, header_bytes + 1, 1);
    memcpy(text, file + 8, header_bytes);
    Value header = json_value(&sample_arena, text);
    cr_assert_eq(value_length(header), (size_t)graph_weights(model_graph(model)));
    int64_t expected_begin = 0;
    int index = 0;
    VALUE_FOREACH(tensor, header) {
        const GraphWeight *weight = graph_weight_at(model_graph(model), index++);
        char name[128];
        snprintf(name, sizeof(name), "%s.%s", model_layer(model, weight->layer)->name,
                 weight->name);
        cr_assert_str_eq(value_key(tensor), name);
        cr_assert_str_eq(value_string(value_member(tensor, "dtype")), "F32");
        Shape shape = {0};
        VALUE_FOREACH(axis, value_member(tensor, "shape"))
        shape.dim[shape.rank++] = (int64_t)value_number(axis);
        cr_assert(shape_equal(&shape, &weight->shape));
        Value offsets = value_member(tensor, "data_offsets");
        int64_t begin = (int64_t)value_number(value_child(offsets));
        int64_t end = (int64_t)value_number(value_next(value_child(offsets)));
        cr_assert_eq(begin, expected_begin);
        cr_assert_eq(end - begin, shape_elements(&shape) * 4);
        expected_begin = end;
        for (int64_t i = 0; i < shape_elements(&shape); i++) {
            float value;
            memcpy(&value, file + 8 + header_bytes + begin + i * 4, 4);
            cr_assert_eq(value, (float)weights[weight->offset + (size_t)i]);
        }
    }
}
