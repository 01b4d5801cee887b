#include "core/catalog/catalog.h"
#include <criterion/criterion.h>
#include "tests/support/json.h"

Test(catalog, describes_every_entry_and_the_training_keys) {
    Arena arena;
    arena_init(&arena, 0);
    JsonWriter writer;
    json_writer_init(&writer);
    ValueWriter out = json_value_writer(&writer);
    catalog_write(&out);
    Value body = json_value(&arena, text_string(&writer.text));
    for (size_t i = 0; i < catalog_parts(); i++) {
        const CatalogPart *part = catalog_part(i);
        Value entries = value_member(body, part->key);
        cr_assert_eq(value_length(entries), part->registry->count, "%s", part->key);
        VALUE_FOREACH(entry, entries) {
            cr_assert_not_null(value_string(value_member(entry, "summary")));
            cr_assert_eq(value_kind(value_member(entry, "parameters")), VALUE_ARRAY);
        }
    }
    Value training = value_member(body, "training");
    cr_assert_gt(value_length(value_member(training, "parameters")), 10);
    json_writer_finish(&writer);
    arena_finish(&arena);
}
