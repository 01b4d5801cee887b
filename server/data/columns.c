// Columns to text and back. The text comes out of an archive, so it is read as strictly as a
// user's.
#include "server/data/columns.h"
#include <string.h>
#include "core/base/archive_text.h"
#include "core/base/error.h"
#include "core/base/memory.h"

int columns_create(const Names *names, Columns **ret_columns) {
    Columns *columns = memory_new(Columns);
    if (columns == NULL) {
        return ERR_NO_MEMORY;
    }
    int result = OK;
    columns->items = memory_array(names->count, sizeof *columns->items);
    if (columns->items == NULL) {
        result = ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < names->count && result == OK; i++) {
        int32_t index;
        result = names_add(&columns->names, names->items[i], strlen(names->items[i]), names->count,
                           &index);
        if (result == OK) {
            columns->items[columns->count++].name = columns->names.items[index];
        }
    }
    if (result != OK) {
        columns_destroy(columns);
        return result;
    }
    columns_place(columns);
    *ret_columns = columns;
    return OK;
}

void columns_destroy(Columns *columns) {
    if (columns == NULL) {
        return;
    }
    for (size_t i = 0; i < columns->count; i++) {
        names_finish(&columns->items[i].values);
    }
    memory_free(columns->items);
    names_finish(&columns->names);
    memory_free(columns);
}

void columns_place(Columns *columns) {
    columns->width = 0;
    for (size_t i = 0; i < columns->count; i++) {
        columns->items[i].offset = columns->width;
        columns->width += column_width(&columns->items[i]);
    }
}

void columns_write(const Columns *columns, JsonOut *out) {
    json_begin_array(out, NULL);
    for (size_t i = 0; i < columns->count; i++) {
        const Column *column = &columns->items[i];
        json_begin_object(out, NULL);
        json_string(out, "name", column->name);
        json_string(out, "kind", column->category ? "category" : "number");
        if (column->category) {
            json_begin_array(out, "values");
            for (size_t value = 0; value < column->values.count; value++) {
                json_string(out, NULL, column->values.items[value]);
            }
            json_end_array(out);
        }
        json_end_object(out);
    }
    json_end_array(out);
}

static int read_names(Value list, Names *names) {
    VALUE_FOREACH(item, list) {
        const char *text = value_string(item);
        if (text == NULL) {
            text = value_string(value_member(item, "name"));
        }
        int32_t index;
        size_t before = names->count;
        int result =
            text != NULL ? names_add(names, text, strlen(text), SIZE_MAX, &index) : ERR_DAMAGED;
        if (result == OK && names->count == before) {
            result = ERR_DAMAGED; // twice
        }
        if (result != OK) {
            return result;
        }
    }
    return OK;
}

static int read_columns(Value list, Columns **ret_columns) {
    Names names = {0};
    Columns *columns = NULL;
    int result = value_kind(list) == VALUE_ARRAY ? read_names(list, &names) : ERR_DAMAGED;
    if (result == OK) {
        result = columns_create(&names, &columns);
    }
    names_finish(&names);
    if (result != OK) {
        return result;
    }
    Column *column = columns->items;
    VALUE_FOREACH(item, list) {
        const char *kind = value_string(value_member(item, "kind"));
        column->category = kind != NULL && strcmp(kind, "category") == 0;
        if (result == OK && column->category) {
            result = read_names(value_member(item, "values"), &column->values);
        }
        column++;
    }
    if (result != OK) {
        columns_destroy(columns);
        return result;
    }
    columns_place(columns);
    *ret_columns = columns;
    return OK;
}

int columns_parse(const char *json, Columns **ret_columns) {
    if (json == NULL || *json == '\0') {
        *ret_columns = NULL;
        return OK;
    }
    Issues issues;
    issues_init(&issues);
    Document *document;
    int result = document_parse(json, strlen(json), NULL, &issues, &document);
    issues_finish(&issues);
    if (result != OK) {
        return result == ERR_NO_MEMORY ? result : ERR_DAMAGED;
    }
    result = read_columns(document_root(document), ret_columns);
    document_destroy(document);
    return result;
}

int columns_load(const Archive *archive, Columns **ret_columns) {
    AUTO_FREE char *text = archive_text(archive, "columns");
    if (text == NULL && archive_text_error(archive, "columns") == ERR_NO_MEMORY) {
        return ERR_NO_MEMORY;
    }
    return columns_parse(text, ret_columns);
}

// ---- a dataset's columns for a model ----

static void match_category(const Column *model, const Column *dataset, const char *pointer,
                           Issues *issues, int32_t *places) {
    for (size_t i = 0; i < model->values.count; i++) {
        const char *value = model->values.items[i];
        int32_t own = names_find(&dataset->values, value, strlen(value));
        places[i] = own < 0 ? -1 : (int32_t)dataset->offset + own;
    }
    places[model->values.count] = (int32_t)dataset->offset + (int32_t)dataset->values.count;
    for (size_t i = 0; i < dataset->values.count; i++) {
        const char *value = dataset->values.items[i];
        if (names_find(&model->values, value, strlen(value)) < 0) {
            issues_add_at(
                issues, pointer,
                "the column \"%.60s\" has the value \"%.60s\", which the model does not know",
                model->name, value);
        }
    }
}

int columns_match(const Columns *model, const Columns *dataset, const char *pointer, Issues *issues,
                  int32_t **ret_places) {
    int32_t *places = memory_array((size_t)model->width, sizeof *places);
    if (places == NULL) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < model->count; i++) {
        const Column *column = &model->items[i];
        int32_t index = names_find(&dataset->names, column->name, strlen(column->name));
        const Column *own = index < 0 ? NULL : &dataset->items[index];
        if (own == NULL) {
            issues_add_at(issues, pointer, "has no column \"%.60s\", which the model takes",
                          column->name);
        } else if (own->category != column->category) {
            issues_add_at(issues, pointer, "the column \"%.60s\" is a %s, and the model's is a %s",
                          column->name, own->category ? "category" : "number",
                          column->category ? "category" : "number");
        } else if (own->category) {
            match_category(column, own, pointer, issues, places + column->offset);
        } else {
            places[column->offset] = (int32_t)own->offset;
        }
    }
    for (size_t i = 0; i < dataset->count; i++) {
        const char *name = dataset->items[i].name;
        if (names_find(&model->names, name, strlen(name)) < 0) {
            issues_add_at(issues, pointer,
                          "has the column \"%.60s\", which the model does not take", name);
        }
    }
    if (issues_any(issues)) {
        memory_free(places);
        return issues->failed ? ERR_NO_MEMORY : ERR_INVALID;
    }
    *ret_places = places;
    return OK;
}
