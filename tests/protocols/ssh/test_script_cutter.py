"""Octets of a script, cut into commands: bounded, and never silently."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.policy.reading import Reason
from watchgate.protocols.ssh.script_cutter import LONGEST, Cutter, Piece, Unread
from watchgate.protocols.ssh.script_words import BOURNE, DEVICE


def pieces(data: bytes, size: int = 1 << 20) -> list[Piece]:
    cutter = Cutter(BOURNE)
    found = [
        piece for at in range(0, len(data), size) for piece in cutter.feed(data[at : at + size])
    ]
    return [*found, *cutter.rest()]


def test_comments_and_empty_lines_are_nothing_to_decide() -> None:
    assert [piece.text for piece in pieces(b"#!/bin/sh\n\n  # x\nls # y\n")] == [
        None,
        None,
        None,
        "ls # y",
    ]


def test_a_comment_before_a_device_is_a_command() -> None:
    assert [piece.text for piece in Cutter(DEVICE).feed(b"# show\r\n\r\n")] == ["# show", None]


@given(st.binary(max_size=300), st.integers(1, 40))
def test_nothing_is_lost_and_chunks_do_not_matter(data: bytes, size: int) -> None:
    whole = pieces(data)

    assert b"".join(piece.octets for piece in whole) == data
    assert pieces(data, size) == whole


@pytest.mark.parametrize("octets", [b"l\0s\n", b"\xffls\n", b"\0\n", b"\xc3\n"])
def test_what_is_no_text_says_so(octets: bytes) -> None:
    (piece,) = pieces(octets)

    assert piece.opaque is Reason.BINARY
    assert piece.octets == octets
    assert "\0" not in (piece.text or "")


def test_text_in_any_language_is_text() -> None:
    (piece,) = pieces("echo žluťoučký 猫\n".encode())

    assert (piece.text, piece.opaque) == ("echo žluťoučký 猫", None)


def test_a_long_command_comes_in_parts_and_what_follows_is_whole_again() -> None:
    body = b"".join(b"line %d\n" % n for n in range(20_000))
    found = pieces(b"cat <<EOF\n" + body + b"EOF\nls\n")

    assert len(found) > 3
    assert all(piece.opaque is Reason.DEEP for piece in found[:-1])
    assert found[-1] == Piece(b"ls\n", "ls")


def test_behind_a_line_that_is_too_long_nothing_is_taken_for_whole() -> None:
    found = pieces(b"x" * (LONGEST + 1) + b"\nls\nid\n", 1000)

    assert [piece.text for piece in found[-2:]] == ["ls", "id"]
    assert all(piece.opaque is Reason.DEEP for piece in found)


def test_where_shells_do_not_agree_nothing_is_taken_for_whole() -> None:
    found = pieces(b'echo "${x:-\'}"\nls\n')

    assert [piece.text for piece in found] == ['echo "${x:-\'}"', "ls"]
    assert all(piece.opaque is Reason.DEEP for piece in found)


def test_what_it_keeps_is_bounded() -> None:
    cutter = Cutter(BOURNE)
    most = 0
    for _ in range(100):
        cutter.feed(b"'" + b"y\n" * 1000)
        most = max(most, cutter.waiting)

    assert most <= LONGEST + 1


def test_a_password_is_a_piece_of_its_own() -> None:
    first, second = Cutter(BOURNE, secret=True).feed(b"hunter2\nls\n")

    assert (first.secret, first.octets) == (True, b"hunter2\n")
    assert (second.secret, second.text, second.opaque) == (False, "ls", None)


def test_a_password_that_opens_something_makes_the_rest_unsure() -> None:
    cutter = Cutter(BOURNE, secret=True)
    _, second = cutter.feed(b"a(b\nls\n")

    assert (second.text, second.opaque) == ("ls", Reason.DEEP)


def test_what_is_unread_is_one_command_and_the_rest_of_it() -> None:
    unread = Unread("perl")
    first, second = unread.feed(b"print 1;\n"), unread.feed(b"print 2;\n")

    assert first == [Piece(b"print 1;\n", "perl < standard input", Reason.LANGUAGE)]
    assert second == [Piece(b"print 2;\n", None)]
    assert unread.feed(b"") == []


def test_lines_are_counted_as_they_are_seen() -> None:
    assert [Piece(octets, None).lines for octets in (b"a\n", b"a", b"a\nb\n")] == [1, 1, 2]
