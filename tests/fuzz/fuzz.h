// A fuzz target is one file with these two functions. Linked with fuzz.c it is a libFuzzer program where clang built it (./dev fuzz), and
// else a program that mutates by itself: `fuzz_NAME [RUNS [SEED]]`, a test of every build.
#pragma once
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
// A sound input to begin from, one of many; its length, at most `max`.
size_t fuzz_seed(unsigned pick, uint8_t *bytes, size_t max);

// Copies a text as a seed.
static inline size_t fuzz_text(const char *text, uint8_t *bytes, size_t max) {
    size_t length = strlen(text) < max ? strlen(text) : max;
    memcpy(bytes, text, length);
    return length;
}

// What must hold whatever the input is.
#define fuzz_assert(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

// A folder in memory for what a target writes; it goes away with the process.
static inline const char *fuzz_folder(void) {
    static char folder[64];
    if (folder[0] == '\0') {
        strcpy(folder, access("/dev/shm", W_OK) == 0 ? "/dev/shm/fuzz-XXXXXX" : "/tmp/fuzz-XXXXXX");
        fuzz_assert(mkdtemp(folder) != NULL);
    }
    return folder;
}
