from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from vault_world import World, fresh

from watchgate.catalog import targets
from watchgate.catalog.schema import secret as table
from watchgate.catalog.thread import CatalogThread
from watchgate.errors import ConfigurationError
from watchgate.secret import Secret
from watchgate.session.model import CredentialKind, Grant, Operator, Route
from watchgate.vault import accounts, masterkey
from watchgate.vault.vault import CatalogVault, Rotated, Vault

PASSWORD = Secret("correct horse battery staple")


def store(world: World, owner: str = "o1", value: Secret = PASSWORD) -> None:
    with world.change() as change:
        world.vault.store(change, "account", owner, value)


def fetch(world: World, owner: str = "o1", vault: Vault | None = None) -> Secret | None:
    with world.catalog.read() as connection:
        return (vault or world.vault).fetch(connection, "account", owner)


def test_a_secret_comes_back_and_is_nowhere_in_clear(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        store(world)
        back = fetch(world)
        files = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert back == PASSWORD
    assert PASSWORD.reveal() not in files


def test_nothing_stored_is_nothing(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        assert fetch(world, "nobody") is None


def test_a_second_secret_takes_the_place_of_the_first(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        store(world)
        store(world, value=Secret("another"))
        with world.catalog.read() as connection:
            count = len(connection.execute(select(table)).all())

        assert fetch(world) == Secret("another")
    assert count == 1


def test_equal_secrets_do_not_look_equal(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        store(world, "o1")
        store(world, "o2")
        with world.catalog.read() as connection:
            sealed = connection.scalars(select(table.c.ciphertext)).all()

    assert len(set(sealed)) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE secret SET owner = 'o2'",
        "UPDATE secret SET id = 'other' WHERE owner = 'o1'",
        "UPDATE secret SET ciphertext = x'00112233445566778899aabbccddeeff00' WHERE owner = 'o1'",
        "UPDATE secret SET nonce = x'00' WHERE owner = 'o1'",
    ],
)
def test_a_secret_moved_or_altered_does_not_open(tmp_path: Path, statement: str) -> None:
    with fresh(tmp_path) as world:
        store(world)
        with world.catalog.write() as connection:
            connection.execute(text(statement))
        owner = "o2" if "o2" in statement else "o1"
        with pytest.raises(ConfigurationError, match="was altered"):
            fetch(world, owner)


def test_a_secret_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with fresh(tmp_path) as world, pytest.raises(ConfigurationError, match="too long"):
        store(world, value=Secret(b"x" * 70_000))


def test_the_right_key_is_confirmed_at_start(tmp_path: Path) -> None:
    with fresh(tmp_path) as world, world.catalog.read() as connection:
        name = Vault(world.key_file).check(connection)

    assert name == masterkey.load(world.key_file).id


def test_another_key_is_refused_with_the_file_and_what_to_do(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        store(world)
        masterkey.save(world.key_file, masterkey.generate(os.urandom), replace=True)
        other = Vault(world.key_file)
        with (
            world.catalog.read() as connection,
            pytest.raises(ConfigurationError, match="is not the key of this catalog") as caught,
        ):
            other.check(connection)
        with pytest.raises(ConfigurationError, match="is not the key of this catalog"):
            fetch(world, vault=other)

    assert str(world.key_file) in str(caught.value)
    assert caught.value.code == "vault.wrong-key"


def test_a_missing_key_is_said(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        world.key_file.unlink()
        with (
            world.catalog.read() as connection,
            pytest.raises(ConfigurationError, match="is missing; put it back"),
        ):
            Vault(world.key_file).check(connection)


def test_a_forged_check_value_is_noticed(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        with world.catalog.write() as connection:
            connection.execute(text("UPDATE vault_key SET \"check\" = x'00'"))
        with (
            world.catalog.read() as connection,
            pytest.raises(ConfigurationError, match="check value"),
        ):
            world.vault.check(connection)


def test_a_vault_is_created_once(tmp_path: Path) -> None:
    with (
        fresh(tmp_path) as world,
        world.change() as change,
        pytest.raises(ConfigurationError, match="has a vault key already"),
    ):
        Vault.create(tmp_path / "other.key", change)

    assert not (tmp_path / "other.key").exists()


# --- rotation ------------------------------------------------------------------------------------


def test_rotation_seals_everything_with_a_new_key(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        for number in range(10):
            store(world, f"o{number}", Secret(f"secret {number}"))
        before = masterkey.load(world.key_file).id
        done = world.vault.rotate(world.catalog, world.clock, "test")
        opened = [fetch(world, f"o{number}", Vault(world.key_file)) for number in range(10)]
        with world.catalog.read() as connection:
            keys = set(connection.scalars(select(table.c.key_id)))

    assert done == Rotated(before, masterkey.load(world.key_file).id, 10)
    assert keys == {done.new}
    assert opened == [Secret(f"secret {number}") for number in range(10)]
    assert not world.vault.next_path.exists()


def test_a_running_server_follows_a_rotation_by_another_process(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        store(world)
        assert fetch(world) == PASSWORD
        Vault(world.key_file).rotate(world.catalog, world.clock, "cli")

        assert fetch(world) == PASSWORD
        store(world, "o2", Secret("new"))
        assert fetch(world, "o2", Vault(world.key_file)) == Secret("new")


ROTATE = """
import os, sys
from pathlib import Path
from watchgate.catalog.database import Catalog
from watchgate.clock import ManualClock
from watchgate.vault import masterkey, vault

folder, die_at = Path(sys.argv[1]), sys.argv[2]

def dying(owner, name):
    real = getattr(owner, name)
    def wrapped(*args, **kwargs):
        if die_at == "before " + name:
            os._exit(9)
        result = real(*args, **kwargs)
        if die_at == "after " + name:
            os._exit(9)
        return result
    setattr(owner, name, wrapped)

dying(masterkey, "save")
dying(vault.Vault, "_reseal")
dying(vault.Vault, "_put_check")
dying(vault.Vault, "_swap")
with Catalog.open(folder / "catalog.db") as catalog:
    vault.Vault(folder / "vault.key").rotate(catalog, ManualClock(), "test")
"""

STEPS = [
    f"{when} {step}"
    for step in ("save", "_reseal", "_put_check", "_swap")
    for when in ("before", "after")
]


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_in_a_rotation_leaves_a_readable_pair(tmp_path: Path, step: str) -> None:
    with fresh(tmp_path) as world:
        store(world)
        killed = subprocess.run(
            [sys.executable, "-c", ROTATE, str(tmp_path), step], check=False, timeout=60
        )
        after_crash = fetch(world, vault=Vault(world.key_file))
        with world.catalog.read() as connection:
            Vault(world.key_file).check(connection)
        Vault(world.key_file).rotate(world.catalog, world.clock, "test")
        after_next = fetch(world, vault=Vault(world.key_file))
        left = {path.name for path in tmp_path.iterdir()} - {"vault.key.lock"}

    assert killed.returncode == 9
    assert after_crash == PASSWORD
    assert after_next == PASSWORD
    assert {name for name in left if name.startswith("vault")} == {"vault.key"}


def test_two_rotations_do_not_run_at_once(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        with (
            world.vault._alone(),
            pytest.raises(ConfigurationError, match="another `watchgate vault rotate`"),
        ):
            Vault(world.key_file).rotate(world.catalog, world.clock, "test")

        assert world.vault.rotate(world.catalog, world.clock, "test").secrets == 0


def test_a_rotation_that_meets_an_altered_secret_changes_nothing(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        store(world, "o1")
        store(world, "o2")
        with world.catalog.write() as connection:
            connection.execute(update(table).where(table.c.owner == "o2").values(nonce=b"0" * 12))
        shutil.copy(world.key_file, tmp_path / "copy")
        with pytest.raises(ConfigurationError, match="nothing was rotated"):
            world.vault.rotate(world.catalog, world.clock, "test")

        assert world.key_file.read_bytes() == (tmp_path / "copy").read_bytes()
        assert fetch(world, vault=Vault(world.key_file)) == PASSWORD


# --- the port ------------------------------------------------------------------------------------


def route(world: World, kind: CredentialKind, secret: Secret | None) -> Route:
    with world.change() as change:
        account = accounts.add(change, world.vault, "web1", "root", kind, secret)
        target = targets.get(change.connection, "web1")
    return Route(Operator("o", "alice"), target, account, Grant("g"))


async def opened(world: World, way: Route) -> tuple[str, str, Secret]:
    thread = CatalogThread(world.catalog)
    try:
        found = await CatalogVault(world.vault, thread).credential(way)
    finally:
        thread.close()
    return found.kind, found.login, found.secret


def test_a_session_gets_the_password_of_its_account(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        way = route(world, CredentialKind.PASSWORD, PASSWORD)

        assert asyncio.run(opened(world, way)) == ("password", "root", PASSWORD)


async def elevating(world: World, way: Route, account: str) -> Secret:
    thread = CatalogThread(world.catalog)
    try:
        return await CatalogVault(world.vault, thread).password(way, account)
    finally:
        thread.close()


def test_an_elevation_is_answered_with_the_password_of_its_account(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        way = route(world, CredentialKind.PASSWORD, PASSWORD)
        with world.change() as change:
            other = Secret("another")
            accounts.add(change, world.vault, "web1", "wheel", CredentialKind.PASSWORD, other)

        assert asyncio.run(elevating(world, way, "")) == PASSWORD
        assert asyncio.run(elevating(world, way, "root")) == PASSWORD
        assert asyncio.run(elevating(world, way, "wheel")) == other


def test_an_elevation_without_a_password_says_what_to_do(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        way = route(world, CredentialKind.CERTIFICATE, None)
        with world.change() as change:
            there = targets.get(change.connection, "web1")
            accounts.declare(change, there, "empty", CredentialKind.PASSWORD)
            targets.add(change, "web2", "web2.corp")
            accounts.add(
                change, world.vault, "web2", "wheel", CredentialKind.PASSWORD, Secret("elsewhere")
            )
        for account, message in (
            ("", "root on web1 logs in with a certificate, .* another account of web1"),
            ("empty", "has no password in the vault; .*`watchgate account set empty@web1`"),
            ("wheel", "web1 has no account wheel .*`watchgate account add wheel@web1`"),
        ):
            with pytest.raises(ConfigurationError, match=message):
                asyncio.run(elevating(world, way, account))


def test_a_certificate_account_has_no_secret(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        way = route(world, CredentialKind.CERTIFICATE, None)

        assert asyncio.run(opened(world, way)) == ("certificate", "root", Secret(b""))


def test_an_account_removed_meanwhile_has_no_credential(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        way = route(world, CredentialKind.PASSWORD, PASSWORD)
        with world.change() as change:
            accounts.remove(change, world.vault, "web1", "root")
        with pytest.raises(ConfigurationError, match="has no credential in the vault"):
            asyncio.run(opened(world, way))
