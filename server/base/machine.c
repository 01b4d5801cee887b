// Control groups bound memory at any level between our own and the root; what is not there bounds nothing. Version 2 has one
// tree ("0::/a/b" in /proc/self/cgroup, memory.max), version 1 one for each resource ("4:memory:/a/b",
// memory.limit_in_bytes). Within a container the path may be that of the host, which is not seen from inside: then the
// bound stands at the root of the tree.
#include "server/base/machine.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 1024 };

static void read_bound(const char *path, size_t *bytes) {
    unsigned long long bound;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    if (fscanf(file, "%llu", &bound) == 1 && bound < *bytes) // "max" is no number
        *bytes = (size_t)bound;
    fclose(file);
}

// The group's own bound and those of all around it.
static void read_bounds(const char *root, const char *tree, const char *group, const char *name,
                        size_t *bytes) {
    char at[PATH_BYTES], path[4 * PATH_BYTES];
    snprintf(at, sizeof at, "%s", group);
    for (;;) {
        snprintf(path, sizeof path, "%s%s%s/%s", root, tree, at, name);
        read_bound(path, bytes);
        char *slash = strrchr(at, '/');
        if (slash == NULL)
            return;
        *slash = '\0';
    }
}

size_t machine_memory_bytes(const char *root) {
    size_t bytes = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    char line[PATH_BYTES], path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *resources = strchr(line, ':'), *group;
        if (resources == NULL || (group = strchr(resources + 1, ':')) == NULL)
            continue;
        *group++ = '\0';
        if (resources[1] == '\0')
            read_bounds(root, "/sys/fs/cgroup", group, "memory.max", &bytes);
        else if (strcmp(resources + 1, "memory") == 0)
            read_bounds(root, "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes", &bytes);
    }
    if (file != NULL)
        fclose(file);
    return bytes;
}
