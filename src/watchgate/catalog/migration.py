"""Which version a catalog has, and how it is brought up to date.

A catalog that is current is recognized by one SELECT; Alembic, which takes long to import, is loaded
only when there is something to do.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from watchgate.errors import ConfigurationError

HEAD = "0005"
"""The newest revision in migrations/versions; revisions are numbered in their order."""

FOLDER = Path(__file__).parent / "migrations"


def is_current(connection: Connection, where: str) -> bool:
    """Whether the catalog needs nothing; raises ConfigurationError when it is newer or not ours."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return False
    version = None
    if "alembic_version" in tables:
        version = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if version is None:
        raise ConfigurationError(
            f"{where} is a database, but not a catalog of Watchgate; name another file",
            code="catalog.foreign",
        )
    if str(version) > HEAD:
        raise ConfigurationError(
            f"the catalog {where} is of a newer Watchgate (revision {version}, this program knows "
            f"{HEAD}); start the newer program, or put back the backup made before its upgrade",
            code="catalog.newer",
        )
    return str(version) == HEAD


def upgrade(connection: Connection) -> None:
    """Bring the catalog to HEAD inside the transaction of *connection*."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
