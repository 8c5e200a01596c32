"""What people really use over SSH: git, Ansible, and the way in which VS Code Remote works."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.gateway import World, wait_for, world
from e2e.peers import digest, tcp_server
from e2e.servers import free_port
from watchgate.demo.openssh import environment
from watchgate.session.events import (
    ChannelOpened,
    CommandRequested,
    FileMoved,
    ForwardClosed,
    ForwardOpened,
    SessionClaimed,
)
from watchgate.session.model import Capability
from watchgate.session.ports import RecordKind

pytestmark = pytest.mark.real

ADDRESSING = pytest.mark.parametrize("way", ["name", "jump"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("tools")) as made, made.serving():
        yield made


def _run(arguments: list[str], cwd: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        arguments,
        cwd=cwd,
        capture_output=True,
        timeout=120,
        check=False,
        env=environment(variables),
    )


# --- git ---------------------------------------------------------------------------------------


def _git(served: World, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    person = ["-c", "user.name=Alice", "-c", "user.email=alice@example.org"]
    variables = {
        "GIT_SSH_COMMAND": f"ssh -F {served.alice.config}",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    return _run(["git", *person, *arguments], cwd, **variables)


def test_git_clones_pushes_and_fetches(
    served: World, tmp_path: Path, program: Callable[[str], str]
) -> None:
    program("git")
    _git(served, tmp_path, "init", "-q", "--bare", "-b", "main", "store.git")
    remote = f"{served.name}:{tmp_path}/store.git"

    cloned = _git(served, tmp_path, "clone", "-q", remote, "work")
    (tmp_path / "work" / "large").write_bytes(os.urandom(3_000_000))
    _git(served, tmp_path / "work", "add", ".")
    _git(served, tmp_path / "work", "commit", "-q", "-m", "one")
    pushed = _git(served, tmp_path / "work", "push", "-q", "origin", "HEAD:main")
    again = _git(served, tmp_path, "clone", "-q", remote, "again")

    assert (cloned.returncode, pushed.returncode, again.returncode) == (0, 0, 0), (
        cloned.stderr + pushed.stderr + again.stderr
    )
    assert (tmp_path / "again/large").read_bytes() == (tmp_path / "work/large").read_bytes()
    commands = [e.command for e in served.events() if isinstance(e, CommandRequested)]
    assert commands == [f"git-upload-pack '{tmp_path}/store.git'"]


# --- Ansible -----------------------------------------------------------------------------------


def _ansible(
    served: World, directory: Path, way: str, pipelining: bool, *arguments: str
) -> subprocess.CompletedProcess[bytes]:
    """`ansible web1 ARGUMENTS` with an inventory that goes through the gateway."""
    user = served.target.user
    options = f"-F {served.alice.config}"
    named = f"ansible_host=gate ansible_user=alice+{user}@web1"
    jumping = f"ansible_host=web1 ansible_user={user}"
    jump = f" -o ProxyCommand='ssh -F {served.alice.config} -W %h:%p alice@gate'"
    inventory = directory / "inventory"
    inventory.write_text(
        f"web1 {named if way == 'name' else jumping} ansible_python_interpreter={sys.executable} "
        f'ansible_ssh_common_args="{options}{jump if way == "jump" else ""}"\n'
    )
    return _run(
        ["ansible", "-i", str(inventory), "web1", *arguments],
        directory,
        ANSIBLE_PIPELINING=str(pipelining),
        ANSIBLE_LOCAL_TEMP=str(directory / "local"),
        ANSIBLE_REMOTE_TEMP=str(directory / "remote"),
        ANSIBLE_HOME=str(directory / "home"),
        ANSIBLE_SSH_CONTROL_PATH_DIR=str(directory / "cp"),
        ANSIBLE_SSH_ARGS="-C -o ControlMaster=auto -o ControlPersist=2s",
        ANSIBLE_HOST_KEY_CHECKING="True",
    )


@ADDRESSING
@pytest.mark.parametrize("pipelining", [False, True], ids=["files", "pipelining"])
def test_ansible_works(
    served: World, tmp_path: Path, program: Callable[[str], str], way: str, pipelining: bool
) -> None:
    program("ansible")
    before = len(served.recordings())

    done = _ansible(served, tmp_path, way, pipelining, "-m", "ping")

    assert done.returncode == 0, done.stdout + done.stderr
    assert b'"ping": "pong"' in done.stdout
    # ControlPersist keeps the connection for some seconds; then there is one recording of it all.
    path = served.sealed(before + 1)
    events = served.events(path)
    assert isinstance(events[0], SessionClaimed)
    assert (events[0].via, events[0].operator) == (way, "alice")
    moved = [e for e in events if isinstance(e, FileMoved)]
    assert bool(moved) is not pipelining
    assert all(e.complete and e.direction == "upload" for e in moved)


# --- VS Code Remote ----------------------------------------------------------------------------


@contextmanager
def _remote(served: World, control: Path, port: int) -> Iterator[list[str]]:
    """A connection with a SOCKS port, as the extension opens it; the options that share it."""
    options = ["-o", "ControlPath=" + str(control), "-o", "ControlMaster=auto"]
    started = served.ssh("-f", "-N", "-D", str(port), *options, served.name)
    assert started.returncode == 0, started.stderr
    try:
        yield options
    finally:
        served.ssh(*options, "-O", "exit", served.name)


def _through_socks(proxy: int, port: int, data: bytes) -> bytes:
    """Send *data* to *port* of the target's loopback by SOCKS 5 (RFC 1928), and read the answer."""
    with socket.create_connection(("127.0.0.1", proxy), timeout=10) as connection:
        connection.sendall(b"\5\1\0")
        assert connection.recv(2) == b"\5\0"
        connection.sendall(b"\5\1\0\1\x7f\0\0\1" + port.to_bytes(2, "big"))
        assert connection.recv(10)[:2] == b"\5\0"
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_the_way_of_vs_code_remote_works_when_it_is_granted(served: World, tmp_path: Path) -> None:
    """A script on the standard input of a shell starts a server; all else goes to it over SOCKS."""
    served.allow(Capability.FORWARD_LOCAL)
    proxy = free_port()
    script = b"uname -s\necho 'listeningOn==1234=='\n" + b"# a long installer\n" * 20_000
    with tcp_server(digest) as port, _remote(served, tmp_path / "control", proxy) as options:
        started = served.ssh(*options, "-T", served.name, "bash", data=script)
        answers = [len(_through_socks(proxy, port, bytes(1_000_000))) for _ in range(3)]
        wait_for(lambda: len(served.sessions()) > 0, "the catalog knows of the session")
    served.allow()

    assert (started.returncode, started.stdout) == (0, b"Linux\nlisteningOn==1234==\n")
    assert answers == [32, 32, 32]
    path = served.sealed()
    events = served.events(path)
    assert [e.what for e in events if isinstance(e, ChannelOpened)] == ["exec"]
    opened = [e.destination for e in events if isinstance(e, ForwardOpened)]
    assert opened == [f"127.0.0.1:{port}"] * 3
    closed = [(e.sent_octets, e.received_octets) for e in events if isinstance(e, ForwardClosed)]
    assert closed == [(1_000_000, 32)] * 3
    assert served.octets(RecordKind.INPUT, path) == script
