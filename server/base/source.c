// Giving back whole pages of a mapping. The kernel maps the neighbours of a page that is touched, within its page table
// (2 MiB): so a walk keeps what shares the table with where it is, or what lies behind would be mapped again.
#include "server/base/source.h"
#include <stdint.h>
#include <sys/mman.h>

enum { PAGE = 4096, TABLE = 2 << 20 };

void source_give_back(const char **passed, const char *at) {
    uintptr_t begin = ((uintptr_t)*passed + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
    uintptr_t end = (uintptr_t)at & ~(uintptr_t)(TABLE - 1);
    if (end > begin) {
        madvise((void *)begin, end - begin, MADV_DONTNEED);
        *passed = (const char *)end;
    }
}
