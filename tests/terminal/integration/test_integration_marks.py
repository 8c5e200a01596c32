"""Marks are found however they are cut, and nothing that is none is lost."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.terminal.integration.mark_kinds import (
    CUT,
    NO_TEXT,
    UNKNOWN_TEXT,
    Asked,
    Foreign,
    Introduced,
    Line,
    Listening,
    Mark,
    Prompt,
    Ready,
    Taken,
    Tampered,
    TypedAhead,
    Unwilling,
)
from watchgate.terminal.integration.marks import LONGEST, MARK, Marked, MarkFilter
from watchgate.terminal.integration.verdicts import answer, echoed

NONCE = b"0123456789abcdef"
OTHER = b"fedcba9876543210"


def marked(said: bytes, nonce: bytes = NONCE) -> bytes:
    return MARK + nonce + b";" + said + b"\a"


def trusting(*nonces: bytes) -> MarkFilter:
    one = MarkFilter()
    for nonce in nonces or (NONCE,):
        one.trust(nonce)
    return one


def joined(pieces: list[bytes | Marked]) -> list[bytes | Marked]:
    """Neighboring octets in one piece."""
    whole: list[bytes | Marked] = []
    for piece in pieces:
        last = whole[-1] if whole else None
        if isinstance(piece, bytes) and isinstance(last, bytes):
            whole[-1] = last + piece
        else:
            whole.append(piece)
    return whole


@pytest.mark.parametrize(
    ("said", "mark"),
    [
        (b"V;q; v5.2.15(1)-release v v", Introduced("5.2.15(1)-release", "", "")),
        (b"V;q; v v v3.6.0", Introduced("", "", "3.6.0")),
        (b"G;q;", Listening()),
        (b"N;q;it\\ is\\ restricted", Unwilling("it is restricted")),
        (b"R;q;bash 5.2.15\\(1\\)-release", Ready("bash", "5.2.15(1)-release")),
        (b"B;q;", Prompt()),
        (b"C;q;", Prompt(continuation=True)),
        (b"K;q;", Taken()),
        (b"T;q;$'ls\\n'", TypedAhead(b"ls\n")),
        (b"S;q;Token1", Asked(b"Token1")),
        (b"X;q;PS0\\ was\\ changed", Tampered("PS0 was changed")),
        (b"L;q; t=ls d=/root", Line("ls", cwd="/root")),
        (b"L;u;t%3Dls%20-l d%3D/root", Line("ls -l", cwd="/root")),
        (b"L;q; t=ls x=ls\\ -la o= h=", Line("ls", "ls -la", again=True, comments=False)),
        (
            b"L;q; t=x v=a=b=c a=ll=ls\\ -l f=go r=sudo=/usr/bin/sudo",
            Line(
                "x",
                variables={"a": "b=c"},
                aliases={"ll": "ls -l"},
                functions=frozenset({"go"}),
                resolved={"sudo": "/usr/bin/sudo"},
            ),
        ),
        (b"L;q; t=abc c=100000", Line("abc", unreadable=CUT)),
        (b"L;q; d=/", Line("", cwd="/", unreadable=UNKNOWN_TEXT)),
        (b"L;q;$'t=a\\377'", Line("a\\xff", unreadable=NO_TEXT)),
        (b"L;q; t=a d=relative", Line("a")),
        (b"L;q;'", Tampered("a mark L cannot be read")),
        (b"Z;q;", Tampered("there is no mark Z")),
    ],
)
def test_a_mark_says(said: bytes, mark: Mark) -> None:
    assert trusting().feed(marked(said)) == [Marked(0, mark)]


def test_a_prompt_has_the_status_and_the_place_that_came_before_it() -> None:
    one = trusting()

    pieces = one.feed(marked(b"D;q; s=3 d=/tmp") + b"$ " + marked(b"B;q;") + marked(b"B;q;"))

    assert pieces == [b"$ ", Marked(0, Prompt(3, "/tmp")), Marked(0, Prompt())]


@pytest.mark.parametrize("status", [b"", b"-1", b"x", b"99999"])
def test_a_status_that_is_none_is_not_known(status: bytes) -> None:
    pieces = trusting().feed(marked(b"D;q; s=" + status) + marked(b"B;q;"))

    assert pieces == [Marked(0, Prompt(None, None))]


STREAM = (
    b"motd\r\n"
    + marked(b"D;q; s=0 d=/root")
    + b"\x1b[1mroot\x1b[0m# "
    + marked(b"B;q;")
    + b"ls\r\n"
    + marked(b"L;q; t=ls d=/root")
    + b" : 7717.0123456789abcdef.A\r\n"
    + marked(b"K;q;")
    + b"file\x1b]0;title\a\x1b]7716;no\a"
    + marked(b"K;q;", OTHER)
    + b"end"
)
WHOLE: list[bytes | Marked] = [
    b"motd\r\n\x1b[1mroot\x1b[0m# ",
    Marked(0, Prompt(0, "/root")),
    b"ls\r\n",
    Marked(0, Line("ls", cwd="/root")),
    Marked(0, Taken()),
    b"file\x1b]0;title\a\x1b]7716;no\a",
    Marked(-1, Foreign(b"K;q;")),
    marked(b"K;q;", OTHER) + b"end",
]


def expecting() -> MarkFilter:
    one = trusting()
    one.expect_echo(echoed(answer(NONCE, permitted=True)))
    return one


@pytest.mark.parametrize("cut", range(1, len(STREAM)))
def test_a_cut_at_any_octet_changes_nothing(cut: int) -> None:
    one = expecting()

    pieces = joined(one.feed(STREAM[:cut]) + one.feed(STREAM[cut:]))

    assert pieces == WHOLE


def test_octet_by_octet_is_the_same() -> None:
    one = expecting()

    pieces = [piece for octet in STREAM for piece in one.feed(bytes((octet,)))]

    assert joined(pieces) == WHOLE
    assert not one.holds


@given(st.lists(st.integers(1, len(STREAM)), max_size=12))
def test_any_cuts_are_the_same(cuts: list[int]) -> None:
    one = expecting()
    places = [0, *sorted(cuts), len(STREAM)]

    pieces = [
        piece for start, end in itertools.pairwise(places) for piece in one.feed(STREAM[start:end])
    ]

    assert joined(pieces) == WHOLE


@given(st.binary(max_size=300), st.integers(0, 300))
def test_octets_without_a_mark_pass_whole(octets: bytes, cut: int) -> None:
    one = trusting()
    if MARK in octets:
        return

    shown = one.feed(octets[:cut]) + one.feed(octets[cut:])

    assert b"".join(piece for piece in shown if isinstance(piece, bytes)) + one.flush() == octets


def test_a_nonce_that_is_guessed_stays_in_the_output_and_is_told() -> None:
    forged = b"".join(marked(b"K;q;", b"%016x" % guess) for guess in range(50))

    pieces = trusting().feed(forged)

    assert b"".join(piece for piece in pieces if isinstance(piece, bytes)) == forged
    assert [piece.mark for piece in pieces if isinstance(piece, Marked)] == [Foreign(b"K;q;")] * 50


def test_a_shell_in_a_shell_has_a_level_until_it_is_left() -> None:
    one = trusting(NONCE, OTHER)

    inner = one.feed(marked(b"K;q;", OTHER))
    one.leave(0)
    stranger = one.feed(marked(b"K;q;", OTHER))

    assert inner == [Marked(1, Taken())]
    assert stranger[0] == Marked(-1, Foreign(b"K;q;"))
    assert one.depth == 1


def test_a_mark_that_never_ends_is_output_after_all() -> None:
    one = trusting()
    begun = MARK + OTHER + b";L;q;" + b"x" * LONGEST

    pieces = one.feed(begun)

    assert b"".join(piece for piece in pieces if isinstance(piece, bytes)) == begun
    assert not one.holds


def test_a_mark_that_ends_late_is_held_within_a_bound() -> None:
    one = trusting()
    held = 0
    for _ in range(100):
        one.feed((MARK if not held else b"") + b"y" * 4096)
        held = max(held, len(one._held))

    assert held <= LONGEST + 4096


def test_a_mark_of_the_shells_that_breaks_off_is_told() -> None:
    pieces = trusting().feed(MARK + NONCE + b";L;q; t=ls\r\nnoise")

    assert pieces == [
        Marked(0, Tampered("a mark broke off")),
        MARK + NONCE + b";L;q; t=ls",
        b"\r\nnoise",
    ]


def test_what_is_held_can_be_had() -> None:
    one = trusting()

    assert one.feed(b"abc\x1b]77") == [b"abc"]
    assert one.holds
    assert one.flush() == b"\x1b]77"
    assert one.feed(b"17;x\a") == [b"17;x\a"]


def test_an_echo_is_taken_out_once() -> None:
    one = trusting()
    echo = echoed(answer(NONCE, permitted=False))
    one.expect_echo(echo)

    pieces = one.feed(b"a" + echo[:10]) + one.feed(echo[10:] + b"b" + echo)

    assert joined(pieces) == [b"ab" + echo]


def test_an_echo_is_not_waited_for_behind_the_verdict() -> None:
    one = trusting()
    echo = echoed(answer(NONCE, permitted=False))
    one.expect_echo(echo)

    pieces = one.feed(marked(b"K;q;") + echo)

    assert joined(pieces) == [Marked(0, Taken()), echo]


def test_values_of_variables_are_not_shown() -> None:
    line = Line("echo $PASSWORD", variables={"PASSWORD": "geheim"})

    assert "geheim" not in repr(line)
    assert "ahead" not in repr(TypedAhead(b"ahead"))
    assert "token" not in repr(Asked(b"token"))


def test_a_text_may_mean_more_where_a_hash_is_no_comment() -> None:
    line = Line("echo a # b; x", "echo a", comments=False)

    assert line.texts == ("echo a # b; x", "echo a", "echo a \\# b; x")
    assert Line("a # b").texts == ("a # b",)
