"""Which methods an address takes, whichever routes share it: whether an answer is a 405, and what its Allow says."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.routing import Match, Mount

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def methods_of(request: Request) -> list[str]:
    """The methods that the API takes at this address; none where there is only the page, which is mounted over all."""
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    return [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]
