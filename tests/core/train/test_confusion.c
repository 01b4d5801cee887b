#include "tests/core/sample.h"
#include "core/train/confusion.h"
#include "tests/support/near.h"

TestSuite(confusion, .init = sample_begin, .fini = sample_end);

static char *written(const Confusion *confusion) {
    JsonWriter writer;
    json_writer_init(&writer);
    ValueWriter out = json_value_writer(&writer);
    confusion_write(confusion, NULL, &out);
    char *text = arena_string(&sample_arena, text_string(&writer.text));
    json_writer_finish(&writer);
    return text;
}

Test(confusion, counts_rows_and_weighs_classes) {
    SampleData data = sample_blobs(6, 3);
    Dataset *dataset = sample_dataset(&data);
    Confusion confusion;
    cr_assert_eq(confusion_init(&confusion, dataset->archive, 3), OK);
    static const Mistake rows[] = {
        {4, 0, 0, 0.9}, {5, 0, 0, 0.8}, {6, 0, 1, 0.5}, {7, 1, 1, 0.7}, {8, 1, 0, 0.75}};
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        confusion_add(&confusion, &rows[i]);
    cr_assert_str_eq(
        written(&confusion),
        "{\"classes\":[\"class 0\",\"class 1\",\"class 2\"],"
        "\"matrix\":[[2,1,0],[1,1,0],[0,0,0]],\"per_class\":["
        "{\"class\":\"class 0\",\"precision\":0.666666666666667,\"recall\":0.666666666666667,"
        "\"f1\":0.666666666666667,\"support\":3},"
        "{\"class\":\"class 1\",\"precision\":0.5,\"recall\":0.5,\"f1\":0.5,\"support\":2},"
        "{\"class\":\"class 2\",\"precision\":0,\"recall\":0,\"f1\":0,\"support\":0}],"
        "\"worst\":[{\"row\":8,\"true\":\"class 1\",\"predicted\":\"class "
        "0\",\"probability\":0.75},"
        "{\"row\":6,\"true\":\"class 0\",\"predicted\":\"class 1\",\"probability\":0.5}]}");
    confusion_finish(&confusion);
    dataset_close(dataset);
}

Test(confusion, keeps_the_surest_mistakes_in_order) {
    SampleData data = sample_blobs(6, 2);
    Dataset *dataset = sample_dataset(&data);
    Confusion confusion;
    cr_assert_eq(confusion_init(&confusion, dataset->archive, 2), OK);
    for (int i = 0; i < 101; i++)
        confusion_add(&confusion, &(Mistake){i, i % 2, 1 - i % 2, 0.5 + 0.001 * (i * 37 % 101)});
    cr_assert_eq(confusion.worst_count, CONFUSION_WORST);
    for (int i = 0; i < CONFUSION_WORST; i++)
        assert_near(confusion.worst[i].probability, 0.5 + 0.001 * (100 - i), 1e-12);
    cr_assert_eq(confusion.counts[1], 51);
    cr_assert_eq(confusion.counts[2], 50);
    confusion_finish(&confusion);
    cr_assert_eq(confusion_init(&confusion, dataset->archive, CONFUSION_CLASSES_MAX + 1),
                 ERR_TOO_LARGE);
    Confusion third;
    cr_assert_eq(confusion_init(&third, dataset->archive, 3), ERR_DAMAGED, "two are named");
    dataset_close(dataset);
}

// Every validation row stands in the matrix once, and its diagonal is the accuracy.
static void expect_whole(const char *spec, int64_t classes) {
    SampleData data = sample_blobs(90, classes);
    for (int i = 0; i < 90; i += 7)
        data.classes[i] = (int32_t)((data.classes[i] + 1) % classes); // wrong labels: mistakes
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(dataset, spec);
    Trainer *trainer;
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    Confusion confusion;
    cr_assert_eq(trainer_confusion(trainer, &confusion), OK);
    int64_t sum = 0, right = 0;
    for (int64_t i = 0; i < classes * classes; i++) {
        sum += confusion.counts[i];
        right += i / classes == i % classes ? confusion.counts[i] : 0;
    }
    const JobRows *rows = job_rows(job);
    cr_assert_eq(sum, rows->validation_count);
    assert_near((double)right / (double)sum, trainer_validation(trainer)->accuracy, 1e-12);
    cr_assert_gt(confusion.worst_count, 0);
    for (int i = 0; i < confusion.worst_count; i++) {
        const Mistake *mistake = &confusion.worst[i];
        bool validates = false;
        for (int64_t r = 0; r < rows->validation_count; r++)
            validates |= rows->validation[r] == mistake->row;
        cr_assert(validates);
        cr_assert_eq(mistake->true_class, data.classes[mistake->row]);
        cr_assert(mistake->probability > 1.0 / (double)classes && mistake->probability <= 1);
    }
    confusion_finish(&confusion);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(confusion, of_a_trained_net_agrees_with_its_accuracy) {
    expect_whole("{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 3}]}, \"training\":"
                 " {\"validation_split\": 0.5}}",
                 3);
    expect_whole("{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 1}]}, \"training\":"
                 " {\"validation_split\": 0.5, \"loss\": \"binary_cross_entropy\"}}",
                 2);
}

Test(confusion, is_not_there_for_numbers_or_without_validation) {
    SampleData line = sample_line(20), blobs = sample_blobs(20, 2);
    Dataset *dataset = sample_dataset(&line);
    Job *job =
        sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 2}]}}");
    Trainer *trainer;
    Confusion confusion;
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_confusion(trainer, &confusion), ERR_NOT_FOUND);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
    dataset = sample_dataset(&blobs);
    job = sample_job(dataset, "{\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 2}]},"
                              " \"training\": {\"validation_split\": 0}}");
    cr_assert_eq(trainer_create(job, NULL, &trainer), OK);
    cr_assert_eq(trainer_confusion(trainer, &confusion), ERR_NOT_FOUND);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}
