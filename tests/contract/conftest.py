"""Each port with each of its adapters: a test that takes `store`, `jobs` or `queue` runs once per adapter."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.common.adapters.celery_queue import CeleryQueue
from services.common.adapters.database_queue import DatabaseQueue
from services.common.adapters.folder_store import FolderStore
from services.common.adapters.minio_store import MinioStore
from services.common.adapters.sql_database import Database
from services.common.adapters.sql_jobs import SqlJobStore
from services.common.adapters.sql_tables import jobs as jobs_table
from services.common.adapters.sql_tables import workers as workers_table
from services.common.ports import JobQueue, ObjectStore
from services.gateway.migrate import migrate
from tests.contract.job_moves import new_job
from tests.servers import new_postgres_database


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    if request.param == "folder":
        yield FolderStore(tmp_path / "objects")
        return
    server = request.getfixturevalue("s3_server")
    store = MinioStore(
        server.endpoint,
        f"facekit-{uuid.uuid4().hex[:12]}",
        access_key=server.access_key,
        secret_key=server.secret_key,
    )
    yield store
    store.close()


@pytest.fixture(scope="session")
def postgres_jobs_url(postgres_url: str) -> str:
    """A migrated PostgreSQL database."""
    url = new_postgres_database(postgres_url)
    migrate(url)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database without jobs."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'facekit.db'}"
        migrate(url)
        return url
    url = str(request.getfixturevalue("postgres_jobs_url"))
    database = Database(url)
    with database.writing() as connection:
        connection.execute(sa.delete(jobs_table))
        connection.execute(sa.delete(workers_table))
    database.close()
    return url


@pytest.fixture
def open_jobs(database_url: str) -> Iterator[Callable[[], SqlJobStore]]:
    """Opens the same database again, as another process would."""
    with ExitStack() as opened:

        def open_again() -> SqlJobStore:
            store = SqlJobStore(Database(database_url))
            opened.callback(store.close)
            return store

        yield open_again


@pytest.fixture
def jobs(open_jobs: Callable[[], SqlJobStore]) -> SqlJobStore:
    return open_jobs()


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def queue_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A broker, or a migrated database that is the queue itself."""
    if request.param == "redis":
        return str(request.getfixturevalue("redis_server").url)
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_jobs_url"))
    url = f"sqlite:///{tmp_path / 'facekit.db'}"
    migrate(url)
    return url


Submit = Callable[[str, str], None]


@pytest.fixture
def submit(queue_url: str) -> Iterator[Submit]:
    """Submits (stage, job id) as a gateway does: a row where the rows are the queue, then the hint."""
    with ExitStack() as opened:
        jobs = None if queue_url.startswith("redis://") else SqlJobStore(Database(queue_url))
        queue: JobQueue
        if jobs is None:
            queue = celery_queue = CeleryQueue(queue_url)
            opened.callback(celery_queue.close)
        else:
            opened.callback(jobs.close)
            queue = DatabaseQueue(jobs)
        queue.ping()

        def submit_one(stage: str, job_id: str) -> None:
            if jobs is not None:
                jobs.insert(new_job(id=job_id, stage=stage), max_active=1000)
            queue.publish(stage, job_id)

        yield submit_one


@pytest.fixture
def stage() -> str:
    """A stage of this test's own: servers are shared by the tests of a run."""
    return f"stage-{uuid.uuid4().hex[:8]}"
