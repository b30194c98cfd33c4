#!/bin/sh
# Prints a Python 3.11 to 3.13 that can make environments: $1 when given, else the best known name on the PATH.
set -u
usable() {
    "$1" -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1
}
for candidate in ${1:-python3 python3.13 python3.12 python3.11 python}; do
    if usable "$candidate"; then
        command -v "$candidate"
        exit 0
    fi
done
if [ -n "${1:-}" ]; then
    echo "facekit: $1 is not a Python 3.11 to 3.13 with the venv module" >&2
else
    echo "facekit: no Python 3.11 to 3.13 with the venv module was found; install one, or say where: make PYTHON=/path/to/python3.12 ..." >&2
fi
exit 1
