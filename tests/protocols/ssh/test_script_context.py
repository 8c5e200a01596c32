"""What earlier lines of a script say about later ones."""

from __future__ import annotations

import pytest
from script_stage import Script

from watchgate.policy.reading import Reason, ShellContext
from watchgate.policy.ruleset import NO_RULES
from watchgate.protocols.ssh.script_context import MOST_NAMES


def after(script: str) -> ShellContext:
    """What is known behind *script*."""
    return Script(rules=NO_RULES).send(script.encode()).capture._context.shell


@pytest.mark.parametrize(
    ("script", "variables"),
    [
        ("x=rm\n", {"x": "rm"}),
        ("export x='a b'\n", {"x": "a b"}),
        ('x="a b"\ny=\n', {"x": "a b", "y": ""}),
        ("x=a\nx=b\n", {"x": "b"}),
        ("x=$(id)\n", {}),
        ("x=a\nx=$(id)\n", {}),
        ("x=a\nread x\n", {}),
        ("x=a\nfor x in b c; do ls; done\n", {}),
        ("x=a\nunset x\n", {}),
        ("x=a\nprintf -v x b\n", {}),
        ("x=a\necho $x ${x}\n", {"x": "a"}),
        ('x=a\neval "$y"\n', {}),
        ("x=a\n. ./lib.sh\n", {}),
        ('x=a\nread "$y"\n', {}),
        ("x=~/a\n", {}),
    ],
)
def test_only_a_value_that_is_sure_is_kept(script: str, variables: dict[str, str]) -> None:
    assert dict(after(script).variables) == variables


def test_functions_and_aliases_are_kept_as_names() -> None:
    known = after("ls() {\nrm \"$@\"\n}\nfunction cat { id; }\nalias ll='ls -l' x=rm\nalias y=$z\n")

    assert {"ls", "cat", "y"} <= known.functions
    assert dict(known.aliases) == {"ll": "ls -l", "x": "rm"}


def test_a_function_in_the_place_of_a_program_is_not_innocent() -> None:
    script = Script().send(b'ls() { rm "$@"; }\nls -rf /\n')

    assert script.decisions[1].readings[0].opaque


def test_an_alias_of_an_earlier_line_is_decided_as_what_it_stands_for() -> None:
    script = Script().send(b"alias x='rm -r'\n").send(b"x /tmp/y\n")

    assert script.target == b"" or script.target == b"alias x='rm -r'\n"
    assert not script.decisions[-1].runs


def test_a_script_with_too_many_names_is_no_longer_taken_for_readable() -> None:
    source = b"".join(b"f%d() { :; }\n" % n for n in range(MOST_NAMES + 1))
    script = Script().send(source + b"ls\n")

    assert script.decisions[-1].readings[0].opaque[0].reason is Reason.DEEP


@pytest.mark.parametrize(
    ("line", "exact"),
    [
        (b"read x\n", False),
        (b"cat\n", False),
        (b"ls | head\n", True),
        (b"cat f\n", True),
        (b"read x < f\n", True),
        (b"ls\n", True),
    ],
)
def test_a_program_that_reads_along_makes_what_follows_inferred(line: bytes, exact: bool) -> None:
    script = Script().send(line + b"id\n")

    assert script.decisions[-1].command.exact is exact
