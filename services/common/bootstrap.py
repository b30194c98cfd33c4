"""The composition root: the only place that turns settings into adapters."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from services.common.errors import FacekitError
from services.common.ports import JobQueue, JobStore, ObjectStore
from services.common.settings import Settings
from services.common.settings.about import accepted, variable

if TYPE_CHECKING:
    from services.common.adapters.sql_database import Database

# As every S3 server takes it.
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class SettingInvalid(FacekitError):
    """A setting that names nothing facekit can use."""

    code, title = "setting_invalid", "A setting is not valid"
    advice = "Tell whoever runs the server: its log says which."


@dataclass(frozen=True, slots=True)
class Ports:
    """What a process needs from the outside world; `close` gives its connections back."""

    store: ObjectStore
    jobs: JobStore
    queue: JobQueue
    close: Callable[[], None]


def build(settings: Settings) -> Ports:
    """The three ports behind the URLs of the settings. Connects to no server: they may start later.

    Raises SettingInvalid for a URL of an unknown kind, Unavailable for a folder that cannot be made.
    """
    with ExitStack() as opened:
        store = _object_store(settings, opened)
        jobs = _job_store(settings, opened)
        queue = _job_queue(settings, jobs, opened)
        return Ports(store, jobs, queue, opened.pop_all().close)


def build_store(settings: Settings) -> ObjectStore:
    """The object store alone, for a program that publishes to it and ends. Raises as `build` does."""
    return _object_store(settings, ExitStack())


def open_database(url: str) -> Database:
    """The database alone, for migrations. Raises SettingInvalid."""
    from sqlalchemy.exc import ArgumentError

    from services.common.adapters.sql_database import Database

    if not url.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg2://")):
        raise _unknown("FACEKIT_DATABASE_URL", url, "sqlite:///file or postgresql://user@host/name")
    try:
        return Database(url)
    except (ValueError, ArgumentError) as error:
        raise _unusable("database_url") from error


# Vendors' SDKs are imported where one is chosen: the embedded system loads none of those it does not use.


def _object_store(settings: Settings, opened: ExitStack) -> ObjectStore:
    url = settings.effective_store_url
    if url.startswith("file://"):
        from services.common.adapters.folder_store import FolderStore

        folder_store = FolderStore(Path(url.removeprefix("file://")))
        opened.callback(folder_store.close)
        return folder_store
    if url.startswith("s3://"):
        from services.common.adapters.minio_store import MinioStore

        bucket = url.removeprefix("s3://").strip("/")
        if not _BUCKET.fullmatch(bucket):
            raise _unusable("store_url")
        try:
            minio_store = MinioStore(
                settings.s3_endpoint,
                bucket,
                access_key=settings.s3_access_key,
                secret_key=settings.s3_secret_key.get_secret_value(),
                region=settings.s3_region,
                secure=settings.s3_secure,
            )
        except ValueError as error:
            raise _unusable("s3_endpoint") from error
        opened.callback(minio_store.close)
        return minio_store
    raise _unknown("FACEKIT_STORE_URL", url, "file:///folder or s3://bucket")


def _job_store(settings: Settings, opened: ExitStack) -> JobStore:
    from services.common.adapters.sql_jobs import SqlJobStore

    store = SqlJobStore(open_database(settings.effective_database_url))
    opened.callback(store.close)
    return store


def _job_queue(settings: Settings, jobs: JobStore, opened: ExitStack) -> JobQueue:
    url = settings.broker_url
    if not url:
        from services.common.adapters.database_queue import DatabaseQueue

        database_queue = DatabaseQueue(jobs)
        opened.callback(database_queue.close)
        return database_queue
    if not url.startswith(("redis://", "rediss://")):
        raise _unknown("FACEKIT_BROKER_URL", url, "redis://host/0, or leave it out: workers then look at the database")
    from services.common.adapters.celery_queue import CeleryQueue

    try:
        queue = CeleryQueue(url)
    except ValueError as error:
        raise _unusable("broker_url") from error
    opened.callback(queue.close)
    return queue


def _unusable(name: str) -> SettingInvalid:
    # The value is not shown: it may hold a password.
    return SettingInvalid(f"{variable(name)} cannot be used; accepted is {accepted(Settings.model_fields[name])}")


def _unknown(name: str, url: str, known: str) -> SettingInvalid:
    # Only the scheme is shown: the rest of a URL may hold a password.
    return SettingInvalid(f"{name} is of an unknown kind ({url.partition(':')[0]!r}): use {known}")
