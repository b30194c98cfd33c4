"""Submissions a client may make: a token bucket each, kept in this gateway's memory.

Several gateways each allow the full rate; the edge (nginx) limits what reaches them together.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from services.common.errors import RateLimited

MAX_CLIENTS: Final = 10_000


class RateLimiter:
    """A minute's worth of submissions at once, then one every 60 / `per_minute` seconds; 0 is no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client: (tokens, at)

    def take(self, client: str) -> None:
        """Raises RateLimited, saying after how many seconds the next one is accepted."""
        if not self._per_minute:
            return
        now = self._clock()
        tokens, at = self._buckets.pop(client, (float(self._per_minute), now))
        tokens = min(tokens + (now - at) * self._per_minute / 60, float(self._per_minute))
        allowed = tokens >= 1
        self._buckets[client] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > MAX_CLIENTS:
            self._buckets.popitem(last=False)
        if not allowed:
            wait_s = math.ceil((1 - tokens) * 60 / self._per_minute)
            raise RateLimited(
                f"{self._per_minute} submissions a minute are accepted; the next one in {wait_s} s",
                retry_after_s=wait_s,
            )
