from __future__ import annotations

from pathlib import Path

import asyncssh
import pytest
from sqlalchemy import select
from vault_world import World, fresh

from watchgate.catalog import journal, targets
from watchgate.catalog.schema import secret as table
from watchgate.errors import ConfigurationError, NotFound
from watchgate.secret import Secret
from watchgate.session.model import Account, CredentialKind
from watchgate.vault import accounts

PASSWORD = Secret("hunter2 and more")


def add(world: World, name: str = "root", secret: Secret | None = PASSWORD) -> Account:
    with world.change() as change:
        return accounts.add(change, world.vault, "web1", name, CredentialKind.PASSWORD, secret)


def secret_of(world: World, account: Account) -> Secret | None:
    with world.catalog.read() as connection:
        return world.vault.fetch(connection, "account", account.id)


def test_an_account_is_listed_without_its_secret(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        added = add(world)
        with world.catalog.read() as connection:
            listed = accounts.list_all(connection, on="WEB1")
            everywhere = accounts.list_all(connection)
            entries = journal.entries(connection)

        assert listed == everywhere == [added]
        assert secret_of(world, added) == PASSWORD
    assert added.target == "web1"
    assert "hunter2" not in repr((listed, entries))


def test_an_account_is_there_once_on_each_target(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        add(world)
        with pytest.raises(ConfigurationError, match="already an account 'root@web1'"):
            add(world)
        with world.change() as change:
            targets.add(change, "web2", "h")
            accounts.add(change, world.vault, "web2", "root", CredentialKind.CERTIFICATE)
            count = len(accounts.list_all(change.connection))

    assert count == 2


def test_an_account_that_fails_leaves_no_secret(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        with pytest.raises(ConfigurationError):
            add(world, secret=Secret(b"\xff\xfe"))
        with world.catalog.read() as connection:
            assert connection.execute(select(table)).all() == []


@pytest.mark.parametrize(
    ("kind", "secret", "message"),
    [
        (CredentialKind.PASSWORD, None, "the password is empty"),
        (CredentialKind.PASSWORD, Secret(""), "the password is empty"),
        (CredentialKind.PASSWORD, Secret("a\n"), "line break"),
        (CredentialKind.PASSWORD, Secret(b"\xff"), "not UTF-8"),
        (CredentialKind.PRIVATE_KEY, None, "the private key is empty"),
        (CredentialKind.PRIVATE_KEY, Secret("-----BEGIN nothing"), "not a private key"),
        (CredentialKind.CERTIFICATE, Secret("x"), "no secret of its own"),
    ],
)
def test_a_secret_that_does_not_fit_is_refused(
    kind: CredentialKind, secret: Secret | None, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        accounts.checked_secret(kind, secret)


def test_a_private_key_is_kept_without_its_passphrase() -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    locked = Secret(key.export_private_key("pkcs8-pem", passphrase="open sesame"))
    kept = accounts.checked_secret(
        CredentialKind.PRIVATE_KEY, locked, passphrase=Secret("open sesame")
    )

    assert kept is not None
    assert asyncssh.import_private_key(kept.reveal()).public_data == key.public_data


@pytest.mark.parametrize("passphrase", [None, Secret("wrong")])
def test_a_key_without_the_right_passphrase_is_refused(passphrase: Secret | None) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    locked = Secret(key.export_private_key("pkcs8-pem", passphrase="open sesame"))
    with pytest.raises(ConfigurationError, match="passphrase was not given or is wrong"):
        accounts.checked_secret(CredentialKind.PRIVATE_KEY, locked, passphrase)


OPENSSH_ENCRYPTED = """\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABAI3kBMYK
EBFL5bo1n+nf+TAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIDM0O3iuC2udn2c8
VWZ4L0Kht1SkXZRoDV/2QIAGvGKOAAAAkCNCG25sjdYdvVG3IzVh3Qa1lHwVNvcc9cll1b
mSQpyayR9RpfEogzYcdDoIL+LwnTnwuygLKIiJMeTL/rijC4ksrgizedFoY8zF7CHaFOfy
zxRhWTm74jHFv0nwEneHaB5i8CDA8WLwHEA2sIAg6c3SovLgxE1J2ydn4P3HbAr9LlzzG+
qoMRpIH2M8wKhY+A==
-----END OPENSSH PRIVATE KEY-----
"""


def test_a_key_that_openssh_encrypted_is_kept_without_its_passphrase() -> None:
    pytest.importorskip("bcrypt")
    kept = accounts.checked_secret(
        CredentialKind.PRIVATE_KEY, Secret(OPENSSH_ENCRYPTED), Secret("open sesame")
    )

    assert kept is not None
    assert asyncssh.import_private_key(kept.reveal()).get_algorithm() == "ssh-ed25519"


def test_a_missing_bcrypt_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncssh.public_key._bcrypt_available", False)
    with pytest.raises(ConfigurationError, match="needs the Python package bcrypt"):
        accounts.checked_secret(
            CredentialKind.PRIVATE_KEY, Secret(OPENSSH_ENCRYPTED), Secret("open sesame")
        )


def test_an_account_takes_another_kind_of_credential(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        added = add(world)
        with world.change() as change:
            changed = accounts.set_secret(
                change, world.vault, "web1", "root", CredentialKind.CERTIFICATE
            )

        assert changed.credential is CredentialKind.CERTIFICATE
        assert changed.id == added.id
        assert secret_of(world, added) is None


def test_a_removed_account_leaves_no_secret(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        added = add(world)
        with world.change() as change:
            accounts.remove(change, world.vault, "web1", "root")
        with world.change() as change, pytest.raises(NotFound, match="no account 'root'"):
            accounts.get(change.connection, "web1", "root")

        assert secret_of(world, added) is None


def test_a_removed_target_leaves_no_secret(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        add(world)
        with world.change() as change:
            targets.remove(change, "web1")
            left = change.connection.execute(select(table)).all()

    assert left == []


def test_an_unknown_account_names_the_nearest(tmp_path: Path) -> None:
    with fresh(tmp_path) as world:
        add(world, "deploy")
        with world.catalog.read() as connection, pytest.raises(NotFound, match=r"deploy\?"):
            accounts.get(connection, "web1", "deplyo")
