"""Everything that is SQLite's own: how a file is opened, and what its errors mean.

The rest of the catalog is portable SQL, so that PostgreSQL can stand here later. WAL lets the CLI read
and write while the server runs; `synchronous=FULL` makes a commit survive a power cut, which is what a
journal needs; every writer begins IMMEDIATE, so two of them queue instead of failing half-way.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from watchgate.errors import ConfigurationError

log = logging.getLogger(__name__)

WRITING = "watchgate_writing"
"""The execution option that marks a connection whose transaction will write."""

BUSY_SECONDS = 10


def engine(path: Path) -> Engine:
    """An engine on the file at *path*, which is made (0600) when it is missing."""
    _prepare(path)
    made = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(made, "connect", _configure)
    event.listen(made, "begin", _begin)
    return made


def _prepare(path: Path) -> None:
    """Create the file with tight permissions before SQLite does; its WAL takes them over.

    A file that is there is not opened: closing it would drop every lock that SQLite holds on it in this
    process, because POSIX locks belong to the process (sqlite.org/howtocorrupt, §2.2).
    """
    try:
        state = os.stat(path)
    except FileNotFoundError:
        _create(path)
        return
    except OSError as error:
        raise _unreadable(path, error) from error
    if state.st_mode & 0o077:
        log.warning("the catalog %s could be read by others; its mode is now 0600", path)
        os.chmod(path, 0o600)


def _create(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return  # another process was first
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"the catalog {path} cannot be opened: {error.strerror}; "
        "check that its directory exists and belongs to the user that runs Watchgate",
        code="catalog.unreadable",
    )


def _configure(connection: sqlite3.Connection, record: object) -> None:
    # The driver's own transaction control would begin late and never IMMEDIATE: `_begin` does it.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {BUSY_SECONDS * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        # What an erased recording said is gone from the file too, not only from its tables.
        "secure_delete = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def explain(error: DBAPIError | sqlite3.Error, where: str) -> ConfigurationError:
    """What a database error means to the administrator."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(cause, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return _damaged(where, str(cause))
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return ConfigurationError(
            f"the catalog {where} was kept locked by another process for {BUSY_SECONDS} s; "
            "look for a command that hangs (fuser shows who holds the file)",
            code="catalog.busy",
        )
    if name.startswith("SQLITE_FULL"):
        return ConfigurationError(
            f"the catalog {where} cannot be written: its disk is full; make room and try again",
            code="catalog.full",
        )
    if name.startswith("SQLITE_READONLY"):
        return ConfigurationError(
            f"the catalog {where} is read-only for this user; "
            "run the command as the user that runs Watchgate",
            code="catalog.read-only",
        )
    return ConfigurationError(
        f"the catalog {where} failed: {cause}; check the file and its disk", code="catalog.failed"
    )


def _damaged(where: str | Path, detail: str) -> ConfigurationError:
    return ConfigurationError(
        f"the catalog {where} is damaged ({detail}); put back a backup of it, or move it away, "
        "run `watchgate init`, enter the configuration again and run `watchgate reindex`",
        code="catalog.damaged",
    )
