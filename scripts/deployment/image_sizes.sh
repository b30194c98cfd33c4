#!/bin/sh
# Sizes of the stack's images in MB: whole, above the Python image they start from, and compressed as a registry keeps it.
set -eu
base=${PYTHON_IMAGE:-python:3.13-slim-trixie}
bytes() { docker image inspect --format '{{.Size}}' "$1"; }
base_bytes=$(bytes "$base" 2>/dev/null || echo 0) # BuildKit may keep it without a name
printf '%-12s %8s %12s %12s\n' image MB "above base" compressed
# Compose knows their names: those for GPUs are others, and .env may say where they come from.
for image in $(docker compose config --images gateway detector analyzer verifier | sort -u); do
    case ${image##*/} in gateway:* | detector*:* | analyzer*:* | verifier*:*) ;; *) continue ;; esac
    name=${image##*/}
    whole=$(bytes "$image")
    compressed=$(docker save "$image" | gzip -1 | wc -c)
    if [ "$base_bytes" -gt 0 ]; then above=$(((whole - base_bytes) / 1000000)); else above=unknown; fi
    printf '%-12s %8s %12s %12s\n' "${name%:*}" $((whole / 1000000)) "$above" $((compressed / 1000000))
done
