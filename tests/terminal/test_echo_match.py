"""Output against what was typed: what proves it, what is skipped, what contradicts."""

from __future__ import annotations

import pytest

from watchgate.terminal.echo_match import EchoMatch, Typed
from watchgate.terminal.keys import KeyKind


def text(octets: bytes, line: int = 0) -> Typed:
    return Typed(0, KeyKind.TEXT, octets, line)


def awaiting(*typed: Typed) -> EchoMatch:
    match = EchoMatch()
    for item in typed:
        match.expect(item)
    return match


@pytest.mark.parametrize(
    "shown",
    [
        b"ls",
        b"\x1b[32mls\x1b[0m",
        b"\r\x1b[Kls",
        b"l\x1b[1ms",
        b"\x1b]0;title\x07ls",
        b"lsx\b",
        b"ls \r",
    ],
)
def test_an_echo_proves_what_was_typed(shown: bytes) -> None:
    typed = text(b"ls")
    match = awaiting(typed)

    assert match.read(7, shown) is None
    assert (typed.proven, typed.proven_us) == (2, 7)
    assert not match.waiting
    assert match.settled()


@pytest.mark.parametrize(
    "shown", [b"*", b"\x1b[1mLS", b"xls", b"\r\n$ ls", b"ls: not\r\n", b"lsxy\b\n"]
)
def test_any_other_print_contradicts(shown: bytes) -> None:
    assert awaiting(text(b"ls", line=3)).read(0, shown) == 3


@pytest.mark.parametrize("shown", [b"\x1b[2;1H", b"\a", b"\r", b"\x1b]0;ls\x07", b"\bl"])
def test_what_only_moves_or_draws_again_proves_nothing(shown: bytes) -> None:
    typed = text(b"ls")
    match = awaiting(typed)

    assert match.read(0, shown) is None
    assert typed.proven == 0
    assert match.busy


def test_a_text_that_runs_on_into_the_next_line_contradicts_both() -> None:
    match = awaiting(text(b"pa", line=0), text(b"ss", line=1))

    assert match.read(0, b"password: \r\n") == 0


def test_a_line_that_was_left_stands_when_the_next_is_contradicted() -> None:
    match = awaiting(text(b"pa", line=0), text(b"ss", line=1))

    assert match.read(0, b"pa\r\n$ ") == 1


def test_after_a_separator_the_output_is_not_followed_any_more() -> None:
    match = awaiting(text(b"l"))
    match.read(0, b"l\r\n" + b"flood" * 10_000)

    assert not match.busy
    assert match.line_is_done()
    assert match.read(1, b"more") is None


def test_forgetting_awaits_nothing() -> None:
    match = awaiting(text(b"l"))
    match.forget()

    assert not match.busy
    assert match.read(0, b"anything") is None
