// Series out of records: thinning, not-a-numbers, names, forms.
#include "tests/server/jobs/workshop.h"
#include "server/base/table.h"

typedef struct Desk {
    Scratch scratch;
    char id[ID_TEXT];
    int attempt;
} Desk;

static void desk_open(Desk *desk) {
    scratch_open(&desk->scratch);
    scratch_dataset(&desk->scratch, "ds_1");
    JobRow row = scratch_row("job_1", "ds_1", 0);
    row.plan =
        (char *)"{\"layers\": [{\"name\": \"dense_1\", \"type\": \"dense\", \"parameters\": 15},"
                " {\"name\": \"dense_2\", \"type\": \"dense\", \"parameters\": 8}]}";
    cr_assert_eq(jobs_insert(desk->scratch.store, &row, 10), OK);
    desk->attempt = scratch_claim(&desk->scratch, desk->id);
}

static void append(Desk *desk, const char *kind, Table *table) {
    uint8_t *bytes = NULL;
    Record record = {
        .kind = kind, .first_step = table->steps[0], .last_step = table->steps[table->rows - 1]};
    cr_assert_eq(table_encode(table, &bytes, &record.length), OK);
    record.body = bytes;
    cr_assert_eq(records_append(desk->scratch.store, desk->id, desk->attempt, &record, 1), OK);
    memory_free(bytes);
    table_finish(table);
}

// train_loss 1/step over [first, last], but `odd` at step `at`.
static void append_losses(Desk *desk, int64_t first, int64_t last, int64_t at, double odd) {
    static const char *const names[] = {"train_loss"};
    Table table;
    cr_assert_eq(table_init(&table, names, 1), OK);
    for (int64_t step = first; step <= last; step++) {
        double value = step == at ? odd : 1.0 / (double)step;
        cr_assert_eq(table_add(&table, step, &value), OK);
    }
    append(desk, "metrics", &table);
}

static Document *metrics(Desk *desk, SeriesQuery query, JsonOut *out) {
    Document *document = NULL;
    Issues issues;
    issues_init(&issues);
    json_init(out);
    cr_assert_eq(series_write_metrics(desk->scratch.store, desk->id, &query, out), OK);
    cr_assert_eq(
        document_parse(text_string(&out->text), out->text.length, NULL, &issues, &document), OK);
    issues_finish(&issues);
    return document;
}

static Value item(Value series, const char *key, size_t index) {
    Value value = value_child(value_member(series, key));
    while (index-- > 0)
        value = value_next(value);
    return value;
}

Test(series, thinning_keeps_every_spike) {
    Desk desk;
    JsonOut out;
    desk_open(&desk);
    append_losses(&desk, 1, 600, 333, 9.0);
    append_losses(&desk, 601, 1000, 700, -4.0);
    Document *document = metrics(&desk, (SeriesQuery){.points = 10}, &out);
    Value loss = value_member(value_member(document_root(document), "series"), "train_loss");
    cr_assert_eq(value_length(value_member(loss, "step")), 10);
    cr_assert_eq(value_length(value_member(loss, "value")), 10);
    cr_expect_eq(value_number(item(loss, "step", 0)), 100);
    cr_expect_eq(value_number(item(loss, "value", 0)), 0.01, "the last of the bucket");
    cr_expect_eq(value_number(item(loss, "max", 0)), 1.0);
    cr_expect_eq(value_number(item(loss, "min", 0)), 0.01);
    cr_expect_eq(value_number(item(loss, "max", 3)), 9.0);
    cr_expect_eq(value_number(item(loss, "min", 6)), -4.0);
    cr_expect_eq(value_number(item(loss, "step", 9)), 1000);
    document_destroy(document);
    json_finish(&out);
    scratch_close(&desk.scratch);
}

Test(series, all_points_are_every_step) {
    Desk desk;
    JsonOut out;
    desk_open(&desk);
    append_losses(&desk, 1, 300, 0, 0);
    Document *document = metrics(&desk, (SeriesQuery){.points = 0, .from_step = 101}, &out);
    Value loss = value_member(value_member(document_root(document), "series"), "train_loss");
    cr_expect_eq(value_length(value_member(loss, "step")), 200);
    cr_expect_eq(value_number(item(loss, "step", 0)), 101);
    document_destroy(document);
    json_finish(&out);
    scratch_close(&desk.scratch);
}

Test(series, a_nan_hides_no_number) {
    Desk desk;
    JsonOut out;
    desk_open(&desk);
    append_losses(&desk, 1, 10, 10, NAN);
    Document *document = metrics(&desk, (SeriesQuery){.points = 1}, &out);
    Value loss = value_member(value_member(document_root(document), "series"), "train_loss");
    cr_expect_str_eq(value_string(item(loss, "value", 0)), "NaN");
    cr_expect_eq(value_number(item(loss, "max", 0)), 1.0);
    cr_expect_eq(value_number(item(loss, "min", 0)), 1.0 / 9);
    document_destroy(document);
    json_finish(&out);
    scratch_close(&desk.scratch);
}

Test(series, a_job_without_records_has_none) {
    Desk desk;
    JsonOut out;
    desk_open(&desk);
    Document *document = metrics(&desk, (SeriesQuery){.points = 100}, &out);
    cr_expect_str_eq(text_string(&out.text), "{\"series\":{}}");
    document_destroy(document);
    json_finish(&out);
    scratch_close(&desk.scratch);
}

Test(series, are_chosen_by_name) {
    Desk desk;
    JsonOut out;
    desk_open(&desk);
    append_losses(&desk, 1, 3, 0, 0);
    Document *document = metrics(&desk, (SeriesQuery){.names = "val_loss,learning_rate"}, &out);
    cr_expect_str_eq(text_string(&out.text), "{\"series\":{}}");
    document_destroy(document);
    json_finish(&out);
    SeriesQuery wrong = {.names = "train_loss,val_los"};
    json_init(&out);
    cr_expect_eq(series_write_metrics(desk.scratch.store, desk.id, &wrong, &out), ERR_INVALID);
    json_finish(&out);
    scratch_close(&desk.scratch);
}

static void append_gradients(Desk *desk) {
    static const char *const names[] = {"layer", "gradient_norm", "dead_fraction"};
    Table table;
    cr_assert_eq(table_init(&table, names, 3), OK);
    for (int64_t step = 1; step <= 4; step++) {
        cr_assert_eq(table_add(&table, step, (const double[]){0, (double)step, NAN}), OK);
        cr_assert_eq(table_add(&table, step, (const double[]){1, 10.0 * (double)step, 0.5}), OK);
    }
    append(desk, "gradients", &table);
}

Test(series, gradients_are_grouped_by_layer) {
    Desk desk;
    JsonOut out;
    SeriesQuery query = {.points = 2};
    desk_open(&desk);
    append_gradients(&desk);
    json_init(&out);
    cr_assert_eq(series_write_gradients(desk.scratch.store, desk.id, &query, &out), OK);
    cr_expect_str_eq(
        text_string(&out.text),
        "{\"layers\":[{\"name\":\"dense_1\",\"type\":\"dense\",\"index\":0,\"parameters\":15,"
        "\"series\":"
        "{\"gradient_norm\":{\"step\":[2,4],\"value\":[2,4],\"min\":[1,3],\"max\":[2,4]}}},"
        "{\"name\":\"dense_2\",\"type\":\"dense\",\"index\":1,\"parameters\":8,\"series\":"
        "{\"gradient_norm\":{\"step\":[2,4],\"value\":[20,40],\"min\":[10,30],\"max\":[20,40]},"
        "\"dead_fraction\":{\"step\":[2,4],\"value\":[0.5,0.5],\"min\":[0.5,0.5],\"max\":[0.5,0.5]}"
        "}}]}");
    json_finish(&out);
    scratch_close(&desk.scratch);
}

Test(series, come_as_csv) {
    Desk desk;
    Text text;
    SeriesQuery query = {.points = 0};
    desk_open(&desk);
    append_losses(&desk, 1, 2, 2, INFINITY);
    append_gradients(&desk);
    text_init(&text);
    cr_assert_eq(series_write_metrics_csv(desk.scratch.store, desk.id, &query, &text), OK);
    cr_expect_str_eq(text_string(&text), "series,step,value,min,max\r\ntrain_loss,1,1,1,1\r\n"
                                         "train_loss,2,Infinity,Infinity,Infinity\r\n");
    text_clear(&text);
    query.from_step = 4;
    cr_assert_eq(series_write_gradients_csv(desk.scratch.store, desk.id, &query, &text), OK);
    cr_expect_str_eq(text_string(&text), "layer,series,step,value,min,max\r\n"
                                         "dense_1,gradient_norm,4,4,4,4\r\n"
                                         "dense_2,gradient_norm,4,40,40,40\r\n"
                                         "dense_2,dead_fraction,4,0.5,0.5,0.5\r\n");
    text_finish(&text);
    scratch_close(&desk.scratch);
}

typedef struct Events {
    Store *store;
    const char *job;
    Text text;
} Events;

static int event_add(void *context, const Record *record) {
    Events *events = context;
    JsonOut out;
    json_init(&out);
    int result = record_write_event(events->store, events->job, record, &out);
    text_add_format(&events->text, "%s %s\n", record->kind, text_string(&out.text));
    json_finish(&out);
    return result;
}

Test(series, a_record_is_an_event) {
    Desk desk;
    desk_open(&desk);
    append_losses(&desk, 1, 2, 0, 0);
    append_gradients(&desk);
    Events events = {.store = desk.scratch.store, .job = desk.id};
    text_init(&events.text);
    cr_assert_eq(records_since(desk.scratch.store, desk.id, NULL, 1, -1, event_add, &events), OK);
    cr_expect_str_eq(
        text_string(&events.text),
        "status "
        "{\"status\":\"running\",\"attempt\":1,\"progress\":null,\"metrics\":null,\"best\":null,"
        "\"model\":null,\"error\":null}\n"
        "metrics {\"series\":{\"train_loss\":{\"step\":[1,2],\"value\":[1,0.5]}}}\n"
        "gradients "
        "{\"layers\":[{\"name\":\"dense_1\",\"type\":\"dense\",\"index\":0,\"parameters\":15,"
        "\"series\":{\"gradient_norm\":{\"step\":[1,2,3,4],\"value\":[1,2,3,4]}}},"
        "{\"name\":\"dense_2\",\"type\":\"dense\",\"index\":1,\"parameters\":8,"
        "\"series\":{\"gradient_norm\":{\"step\":[1,2,3,4],\"value\":[10,20,30,40]},"
        "\"dead_fraction\":{\"step\":[1,2,3,4],\"value\":[0.5,0.5,0.5,0.5]}}}]}\n");
    text_finish(&events.text);
    scratch_close(&desk.scratch);
}
