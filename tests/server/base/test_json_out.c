#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include "core/base/memory.h"
#include "server/base/json_out.h"

static void expect(JsonOut *out, const char *text) {
    cr_assert_str_eq(text_string(&out->text), text);
    json_finish(out);
}

Test(json_out, puts_commas_and_keys_where_they_belong) {
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    json_string(&out, "name", "iris");
    json_begin_array(&out, "shape");
    json_integer(&out, NULL, 4);
    json_integer(&out, NULL, -5);
    json_begin_object(&out, NULL);
    json_end_object(&out);
    json_end_array(&out);
    json_boolean(&out, "done", true);
    json_null(&out, "model");
    json_raw(&out, "plan", "{\"a\":1}");
    json_raw(&out, "none", NULL);
    json_string(&out, "error", NULL);
    json_end_object(&out);
    expect(&out, "{\"name\":\"iris\",\"shape\":[4,-5,{}],\"done\":true,\"model\":null,"
                 "\"plan\":{\"a\":1},\"none\":null,\"error\":null}");
}

Test(json_out, escapes_what_json_forbids_and_mends_what_is_no_utf8) {
    JsonOut out;
    json_init(&out);
    json_string(&out, NULL, "a\"b\\c\n\t\r\b\f\x01\x7f é \xff\xc3");
    expect(&out, "\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u007f é \xEF\xBF\xBD\xEF\xBF\xBD\"");
}

Test(json_out, numbers_read_back_exactly_in_their_shortest_form) {
    const double numbers[] = {0.1,     1.0 / 3,  1e300,         DBL_MIN,
                              DBL_MAX, -2.5e-10, 123456789.125, 5e-324};
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
        JsonOut out;
        json_init(&out);
        json_number(&out, NULL, numbers[i]);
        cr_assert_eq(strtod(text_string(&out.text), NULL), numbers[i], "%s",
                     text_string(&out.text));
        json_finish(&out);
    }
    JsonOut out;
    json_init(&out);
    json_begin_array(&out, NULL);
    json_number(&out, NULL, 0.1);
    json_number(&out, NULL, 3);
    json_number(&out, NULL, -0.0);
    json_float(&out, NULL, 0.1f);
    json_float(&out, NULL, 255);
    json_number(&out, NULL, NAN);
    json_number(&out, NULL, INFINITY);
    json_float(&out, NULL, -INFINITY);
    json_end_array(&out);
    expect(&out, "[0.1,3,-0,0.1,255,\"NaN\",\"Infinity\",\"-Infinity\"]");
}

Test(json_out, backs_the_cores_writer) {
    JsonOut out;
    json_init(&out);
    ValueWriter writer = json_writer(&out);
    write_begin_object(&writer, NULL);
    write_integer(&writer, "units", 3);
    write_begin_array(&writer, "layers");
    write_string(&writer, NULL, "dense");
    write_boolean(&writer, NULL, false);
    write_null(&writer, NULL);
    write_end_array(&writer);
    write_number(&writer, "rate", 0.5);
    write_end_object(&writer);
    expect(&out, "{\"units\":3,\"layers\":[\"dense\",false,null],\"rate\":0.5}");
}
