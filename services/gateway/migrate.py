"""Brings the database to the newest schema: `python -m services.gateway.migrate`, or `migrate(url)` at a start."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from services.common.bootstrap import open_database
from services.common.errors import FacekitError
from services.common.settings import load_settings

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
# Any constant, the same in every process that migrates.
_LOCK: Final = 0x666B_0000


def migrate(database_url: str) -> str:
    """Applies what is missing and returns the schema's revision.

    One transaction: all of it or none. Several processes may call it at once; one works, the others wait and find
    nothing left to do (an advisory lock on PostgreSQL, the write lock on SQLite). Raises Unavailable or StorageFull.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    newest = ScriptDirectory.from_config(config).get_current_head() or ""
    database = open_database(database_url)
    try:
        with database.writing(durable=True) as connection:
            if database.kind == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            if MigrationContext.configure(connection).get_current_revision() != newest:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
    finally:
        database.close()
    return newest


def main() -> int:
    try:
        revision = migrate(load_settings().effective_database_url)
    except FacekitError as error:
        print(f"cannot migrate: {error.detail}", file=sys.stderr)
        return 1
    print(f"database schema at revision {revision}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
