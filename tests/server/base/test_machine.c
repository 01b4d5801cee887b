#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "server/base/machine.h"

static char root[] = "/tmp/backpropd-machine-XXXXXX";

static void set_up(void) {
    cr_assert_not_null(mkdtemp(root));
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status, (void)type, (void)at;
    return remove(path);
}

static void tear_down(void) {
    nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(machine, .init = set_up, .fini = tear_down);

// A file under the root, with the folders to it.
static void put(const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s%s", root, name);
    for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        mkdir(path, 0700);
        *at = '/';
    }
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static size_t all(void) {
    return (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
}

Test(machine, has_its_memory_where_nothing_bounds_it) {
    cr_assert_eq(machine_memory_bytes(root), all());
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/memory.max", "max\n");
    cr_assert_eq(machine_memory_bytes(root), all());
    put("/sys/fs/cgroup/memory.max", "99999999999999999999999\n");
    cr_assert_eq(machine_memory_bytes(root), all());
}

Test(machine, is_bound_by_the_least_of_the_groups_around) {
    put("/proc/self/cgroup", "0::/jobs/mine\n");
    put("/sys/fs/cgroup/jobs/mine/memory.max", "max\n");
    put("/sys/fs/cgroup/jobs/memory.max", "100000\n");
    cr_assert_eq(machine_memory_bytes(root), 100000);
    put("/sys/fs/cgroup/jobs/mine/memory.max", "50000\n");
    cr_assert_eq(machine_memory_bytes(root), 50000);
}

Test(machine, is_bound_at_the_root_where_the_path_is_the_hosts) {
    put("/proc/self/cgroup", "0::/docker/0123\n");
    put("/sys/fs/cgroup/memory.max", "70000\n");
    cr_assert_eq(machine_memory_bytes(root), 70000);
}

Test(machine, knows_the_first_version_of_groups) {
    put("/proc/self/cgroup", "5:cpu:/a\n4:memory:/a\n");
    put("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "60000\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    cr_assert_eq(machine_memory_bytes(root), 60000);
}

Test(machine, has_the_processors_that_its_groups_give) {
    int own = machine_processors(root);
    cr_assert_geq(own, 1);
    put("/proc/self/cgroup", "0::/jobs/mine\n");
    put("/sys/fs/cgroup/jobs/mine/cpu.max", "max 100000\n");
    cr_assert_eq(machine_processors(root), own);
    put("/sys/fs/cgroup/jobs/cpu.max", "50000 100000\n");
    cr_assert_eq(machine_processors(root), 1, "half a processor is one");
    put("/sys/fs/cgroup/jobs/cpu.max", "100000000 100000\n");
    cr_assert_eq(machine_processors(root), own, "no more than there are");
}

Test(machine, has_the_processors_that_the_first_version_of_groups_gives) {
    int own = machine_processors(root);
    put("/proc/self/cgroup", "5:cpuset:/b\n4:cpu,cpuacct:/a\n");
    put("/sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1\n");
    cr_assert_eq(machine_processors(root), own);
    put("/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "100000\n");
    cr_assert_eq(machine_processors(root), 1);
}
