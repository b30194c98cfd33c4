"""What is to survive a power cut: files and names of files on the disk, not just in its cache."""

from __future__ import annotations

import os
from contextlib import suppress

# Without the times of the file, which nobody needs after a crash; macOS has the whole sync alone.
sync_content = getattr(os, "fdatasync", os.fsync)


def sync_folder(folder: str) -> None:
    """Makes what was created in a folder or renamed into it survive; it may be deleted meanwhile. Raises OSError."""
    with suppress(FileNotFoundError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
