from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from catalog_world import fresh
from sqlalchemy import text

from watchgate.catalog import migration
from watchgate.catalog.database import Catalog
from watchgate.errors import ConfigurationError

OPEN = (
    "import sys; from watchgate.catalog.database import Catalog; Catalog.open(sys.argv[1]).close()"
)


def test_processes_that_open_a_new_catalog_at_once_agree(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    openers = [subprocess.Popen([sys.executable, "-c", OPEN, str(path)]) for _ in range(3)]
    codes = [opener.wait(timeout=60) for opener in openers]
    with Catalog.open(path) as catalog, catalog.read() as connection:
        heads = connection.execute(text("SELECT seq FROM journal_head")).all()

    assert codes == [0, 0, 0]
    assert [tuple(row) for row in heads] == [(0,)]


def test_a_migration_that_fails_leaves_the_catalog_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = migration.upgrade

    def failing(connection: object) -> None:
        real(connection)  # type: ignore[arg-type]
        raise ConfigurationError("power cut")

    monkeypatch.setattr(migration, "upgrade", failing)
    with pytest.raises(ConfigurationError, match="power cut"):
        Catalog.open(tmp_path / "catalog.db")
    monkeypatch.undo()
    with fresh(tmp_path) as (catalog, _), catalog.read() as connection:
        current = migration.is_current(connection, "here")

    assert current


def test_a_current_catalog_is_opened_without_alembic(tmp_path: Path) -> None:
    Catalog.open(tmp_path / "catalog.db").close()
    script = f"{OPEN}\nassert 'alembic' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "catalog.db")], check=False, timeout=60
    )

    assert done.returncode == 0


def test_a_catalog_whose_version_is_gone_is_not_ours(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _), catalog.write() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    with pytest.raises(ConfigurationError, match="not a catalog of Watchgate"):
        Catalog.open(tmp_path / "catalog.db")
