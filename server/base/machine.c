// Control groups bound memory and processors at any level between our own and the root; what is not there bounds nothing.
// Version 2 has one tree ("0::/a/b" in /proc/self/cgroup, memory.max, cpu.max), version 1 one for each resource
// ("4:memory:/a/b", memory.limit_in_bytes; "5:cpu,cpuacct:/a/b", cpu.cfs_quota_us). Within a container the path may be that of
// the host, which is not seen from inside: then the bound stands at the root of the tree.
#include "server/base/machine.h"
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 1024 };

// A folder's bound, where it has one and it is less than *bound.
typedef void (*BoundReader)(const char *folder, size_t *bound);

typedef struct Resource {
    const char *name, *tree; // of version 1
    BoundReader first, second;
} Resource;

// The numbers of a file; how many there are of the two. "max" is none.
static int numbers_read(const char *folder, const char *name, unsigned long long numbers[2]) {
    char path[4 * PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    int count = fscanf(file, "%llu %llu", &numbers[0], &numbers[1]);
    fclose(file);
    return count;
}

static void lower(unsigned long long value, size_t *bound) {
    if (value < *bound)
        *bound = (size_t)value;
}

static void memory_first(const char *folder, size_t *bound) {
    unsigned long long numbers[2];
    if (numbers_read(folder, "memory.limit_in_bytes", numbers) >= 1)
        lower(numbers[0], bound);
}

static void memory_second(const char *folder, size_t *bound) {
    unsigned long long numbers[2];
    if (numbers_read(folder, "memory.max", numbers) >= 1)
        lower(numbers[0], bound);
}

// So much time of processors in each period: what is begun counts as one.
static void quota_lower(unsigned long long quota, unsigned long long period, size_t *bound) {
    if (quota > 0 && period > 0)
        lower((quota - 1) / period + 1, bound);
}

static void processors_first(const char *folder, size_t *bound) {
    unsigned long long quota[2], period[2];
    // "-1" is read as the largest number there is.
    if (numbers_read(folder, "cpu.cfs_quota_us", quota) >= 1 &&
        numbers_read(folder, "cpu.cfs_period_us", period) >= 1)
        quota_lower(quota[0], period[0], bound);
}

static void processors_second(const char *folder, size_t *bound) {
    unsigned long long numbers[2];
    if (numbers_read(folder, "cpu.max", numbers) == 2)
        quota_lower(numbers[0], numbers[1], bound);
}

static const Resource memory = {"memory", "/sys/fs/cgroup/memory", memory_first, memory_second};
static const Resource processors = {"cpu", "/sys/fs/cgroup/cpu", processors_first,
                                    processors_second};

// The group's own bound and those of all around it.
static void bounds_read(const char *root, const char *tree, const char *group, BoundReader read,
                        size_t *bound) {
    char at[PATH_BYTES], folder[3 * PATH_BYTES];
    snprintf(at, sizeof at, "%s", group);
    for (;;) {
        snprintf(folder, sizeof folder, "%s%s%s", root, tree, at);
        read(folder, bound);
        char *slash = strrchr(at, '/');
        if (slash == NULL)
            return;
        *slash = '\0';
    }
}

static bool names_hold(const char *names, const char *name) {
    size_t length = strlen(name);
    for (const char *at = names; *at != '\0'; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

static void groups_bound(const char *root, const Resource *resource, size_t *bound) {
    char line[PATH_BYTES], path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *names = strchr(line, ':'), *group;
        if (names == NULL || (group = strchr(names + 1, ':')) == NULL)
            continue;
        *group++ = '\0';
        if (names[1] == '\0')
            bounds_read(root, "/sys/fs/cgroup", group, resource->second, bound);
        else if (names_hold(names + 1, resource->name))
            bounds_read(root, resource->tree, group, resource->first, bound);
    }
    if (file != NULL)
        fclose(file);
}

size_t machine_memory_bytes(const char *root) {
    size_t bytes = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    groups_bound(root, &memory, &bytes);
    return bytes;
}

int machine_processors(const char *root) {
    cpu_set_t set;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    size_t count = online > 0 ? (size_t)online : 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) // fails beyond 1,024
        count = (size_t)CPU_COUNT(&set);
    groups_bound(root, &processors, &count);
    return (int)count;
}
