#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/http/body.h"

static char folder[] = "/tmp/backpropd-body-XXXXXX";
static int directory;

static void begin(void) {
    cr_assert_not_null(mkdtemp(folder));
    directory = open(folder, O_RDONLY | O_DIRECTORY);
    cr_assert_eq(mkdirat(directory, "tmp", 0700), 0);
}

static void end(void) {
    unlinkat(directory, "tmp", AT_REMOVEDIR); // empty: bodies have no names
    close(directory);
    cr_assert_eq(rmdir(folder), 0);
}

TestSuite(body, .init = begin, .fini = end);

Test(body, is_whole_in_memory_and_on_disk) {
    static const size_t sizes[] = {
        0, 1, 1000, BODY_IN_MEMORY, BODY_IN_MEMORY + 1, 4 * BODY_IN_MEMORY};
    for (size_t s = 0; s < ARRAY_LENGTH(sizes); s++) {
        Body body;
        char piece[7777];
        body_init(&body, 1 << 30);
        for (size_t done = 0; done < sizes[s];) {
            size_t length = sizes[s] - done < sizeof piece ? sizes[s] - done : sizeof piece;
            for (size_t i = 0; i < length; i++)
                piece[i] = (char)((done + i) % 251);
            cr_assert_eq(body_add(&body, directory, piece, length), OK);
            done += length;
        }
        cr_assert_eq(body_end(&body), OK);
        cr_assert_eq(body.length, sizes[s]);
        cr_assert_eq(body.descriptor >= 0, sizes[s] > BODY_IN_MEMORY);
        for (size_t i = 0; i < sizes[s]; i++)
            cr_assert_eq(body_data(&body)[i], (char)(i % 251));
        body_finish(&body);
    }
}

Test(body, stops_at_its_limit) {
    Body body;
    body_init(&body, 10);
    cr_assert_eq(body_add(&body, directory, "0123456789", 10), OK);
    cr_assert_eq(body_add(&body, directory, "x", 1), ERR_TOO_LARGE);
    cr_assert_eq(body.length, 10);
    body_finish(&body);
}
