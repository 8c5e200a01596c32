"""How operators prove who they are, with real clients; and how little those hear who do not."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import asyncssh
import pytest

from e2e.clients import talk
from e2e.gateway import World, wait_for, world
from e2e.people import PASSWORD, Person, SecurityKey, add_person, certify, destination, typing
from watchgate.identity import operators, publickeys
from watchgate.session.events import OperatorAuthenticated, OperatorRefused

pytestmark = pytest.mark.real

NO_KEY = ("-o", "PubkeyAuthentication=no")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("authentication")) as made:
        authority = made.alice.new_key("ca")
        cas = made.directory / "cas"
        cas.write_text(f"# ours\n{authority.with_suffix('.pub').read_text()}")
        made.flags = [f"authentication.trusted_user_cas={cas}"]
        with made.serving():
            yield made


@pytest.fixture(scope="module")
def paul(served: World) -> Person:
    """He logs in by password alone."""
    return add_person(served, "paul", "password")


def _authenticated(served: World) -> OperatorAuthenticated:
    (event,) = [e for e in served.events() if isinstance(e, OperatorAuthenticated)]
    return event


def _refusals(served: World, name: str) -> list[OperatorRefused]:
    found = [e for e in served.journal() if isinstance(e, OperatorRefused)]
    return [event for event in found if event.operator == name]


# --- keys --------------------------------------------------------------------------------------


def test_a_public_key_lets_in_and_is_named_in_the_recording(served: World) -> None:
    done = served.run("echo in")

    assert done.stdout == b"in\n"
    public = served.alice.directory / "id_ed25519.pub"
    event = _authenticated(served)
    assert event.methods == ["publickey"]
    assert event.key == asyncssh.read_public_key(public).get_fingerprint()


def test_a_security_key_lets_in(served: World) -> None:
    pair = SecurityKey()
    _add_key(served, pair.line())

    async def work(connection: asyncssh.SSHClientConnection) -> int | None:
        return (await connection.run("true")).exit_status

    status = talk(served, work, client_keys=[pair])

    assert status == 0
    algorithm = asyncssh.import_public_key(pair.line())
    assert _authenticated(served).key == algorithm.get_fingerprint()


def test_a_security_key_that_was_not_touched_is_refused(served: World) -> None:
    pair = SecurityKey(flags=0)
    _add_key(served, pair.line())

    async def work(connection: asyncssh.SSHClientConnection) -> None:
        await connection.run("true")

    with pytest.raises(asyncssh.PermissionDenied):
        talk(served, work, client_keys=[pair])


def _add_key(served: World, line: str) -> None:
    with served.change() as change:
        publickeys.add(change, "alice", line)


# --- certificates ------------------------------------------------------------------------------


def _with_certificate(
    served: World, tmp_path: Path, *arguments: str, authority: str = "ca"
) -> subprocess.CompletedProcess[bytes]:
    """alice with a fresh key that *authority* has certified."""
    key = served.alice.new_key(f"certified-{tmp_path.name}")
    certify(served.alice.directory / authority, key, *arguments)
    return served.ssh(
        "-F", str(_config(served, tmp_path, key)), destination(served, "alice"), "echo in"
    )


def _config(served: World, tmp_path: Path, key: Path) -> Path:
    """Her configuration with another key."""
    config = tmp_path / "config"
    plain = str(served.alice.directory / "id_ed25519")
    config.write_text(served.alice.config.read_text().replace(plain, str(key)))
    return config


def test_a_certificate_of_a_trusted_ca_lets_in(served: World, tmp_path: Path) -> None:
    done = _with_certificate(served, tmp_path, "-I", "badge-7", "-n", "alice,other", "-V", "+5m")

    assert done.stdout == b"in\n", done.stderr
    key = asyncssh.read_public_key(served.alice.directory / f"certified-{tmp_path.name}.pub")
    event = _authenticated(served)
    assert (event.methods, event.key) == (["publickey"], key.get_fingerprint())


@pytest.mark.parametrize(
    "arguments",
    [
        ["-n", "alice", "-V", "20200101:20200102"],
        ["-n", "bob", "-V", "+5m"],
        ["-V", "+5m"],
        ["-n", "alice", "-V", "+5m", "-O", "source-address=192.0.2.0/24"],
        ["-n", "alice", "-V", "+5m", "-O", "force-command=id"],
        ["-n", "alice", "-V", "+5m", "-O", "critical:unheard@example.org=x"],
        ["-n", "alice", "-V", "+5m", "-h"],
    ],
    ids=["expired", "other", "nobody", "elsewhere", "one-command", "unknown-option", "host"],
)
def test_a_certificate_that_does_not_fit_is_refused(
    served: World, tmp_path: Path, arguments: list[str]
) -> None:
    done = _with_certificate(served, tmp_path, "-I", "badge", *arguments)

    assert done.returncode == 255
    assert b"Permission denied" in done.stderr


def test_a_certificate_of_a_strange_ca_is_refused(served: World, tmp_path: Path) -> None:
    served.alice.new_key("strange")

    done = _with_certificate(served, tmp_path, "-I", "b", "-n", "alice", authority="strange")

    assert done.returncode == 255
    assert b"Permission denied" in done.stderr


# --- passwords and codes -----------------------------------------------------------------------


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
def test_a_password_lets_in_by_either_method(served: World, paul: Person, method: str) -> None:
    done = typing(served, paul.name, *NO_KEY, "-o", f"PreferredAuthentications={method}")

    assert done.stdout == b"in\n", done.stderr
    assert _authenticated(served).methods == ["password"]


@pytest.mark.parametrize("method", ["password,keyboard-interactive", "keyboard-interactive"])
def test_a_password_and_a_code_let_in(served: World, method: str) -> None:
    quinn = add_person(served, f"quinn-{len(method)}")  # by the gateway's own combinations

    done = typing(
        served, quinn.name, *NO_KEY, "-o", f"PreferredAuthentications={method}", code=quinn.code()
    )

    assert done.stdout == b"in\n", done.stderr
    assert _authenticated(served).methods == ["password", "totp"]


def test_a_password_without_its_code_is_not_enough(served: World) -> None:
    rosa = add_person(served, "rosa")

    done = typing(served, rosa.name, *NO_KEY, "-o", "NumberOfPasswordPrompts=1", code="000000")

    assert done.returncode == 255
    assert b"Permission denied" in done.stderr


def test_a_code_counts_once(served: World) -> None:
    sven = add_person(served, "sven")
    code = sven.code()

    first = typing(served, sven.name, *NO_KEY, code=code)
    second = typing(served, sven.name, *NO_KEY, "-o", "NumberOfPasswordPrompts=1", code=code)

    assert (first.stdout, second.returncode) == (b"in\n", 255)


def test_a_key_and_a_code_come_in_their_order(served: World) -> None:
    tara = add_person(served, "tara", "publickey+totp")
    key = served.alice.new_key("tara")
    with served.change() as change:
        publickeys.add(change, tara.name, key.with_suffix(".pub").read_text())
    identity = ("-o", f"IdentityFile={key}")

    key_alone = typing(served, tara.name, *identity, "-o", "PreferredAuthentications=publickey")
    code_alone = typing(
        served, tara.name, *NO_KEY, "-o", "NumberOfPasswordPrompts=1", code=tara.code()
    )
    both = typing(served, tara.name, *identity, code=tara.code())

    assert (key_alone.returncode, code_alone.returncode) == (255, 255)
    assert both.stdout == b"in\n", both.stderr
    assert _authenticated(served).methods == ["publickey", "totp"]


def test_the_python_client_proves_password_and_code_too(served: World) -> None:
    uwe = add_person(served, "uwe")

    class Client(asyncssh.SSHClient):
        def kbdint_auth_requested(self) -> str:
            return ""

        def kbdint_challenge_received(
            self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
        ) -> list[str]:
            return [uwe.code() if "code" in prompt else PASSWORD for prompt, _ in prompts]

    async def work(connection: asyncssh.SSHClientConnection) -> object:
        return (await connection.run("echo in")).stdout

    shown = talk(
        served,
        work,
        username=destination(served, uwe.name).removesuffix("@gate"),
        client_factory=Client,
        client_keys=None,
        preferred_auth="keyboard-interactive",
    )

    assert shown == b"in\n"


# --- refusals ----------------------------------------------------------------------------------


def test_the_unknown_the_disabled_and_the_wrong_hear_the_same(served: World, paul: Person) -> None:
    vera = add_person(served, "vera", "password")
    with served.change() as change:
        operators.disable(change, vera.name)
    once = ("-o", "NumberOfPasswordPrompts=1")

    heard = {
        name: typing(served, name, *NO_KEY, *once, password=password)
        for name, password in (
            (paul.name, "wrong"),
            (vera.name, PASSWORD),
            ("nobody", PASSWORD),
        )
    }

    words = {re.sub(rb"^[a-z]+\+", b"WHO+", done.stderr) for done in heard.values()}
    assert len(words) == 1, words
    assert {done.returncode for done in heard.values()} == {255}
    wait_for(lambda: bool(_refusals(served, "nobody")), "the journal knows")
    assert [e.reason for e in _refusals(served, "nobody")] == ["there is no such operator"]
    assert [e.reason for e in _refusals(served, "vera")] == ["the operator is disabled"]


def test_a_failed_login_is_one_event_with_the_number_of_guesses(
    served: World, paul: Person
) -> None:
    before = len(_refusals(served, paul.name))

    done = typing(
        served, paul.name, *NO_KEY, "-o", "PreferredAuthentications=password", password="wrong"
    )

    assert done.returncode == 255
    wait_for(lambda: len(_refusals(served, paul.name)) > before, "the journal knows")
    (event,) = _refusals(served, paul.name)[before:]
    assert (event.attempts, event.reason) == (3, "the password is wrong")
    assert event.client.startswith("127.0.0.1:")


def test_a_client_that_tries_too_often_is_disconnected(served: World) -> None:
    keys = [served.alice.new_key(f"many-{number}") for number in range(12)]
    config = served.directory / "many"
    plain = f"IdentityFile {served.alice.directory / 'id_ed25519'}\n"
    many = "".join(f"    IdentityFile {key}\n" for key in keys)
    config.write_text(served.alice.config.read_text().replace(plain, many.lstrip()))

    done = served.ssh("-F", str(config), served.name, "id")

    assert done.returncode == 255
    assert b"too many authentication failures" in done.stderr


def test_who_guesses_too_often_is_not_listened_to_and_hears_the_same(served: World) -> None:
    walt = add_person(served, "walt", "password")
    elsewhere = ("-b", "127.0.0.9")
    by_password = ("-o", "PreferredAuthentications=password")

    wrong = [
        typing(served, walt.name, *NO_KEY, *elsewhere, *by_password, password="wrong")
        for _ in range(2)
    ]
    right = typing(served, walt.name, *NO_KEY, *elsewhere, *by_password)
    from_home = typing(served, walt.name, *NO_KEY, *by_password)

    assert right.returncode == 255
    assert right.stderr.splitlines()[-1] == wrong[0].stderr.splitlines()[-1]
    assert from_home.stdout == b"in\n", from_home.stderr
    reasons = {event.reason for event in _refusals(served, walt.name)}
    assert any("too many guesses" in reason for reason in reasons)


def test_no_secret_of_a_login_is_in_any_file(served: World, paul: Person) -> None:
    typing(served, paul.name, *NO_KEY)
    typing(
        served, paul.name, *NO_KEY, "-o", "NumberOfPasswordPrompts=1", password="not-the-right-word"
    )
    files = [path for path in served.data.rglob("*") if path.is_file()]

    assert len(files) > 5
    for file in files:
        data = file.read_bytes()
        assert PASSWORD.encode() not in data, file
        assert b"not-the-right-word" not in data, file
