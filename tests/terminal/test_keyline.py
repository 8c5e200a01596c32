"""The line that is being typed, told from the keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.terminal.keyline import Ending, KeyLines, TypedLine

EXACT = {
    "plain": (b"ls -l\r", "ls -l"),
    "line feed": (b"ls\n", "ls"),
    "backspace": (b"lss\x7f\r", "ls"),
    "backspace beyond the start": (b"a\x7f\x7f\x7fls\r", "ls"),
    "arrows": (b"touch HT\x1b[DI\r", "touch HIT"),
    "application arrows": (b"touch HT\x1bODI\r", "touch HIT"),
    "home and end": (b"o hi\x01ech\x05!\r", "echo hi!"),
    "delete": (b"xls\x1b[H\x1b[3~\r", "ls"),
    "delete by ^D": (b"xls\x01\x04\r", "ls"),
    "cut and put back": (b"HIT\x01\x0btouch \x19\r", "touch HIT"),
    "cut to the start": (b"rm -rf x\x15ls\r", "ls"),
    "put back what ^U cut": (b"ls\x15\x19\r", "ls"),
    "a word": (b"touch foo bar\x17\x17HIT\r", "touch HIT"),
    "redraw": (b"touch \x0cHIT\r", "touch HIT"),
    "wide": ("touch 日本 HT".encode() + b"\x1b[DI\r", "touch 日本 HIT"),
    "reports": (b"l\x1b[3;7Rs\x1b[I\r", "ls"),
    "paste": (b"\x1b[200~touch HAT\x1b[201~\x7f\x7fIT\r", "touch HIT"),
}

OPAQUE = {
    "tab": (b"rm HI\t\r", "rm HI"),
    "history": (b"\x1b[A\r", ""),
    "history search": (b"\x12tou\r", ""),
    "word that editors cut differently": (b"ls /etc/passwd\x17\r", "ls /etc/passwd"),
    "cut in the middle": (b"abc\x1b[D\x15\r", "abc"),
    "a suggestion taken": (b"tou\x1b[C\r", "tou"),
    "vi's mode": (b"touch HAT\x1bhrI\r", "touch HAT"),
    "transposed": (b"sl\x14\r", "sl"),
    "words": (b"a b\x1bb\r", "a b"),
}


def lines(octets: bytes) -> list[TypedLine]:
    return list(KeyLines().feed(7, octets))


@pytest.mark.parametrize(("octets", "text"), EXACT.values(), ids=EXACT)
def test_ordinary_editing_is_told_exactly(octets: bytes, text: str) -> None:
    assert lines(octets) == [TypedLine(7, text, exact=True)]


@pytest.mark.parametrize(("octets", "text"), OPAQUE.values(), ids=OPAQUE)
def test_what_is_decided_elsewhere_makes_a_line_opaque(octets: bytes, text: str) -> None:
    (line,) = lines(octets)

    assert (line.text, line.exact) == (text, False)


def test_completion_is_remembered() -> None:
    assert lines(b"ls\t\r")[0].completed
    assert not lines(b"ls\r")[0].completed


def test_every_line_of_a_raw_paste_is_a_line() -> None:
    assert [line.text for line in lines(b"one\rtwo\rthree\r")] == ["one", "two", "three"]


def test_lines_of_a_bracketed_paste_belong_together() -> None:
    found = lines(b"\x1b[200~one\rtwo\x1b[201~\r")

    assert [(line.text, line.ending) for line in found] == [
        ("one", Ending.PASTED),
        ("two", Ending.ACCEPTED),
    ]


def test_a_line_that_is_interrupted_is_dropped() -> None:
    found = lines(b"rm -rf /\x03ls\r")

    assert [(line.text, line.ending) for line in found] == [
        ("rm -rf /", Ending.DROPPED),
        ("ls", Ending.ACCEPTED),
    ]


def test_keys_that_accept_in_some_shells_say_perhaps() -> None:
    assert lines(b"ls\x0f")[0].ending is Ending.PERHAPS
    assert lines(b"ls\x1ba")[0].ending is Ending.PERHAPS


def test_enter_behind_an_escape_says_so() -> None:
    assert lines(b"ls\x1b\r")[0].ending is Ending.ESCAPED


def test_a_hidden_part_hides_the_line() -> None:
    typed = KeyLines()
    list(typed.feed(0, b"ab"))
    typed.hide(1)
    (line,) = typed.feed(2, b"c\r")

    assert line == TypedLine(2, "ab", exact=False, redacted=True)


def test_the_line_in_progress_can_be_asked() -> None:
    typed = KeyLines()
    list(typed.feed(0, b"rm -rf /x\x7f"))

    assert (typed.line.text, typed.line.exact, typed.line.touched) == ("rm -rf /", True, True)


def test_a_line_of_megabytes_is_given_up() -> None:
    (line,) = lines(b"x" * 3_000_000 + b"\r")

    assert not line.exact
    assert len(line.text) <= 64 * 1024


@given(st.binary(max_size=200))
def test_it_makes_no_difference_how_keys_are_cut(octets: bytes) -> None:
    typed = KeyLines()
    cut = [line for at in range(len(octets)) for line in typed.feed(7, octets[at : at + 1])]

    assert cut == lines(octets)
