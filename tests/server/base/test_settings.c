#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/settings.h"

// The flags after "serve", NULL-terminated.
static int read(const char *const *flags, Settings *settings, Text *mistakes) {
    char *argv[16] = {(char *)"serve"};
    int argc = 1;
    bool help;
    for (; flags[argc - 1] != NULL; argc++)
        argv[argc] = (char *)flags[argc - 1];
    text_init(mistakes);
    return settings_read(argc, argv, settings, &help, mistakes);
}

Test(settings, have_defaults) {
    Settings settings;
    Text mistakes;
    cr_assert_eq(read((const char *[]){NULL}, &settings, &mistakes), OK);
    cr_assert_str_eq(settings.listen, "127.0.0.1:8080");
    cr_assert_eq(settings.max_body, 1 << 30);
    cr_assert_eq(settings.max_queue, 20000);
    cr_assert_eq(settings.lease_seconds, 30);
    cr_assert_eq(settings.keep_days, 0);
    cr_assert_str_eq(settings.log_format, "text");
    cr_assert(settings.workers >= 1 && settings.threads >= 1);
    cr_assert_null(settings.token_file);
    cr_assert_null(settings.allow_hosts[0]);
    settings_finish(&settings);
}

Test(settings, a_flag_wins_over_the_environment) {
    Settings settings;
    Text mistakes;
    setenv("BACKPROPD_WORKERS", "3", 1);
    setenv("BACKPROPD_MAX_BODY", "2M", 1);
    setenv("BACKPROPD_ALLOW_HOST", "a.example,b.example", 1);
    cr_assert_eq(read((const char *[]){"--workers", "5", "--data=x", NULL}, &settings, &mistakes),
                 OK);
    cr_assert_eq(settings.workers, 5);
    cr_assert_eq(settings.max_body, 2 << 20);
    cr_assert_str_eq(settings.data, "x");
    cr_assert_str_eq(settings.allow_hosts[0], "a.example");
    cr_assert_str_eq(settings.allow_hosts[1], "b.example");
    cr_assert_null(settings.allow_hosts[2]);
    settings_finish(&settings);
}

Test(settings, a_word_is_one_of_those_there_are) {
    static const char *const wrong[] = {"xml", "", "tex", "text|json", "json "};
    Settings settings;
    Text mistakes;
    cr_assert_eq(read((const char *[]){"--log-format", "json", NULL}, &settings, &mistakes), OK);
    cr_assert_str_eq(settings.log_format, "json");
    settings_finish(&settings);
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        cr_expect_eq(read((const char *[]){"--log-format", wrong[i], NULL}, &settings, &mistakes),
                     ERR_INVALID, "%s", wrong[i]);
        cr_expect_not_null(strstr(text_string(&mistakes), "text|json"));
        text_finish(&mistakes);
    }
}

Test(settings, lists_come_several_times) {
    Settings settings;
    Text mistakes;
    cr_assert_eq(read((const char *[]){"--allow-host", "a", "--allow-host", "b", NULL}, &settings,
                      &mistakes),
                 OK);
    cr_assert_str_eq(settings.allow_hosts[1], "b");
    settings_finish(&settings);
}

Test(settings, names_every_mistake) {
    Settings settings;
    Text mistakes;
    setenv("BACKPROPD_MAX_QUEUE", "-1", 1);
    int error = read((const char *[]){"--worker", "2", "--threads", "0", "--max-body=1T", "what",
                                      "--data", NULL},
                     &settings, &mistakes);
    cr_assert_eq(error, ERR_INVALID);
    static const char *const wanted[] = {"--worker is unknown; --workers is meant?",
                                         "--threads must be",
                                         "--max-body must be",
                                         "\"what\"",
                                         "--data needs a value",
                                         "BACKPROPD_MAX_QUEUE must be"};
    for (size_t i = 0; i < ARRAY_LENGTH(wanted); i++)
        cr_assert_not_null(strstr(text_string(&mistakes), wanted[i]), "%s in\n%s", wanted[i],
                           text_string(&mistakes));
    text_finish(&mistakes);
}

Test(settings, help_has_every_flag) {
    Text help;
    text_init(&help);
    settings_help(&help);
    static const char *const flags[] = {
        "--listen HOST:PORT",    "--data DIR",        "--workers N",   "--threads N",
        "--token-file FILE",     "--max-body BYTES",  "--max-queue N", "--allow-host NAME",
        "BACKPROPD_TOKEN_FILE",  "--lease-seconds N", "--keep-days N", "--max-connections N",
        "--log-format text|json"};
    for (size_t i = 0; i < ARRAY_LENGTH(flags); i++)
        cr_assert_not_null(strstr(text_string(&help), flags[i]), "%s", flags[i]);
    text_finish(&help);
}
