#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "server/base/source.h"

static size_t resident_bytes(void) {
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert_eq(fscanf(file, "%ld %ld", &pages, &resident), 2);
    fclose(file);
    return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

Test(source, a_walk_over_a_mapping_holds_a_few_of_its_pages) {
    enum { LENGTH = 64 << 20 };
    FILE *file = tmpfile();
    cr_assert_eq(ftruncate(fileno(file), LENGTH), 0);
    for (size_t at = 0; at < LENGTH; at += 1 << 20) {
        fseek(file, (long)at, SEEK_SET);
        fputc((int)(at >> 20), file);
    }
    fflush(file);
    char *text = mmap(NULL, LENGTH, PROT_READ, MAP_PRIVATE, fileno(file), 0);
    cr_assert_neq(text, MAP_FAILED);
    Source source = {text, LENGTH, true};
    size_t before = resident_bytes(), most = 0;
    for (int again = 0; again < 2; again++) {
        const char *passed = source_start(&source);
        long sum = 0;
        for (const char *at = text; at < text + LENGTH; at += 512) {
            sum += *at;
            source_pass(&passed, at);
            if ((at - text) % (1 << 20) == 0) {
                size_t now = resident_bytes();
                most = now > most ? now : most;
            }
        }
        cr_assert_eq(sum, 63 * 64 / 2, "what was given back comes back");
    }
    cr_assert_lt(most - before, 2u * SOURCE_WINDOW + (2u << 20));
    munmap(text, LENGTH);
    fclose(file);
}

Test(source, nothing_of_a_text_in_memory_is_given_back) {
    enum { LENGTH = 16 << 20 };
    char *text = malloc(LENGTH);
    for (size_t i = 0; i < LENGTH; i++) {
        text[i] = 'x';
    }
    Source source = source_in_memory(text, LENGTH);
    const char *passed = source_start(&source);
    for (const char *at = text; at < text + LENGTH; at++) {
        source_pass(&passed, at);
    }
    for (size_t i = 0; i < LENGTH; i++) {
        cr_assert(text[i] == 'x');
    }
    free(text);
}
