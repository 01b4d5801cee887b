#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/text.h"
#include "server/http/multipart.h"

#define TYPE "multipart/form-data; boundary=xy"

// "name=bytes|" of each part, then "." at a good end, or "!byte: error".
static char *parts_of(const char *type, const char *body, size_t length) {
    Text said;
    text_init(&said);
    // A copy of its exact size: the sanitizer sees whoever reads on.
    char *copy = malloc(length + (length == 0));
    memcpy(copy, body, length);
    Source source = source_in_memory(copy, length);
    Multipart multipart;
    Part part;
    int result = multipart_init(&multipart, type, &source);
    while (result == OK && (result = multipart_next(&multipart, &part)) == OK) {
        text_add_format(&said, "%s=", part.name);
        text_add_bytes(&said, part.bytes.text, part.bytes.length);
        text_add_char(&said, '|');
    }
    if (result == ERR_NOT_FOUND) {
        text_add_char(&said, '.');
    } else {
        text_add_format(&said, "!%zu: %s", multipart.offset, multipart.error);
    }
    free(copy);
    return text_take(&said);
}

static void expect_typed(const char *type, const char *body, const char *wanted) {
    AUTO_FREE char *said = parts_of(type, body, strlen(body));
    cr_assert_str_eq(said, wanted);
}

static void expect(const char *body, const char *wanted) {
    expect_typed(TYPE, body, wanted);
}

#define HEAD(name) "Content-Disposition: form-data; name=\"" name "\"\r\n"

Test(multipart, finds_the_bytes_of_each_part) {
    expect("--xy\r\n" HEAD("a") "\r\none\r\n--xy\r\n" HEAD("b") "\r\n\r\n--xy--\r\n", "a=one|b=|.");
    expect("--xy\r\n" HEAD("a") "\r\none\r\n--xy--", "a=one|.");
    expect("--xy--\r\n", ".");
    expect("--xy\r\n" HEAD("a") "\r\n\r\n--x\r\n-xy\n--xy\r\n--xy--", "a=\r\n--x\r\n-xy\n--xy|.");
    expect("--xy \t\r\n" HEAD("a") "\r\n1\r\n--xy--", "a=1|.");
}

Test(multipart, reads_heads_as_clients_write_them) {
    expect("--xy\r\ncontent-type: "
           "text/plain\r\ncontent-disposition:form-data;name=a\r\n\r\n1\r\n--xy--",
           "a=1|.");
    expect("--xy\r\nContent-Disposition: form-data; filename=\"name=b; x.gz\"; name=\"a\"\r\n"
           "Content-Transfer-Encoding: binary\r\nX-More: 1\r\n\r\n1\r\n--xy--",
           "a=1|.");
    expect_typed("multipart/form-data; charset=utf-8; Boundary=\"x y\"",
                 "--x y\r\n" HEAD("a") "\r\n1\r\n--x y--", "a=1|.");
}

Test(multipart, says_what_is_wrong_and_where) {
    static const char no_boundary[] = "!0: the header Content-Type has no boundary of 1 to 70 "
                                      "characters: multipart/form-data; boundary=…";
    expect_typed("multipart/form-data", "--xy--", no_boundary);
    expect_typed("multipart/form-data; boundary=", "----", no_boundary);
    expect_typed("multipart/form-data; boundary=a\x01", "--a--", no_boundary);
    expect_typed("multipart/form-data; boundary=01234567890123456789012345678901234567890123456789"
                 "012345678901234567890",
                 "--", no_boundary);
    expect("", "!0: the body does not begin with the boundary of its Content-Type");
    expect("hello\r\n--xy--", "!0: the body does not begin with the boundary of its Content-Type");
    expect("--xyz\r\n", "!4: a boundary must be followed by CRLF, or by -- at the end");
    expect("--xy\n" HEAD("a"), "!4: a boundary must be followed by CRLF, or by -- at the end");
    expect("--xy--\r\nmore", "!8: bytes stand behind the last boundary");
    expect("--xy\r\n" HEAD("a") "\r\none",
           "!50: a part is not ended by the boundary: was the body cut off?");
    expect("--xy\r\n" HEAD("a") "\r\none\r\n--xyz\r\n",
           "a=one|!59: a boundary must be followed by CRLF, or by -- at the end");
    expect("--xy\r\n\r\none\r\n--xy--",
           "!6: a part has no Content-Disposition: form-data; name=\"…\"");
    expect("--xy\r\nnothing\r\n\r\n1\r\n--xy--",
           "!6: a line of a part's head must be a header: NAME: VALUE");
    expect("--xy\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n1\r\n--xy--",
           "!27: a part's Content-Disposition must be form-data; name=\"…\"");
    expect("--xy\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n1\r\n--xy--",
           "!44: a part must have one name, of 1 to 64 characters");
    expect("--xy\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\n1\r\n--xy--",
           "!54: a part must have one name, of 1 to 64 characters");
    expect("--xy\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--xy--",
           "!36: this is no parameter of Content-Disposition");
    expect("--xy\r\n" HEAD("a") "Content-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--xy--",
           "!48: a part must be sent as it is, without Content-Transfer-Encoding");
    expect("--xy\r\n" HEAD("a"), "!48: the body ends in a part's head");
}

Test(multipart, parts_and_heads_are_bounded) {
    Text body;
    text_init(&body);
    text_add(&body, "--xy");
    for (int i = 0; i <= MULTIPART_PARTS_MAX; i++) {
        text_add(&body, "\r\n" HEAD("a") "\r\n\r\n--xy");
    }
    AUTO_FREE char *many = parts_of(TYPE, text_string(&body), body.length);
    cr_assert_not_null(strstr(many, "there are more than 64 parts"));
    text_clear(&body);
    text_add(&body, "--xy\r\nX-Long: ");
    for (int i = 0; i < MULTIPART_HEAD_MAX; i++) {
        text_add_char(&body, 'x');
    }
    text_add(&body, "\r\n" HEAD("a") "\r\n1\r\n--xy--");
    AUTO_FREE char *longer = parts_of(TYPE, text_string(&body), body.length);
    cr_assert_str_eq(longer, "!6: a part's head has more than 4096 bytes");
    text_finish(&body);
}

Test(multipart, finds_a_boundary_wherever_it_lies) {
    enum { PIECE = 1 << 20 }; // what the search looks at at once
    for (size_t length = PIECE - 70; length < PIECE + 10; length++) {
        Text body;
        text_init(&body);
        text_add(&body, "--xy\r\n" HEAD("a") "\r\n");
        size_t start = body.length;
        AUTO_FREE char *filler = memory_array(length, 1);
        text_add_bytes(&body, filler, length - start);
        text_add(&body, "\r\n--xy--");
        Source source = source_in_memory(text_string(&body), body.length);
        Multipart multipart;
        Part part;
        cr_assert_eq(multipart_init(&multipart, TYPE, &source), OK);
        cr_assert_eq(multipart_next(&multipart, &part), OK);
        cr_assert_eq(part.bytes.length, length - start);
        cr_assert_eq(multipart_next(&multipart, &part), ERR_NOT_FOUND);
        text_finish(&body);
    }
}

// Any bytes at any place: an answer, and no read beyond the end.
Test(multipart, survives_any_byte_anywhere) {
    static const char body[] = "--xy\r\n" HEAD("a") "\r\none\r\n--xy\r\nContent-Type: b\r\n" HEAD(
        "b") "\r\ntwo\r\n--xy--\r\n";
    for (size_t cut = 0; cut < sizeof body; cut++) {
        AUTO_FREE char *said = parts_of(TYPE, body, cut);
        cr_assert_not_null(said);
    }
    for (size_t at = 0; at + 1 < sizeof body; at++) {
        for (int byte = 0; byte < 256; byte += 1 + (byte > 64 && byte < 250) * 7) {
            char changed[sizeof body];
            memcpy(changed, body, sizeof body);
            changed[at] = (char)byte;
            AUTO_FREE char *said = parts_of(TYPE, changed, sizeof body - 1);
            cr_assert_not_null(said);
        }
    }
}
