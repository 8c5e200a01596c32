"""Files through the gateway: sftp, scp in both its protocols, rsync; what the manifest says, and what is refused."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.gateway import World, wait_for, world
from watchgate.demo.openssh import environment
from watchgate.recording.verify import State
from watchgate.session.events import (
    ChannelRefused,
    FileChanged,
    FileMoved,
    TransferUnreadable,
)
from watchgate.session.model import Capability
from watchgate.session.ports import RecordKind

pytestmark = pytest.mark.real

LARGE = 100 << 20
ODD_NAMES = [
    "plain",
    "with space",
    "ünïcødé-文字",
    "new\nline",
    "quote'\"s",
    "$dollar;semi",
    "-dash",
]
SCP = pytest.mark.parametrize("protocol", [["-s"], ["-O"]], ids=["sftp", "scp"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("transfers")) as made, made.serving():
        yield made


@pytest.fixture
def allowed(served: World) -> World:
    """The usual grant, whatever the test before has made of it."""
    served.allow()
    return served


@pytest.fixture
def near(tmp_path: Path) -> Path:
    """The client's side."""
    return _made(tmp_path / "near")


@pytest.fixture
def far(tmp_path: Path) -> Path:
    """The target's side, which is the same machine."""
    return _made(tmp_path / "far")


def _made(path: Path) -> Path:
    path.mkdir()
    return path


# --- scp ---------------------------------------------------------------------------------------


@SCP
def test_scp_moves_a_file_both_ways_with_its_digest_in_the_manifest(
    allowed: World, near: Path, far: Path, protocol: list[str]
) -> None:
    (near / "sent").write_bytes(bytes(range(256)) * 4000)

    up = allowed.alice.scp(*protocol, str(near / "sent"), f"{allowed.name}:{far}/kept")
    sent = _only_moved(allowed)
    down = allowed.alice.scp(*protocol, f"{allowed.name}:{far}/kept", str(near / "back"))
    back = _only_moved(allowed)

    assert (up.returncode, down.returncode) == (0, 0), up.stderr + down.stderr
    assert (near / "back").read_bytes() == (near / "sent").read_bytes()
    assert (sent.direction, back.direction) == ("upload", "download")
    for moved in (sent, back):
        assert moved.path.endswith("kept")
        assert (moved.size, moved.complete) == (1_024_000, True)
        assert moved.digest == _sha256(near / "sent")


@SCP
def test_scp_moves_a_tree_with_odd_names(
    allowed: World, near: Path, far: Path, protocol: list[str]
) -> None:
    tree = _tree(near / "tree")

    up = allowed.alice.scp(*protocol, "-r", str(tree), f"{allowed.name}:{far}")
    sent = _moved(allowed)
    down = allowed.alice.scp(*protocol, "-r", f"{allowed.name}:{far}/tree", str(near / "back"))
    back = _moved(allowed)

    # With -O, scp itself writes a line break in a name as \^J and so gives the file another name.
    assert (up.returncode, down.returncode) == (0, 0), up.stderr + down.stderr
    if protocol == ["-s"]:
        assert _contents(far / "tree") == _contents(tree)
        assert _contents(near / "back") == _contents(tree)
    digests = sorted(_contents(tree).values())
    assert sorted(str(e.digest) for e in sent) == digests
    assert sorted(str(e.digest) for e in back) == digests


@SCP
def test_what_is_moved_is_not_in_the_recording(
    allowed: World, near: Path, far: Path, protocol: list[str]
) -> None:
    data = os.urandom(1 << 20) * (LARGE >> 20)
    (near / "large").write_bytes(data)

    up = allowed.alice.scp(*protocol, str(near / "large"), f"{allowed.name}:{far}/large")
    sent = _only_moved(allowed)
    size = allowed.sealed().stat().st_size
    down = allowed.alice.scp(*protocol, f"{allowed.name}:{far}/large", str(near / "back"))
    back = _only_moved(allowed)

    assert (up.returncode, down.returncode) == (0, 0)
    assert sent.digest == back.digest == hashlib.sha256(data).hexdigest()
    assert (near / "back").read_bytes() == data
    assert size < 50_000
    assert allowed.sealed().stat().st_size < 50_000
    assert allowed.verdict().state is State.INTACT


def test_an_upload_that_breaks_off_is_said_incomplete(
    allowed: World, near: Path, far: Path
) -> None:
    (near / "large").write_bytes(bytes(30 << 20))
    argv = allowed.alice.argv(
        "scp", "-O", "-l", "20000", str(near / "large"), f"{allowed.name}:{far}/large"
    )
    with subprocess.Popen(argv, env=environment()) as copying:
        _wait_for_octets(far / "large")
        copying.kill()

    moved = _only_moved(allowed)

    assert not moved.complete
    assert moved.size < 30 << 20


def test_what_claims_to_be_scp_and_is_not_is_recorded_as_a_stream(allowed: World) -> None:
    done = allowed.run("scp -t /nowhere/x; cat", data=b"plain text\n")

    assert done.stdout.endswith(b"plain text\n")
    assert allowed.octets(RecordKind.INPUT) == b"plain text\n"
    assert not _moved(allowed)


def test_garbage_to_a_plain_scp_is_recorded_as_a_stream(allowed: World, far: Path) -> None:
    done = allowed.run(f"scp -t {far}/x", data=b"what is this\n" * 50)

    assert done.returncode != 0
    path = allowed.sealed()
    (unreadable,) = [e for e in allowed.events(path) if isinstance(e, TransferUnreadable)]
    assert unreadable.protocol == "scp"
    assert b"what is this\n" in allowed.octets(RecordKind.INPUT, path)


def test_garbage_to_scp_ends_a_grant_that_permits_only_uploads(served: World, far: Path) -> None:
    served.only(Capability.UPLOAD)

    done = served.run(f"scp -t {far}/x", data=b"what is this\n")

    assert done.returncode == 255
    assert b"watchgate: this is not the file transfer that your grant permits" in done.stderr


# --- sftp --------------------------------------------------------------------------------------


def test_sftp_does_all_that_it_can_and_each_change_is_an_event(
    allowed: World, near: Path, far: Path
) -> None:
    (near / "a file").write_bytes(b"content" * 1000)
    _tree(near / "tree")
    batch = f"""
        put "{near}/a file" "{far}/a file"
        rename "{far}/a file" {far}/renamed
        chmod 600 {far}/renamed
        mkdir {far}/made
        ln -s renamed {far}/link
        put -r {near}/tree {far}
        get -r {far}/tree {near}/back
        get {far}/renamed {near}/renamed
        rm {far}/renamed
        rmdir {far}/made
        ls {far}
    """

    done = allowed.alice.run("sftp", "-b", "-", allowed.name, data=batch.encode())

    assert done.returncode == 0, done.stderr
    assert _contents(near / "back") == _contents(near / "tree")
    assert (near / "renamed").read_bytes() == b"content" * 1000
    events = allowed.events()
    changes = [(e.operation, Path(e.path).name) for e in events if isinstance(e, FileChanged)]
    assert ("posix-rename", "a file") in changes
    assert ("mkdir", "made") in changes
    assert ("remove", "renamed") in changes
    assert ("rmdir", "made") in changes
    moved = [e for e in events if isinstance(e, FileMoved)]
    assert all(e.complete for e in moved)
    renamed = [e for e in moved if e.path.endswith("/renamed")]
    assert [(e.direction, e.digest) for e in renamed] == [
        ("download", _sha256(near / "renamed")),
    ]


@pytest.mark.parametrize("permitted", [Capability.UPLOAD, Capability.DOWNLOAD])
def test_a_grant_for_one_direction_refuses_the_other(
    served: World, near: Path, far: Path, permitted: Capability
) -> None:
    served.only(permitted)
    (near / "sent").write_bytes(b"up")
    (far / "kept").write_bytes(b"down")
    batch = f"-put {near}/sent {far}/sent\n-get {far}/kept {near}/kept\n-rm {far}/kept\nls {far}\n"

    done = served.alice.run("sftp", "-b", "-", served.name, data=batch.encode())

    up = permitted is Capability.UPLOAD
    assert done.returncode == 0, done.stderr
    assert (far / "sent").exists() is up
    assert (near / "kept").exists() is not up
    assert b"ermission denied" in done.stderr
    assert [e.direction for e in _moved(served)] == [str(permitted)]
    assert [e for e in served.events() if isinstance(e, ChannelRefused)]


@pytest.mark.parametrize("permitted", [Capability.UPLOAD, Capability.DOWNLOAD])
@SCP
def test_scp_obeys_a_grant_for_one_direction(
    served: World, near: Path, far: Path, permitted: Capability, protocol: list[str]
) -> None:
    served.only(permitted)
    (near / "sent").write_bytes(b"up")
    (far / "kept").write_bytes(b"down")

    up = served.alice.scp(*protocol, str(near / "sent"), f"{served.name}:{far}/sent")
    down = served.alice.scp(*protocol, f"{served.name}:{far}/kept", str(near / "kept"))

    allowed_up = permitted is Capability.UPLOAD
    assert (up.returncode == 0, down.returncode == 0) == (allowed_up, not allowed_up)
    assert (far / "sent").exists() is allowed_up
    assert (near / "kept").exists() is not allowed_up


# --- rsync -------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [["-a"], ["-az"], ["-a", "--no-inc-recursive"]])
def test_rsync_moves_a_tree_both_ways_with_its_manifest(
    allowed: World, near: Path, far: Path, options: list[str]
) -> None:
    tree = _tree(near / "tree")

    up = _rsync(allowed, *options, f"{tree}/", f"{allowed.name}:{far}/tree/")
    sent = _moved(allowed)
    down = _rsync(allowed, *options, f"{allowed.name}:{far}/tree/", f"{near}/back/")
    back = _moved(allowed)

    assert (up.returncode, down.returncode) == (0, 0), up.stderr + down.stderr
    assert _contents(near / "back") == _contents(far / "tree") == _contents(tree)
    digests = sorted(_contents(tree).values())
    for moved, direction in ((sent, "upload"), (back, "download")):
        assert sorted(str(e.digest) for e in moved) == digests
        assert {(e.protocol, e.direction) for e in moved} == {("rsync", direction)}


def test_rsync_sends_only_what_changed_and_deletes(allowed: World, near: Path, far: Path) -> None:
    tree = _tree(near / "tree")
    (tree / "big").write_bytes(os.urandom(300_000))
    first = _rsync(allowed, "-a", f"{tree}/", f"{allowed.name}:{far}/")
    with (tree / "big").open("r+b") as file:
        file.seek(150_000)
        file.write(b"changed")
        file.seek(0, os.SEEK_END)
        file.write(b"and longer, or rsync takes it for the same")
    (tree / "plain").unlink()

    second = _rsync(allowed, "-a", "--delete", f"{tree}/", f"{allowed.name}:{far}/")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert _contents(far) == _contents(tree)
    moved = _only_moved(allowed)
    # Only what changed has passed, so nobody can say the digest of the whole.
    assert (Path(moved.path).name, moved.digest, moved.complete) == ("big", None, False)
    assert moved.note.startswith("delta: ")


def test_rsync_of_a_large_file_is_not_in_the_recording(
    allowed: World, near: Path, far: Path
) -> None:
    data = os.urandom(1 << 20) * (LARGE >> 20)
    (near / "large").write_bytes(data)

    done = _rsync(allowed, "-aW", f"{near}/large", f"{allowed.name}:{far}/")

    assert done.returncode == 0, done.stderr
    moved = _only_moved(allowed)
    assert (moved.size, moved.digest) == (LARGE, hashlib.sha256(data).hexdigest())
    assert allowed.sealed().stat().st_size < 50_000


@pytest.mark.parametrize("permitted", [Capability.UPLOAD, Capability.DOWNLOAD])
def test_rsync_obeys_a_grant_for_one_direction(
    served: World, near: Path, far: Path, permitted: Capability
) -> None:
    served.only(permitted)
    (near / "sent").write_bytes(b"up")
    (far / "kept").write_bytes(b"down")

    up = _rsync(served, "-a", f"{near}/sent", f"{served.name}:{far}/sent")
    down = _rsync(served, "-a", f"{served.name}:{far}/kept", f"{near}/kept")

    allowed_up = permitted is Capability.UPLOAD
    assert (up.returncode == 0, down.returncode == 0) == (allowed_up, not allowed_up), up.stderr
    assert (far / "sent").exists() is allowed_up
    assert (near / "kept").exists() is not allowed_up
    assert b"your grant does not permit" in up.stderr + down.stderr


# --- by a jump ---------------------------------------------------------------------------------


@SCP
def test_scp_works_through_a_jump(
    allowed: World, near: Path, far: Path, protocol: list[str]
) -> None:
    (near / "sent").write_bytes(b"through" * 10_000)
    jump = ("-o", "ProxyJump=alice@gate")
    there = f"{allowed.target.user}@web1:{far}/kept"

    up = allowed.alice.scp(*protocol, *jump, str(near / "sent"), there)
    sent = _only_moved(allowed)
    down = allowed.alice.scp(*protocol, *jump, there, str(near / "back"))

    assert (up.returncode, down.returncode) == (0, 0), up.stderr + down.stderr
    assert (near / "back").read_bytes() == (near / "sent").read_bytes()
    assert sent.digest == _sha256(near / "sent")


# --- help --------------------------------------------------------------------------------------


def _rsync(served: World, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    if shutil.which("rsync") is None:
        pytest.skip("the program rsync is not installed (make packages)")
    shell = f"ssh -F {served.alice.config}"
    return subprocess.run(
        ["rsync", "-e", shell, *arguments],
        capture_output=True,
        timeout=60,
        check=False,
        env=environment(),
    )


def _tree(path: Path) -> Path:
    """A tree with names that shells and protocols trip over."""
    (path / "deep" / "er").mkdir(parents=True)
    for number, name in enumerate(ODD_NAMES):
        (path / name).write_bytes(name.encode() * 100 * number)
        (path / "deep" / "er" / name).write_bytes(os.urandom(5000 + number))
    return path


def _contents(path: Path) -> dict[str, str]:
    files = (file for file in path.rglob("*") if file.is_file())
    return {str(file.relative_to(path)): _sha256(file) for file in files}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _moved(served: World) -> list[FileMoved]:
    return [event for event in served.events() if isinstance(event, FileMoved)]


def _only_moved(served: World) -> FileMoved:
    (moved,) = _moved(served)
    return moved


def _wait_for_octets(path: Path) -> None:
    wait_for(lambda: path.exists() and path.stat().st_size > 0, "the first octets are there")
