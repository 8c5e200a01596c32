"""Real sudo behind a whole gateway: a real client, a real sshd, a secret out of the vault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bench.real_sshd import sshd
from elevated_host import PASSWORD, SCRIPT, USER, _files

from e2e.gateway import World, world
from watchgate.catalog import targets
from watchgate.demo.terminal import Terminal
from watchgate.identity import grants
from watchgate.secret import Secret
from watchgate.session.events import SecretInjected, SecretRejected
from watchgate.session.model import CredentialKind
from watchgate.session.ports import RecordKind
from watchgate.vault import accounts
from watchgate.vault.vault import Vault

pytestmark = [pytest.mark.real, pytest.mark.root]

ASKS = f"{USER} ALL=(ALL) ALL\nDefaults timestamp_timeout=0"
PROMPT = re.compile(rb"\$ (\x1b\[[?0-9]*[a-z])*$")
ROOT = ("0", "sh", "-c", 'mkdir -p /run/sshd; exec "$@"', "sh")


@contextmanager
def served(folder: Path, secret: str) -> Iterator[World]:
    """A gateway before a host with an ordinary account, whose password the vault has as `sudo-of-it`."""
    host = folder / "host"
    host.mkdir()
    _files(host, ASKS, None)
    words = ("unshare", "--mount", "--propagation", "private", "sh", "-c", SCRIPT, "sh")
    with (
        world(folder) as made,
        sshd(folder / "web2", through=(*words, str(host), *ROOT)) as second,
        made.serving(),
    ):
        second.add_ca(made.made.authority)
        with made.change() as change:
            vault = Vault(made.data / "keys/vault.key")
            targets.add(change, "web2", host="127.0.0.1", port=second.port)
            accounts.add(change, vault, "web2", USER, CredentialKind.CERTIFICATE, None, None)
            password = Secret(secret)
            kept = "sudo-of-it"
            accounts.add(change, vault, "web2", kept, CredentialKind.PASSWORD, password, None)
            grants.add(
                change,
                account=USER,
                on="web2",
                to_operator="alice",
                to_group=None,
                terms=grants.Terms(elevation=kept),
            )
        yield made


def at_shell(gateway: World) -> Terminal:
    """Somebody at a shell of that account."""
    return gateway.terminal(f"alice+{USER}@web2@gate")


def test_sudo_is_answered_and_the_password_is_nowhere(tmp_path: Path) -> None:
    with served(tmp_path, PASSWORD) as gateway:
        with at_shell(gateway) as person:
            shown = person.expect(PROMPT, 20)
            person.send("sudo id -un\r")
            shown += person.expect(b"root\r\n")
            shown += person.expect(PROMPT)
            person.send("exit\r")
            person.wait()
            shown += person.shown

        path = gateway.sealed()
        (injected,) = [e for e in gateway.events(path) if isinstance(e, SecretInjected)]
        assert (injected.program, injected.proof) == ("sudo", "integration")
        everywhere = [shown, *(gateway.octets(kind, path) for kind in RecordKind)]
        assert not any(PASSWORD.encode() in octets for octets in everywhere)
        assert PASSWORD not in repr(gateway.events(path))


def test_a_wrong_password_is_tried_once_and_the_prompt_is_the_operators(tmp_path: Path) -> None:
    with served(tmp_path, "wrong-one") as gateway:
        with at_shell(gateway) as person:
            person.expect(PROMPT, 20)
            person.send("sudo id -un\r")
            person.expect(b"try again")
            person.send(PASSWORD + "\r")
            person.expect(b"root\r\n")
            person.expect(PROMPT)
            person.send("exit\r")
            person.wait()

        path = gateway.sealed()
        events = gateway.events(path)
        assert len([e for e in events if isinstance(e, SecretInjected)]) == 1
        assert len([e for e in events if isinstance(e, SecretRejected)]) == 1
        tracks = [gateway.octets(kind, path) for kind in RecordKind]
        assert not any(b"wrong-one" in octets for octets in tracks)
        assert not any(PASSWORD.encode() in octets for octets in tracks)
