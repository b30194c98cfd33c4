"""What a key of the object store may look like, the same for every store."""

from __future__ import annotations

import re

# Segments start with a letter or digit: no `..`, no hidden files, nothing a file system or a URL reads as its own.
_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._+@=-]{0,199}"
_KEY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_PREFIX = re.compile(rf"(?:{_SEGMENT}/)*(?:{_SEGMENT})?")
_MAX_LENGTH = 900


def is_key(text: str) -> bool:
    return len(text) <= _MAX_LENGTH and _KEY.fullmatch(text) is not None


def check_key(text: str) -> str:
    """The key itself. Raises ValueError for one that could leave the store or that some store cannot hold."""
    if not is_key(text):
        raise ValueError(f"not an object key: {text[:80]!r}")
    return text


def check_prefix(text: str) -> str:
    """The prefix itself; empty means every key. Raises ValueError for one no key can start with."""
    if len(text) > _MAX_LENGTH or _PREFIX.fullmatch(text) is None:
        raise ValueError(f"not an object key prefix: {text[:80]!r}")
    return text
