#!/bin/sh
# Limits of nginx that follow settings of the gateway; nginx.conf includes what is written here. The image of nginx runs
# this before each start. compose.yaml hands the settings on, or their defaults.
set -eu
exec awk \
    -v bytes="${FACEKIT_MAX_UPLOAD_BYTES:?compose.yaml sets it}" -v wait_s="${FACEKIT_MAX_WAIT_S:?compose.yaml sets it}" \
    -v file="${1:-/tmp/limits.conf}" '
function refuse(what) { print what > "/dev/stderr"; exit 2 }
BEGIN {
    gsub(/_/, "", bytes)
    if (bytes !~ /^[0-9]+$/ || bytes + 0 == 0)
        refuse("FACEKIT_MAX_UPLOAD_BYTES: \047" bytes "\047 cannot be used; accepted is a whole number above 0, in bytes")
    if (wait_s !~ /^[0-9]+(\.[0-9]*)?$/ || wait_s + 0 == 0)
        refuse("FACEKIT_MAX_WAIT_S: \047" wait_s "\047 cannot be used; accepted is a number above 0, in seconds")
    # Two photos and the form around them. The gateway refuses what is smaller than this and still too large.
    printf "client_max_body_size %.0f;\n", 2 * bytes + 1000000 > file
    # As the gateway says it.
    printf "set $largest_photo \"%g MB\";\n", bytes / 1000000 > file
    # Longer than the longest ?wait=.
    printf "proxy_read_timeout %.0fs;\n", wait_s + 30 > file
}'
