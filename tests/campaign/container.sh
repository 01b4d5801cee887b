#!/usr/bin/env bash
# The tests as the container runs the program (Dockerfile): as a user without rights, on a file system where nothing can be written
# but a folder for data, /tmp and /dev/shm; no privilege to be gained.
#
#   container.sh [SUITE…]      of tests/run.py; all where none is named
#
# In namespaces of its own (unshare): the machine outside stays as it is. What the tests want to write into their build folder goes
# to a layer that is thrown away.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
user=10001

if [ "${CONTAINER_STAGE:-}" = "" ]; then
    # What a test fetches from npm must be there before nothing can be written; where it cannot be had, that test says so.
    (cd "$root/tests/http" && PYTHONDONTWRITEBYTECODE=1 python3 -c 'import test_json; test_json.documents()') || true
    (cd "$root/tests" && PYTHONDONTWRITEBYTECODE=1 python3 -c 'import run; run.install_page_packages()')
    [ "$(id -u)" -eq 0 ] || exec unshare --user --map-root-user --mount env CONTAINER_STAGE=mount CONTAINER_USER=0 "$0" "$@"
    exec unshare --mount env CONTAINER_STAGE=mount CONTAINER_USER=$user "$0" "$@"
fi

if [ "$CONTAINER_STAGE" = mount ]; then
    mount --make-rprivate /
    mount -t tmpfs -o mode=1777 tmpfs /tmp
    mount -t tmpfs -o mode=1777 tmpfs /dev/shm
    # meson writes its logs beside what it built, Python nothing (PYTHONDONTWRITEBYTECODE).
    mkdir -p "$root/build/meson-logs"
    mount -t tmpfs -o mode=1777 tmpfs "$root/build/meson-logs"
    mount -t tmpfs -o mode=1777 tmpfs /var/tmp
    mount -o remount,bind,ro / 2>/dev/null || mount -o remount,ro,bind /
    for place in /work /root /home; do # what is mounted by itself
        if mountpoint -q "$place"; then mount -o remount,bind,ro "$place"; fi
    done
    drop=(setpriv --reuid "$CONTAINER_USER" --regid "$CONTAINER_USER" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all)
    [ "$CONTAINER_USER" != 0 ] || drop=(setpriv --no-new-privs --bounding-set=-all --inh-caps=-all)
    exec "${drop[@]}" env CONTAINER_STAGE=run HOME=/tmp PYTHONDONTWRITEBYTECODE=1 "$0" "$@"
fi

cd "$root"
if touch "$root/.written" 2>/dev/null || touch /usr/.written 2>/dev/null; then
    echo "this place can be written: the namespace did not hold" >&2
    exit 1
fi
printf 'user %s, read-only root, no new privileges\n' "$(id -u)"
exec python3 tests/run.py "$@"
