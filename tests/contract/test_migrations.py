"""Migrations: what they make is what the adapters use, and any number of processes may start at once."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from services.common.adapters.sql_database import Database
from services.common.adapters.sql_jobs import SqlJobStore
from services.common.adapters.sql_tables import metadata
from services.common.bootstrap import SettingInvalid
from services.common.errors import Unavailable
from services.gateway.migrate import migrate
from tests.contract.job_moves import new_job
from tests.servers import free_port, new_postgres_database

MIGRATIONS = Path(migrate.__code__.co_filename).parent / "migrations"
NEWEST = max(path.name for path in MIGRATIONS.glob("versions/*.py")).partition("_")[0]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new' / 'facekit.db'}"
    return new_postgres_database(str(request.getfixturevalue("postgres_url")))


def at_revision(url: str, revision: str) -> Database:
    """A database with an older schema."""
    database = Database(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return database


def test_the_schema_is_the_one_the_adapters_use(empty_url: str) -> None:
    revision = migrate(empty_url)
    assert migrate(empty_url) == revision, "a second time changes nothing"
    database = Database(empty_url)
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
    database.close()


def test_jobs_survive_migrating_again(empty_url: str) -> None:
    migrate(empty_url)
    store = SqlJobStore(Database(empty_url))
    job, _ = store.insert(new_job(), max_active=1)
    migrate(empty_url)
    assert store.get(job.id) == job
    store.close()


def test_jobs_of_the_first_schema_survive_the_newest(empty_url: str) -> None:
    database = at_revision(empty_url, "0001")
    job = new_job(owner="ada")
    with database.writing() as connection:
        # Only what the first schema has: today's columns are missing there.
        known = {column.name for column in metadata.tables["jobs"].c} & {field.name for field in fields(job)}
        values = {name: getattr(job, name) for name in known - {"suspicion"}}
        connection.execute(sa.insert(metadata.tables["jobs"]).values(**values, ready_at=job.created_at))
    store = SqlJobStore(database)
    assert migrate(empty_url) == NEWEST != "0001"
    assert store.page(limit=2, owner="ada", kind=job.kind, status=job.status) == [job]
    store.close()


def test_a_job_under_way_begins_again_when_what_stages_leave_has_changed(empty_url: str) -> None:
    store = SqlJobStore(at_revision(empty_url, "0004"))
    job, _ = store.insert(new_job(kind="verification", options={}), max_active=1)
    assert store.claim(job.id, "detector", "w", 30) is not None
    assert store.finish_stage(job.id, "w", next_stage="verifier", result={"faces": []}, timings_ms={}, models={})
    assert migrate(empty_url) == NEWEST
    again = store.claim(job.id, "detector", "w", 30)
    assert again is not None and again.result is None
    store.close()


def test_many_processes_migrate_at_once(empty_url: str) -> None:
    environment = os.environ | {"FACEKIT_DATABASE_URL": empty_url}

    def run(_number: int) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-m", "services.gateway.migrate"]
        return subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60, check=False)

    with ThreadPoolExecutor(3) as threads:
        ended = list(threads.map(run, range(3)))
    assert [(process.returncode, process.stderr) for process in ended] == [(0, "")] * 3
    assert {process.stdout for process in ended} == {f"database schema at revision {NEWEST}\n"}
    SqlJobStore(Database(empty_url)).ping()


def test_threads_migrate_at_once(empty_url: str) -> None:
    with ThreadPoolExecutor(6) as threads:
        assert set(threads.map(migrate, [empty_url] * 6)) == {NEWEST}


def test_a_database_without_tables_says_what_to_do(empty_url: str) -> None:
    store = SqlJobStore(Database(empty_url))
    with pytest.raises(Unavailable, match=r"services\.gateway\.migrate"):
        store.ping()
    with pytest.raises(Unavailable, match=r"services\.gateway\.migrate"):
        store.insert(new_job(), max_active=1)
    store.close()


def test_a_database_that_cannot_be_reached_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        migrate(f"postgresql://facekit@127.0.0.1:{free_port()}/facekit")
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be made"):
        migrate(f"sqlite:///{tmp_path / 'file' / 'facekit.db'}")
    with pytest.raises(SettingInvalid, match="FACEKIT_DATABASE_URL"):
        migrate("mysql://root:secret@localhost/facekit")
    environment = os.environ | {"FACEKIT_DATABASE_URL": f"postgresql://facekit@127.0.0.1:{free_port()}/facekit"}
    command = [sys.executable, "-m", "services.gateway.migrate"]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 1 and len(process.stderr.splitlines()) == 1
