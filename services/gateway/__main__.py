"""`python -m services.gateway`: the gateway as one process, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import socket
import sys
from types import FrameType
from typing import Final

import uvicorn
from fastapi import FastAPI

from services.common.errors import FacekitError
from services.common.logs import configure_logs
from services.common.photos.memory import limit_growth
from services.common.settings import Settings, load_settings, usable_cpus
from services.gateway.app import create_app, open_ports

log = logging.getLogger(__name__)

BACKLOG: Final = 512
DRAIN_S: Final = 20
# How many the gateway may start: the server's own for requests, and those that accept photos, four a CPU.
OTHER_THREADS: Final = 64
THREADS_A_CPU: Final = 4


class CannotStart(Exception):
    """One line that says why."""


class GatewayServer(uvicorn.Server):
    """Lets go of long-polls when it is told to stop, so that stopping does not wait for them."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._gateway_app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        gateway = getattr(self._gateway_app.state, "gateway", None)
        if gateway is not None:  # signals reach the main thread, where the loop runs
            asyncio.get_running_loop().call_soon_threadsafe(gateway.watcher.release)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CannotStart."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        reasons = {
            errno.EADDRINUSE: f"port {port} is in use; choose another with FACEKIT_PORT",
            errno.EACCES: f"port {port} may not be used by this user; choose another with FACEKIT_PORT",
        }
        raise CannotStart(reasons.get(error.errno or 0, f"cannot listen on {host} port {port}: {error}")) from error
    return listener


def server_config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        server_header=False,
        timeout_keep_alive=75,  # longer than a proxy's, so that the proxy is the one who closes
        timeout_graceful_shutdown=DRAIN_S,
    )


def serve(settings: Settings) -> None:
    """Serves until told to stop. Raises CannotStart."""
    listener = listen(settings.host, settings.port)
    try:
        open_ports(settings).close()  # what cannot work is said now, in one line, rather than by the server's traceback
        app = create_app(settings)
    except FacekitError as error:
        raise CannotStart(error.detail) from error
    except ValueError as error:
        raise CannotStart(str(error)) from error
    # What is loaded by now stays: the collector need not visit it again, a fifteenth of a submission's time.
    gc.collect()
    gc.freeze()
    at_once = usable_cpus()
    limit_growth(settings.max_pixels, photos_at_once=at_once, threads=THREADS_A_CPU * at_once + OTHER_THREADS)
    log.info("listening on http://%s:%d", settings.host, settings.port)
    GatewayServer(server_config(app), app).run(sockets=[listener])


def main() -> int:
    settings = load_settings()
    configure_logs("gateway", settings.log_level)
    try:
        serve(settings)
    except CannotStart as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
