"""create_app: the gateway as an ASGI application."""

from __future__ import annotations

import importlib.metadata
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from starlette.concurrency import run_in_threadpool

from services.common.bootstrap import Ports, build
from services.common.settings import Settings
from services.gateway.acceptance import Acceptance
from services.gateway.access import ApiKeys
from services.gateway.browser_rules import BrowserRules
from services.gateway.context import Gateway
from services.gateway.metrics import GatewayMetrics
from services.gateway.openapi import add_openapi
from services.gateway.page import Page
from services.gateway.problems import add_problem_handlers
from services.gateway.query import known_query
from services.gateway.rate_limit import RateLimiter
from services.gateway.request_log import RequestLog
from services.gateway.routes import faces_zip, health, images, jobs, metrics, models, submissions, vocabulary
from services.gateway.sweeper import Sweeper
from services.gateway.watcher import JobWatcher

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 10.0


def create_app(settings: Settings) -> FastAPI:
    """The whole API, and the page where settings name one. Connects when it starts, not here.

    Raises ValueError for API keys or a page folder that cannot be used.
    """
    keys = ApiKeys(settings.api_keys)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        ports = await run_in_threadpool(open_ports, settings)
        try:
            gateway = _gateway(settings, keys, ports)
            app.state.gateway = gateway
            sweeper = Sweeper(ports.store, ports.jobs, ports.queue, settings, gateway.metrics)
            stop = threading.Event()
            thread = threading.Thread(target=sweeper.run, args=(stop,), name="sweeper", daemon=True)
            thread.start()
            try:
                yield
            finally:
                stop.set()
                await gateway.watcher.close()
                await run_in_threadpool(gateway.acceptance.close)
                await run_in_threadpool(thread.join, STOP_TIMEOUT_S)
        finally:
            await run_in_threadpool(ports.close)

    app = FastAPI(
        title="facekit",
        version=_version(),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # an address is as the document says, or there is nothing at it
    )
    # The last one added is the outermost: what is refused is logged too.
    app.add_middleware(BrowserRules, hosts=tuple(filter(None, (name.strip() for name in settings.hosts.split(",")))))
    app.add_middleware(RequestLog)
    add_problem_handlers(app)
    for noun in (submissions, jobs, images, faces_zip, models, vocabulary):
        app.include_router(noun.router, dependencies=[Depends(known_query)])
    for probed in (health, metrics):  # by programs that add what they like to the address
        app.include_router(probed.router)
    add_openapi(app)
    if settings.frontend is not None:
        app.mount("/", Page(settings.frontend), name="page")
    return app


def open_ports(settings: Settings) -> Ports:
    """The ports, and on SQLite the newest schema: there is no one-shot to bring it. Raises FacekitError."""
    if settings.effective_database_url.startswith("sqlite"):
        from services.gateway.migrate import migrate

        migrate(settings.effective_database_url)
    return build(settings)


def _gateway(settings: Settings, keys: ApiKeys, ports: Ports) -> Gateway:
    return Gateway(
        settings=settings,
        store=ports.store,
        jobs=ports.jobs,
        queue=ports.queue,
        keys=keys,
        limiter=RateLimiter(settings.rate_limit_per_minute),
        metrics=GatewayMetrics(ports.jobs),
        acceptance=Acceptance(ports.store, ports.jobs, ports.queue, settings),
        watcher=JobWatcher(ports.jobs),
    )


def _version() -> str:
    try:
        return importlib.metadata.version("facekit")
    except importlib.metadata.PackageNotFoundError:
        return "0+source"
