#!/bin/sh
# Links the double-precision core into one object and hides all but the functions that core/train/check.h declares.
# usage: link-check.sh libcore_double.a core_check.o
set -eu
ld -r -o "$2" --whole-archive "$1"
objcopy --keep-global-symbol=check_job "$2"
