"""The whole object store as one tar: `python -m services.gateway.archive save > tar`, `... load < tar`.

For `make backup` and `make restore`: through our own port, so it is the same for a folder and for any S3 server.
"""

from __future__ import annotations

import io
import sys
import tarfile
from contextlib import suppress
from typing import IO

from services.common.bootstrap import build_store
from services.common.errors import FacekitError, ObjectMissing
from services.common.ports import ObjectStore
from services.common.settings import load_settings

USAGE = "usage: python -m services.gateway.archive save > objects.tar, or load < objects.tar"


class ArchiveInvalid(FacekitError):
    code, title = "archive_invalid", "The archive cannot be read"


def save(store: ObjectStore, tar: IO[bytes]) -> int:
    """Writes every object there is; returns how many. One deleted meanwhile is left out. Raises Unavailable."""
    count = 0
    with tarfile.open(fileobj=tar, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for key in store.keys(""):
            with suppress(ObjectMissing):
                content = store.get(key)
                entry = tarfile.TarInfo(key)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
                count += 1
    return count


def load(store: ObjectStore, tar: IO[bytes]) -> int:
    """Makes the store hold what the archive holds, and once that was read whole, nothing else; returns how many.

    Nobody may be writing to the store. Raises ArchiveInvalid, StorageFull and Unavailable.
    """
    kept: set[str] = set()
    try:
        with tarfile.open(fileobj=tar, mode="r|") as archive:
            for entry in archive:
                if (file := archive.extractfile(entry)) is None:
                    raise ArchiveInvalid(f"{entry.name!r} is not a file")
                store.put(entry.name, file.read())
                kept.add(entry.name)
    except (tarfile.TarError, EOFError) as error:
        raise ArchiveInvalid(f"after {len(kept)} objects: {error}") from error
    except ValueError as error:  # a key that no store takes
        raise ArchiveInvalid(str(error)) from error
    for key in [key for key in store.keys("") if key not in kept]:
        store.delete(key)
    return len(kept)


def main(argv: list[str]) -> int:
    if argv not in (["save"], ["load"]):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        store = build_store(load_settings())
        count = save(store, sys.stdout.buffer) if argv == ["save"] else load(store, sys.stdin.buffer)
    except FacekitError as error:
        print(f"{error.title}: {error.detail}", file=sys.stderr)
        return 1
    print(f"facekit: {count} objects", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
