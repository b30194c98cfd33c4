#!/bin/sh
# `make backup` and `make restore BACKUP=folder`: the database and the bucket of the running stack, in a folder.
set -eu
umask 077
psql="psql --quiet --username facekit --dbname postgres --set ON_ERROR_STOP=1"

save() {
    folder=backups/$(date -u +%Y-%m-%dT%H-%M-%SZ)
    mkdir -p "$folder.part"
    # The database first: a photo is stored before its job is, so every job of the dump has its photos in the archive.
    docker compose exec -T postgres pg_dump --username facekit --format custom facekit >"$folder.part/database.dump"
    docker compose exec -T gateway python -m services.gateway.archive save >"$folder.part/objects.tar"
    mv "$folder.part" "$folder"
    echo "facekit: the backup is $folder ($(du -sh "$folder" | cut -f1)); .env, with keys and passwords, is not in it"
}

restore() {
    for file in database.dump objects.tar; do
        [ -f "$1/$file" ] || { echo "facekit: $1/$file is missing: make restore BACKUP=backups/..." >&2; exit 1; }
    done
    docker compose stop nginx gateway detector analyzer verifier
    docker compose up --detach --wait --no-build postgres redis minio
    # Beside the present database, which is replaced only when all of the backup was read.
    docker compose exec -T postgres $psql --command "DROP DATABASE IF EXISTS restored" --command "CREATE DATABASE restored"
    docker compose exec -T postgres pg_restore --username facekit --dbname restored --no-owner --exit-on-error <"$1/database.dump"
    docker compose run --rm --no-deps -T gateway python -m services.gateway.archive load <"$1/objects.tar"
    docker compose exec -T postgres $psql --command "DROP DATABASE facekit WITH (FORCE)" \
        --command "ALTER DATABASE restored RENAME TO facekit"
    docker compose up --detach --wait --no-build
    echo "facekit: the stack is as it was when $1 was made"
}

case ${1:-} in
save) save ;;
restore) restore "${2:-}" ;;
*) echo "usage: sh scripts/deployment/backup.sh save | restore FOLDER" >&2; exit 2 ;;
esac
