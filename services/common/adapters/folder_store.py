"""FolderStore: objects as files of one folder, written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from services.common.adapters.disk import sync_content, sync_folder
from services.common.adapters.object_key import check_key, check_prefix, is_key
from services.common.errors import ObjectMissing, StorageFull, Unavailable

_CHUNK_BYTES: Final = 256 * 1024
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# Starts with a dot, which no key may: unfinished files are never listed.
_PARTIAL: Final = ".partial"
_PARTIAL_AGE_S: Final = 3600.0


class FolderStore:
    """An ObjectStore in `root`, which several processes may share.

    A put writes a file of its own and renames it into place, so that a reader or a crash sees the old object, the new
    one or none. Durable puts are on the disk, not just in its cache, when they return.
    """

    def __init__(self, root: Path) -> None:
        """Raises Unavailable when the folder cannot be made."""
        self._root = root
        self._partial = root / _PARTIAL
        with _translated(f"cannot use {root} as object store"):
            self._partial.mkdir(parents=True, exist_ok=True)
            self._drop_leftovers()

    def put(self, key: str, content: bytes, *, durable: bool = True) -> None:
        # Strings, not Paths: every crop comes through here, and making a Path costs more than renaming a file.
        path = f"{self._root}/{check_key(key)}"
        partial = f"{self._partial}/{secrets.token_hex()}"
        with _translated(f"cannot store {key}"):
            try:
                with open(partial, "wb", buffering=0) as file:
                    _write(file.fileno(), content)
                    if durable:
                        sync_content(file.fileno())
                _move_into_place(partial, path)
                if durable:
                    sync_folder(os.path.dirname(path))
            except BaseException:
                with suppress(OSError):
                    os.unlink(partial)
                raise

    def get(self, key: str) -> bytes:
        with self._open(key) as file, _translated(f"cannot read {key}"):
            return file.read()

    def stream(self, key: str) -> Iterator[bytes]:
        # Opened before the first chunk is asked for: what is missing is known before any header is sent.
        return _chunks(self._open(key))

    def exists(self, key: str) -> bool:
        return is_key(key) and (self._root / key).is_file()

    def keys(self, prefix: str) -> Iterator[str]:
        folder, _, _ = check_prefix(prefix).rpartition("/")
        with _translated(f"cannot list {prefix}"):
            found = [
                key
                for path in _files_below(self._root / folder)
                if (key := path.relative_to(self._root).as_posix()).startswith(prefix) and is_key(key)
            ]
        return iter(sorted(found))

    def delete(self, key: str) -> None:
        path = self._root / check_key(key)
        with _translated(f"cannot delete {key}"):
            with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                path.unlink()
            self._drop_empty_folders(path.parent)

    def delete_prefix(self, prefix: str) -> None:
        if not prefix:
            raise ValueError("an empty prefix would delete the whole store")
        for key in self.keys(prefix):
            self.delete(key)

    def ping(self) -> None:
        if not os.access(self._partial, os.W_OK | os.X_OK):
            raise Unavailable(f"object store folder {self._root} is missing or not writable")

    def close(self) -> None:
        pass

    def _open(self, key: str) -> BinaryIO:
        if not is_key(key):
            raise ObjectMissing(f"no object {key[:80]!r}")
        with _translated(f"cannot read {key}"):
            try:
                return (self._root / key).open("rb")
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                raise ObjectMissing(f"no object {key!r}") from None

    def _drop_empty_folders(self, folder: Path) -> None:
        while folder != self._root and self._root in folder.parents:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                return
            folder = folder.parent

    def _drop_leftovers(self) -> None:
        """Removes what a killed process left half written; recent files may be another process's current put."""
        oldest = time.time() - _PARTIAL_AGE_S
        for path in self._partial.iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


def _write(file: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]


def _move_into_place(partial: str, path: str) -> None:
    """Renames; makes the folder first where it is missing, again when another process removed it, still empty."""
    for attempts_left in reversed(range(50)):
        try:
            os.replace(partial, path)
            return
        except FileNotFoundError:
            if not attempts_left:
                raise
        with suppress(FileNotFoundError, FileExistsError):  # it comes and goes while it is made
            os.makedirs(os.path.dirname(path), exist_ok=True)


def _files_below(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            yield Path(parent, name)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file, _translated("cannot read on"):
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(f"{what}: {error.strerror}") from error
        raise Unavailable(f"{what}: {error.strerror or error}") from error
