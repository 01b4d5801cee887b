#include "server/base/settings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/descriptor.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/machine.h"

typedef enum SettingType {
    SETTING_TEXT,
    SETTING_WORD, // one of those in `value`, with bars between
    SETTING_INTEGER,
    SETTING_BYTES,
    SETTING_LIST
} SettingType;

typedef struct Setting {
    const char *flag; // without the dashes
    const char *environment;
    SettingType type;
    size_t offset;          // of the field in Settings
    const char *value;      // what --help calls it
    const char *initial;    // NULL: none, or worked out (see `worked_out`)
    const char *worked_out; // how the default comes about
    int64_t minimum, maximum;
    const char *help;
} Setting;

#define FIELD(name) offsetof(Settings, name)

static const Setting settings_table[] = {
    {"listen", "BACKPROPD_LISTEN", SETTING_TEXT, FIELD(listen), "HOST:PORT", "127.0.0.1:8080", NULL,
     0, 0, "Where to listen; port 0 takes a free one. Anything but loopback asks for a token."},
    {"data", "BACKPROPD_DATA", SETTING_TEXT, FIELD(data), "DIR", "backpropd-data", NULL, 0, 0,
     "The folder of the database, datasets, models and checkpoints; made if missing."},
    {"workers", "BACKPROPD_WORKERS", SETTING_INTEGER, FIELD(workers), "N", NULL,
     "processors, at most 4", 1, 256,
     "Jobs that run at once, each a process, as far as the processors last for their threads."},
    {"threads", "BACKPROPD_THREADS", SETTING_INTEGER, FIELD(threads), "N", NULL,
     "processors / workers", 1, 256, "Threads of a job that does not say."},
    {"token-file", "BACKPROPD_TOKEN_FILE", SETTING_TEXT, FIELD(token_file), "FILE", NULL,
     "none on loopback, else DIR/token", 0, 0, "Every request must bear the token in FILE."},
    {"max-body", "BACKPROPD_MAX_BODY", SETTING_BYTES, FIELD(max_body), "BYTES", "1G", NULL, 1,
     INT64_MAX, "The largest body of a request; K, M and G count in 1,024s."},
    {"max-queue", "BACKPROPD_MAX_QUEUE", SETTING_INTEGER, FIELD(max_queue), "N", "20000", NULL, 1,
     10000000, "Jobs that may wait; one more is answered 429."},
    {"lease-seconds", "BACKPROPD_LEASE_SECONDS", SETTING_INTEGER, FIELD(lease_seconds), "N", "30",
     NULL, 1, 86400, "A worker that is silent for so long is given up, its job tried again."},
    {"keep-days", "BACKPROPD_KEEP_DAYS", SETTING_INTEGER, FIELD(keep_days), "N", NULL, "for ever",
     1, 36500, "Jobs that ended longer ago are forgotten, their models kept."},
    {"max-connections", "BACKPROPD_MAX_CONNECTIONS", SETTING_INTEGER, FIELD(max_connections), "N",
     NULL, "256, and any number from loopback", 1, 4096, "Connections of one address at a time."},
    {"log-format", "BACKPROPD_LOG_FORMAT", SETTING_WORD, FIELD(log_format), "text|json", "text",
     NULL, 0, 0, "The log on standard error: lines to read, or an object of JSON a line."},
    {"allow-host", "BACKPROPD_ALLOW_HOST", SETTING_LIST, FIELD(allow_hosts), "NAME", NULL, "none",
     0, 0, "A further name under which the server is asked for; may come several times."},
};

static const Setting *setting_find(const char *flag, size_t length) {
    for (size_t i = 0; i < ARRAY_LENGTH(settings_table); i++)
        if (strlen(settings_table[i].flag) == length &&
            strncmp(settings_table[i].flag, flag, length) == 0)
            return &settings_table[i];
    return NULL;
}

// Digits, and for bytes one of K, M, G behind them.
static bool integer_read(const Setting *setting, const char *text, int64_t *ret_value) {
    int64_t value = 0;
    const char *c = text;
    for (; isdigit((unsigned char)*c); c++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *c - '0', &value))
            return false;
    if (c == text)
        return false;
    if (setting->type == SETTING_BYTES && *c != '\0') {
        int64_t unit = *c == 'K' ? 1 << 10 : *c == 'M' ? 1 << 20 : *c == 'G' ? 1 << 30 : 0;
        if (unit == 0 || __builtin_mul_overflow(value, unit, &value))
            return false;
        c++;
    }
    if (*c != '\0' || value < setting->minimum || value > setting->maximum)
        return false;
    *ret_value = value;
    return true;
}

static bool host_add(Settings *settings, const char *name) {
    size_t count = 0;
    while (settings->allow_hosts[count] != NULL)
        count++;
    if (count == ALLOW_HOSTS_MAX || name[0] == '\0')
        return false;
    settings->allow_hosts[count] = name;
    return true;
}

// The environment's form of a list: names with commas between, in a copy that the settings own.
static bool hosts_split(Settings *settings, const char *text) {
    settings->memory = memory_string(text);
    char *rest = settings->memory;
    bool good = rest != NULL;
    for (char *name; good && (name = strsep(&rest, ",")) != NULL;)
        good = host_add(settings, name);
    return good;
}

static bool word_known(const char *words, const char *text) {
    size_t length = strlen(text);
    while (length > 0 && *words != '\0') {
        size_t word = strcspn(words, "|");
        if (word == length && strncmp(words, text, length) == 0)
            return true;
        words += word + (words[word] == '|');
    }
    return false;
}

// `source` is what the user wrote: "--workers" or "BACKPROPD_WORKERS".
static void setting_set(const Setting *setting, Settings *settings, const char *source,
                        const char *text, bool split, Text *mistakes) {
    void *field = (char *)settings + setting->offset;
    switch (setting->type) {
    case SETTING_TEXT:
        if (text[0] == '\0')
            text_add_format(mistakes, "%s must not be empty\n", source);
        *(const char **)field = text;
        break;
    case SETTING_WORD:
        if (!word_known(setting->value, text))
            text_add_format(mistakes, "%s must be one of %s, not \"%.80s\"\n", source,
                            setting->value, text);
        *(const char **)field = text;
        break;
    case SETTING_LIST:
        if (split ? !hosts_split(settings, text) : !host_add(settings, text))
            text_add_format(mistakes, "%s takes at most %d names, none of them empty\n", source,
                            ALLOW_HOSTS_MAX);
        break;
    case SETTING_INTEGER:
    case SETTING_BYTES:
        if (!integer_read(setting, text, field)) {
            text_add_format(mistakes, "%s must be a whole number from %lld", source,
                            (long long)setting->minimum);
            if (setting->maximum != INT64_MAX)
                text_add_format(mistakes, " to %lld", (long long)setting->maximum);
            text_add_format(mistakes, ", not \"%.80s\"\n", text);
        }
        break;
    }
}

static void unknown_flag(const char *flag, size_t length, Text *mistakes) {
    const char *names[ARRAY_LENGTH(settings_table)];
    char wanted[64] = {0};
    memcpy(wanted, flag, length < sizeof wanted ? length : sizeof wanted - 1);
    for (size_t i = 0; i < ARRAY_LENGTH(settings_table); i++)
        names[i] = settings_table[i].flag;
    const char *nearest = nearest_name(wanted, names, ARRAY_LENGTH(names));
    text_add_format(mistakes, "--%s is unknown", wanted);
    if (nearest != NULL)
        text_add_format(mistakes, "; --%s is meant?", nearest);
    text_add(mistakes, "\n");
}

static void flags_read(int argc, char *const *argv, Settings *settings, bool *given, bool *ret_help,
                       Text *mistakes) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            *ret_help = true;
            return;
        }
        if (strncmp(argv[i], "--", 2) != 0) {
            text_add_format(mistakes, "\"%.80s\" is not a flag\n", argv[i]);
            continue;
        }
        size_t length = strcspn(argv[i] + 2, "=");
        const Setting *setting = setting_find(argv[i] + 2, length);
        const char *value = argv[i][2 + length] == '=' ? argv[i] + 2 + length + 1 : NULL;
        if (setting == NULL) {
            unknown_flag(argv[i] + 2, length, mistakes);
            if (value == NULL && i + 1 < argc && strncmp(argv[i + 1], "--", 2) != 0)
                i++; // its value: one mistake, not two
            continue;
        }
        if (value == NULL && i + 1 == argc) {
            text_add_format(mistakes, "--%s needs a value: --%s %s\n", setting->flag, setting->flag,
                            setting->value);
            return;
        }
        char source[64] = "--";
        strncat(source, setting->flag, sizeof source - 3);
        given[setting - settings_table] = true;
        setting_set(setting, settings, source, value != NULL ? value : argv[++i], false, mistakes);
    }
}

int settings_read(int argc, char *const *argv, Settings *ret_settings, bool *ret_help,
                  Text *mistakes) {
    Settings settings = {0};
    bool given[ARRAY_LENGTH(settings_table)] = {false};
    size_t before = mistakes->length;
    *ret_help = false;
    flags_read(argc, argv, &settings, given, ret_help, mistakes);
    for (size_t i = 0; i < ARRAY_LENGTH(settings_table); i++) {
        const Setting *setting = &settings_table[i];
        const char *value = getenv(setting->environment);
        if (given[i])
            continue;
        if (value != NULL)
            setting_set(setting, &settings, setting->environment, value, true, mistakes);
        else if (setting->initial != NULL)
            setting_set(setting, &settings, setting->flag, setting->initial, true, mistakes);
    }
    if (mistakes->length > before && !*ret_help) {
        settings_finish(&settings);
        return ERR_INVALID;
    }
    int cores = machine_processors("");
    if (settings.workers == 0)
        settings.workers = cores > 4 ? 4 : cores;
    if (settings.threads == 0)
        settings.threads = cores > settings.workers ? cores / settings.workers : 1;
    *ret_settings = settings;
    return OK;
}

void settings_finish(Settings *settings) {
    memory_free(TAKE(settings->memory));
}

void settings_help(Text *out) {
    for (size_t i = 0; i < ARRAY_LENGTH(settings_table); i++) {
        const Setting *setting = &settings_table[i];
        int width = (int)(strlen(setting->flag) + strlen(setting->value));
        text_add_format(out, "  --%s %s%*s%s\n", setting->flag, setting->value,
                        width < 24 ? 24 - width : 1, "", setting->help);
        text_add_format(out, "%29s%s (%s)\n", "", setting->environment,
                        setting->initial != NULL ? setting->initial : setting->worked_out);
    }
}
