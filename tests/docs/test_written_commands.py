"""Every `watchgate NOUN VERB --option` that a document writes is one that there is, and so is every setting."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from transcripts import blocks

from watchgate.cli.application import NOUNS, application
from watchgate.session.events import KINDS
from watchgate.settings import TABLE

FILES = {"evidence.pub"}
"""What has the form of a setting's name and is none."""

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = [
    path
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
    # The reference is made from the command itself; the formats have labels that begin like a command.
    if not {"reference", "formats"} & set(path.parts)
]
_INLINE = re.compile(r"`(watchgate [^`]+)`")
_INNER = re.compile(r"\$\(([^()]*)\)")
_CALL = re.compile(
    r"(?:^[$>\t ]*|\| |&& |; |ExecStart=)(?:sudo -u watchgate )?[./\w]*?(watchgate [^|;&#()\n]*)",
    re.MULTILINE,
)
_SETTING = re.compile(
    rf"`((?:{'|'.join(sorted({row.section for row in TABLE.values()}))})\.[a-z_]+)`"
)


def _calls(text: str) -> Iterator[str]:
    """The command lines in a document: in its blocks, and in its sentences."""
    for block in blocks(text):
        lines = "\n".join([_INNER.sub("INNER", block.text), *_INNER.findall(block.text)])
        yield from (found[1].strip() for found in _CALL.finditer(lines))
    yield from _INLINE.findall(text)


def _problem(line: str) -> str | None:
    """What is wrong with a command line; None for one that the command would take."""
    command: Any = typer.main.get_command(application(NOUNS))
    known = _options(command)
    words = iter(shlex.split(line, comments=True)[1:])
    for word in words:
        name, equals, _ = word.partition("=")
        if word.startswith("-") and word != "-":
            if name not in known:
                return f"{line}: there is no option {name}"
            if known[name] and not equals:
                next(words, None)
        elif children := getattr(command, "commands", None):
            if word.isupper():  # stands for any
                return None
            if word not in children:
                return f"{line}: there is no {word}"
            command = children[word]
            known |= _options(command)
    return None


def _options(command: Any) -> dict[str, bool]:
    """The options of a command, and whether each takes a value."""
    always = {"-h": False, "--help": False, "--install-completion": False}
    own = {o: not p.is_flag for p in command.params for o in p.opts if o.startswith("-")}
    return always | own


@pytest.mark.parametrize("document", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_written_exists(document: Path) -> None:
    calls = _calls(document.read_text(encoding="utf-8"))
    problems = [problem for line in calls if (problem := _problem(line)) is not None]

    assert problems == []


@pytest.mark.parametrize("document", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_setting_that_is_written_exists(document: Path) -> None:
    named = set(_SETTING.findall(document.read_text(encoding="utf-8"))) - set(KINDS) - FILES

    assert sorted(named - set(TABLE)) == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("watchgate session list --operator alice", False),
        ("watchgate --json session list", False),
        ("watchgate --data there session play last", False),
        ("watchgate grant add 'root@env=prod' --group ops --hours=08:00-18:00", False),
        ("watchgate NOUN VERB", False),
        ("watchgate session lits", True),
        ("watchgate session list --operater alice", True),
        ("watchgate operator key add alice FILE --label x", True),
    ],
)
def test_a_command_that_is_not_there_is_found(line: str, wrong: bool) -> None:
    assert (_problem(line) is not None) is wrong


def test_commands_are_found_in_blocks_and_in_sentences() -> None:
    text = "Say `watchgate settings`.\n\n```sh\nsudo -u watchgate watchgate init --json  # makes\nln /x/watchgate y\nA=$(watchgate doctor)\n```\n"

    assert list(_calls(text)) == ["watchgate init --json", "watchgate doctor", "watchgate settings"]
