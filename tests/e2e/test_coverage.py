"""A real sshd's own log beside the sessions: which logins were the gateway's, and which went round it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest

from e2e.gateway import World, wait_for, world
from watchgate.cli.application import run
from watchgate.clock import ManualClock, SystemClock, iso
from watchgate.reports.coverage.authorities import fingerprints
from watchgate.reports.coverage.importing import Imported, Origin, import_log, one_target
from watchgate.reports.coverage.lines import Lines
from watchgate.reports.coverage.model import State
from watchgate.session.events import CoverageBypassed
from watchgate.session.model import CredentialKind
from watchgate.vault import accounts
from watchgate.vault.vault import Vault

pytestmark = pytest.mark.real

MINUTE = 60.0


class Diary:
    """sshd's own words as a syslog daemon would have filed them, moment by moment."""

    def __init__(self, site: World) -> None:
        self._site = site
        self._read = 0
        self.lines: list[str] = []

    def file(self) -> None:
        """Stamp what sshd has said since the last time."""
        said = self._site.target.log()
        stamp = iso(SystemClock().wall_us())
        new = said[self._read :].splitlines()
        self._read = len(said)
        self.lines += [f"{stamp} web1 sshd[4711]: {line}" for line in new]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Diary]]:
    """Two sessions, by certificate and by key, a login that went round the gateway, and a refused one."""
    with world(tmp_path_factory.mktemp("coverage")) as made, made.serving():
        made.target.add_ca(made.made.authority)
        diary = Diary(made)
        assert made.run("echo by key").returncode == 0
        diary.file()
        _use_certificates(made)
        assert made.run("echo by certificate").returncode == 0
        diary.file()
        made.sealed(2)
        wait_for(lambda: all(row.state == "closed" for row in made.sessions()), "both are closed")
        direct = made.real.client.ssh(*made.real.address(), "true")
        assert direct.returncode == 0, direct.stderr
        spoof = f"x Accepted publickey for {made.target.user} from 127.0.0.1 port 1 ssh2"
        refused = made.real.client.ssh(
            "-p", str(made.target.port), "-l", spoof, "127.0.0.1", "true"
        )
        assert refused.returncode == 255
        made.target.wait_for_log("Invalid user")
        diary.file()
        yield made, diary


def _use_certificates(site: World) -> None:
    with site.change() as change:
        vault = Vault(site.data / "keys/vault.key")
        accounts.remove(change, vault, "web1", site.target.user)
        accounts.add(
            *(change, vault, "web1", site.target.user, CredentialKind.CERTIFICATE, None, None)
        )


def read(site: World, lines: list[str]) -> Imported:
    """Import a log a minute from now, when nothing in it is too new to be judged."""
    clock = ManualClock(SystemClock().wall_us())
    clock.advance(MINUTE)
    log = Lines(io.BytesIO("\n".join(lines).encode()), "auth.log")
    origin = Origin(UTC, clock.wall_us(), one_target("web1"), "web1")
    authorities = fingerprints(site.data / "keys/ca_ed25519.pub")
    assert authorities
    with site.catalog() as catalog:
        return import_log(catalog, clock, "test", log, origin, authorities)


def test_a_targets_own_log_names_our_sessions(site: tuple[World, Diary]) -> None:
    made, diary = site
    newest, first = made.sessions()
    certificate = [line for line in diary.lines if f" ID {newest.id} (serial " in line]

    assert newest.key_id == newest.id
    assert first.key_id is None
    assert any("Accepted publickey" in line for line in certificate)


def test_only_the_login_that_went_round_the_gateway_is_a_bypass(site: tuple[World, Diary]) -> None:
    made, diary = site
    done = read(made, diary.lines)
    bypasses = [event for event in made.journal() if isinstance(event, CoverageBypassed)]

    assert done.states == {State.GATEWAY: 2, State.BYPASSED: 1}
    assert {why for state, why in done.reasons if state is State.GATEWAY} == {
        "by the session's certificate",
        "from the gateway's end of the connection",
    }
    assert done.tally.unreadable_logins == 0
    assert [(event.target, event.account, event.method) for event in bypasses] == [
        ("web1", made.target.user, "publickey")
    ]


def test_a_certificate_that_is_shown_again_is_a_bypass(site: tuple[World, Diary]) -> None:
    made, diary = site
    newest = made.sessions()[0].id
    (again,) = [line for line in diary.lines if "Accepted publickey" in line and newest in line]
    port = again.partition(" port ")[2].partition(" ")[0]
    replayed = again.replace(f" port {port} ", " port 9 ")
    done = read(made, [*diary.lines, replayed])

    assert done.states[State.GATEWAY] == 2
    assert done.reasons[State.BYPASSED, "the certificate of a session was shown a second time"] == 1


def test_the_command_line_reports_it(
    site: tuple[World, Diary], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, diary = site
    log = tmp_path / "auth.log"
    log.write_text("\n".join(diary.lines))
    for words in (("import", str(log), "--target", "web1"), ("report", "--target", "web1")):
        with pytest.raises(SystemExit) as ended:
            run(["coverage", *words, "--data", str(made.data)])

        assert not ended.value.code
    said = capsys.readouterr().out

    assert "3 logins" in said
    assert "web1" in said
