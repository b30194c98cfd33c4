"""BrowserRules: whose page a browser may speak for. A stranger's reaches no gateway, not even one without keys.

A browser sends what it thinks it talks to (Host) and which page asks (Origin, Sec-Fetch-Site). A page that lets its own
name point at this machine (DNS rebinding) gives itself away by Host, one that posts across sites by the other two.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.errors import FacekitError, Forbidden, UnknownHost
from services.gateway.problems import problem_response

ANY_HOST: Final = "*"
# Asked by engines and probes inside the stack, which use names of its own; they tell nothing of anybody.
_PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_PAGES: Final = frozenset({"same-origin", "none"})


class BrowserRules:
    """ASGI middleware. `hosts` are names beside loopback's and plain addresses, which no stranger's page can have;
    `*` among them answers to every name."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower().rstrip(".") for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _PROBES:
            try:
                self._check(scope["method"], Headers(scope=scope))
            except FacekitError as error:
                await problem_response(error, scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, method: str, headers: Mapping[str, str]) -> None:
        """Raises UnknownHost, Forbidden."""
        host = _host(headers.get("host", ""))
        if not self._answers_to(host):
            raise UnknownHost(f"this server does not answer to the name {host[:80]!r}")
        if method in _READS:
            return
        # "same-site" is another port or a neighbour's name: not ours either.
        if headers.get("sec-fetch-site", "none") not in _OWN_PAGES or not _same(headers.get("origin"), headers["host"]):
            raise Forbidden("pages of other sites may not change anything here")

    def _answers_to(self, host: str) -> bool:
        if ANY_HOST in self._hosts or host in self._hosts or host == "localhost" or host.endswith(".localhost"):
            return True
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return True


def _host(header: str) -> str:
    """The name or address of a Host header, without its port and brackets; empty where there is none."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _same(origin: str | None, host: str) -> bool:
    """Whether the asking page is of this host and port. Programs send no Origin; a proxy may change the scheme."""
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False
