#!/bin/sh
# Links the double-precision core into one object and hides all but what core/train/check.h and core/train/trace.h declare.
# usage: link-check.sh libcore_double.a core_check.o
set -eu
# Groups are dissolved, or the linker would take the resolvers of VECTOR_LOOPS functions for those of the other core and
# keep one.
ld -r --force-group-allocation -o "$2" --whole-archive "$1"
objcopy --keep-global-symbol=check_job --keep-global-symbol=trace_run "$2"
