#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/base/error.h"
#include "server/http/auth.h"
#include "server/http/http.h"
#include "server/http/token.h"

static const char token[] = "0123456789abcdef0123456789abcdef";

Test(auth, without_a_token_everyone_may) {
    Auth auth;
    auth_init(&auth, NULL);
    cr_assert(auth_allows(&auth, NULL, NULL));
    auth_finish(&auth);
}

Test(auth, only_the_token_opens) {
    Auth auth;
    auth_init(&auth, token);
    cr_assert(auth_allows(&auth, "Bearer 0123456789abcdef0123456789abcdef", NULL));
    cr_assert(auth_allows(&auth, "bearer  0123456789abcdef0123456789abcdef", NULL));
    static const char *const wrong[] = {"",
                                        "Bearer",
                                        "Bearer ",
                                        "Basic 0123456789abcdef0123456789abcdef",
                                        "0123456789abcdef0123456789abcdef",
                                        "Bearer 0123456789abcdef0123456789abcde",
                                        "Bearer 0123456789abcdef0123456789abcdeff",
                                        "Bearer 0123456789ABCDEF0123456789abcdef"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert(!auth_allows(&auth, wrong[i], NULL), "%s", wrong[i]);
    cr_assert(!auth_allows(&auth, NULL, NULL));
    auth_finish(&auth);
}

static bool session_allows(Auth *auth, const char *session) {
    char cookies[200];
    snprintf(cookies, sizeof cookies, "a=b; " HTTP_SESSION_COOKIE "=%s; c", session);
    return auth_allows(auth, NULL, cookies);
}

Test(auth, a_session_lasts_until_it_is_closed) {
    Auth auth;
    char first[HASH_TEXT], other[HASH_TEXT];
    auth_init(&auth, token);
    auth_session_open(&auth, first);
    auth_session_open(&auth, other);
    cr_assert_str_neq(first, other);
    cr_assert(session_allows(&auth, first));
    cr_assert(!session_allows(&auth, token));
    cr_assert(!session_allows(&auth, ""));
    auth_session_close(&auth, first, strlen(first));
    cr_assert(!session_allows(&auth, first));
    cr_assert(session_allows(&auth, other));
    auth_finish(&auth);
}

Test(auth, cookies_are_told_apart) {
    const char *value;
    size_t length;
    cr_assert(cookie_find("xa=1; a=23;b=4", "a", &value, &length));
    cr_assert(length == 2 && strncmp(value, "23", 2) == 0);
    cr_assert(!cookie_find("aa=1; ba=2", "a", &value, &length));
    cr_assert(!cookie_find(NULL, "a", &value, &length));
}

Test(auth, the_token_file_is_made_once_for_its_owner_alone) {
    char folder[] = "/tmp/backpropd-token-XXXXXX", first[TOKEN_TEXT], again[TOKEN_TEXT];
    bool made;
    struct stat status;
    cr_assert_not_null(mkdtemp(folder));
    int directory = open(folder, O_RDONLY | O_DIRECTORY);
    cr_assert_eq(token_read(directory, "token", first), ERR_NOT_FOUND);
    cr_assert_eq(token_read_or_make(directory, "token", first, &made), OK);
    cr_assert(made && strlen(first) == 64);
    cr_assert_eq(fstatat(directory, "token", &status, 0), 0);
    cr_assert_eq(status.st_mode & 0777, 0600);
    cr_assert_eq(token_read_or_make(directory, "token", again, &made), OK);
    cr_assert(!made);
    cr_assert_str_eq(first, again);
    int file = openat(directory, "token", O_WRONLY | O_TRUNC);
    cr_assert_eq(write(file, "short\n", 6), 6);
    close(file);
    cr_assert_eq(token_read(directory, "token", again), ERR_INVALID);
    unlinkat(directory, "token", 0);
    close(directory);
    rmdir(folder);
}
