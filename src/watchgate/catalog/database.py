"""The catalog's one way in: transactions that read, and transactions that write.

A catalog is shared by the serving process and by every command of the CLI, so nothing is cached here:
what an administrator commits holds from the next question on. Foreign errors end at this border.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from watchgate.catalog import migration, sqlite
from watchgate.errors import ConfigurationError


class Catalog:
    """An open catalog; safe to use from several threads."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self._where = where

    @classmethod
    def open(cls, where: Path | str) -> Self:
        """Open the catalog at *where*, a path or an `sqlite:///` URL, and bring it up to date.

        Raises ConfigurationError when the file is damaged, not ours, or newer than this program.
        """
        path = _path(where)
        catalog = cls(sqlite.engine(path), str(path))
        try:
            catalog._migrate()
        except BaseException:
            catalog.close()
            raise
        return catalog

    def _migrate(self) -> None:
        with self.read() as connection:
            current = migration.is_current(connection, self._where)
        if current:
            return
        # Looked at again inside: another process may have been first.
        with self.write() as connection:
            if not migration.is_current(connection, self._where):
                migration.upgrade(connection)

    @property
    def where(self) -> str:
        """The file or address, for messages."""
        return self._where

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the catalog; what is written by mistake is not kept."""
        with self._translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: committed and durable when the block ends, undone when it raises."""
        with self._translated(), self._engine.connect() as connection:
            writing = connection.execution_options(**{sqlite.WRITING: True})
            with writing.begin():
                yield writing

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            raise sqlite.explain(error, self._where) from error

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _path(where: Path | str) -> Path:
    if isinstance(where, Path):
        return where
    if where.startswith("sqlite:///"):
        return Path(where.removeprefix("sqlite:///"))
    if "://" in where:
        scheme = where.split("://", 1)[0]
        raise ConfigurationError(
            f"a catalog of the kind {scheme} is not known; give a path or sqlite:///PATH",
            code="catalog.unknown-kind",
        )
    return Path(where)
