// Loaded before the C library (LD_PRELOAD): makes the nth allocation, or the nth write or sync of a regular file, of a running process
// fail, as another process says in a file that both have mapped (FAULTS). It also counts the blocks that live, which shows leaks.
//
// The other side is Faults in torture.py, with the same layout.
// Both names of the calls with offsets are wanted, as libraries use either.
#undef _FILE_OFFSET_BITS
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

typedef struct Control {
    atomic_llong memory_countdown, memory_fired, allocations, live; // 0: off
    atomic_llong file_countdown, file_fired, file_calls, file_errno;
    atomic_llong file_always; // 1: every call fails
} Control;

static Control unwatched; // until the file is mapped, and where there is none
static Control *control = &unwatched;

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *block);

__attribute__((constructor)) static void control_map(void) {
    const char *path = getenv("FAULTS");
    int file = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *map = mmap(NULL, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (map != MAP_FAILED)
        control = map;
}

static int due(atomic_llong *countdown, atomic_llong *fired) {
    if (atomic_load(countdown) <= 0 || atomic_fetch_sub(countdown, 1) != 1)
        return 0;
    atomic_fetch_add(fired, 1);
    return 1;
}

// ---- memory ----

static int must_fail(void) {
    atomic_fetch_add(&control->allocations, 1);
    if (!due(&control->memory_countdown, &control->memory_fired))
        return 0;
    errno = ENOMEM;
    return 1;
}

static void *counted(void *block) {
    if (block != NULL)
        atomic_fetch_add(&control->live, 1);
    return block;
}

void *malloc(size_t bytes) {
    return must_fail() ? NULL : counted(__libc_malloc(bytes));
}

void *calloc(size_t count, size_t bytes) {
    return must_fail() ? NULL : counted(__libc_calloc(count, bytes));
}

void free(void *block) {
    if (block != NULL)
        atomic_fetch_sub(&control->live, 1);
    __libc_free(block);
}

void *realloc(void *block, size_t bytes) {
    if (must_fail())
        return NULL;
    if (block == NULL)
        return counted(__libc_realloc(NULL, bytes));
    void *moved = __libc_realloc(block, bytes);
    if (bytes == 0)
        atomic_fetch_sub(&control->live, 1);
    return moved;
}

void *memalign(size_t alignment, size_t bytes) {
    return must_fail() ? NULL : counted(__libc_memalign(alignment, bytes));
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    return memalign(alignment, bytes);
}

int posix_memalign(void **ret_block, size_t alignment, size_t bytes) {
    void *block = memalign(alignment, bytes);
    if (block == NULL)
        return ENOMEM;
    *ret_block = block;
    return 0;
}

// ---- files ----

static int file_fails(int file) {
    struct stat status;
    if (file <= STDERR_FILENO || fstat(file, &status) != 0 ||
        !(S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
        return 0;
    atomic_fetch_add(&control->file_calls, 1);
    if (!atomic_load(&control->file_always) && !due(&control->file_countdown, &control->file_fired))
        return 0;
    errno = (int)atomic_load(&control->file_errno);
    return 1;
}

ssize_t write(int file, const void *data, size_t bytes) {
    return file_fails(file) ? -1 : syscall(SYS_write, file, data, bytes);
}

ssize_t pwrite64(int file, const void *data, size_t bytes, off64_t at) {
    return file_fails(file) ? -1 : syscall(SYS_pwrite64, file, data, bytes, at);
}

ssize_t pwrite(int file, const void *data, size_t bytes, off_t at) {
    return pwrite64(file, data, bytes, at);
}

int fsync(int file) {
    return file_fails(file) ? -1 : (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
    return file_fails(file) ? -1 : (int)syscall(SYS_fdatasync, file);
}

int ftruncate64(int file, off64_t length) {
    return file_fails(file) ? -1 : (int)syscall(SYS_ftruncate, file, length);
}

int ftruncate(int file, off_t length) {
    return ftruncate64(file, length);
}

int renameat(int from, const char *old, int to, const char *new) {
    return file_fails(from) ? -1 : (int)syscall(SYS_renameat2, from, old, to, new, 0);
}
