// What the machine, or the container that we are in, has.
#pragma once
#include <stddef.h>

// Memory that all processes here may hold together: the machine's, or the least bound of the control groups around us.
// `root` is "" but in tests, where it stands before /proc and /sys.
size_t machine_memory_bytes(const char *root);
// Processors that our threads may keep busy together: those that we may run on, or what the control groups around us give.
int machine_processors(const char *root);
