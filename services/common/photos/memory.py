"""Memory for decoding: a photo that costs more than any honest one ends its own job, and no process.

`limit_growth` tells the system how much a process may still grow. A decoder that meets that end fails, and is asked
once more while no other decodes here; then the photo is refused.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from services.common.errors import ImageTooCostly
from services.common.gate import Gate

log = logging.getLogger(__name__)

# The dearest honest photo is a progressive JPEG: six bytes of coefficients a pixel (8 with CMYK), three of RGB, and
# those three again while it is turned.
BYTES_A_PIXEL: Final = 16
SPARE_BYTES: Final = 128 * 1024 * 1024  # what else grows: buffers of models, files, answers
STACK_BYTES: Final = 8 * 1024 * 1024  # of a thread; the system counts it whole, though little of it is ever touched
CONTAINER_SHARE: Final = 0.9  # of a container's memory: beyond it the kernel would kill the whole process

# How the decoders say it that have no MemoryError of their own.
_OUT_OF_MEMORY: Final = re.compile(
    r"insufficient memory|out of memory|memory alloc|bad_alloc|could not create jpeg", re.IGNORECASE
)
_SIZE_REFUSED: Final = re.compile(r"security limit|invalid image size", re.IGNORECASE)  # by libheif, as an allocation
_CONTAINER_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")

T = TypeVar("T")


def out_of_memory(error: Exception) -> bool:
    """Whether a decoder failed for want of memory, and not for a size that it refuses."""
    return bool(_OUT_OF_MEMORY.search(str(error))) and not _SIZE_REFUSED.search(str(error))


def require(count: int) -> None:
    """Raises MemoryError where so many bytes are not to be had. They are not touched, and given back at once."""
    np.empty(count, dtype=np.uint8)


def limit_growth(max_pixels: int, *, photos_at_once: int, threads: int) -> int | None:
    """From now on this process may grow by what so many photos of `max_pixels` take, but not beyond its container, and
    by the stacks of so many threads.

    Call it when models are loaded and warm. The new limit in bytes of data (RLIMIT_DATA), None where there is none:
    only Linux holds to it.
    """
    if sys.platform != "linux":
        return None
    import resource

    growth = photos_at_once * max_pixels * BYTES_A_PIXEL + SPARE_BYTES
    if (container := _container_bytes()) is not None:
        growth = min(growth, max(int(container * CONTAINER_SHARE) - _status_bytes("VmRSS"), 0))
    limit = _status_bytes("VmData") + growth + threads * STACK_BYTES
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    log.info("memory for photos: %d MB", growth // 1_000_000)
    return limit


def _status_bytes(name: str) -> int:
    """One figure of this process, as the kernel states it in kB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _container_bytes() -> int | None:
    try:
        said = _CONTAINER_LIMIT.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(said) if said.isdecimal() else None


class Decoding:
    """Threads decode beside each other; one that ran out of memory decodes alone."""

    def __init__(self) -> None:
        self._gate = Gate()

    def within_memory(self, read: Callable[[], T]) -> T:
        """What `read` returns. Raises ImageTooCostly when memory does not suffice for it alone."""
        try:
            with self._gate.beside():
                return read()
        except MemoryError:
            log.warning("a photo found too little memory beside others: trying it alone")
        try:
            with self._gate.alone():
                return read()
        except MemoryError as error:
            raise ImageTooCostly("the photo takes more memory to decode than there is for one") from error


decoding: Final = Decoding()
