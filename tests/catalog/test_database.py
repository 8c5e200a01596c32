from __future__ import annotations

import logging
import sqlite3
import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from catalog_world import fresh
from sqlalchemy import insert, select, text

from watchgate.catalog import migration, sqlite
from watchgate.catalog.database import Catalog
from watchgate.catalog.schema import METADATA, storable, target
from watchgate.errors import ConfigurationError
from watchgate.session.events import text as wire_text

ROW = {
    "id": "t",
    "name": "web1",
    "folded": "web1",
    "protocol": "ssh",
    "host": "h",
    "port": 22,
    "settings": {},
    "created_at_us": 0,
}


def test_the_migrations_make_the_tables_that_the_schema_describes(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _), catalog.read() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), METADATA)

    assert difference == []


def test_the_newest_migration_is_the_one_that_the_program_expects() -> None:
    files = sorted((migration.FOLDER / "versions").glob("[0-9]*.py"))

    assert files[-1].name.startswith(f"{migration.HEAD}_")


def test_a_catalog_is_for_its_owner_alone(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _), catalog.write() as connection:
        connection.execute(insert(target).values(ROW))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    assert modes["catalog.db"] == 0o600
    assert set(modes.values()) == {0o600}


def test_a_catalog_that_others_could_read_is_closed_to_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "catalog.db"
    Catalog.open(path).close()
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        Catalog.open(path).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "could be read by others" in caplog.text


def test_opening_twice_changes_nothing(tmp_path: Path) -> None:
    Catalog.open(f"sqlite:///{tmp_path}/catalog.db").close()
    with Catalog.open(tmp_path / "catalog.db") as catalog, catalog.read() as connection:
        version = connection.scalar(text("SELECT version_num FROM alembic_version"))

    assert version == migration.HEAD


def test_every_connection_is_durable_and_checks_references(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _), catalog.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 10_000,
    }


def test_a_newer_catalog_is_refused_by_name(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _), catalog.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="newer Watchgate") as caught:
        Catalog.open(tmp_path / "catalog.db")

    assert caught.value.code == "catalog.newer"
    assert "catalog.db" in str(caught.value)


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="not a catalog of Watchgate"):
        Catalog.open(path)

    reopened = sqlite3.connect(path)
    names = [row[0] for row in reopened.execute("SELECT name FROM sqlite_master")]
    reopened.close()
    assert names == ["theirs"]
    assert len(path.read_bytes()) == len(before)


@pytest.mark.parametrize("damage", [b"\0" * 4096, b"not a database at all" * 100])
def test_a_damaged_file_is_named(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "catalog.db"
    path.write_bytes(damage)
    with pytest.raises(ConfigurationError, match="is damaged") as caught:
        Catalog.open(path)

    assert str(path) in str(caught.value)


def test_damage_behind_the_first_page_is_named_when_it_is_met(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    Catalog.open(path).close()
    octets = bytearray(path.read_bytes())
    octets[100:] = b"\xa5" * (len(octets) - 100)
    path.write_bytes(octets)
    with pytest.raises(ConfigurationError) as caught:
        Catalog.open(path)

    assert caught.value.code == "catalog.damaged"


def test_a_missing_directory_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be opened: No such file"):
        Catalog.open(tmp_path / "nowhere" / "catalog.db")


def test_an_engine_that_is_not_there_yet_is_said() -> None:
    with pytest.raises(ConfigurationError, match="postgresql is not known"):
        Catalog.open("postgresql://db/watchgate")


def test_a_transaction_that_raises_leaves_nothing(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _):
        with pytest.raises(ConfigurationError), catalog.write() as connection:
            connection.execute(insert(target), [ROW, ROW])
        with catalog.read() as connection:
            left = connection.execute(select(target)).all()

    assert left == []


def test_a_reader_leaves_nothing_behind(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _):
        with catalog.read() as connection:
            connection.execute(insert(target).values(ROW))
        with catalog.read() as connection:
            left = connection.execute(select(target)).all()

    assert left == []


def test_a_catalog_locked_for_too_long_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchgate.catalog.sqlite.BUSY_SECONDS", 0)
    with fresh(tmp_path) as (catalog, _), Catalog.open(tmp_path / "catalog.db") as other:
        with (
            catalog.write(),
            pytest.raises(ConfigurationError, match="kept locked by another process"),
            other.write(),
        ):
            pass
        with other.write() as connection:
            connection.execute(insert(target).values(ROW))
        with catalog.read() as connection:
            seen = connection.execute(select(target.c.name)).scalars().all()

    assert seen == ["web1"]


@pytest.mark.parametrize(
    ("octets", "stored"),
    [
        (b"plain", "plain"),
        ("ünï".encode(), "ünï"),
        (b"\xff\xfe", "\\udcff\\udcfe"),
        (b"a\0b", "a\\x00b"),
    ],
)
def test_text_off_the_wire_is_stored_whatever_it_holds(octets: bytes, stored: str) -> None:
    assert storable(wire_text(octets)) == stored


def test_a_second_opening_in_one_process_leaves_the_locks_of_the_first(tmp_path: Path) -> None:
    """POSIX locks belong to the process: whoever closes the file by itself drops SQLite's."""
    path = tmp_path / "catalog.db"
    with Catalog.open(path) as first, first.write() as connection:
        connection.exec_driver_sql("CREATE TABLE held (x)")
        sqlite.engine(path)

        assert _locks_on(path)


def _locks_on(path: Path) -> list[str]:
    """The lines of /proc/locks for the database's own file."""
    inode = str(path.stat().st_ino)
    with open("/proc/locks", encoding="ascii") as table:
        return [row for row in table if row.split()[5].split(":")[-1] == inode]
