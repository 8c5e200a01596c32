"""The fixtures themselves: a real sshd, a real client, a real terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.servers import NotShownError, OpenSsh, RealTarget, Terminal, free_port, sshd

pytestmark = pytest.mark.real


def test_a_command_runs_and_its_status_and_both_outputs_come_back(target: RealTarget) -> None:
    done = target.client.ssh(*target.address(), "cat; echo problem >&2; exit 7", data=b"in\n")

    assert (done.returncode, done.stdout, done.stderr) == (7, b"in\n", b"problem\n")


def test_a_terminal_types_resizes_and_sees_what_is_shown(target: RealTarget) -> None:
    with target.client.terminal("-tt", *target.address(), "exec sh", columns=91, rows=17) as person:
        person.send("stty size; echo rea''dy\r")
        first = person.expect("ready")
        person.resize(120, 40)
        person.send("stty size\r")
        person.expect(re.compile(rb"\b40 120\b"))
        person.send("exit 3\r")
        status = person.wait()

    assert b"17 91" in first
    assert status == 3


def test_scp_moves_a_file_both_ways(target: RealTarget, tmp_path: Path) -> None:
    sent, kept, back = tmp_path / "sent", tmp_path / "kept", tmp_path / "back"
    sent.write_bytes(bytes(range(256)) * 1000)
    *options, destination = target.address()
    options[0] = "-P"
    up = target.client.scp(*options, str(sent), f"{destination}:{kept}")
    down = target.client.scp(*options, f"{destination}:{kept}", str(back))

    assert (up.returncode, down.returncode) == (0, 0), up.stderr + down.stderr
    assert back.read_bytes() == sent.read_bytes()


def test_a_key_that_is_not_authorized_is_refused_and_logged(target: RealTarget) -> None:
    stranger = target.client.new_key("stranger")
    arguments = target.address()
    arguments[3] = str(stranger)
    refused = target.client.ssh(*arguments, "true")
    target.server.wait_for_log("Failed publickey")

    assert refused.returncode == 255
    assert b"Permission denied" in refused.stderr


def test_a_certificate_of_an_added_ca_is_let_in_with_its_key_id_in_the_log(
    tmp_path: Path, openssh: OpenSsh, program: Callable[[str], str]
) -> None:
    program("sshd")
    authority, key = openssh.new_key("ca"), openssh.new_key("user")
    with sshd(tmp_path / "target") as server:
        signing = ["ssh-keygen", "-q", "-s", str(authority), "-I", "session-1", "-n", server.user]
        with Terminal([*signing, str(key.with_suffix(".pub"))]) as keygen:
            assert keygen.wait() == 0
        server.add_ca(authority.with_suffix(".pub").read_text())
        openssh.trust(server.port, server.host_key)
        where = ["-p", str(server.port), "-i", str(key), f"{server.user}@127.0.0.1"]
        done = openssh.ssh(*where, "echo in")
        server.wait_for_log('ID "session-1"')

    assert done.stdout == b"in\n", done.stderr


def test_two_free_ports_are_asked_for_and_usable(openssh: OpenSsh) -> None:
    port = free_port()
    refused = openssh.ssh("-p", str(port), "nobody@127.0.0.1", "true")

    assert refused.returncode == 255
    assert b"Connection refused" in refused.stderr


def test_what_is_not_shown_is_said_with_what_was() -> None:
    with Terminal(["sh", "-c", "echo something else"]) as person:
        with pytest.raises(NotShownError, match="something else"):
            person.expect("the expected")
        status = person.wait()

    assert status == 0


def test_an_ended_server_leaves_no_process(tmp_path: Path, program: Callable[[str], str]) -> None:
    program("sshd")
    with sshd(tmp_path) as server:
        pid = server.process.pid
        assert Path(f"/proc/{pid}").exists()

    assert not Path(f"/proc/{pid}").exists()
