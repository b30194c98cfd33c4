"""API keys: who is calling, and what the caller may do."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from services.common.errors import Forbidden, Unauthorized

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MIN_KEY_LENGTH: Final = 16


class Role(IntEnum):
    """Each role may do what the lower ones may."""

    READ = 1
    SUBMIT = 2


@dataclass(frozen=True, slots=True)
class Caller:
    """`owner` is the key's name and owns what it submits, and a key of another role with the same name looks at the
    same jobs; without keys it is empty and `everyone` holds."""

    owner: str
    role: Role

    @property
    def everyone(self) -> bool:
        """Whether the caller sees every job: only where keys are switched off."""
        return not self.owner


class ApiKeys:
    """The keys of `FACEKIT_API_KEYS`. Only digests are kept, and they are compared in constant time."""

    def __init__(self, setting: str) -> None:
        """`name:role:key,...` with role read or submit; empty switches keys off. Raises ValueError, showing no key."""
        self._keys: list[tuple[bytes, Caller]] = []
        for number, entry in enumerate(filter(None, (part.strip() for part in setting.split(","))), start=1):
            name, _, rest = entry.partition(":")
            role, _, key = rest.partition(":")
            if not _NAME.fullmatch(name) or role.upper() not in Role.__members__ or len(key) < _MIN_KEY_LENGTH:
                raise ValueError(
                    f"FACEKIT_API_KEYS: entry {number} is not name:role:key with role read or submit "
                    f"and a key of at least {_MIN_KEY_LENGTH} characters"
                )
            self._keys.append((_digest(key), Caller(name, Role[role.upper()])))
        callers = [caller for _, caller in self._keys]
        if len(set(callers)) < len(callers):
            raise ValueError("FACEKIT_API_KEYS: a name is used twice for one role")

    @property
    def enabled(self) -> bool:
        return bool(self._keys)

    def caller(self, headers: Mapping[str, str], needed: Role) -> Caller:
        """Raises Unauthorized without a valid key, Forbidden when its role is too low."""
        if not self._keys:
            return Caller("", Role.SUBMIT)
        caller = self._find(_presented(headers))
        if caller is None:
            raise Unauthorized("send a valid API key as `Authorization: Bearer KEY` or `X-API-Key: KEY`")
        if caller.role < needed:
            raise Forbidden(f"this needs a key with role {needed.name.lower()}; {caller.owner!r} may only read")
        return caller

    def _find(self, key: str) -> Caller | None:
        digest, found = _digest(key), None
        for known, caller in self._keys:  # every one is compared, so that time tells nothing
            if hmac.compare_digest(known, digest):
                found = caller
        return found


def _presented(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
