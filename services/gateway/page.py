"""The static page, served by the gateway where there is no nginx: same headers, no build step."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

# Nothing inline, nothing from elsewhere; blob: and data: are the user's own pictures.
CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # File names carry no version: browsers keep files but ask, by ETag, whether they are still the newest.
    "Cache-Control": "no-cache",
}
# Beside the page in its folder, but not part of it.
_NOT_SERVED: Final = frozenset({"nginx.conf", "package.json", "jsconfig.json", "tsconfig.json", "README.md"})


class Page(StaticFiles):
    """The files of `folder`, index.html at /; a folder without it is refused at once."""

    def __init__(self, folder: Path) -> None:
        """Raises ValueError when the folder holds no page."""
        if not (folder / "index.html").is_file():
            raise ValueError(f"FACEKIT_FRONTEND: {folder} has no index.html")
        super().__init__(directory=folder, html=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        parts = path.split(os.sep)
        if parts[0] in _NOT_SERVED or any(part.startswith(".") and part != "." for part in parts):
            raise HTTPException(404)
        if "node_modules" in parts or parts[-1].endswith((".test.js", ".test.mjs", ".conf")):
            raise HTTPException(404)
        response = await super().get_response(path, {**scope, "method": "GET"})
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        for name, value in HEADERS.items():
            response.headers[name] = value
        return response
