"""The examples of the documents are run: against a gateway in a scratch directory and a real sshd."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from transcripts import Block, Example, Reader, Stage, blocks, examples

from e2e.gateway import World, world
from e2e.servers import free_port, real_target

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
HOW_TO = ("evidence", "operators-and-grants")
PROGRAMS = ("bash", "ssh", "scp", "sshd", "ssh-keygen")


def _script(path: Path, *words: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {" ".join(words)} "$@"\n')
    path.chmod(0o755)


def _environment(home: Path) -> dict[str, str]:
    """A new user's: an empty home, and a `watchgate` on the path."""
    _script(home / "bin/watchgate", sys.executable, "-m", "watchgate")
    return {
        "HOME": str(home),
        "USER": getpass.getuser(),
        "PATH": f"{home}/bin:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "TZ": "UTC",
    }


@pytest.fixture(autouse=True)
def installed(request: pytest.FixtureRequest, program: Callable[[str], str]) -> None:
    """Skip a test of real ends where a program is missing."""
    if request.node.get_closest_marker("real"):
        for name in PROGRAMS:
            program(name)


@pytest.mark.real
def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with real_target(tmp_path / "web1") as real:
        words = {
            r"\b2222\b": str(free_port()),
            r"--port 22\b": f"--port {real.server.port}",
            r"127\.0\.0\.1:22\b": f"127.0.0.1:{real.server.port}",
            r"~/\.ssh/authorized_keys": str(real.server.directory / "authorized_keys"),
            r"/tmp/first-session": str(home / "first-session"),
        }
        with Reader(Stage(home, _environment(home), words)) as reader:
            reader.follow(DOCS / "tutorial/first-session.md")

    assert reader.count > 25


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    """A gateway that serves, with a session that is over; `bob.pub` and `auditor.pub` lie there."""
    with world(tmp_path) as made:
        made.spawn(free_port())
        first = made.run("echo", "hello")
        assert first.returncode == 0, first.stderr
        made.sealed()
        for name in ("bob", "auditor"):
            made.alice.new_key(name)
        yield made


@pytest.mark.real
@pytest.mark.parametrize("page", HOW_TO)
def test_a_how_to_does_what_it_says(served: World, page: str) -> None:
    home = served.alice.directory
    environment = _environment(home) | {"WATCHGATE_DATA": str(served.data)}
    for name in ("ssh", "scp"):
        _script(home / "bin" / name, f"/usr/bin/{name}", "-F", str(served.alice.config))
    words = {r"/var/lib/watchgate": str(served.data), r"\broot\b": served.target.user}
    with Reader(Stage(home, environment, words)) as reader:
        reader.follow(DOCS / f"how-to/{page}.md")

    assert reader.count > 5


# --- the reading of transcripts ------------------------------------------------------------------


def _only(text: str) -> Example:
    (example,) = examples(Block("console", "", text, 1))
    return example


def test_a_block_has_a_language_a_terminal_and_a_line() -> None:
    text = "one\n\n```console gateway\n$ serve\n```\n\n```sh\nls\n```\n"

    assert list(blocks(text)) == [
        Block("console", "gateway", "$ serve\n", 3),
        Block("sh", "", "ls\n", 7),
    ]


def test_a_command_goes_on_is_typed_into_and_answers() -> None:
    example = _only("$ cat << END  # status 3\n> END\nweb1$ exit\nclosed\n")

    assert example == Example("cat << END\nEND", 2, ["exit"], ["closed"], 3)


@pytest.mark.parametrize(
    ("answer", "output", "same"),
    [
        ("", "anything\n", True),
        ("a  b\n", "a b\n\n", True),
        ("a\n", "a\nb\n", False),
        ("a … d\n", "a b c d\n", True),
        ("a …\n", "a\n", False),
        ("a\n…\n", "a\nb\nc\n", True),
        ("…\nc\n", "a\nb\nc\n", True),
        ("…\nc\n", "a\nb\n", False),
        ("a.c\n", "abc\n", False),
    ],
)
def test_an_answer_is_compared_line_by_line(answer: str, output: str, same: bool) -> None:
    assert _only(f"$ run\n{answer}").answers(output) is same


def test_an_answer_needs_a_command() -> None:
    with pytest.raises(ValueError, match="before the first command"):
        examples(Block("console", "", "lost\n", 1))
