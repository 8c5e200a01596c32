"""The line editor: what is typed, what is shown, and the line that comes of it."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchgate.protocols.ssh.gatewayshell.buffer import LONGEST, Buffer
from watchgate.protocols.ssh.gatewayshell.editor import Editor
from watchgate.protocols.ssh.gatewayshell.given import Did, Given, count_lines
from watchgate.protocols.ssh.gatewayshell.history import MOST_LINES, History
from watchgate.protocols.ssh.gatewayshell.painting import Painting
from watchgate.protocols.ssh.gatewayshell.reader import Reader


class Seat:
    """An editor on a terminal that shows what it is sent."""

    def __init__(self, columns: int = 20, *, plain: bool = False) -> None:
        self.editor = Editor(columns, plain=plain)
        self.screen = pyte.Screen(columns, 8)
        self.stream = pyte.ByteStream(self.screen)
        self.given: list[Given] = []
        self.begin()

    def begin(self, prompt: str = "$ ") -> None:
        self.stream.feed(self.editor.begin(prompt))

    def type(self, data: bytes, t_us: int = 0) -> Seat:
        self.editor.feed(t_us, data)
        return self.step()

    def step(self) -> Seat:
        while True:
            shown, given = self.editor.step()
            self.stream.feed(shown)
            if given is None:
                return self
            self.given.append(given)
            self.begin()

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display if line.strip()]

    @property
    def cursor(self) -> tuple[int, int]:
        return self.screen.cursor.y, self.screen.cursor.x


def line(*keys: bytes) -> str:
    """The line that *keys* make."""
    seat = Seat(80)
    for key in keys:
        seat.type(key)
    seat.type(b"\r")
    return seat.given[-1].text


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ((b"ls -l",), "ls -l"),
        ((b"lx", b"\x7f", b"s"), "ls"),
        ((b"abc", b"\x7f\x7f", b"x"), "ax"),
        ((b"bc", b"\x01", b"a", b"\x05", b"d"), "abcd"),
        ((b"bc", b"\x1b[H", b"a", b"\x1b[F", b"d"), "abcd"),
        ((b"ac", b"\x1b[D", b"b"), "abc"),
        ((b"ac", b"\x02", b"b", b"\x06", b"d"), "abcd"),
        ((b"one two", b"\x17", b"x"), "one x"),
        ((b"one two", b"\x15", b"x"), "x"),
        ((b"one two", b"\x1b[D\x1b[D\x1b[D", b"\x0b"), "one "),
        ((b"one two", b"\x17", b"\x01", b"\x19 "), "two one "),
        ((b"one two", b"\x1bb", b"\x1bd", b"x"), "one x"),
        ((b"one two", b"\x1b[1;5D", b"\x1b[1;5D", b"\x1b[1;5C", b"x"), "onex two"),
        ((b"a-b c-d", b"\x1b", b"\x7f"), "a-b c-"),
        ((b"abc", b"\x01", b"\x1b[3~", b"\x04"), "c"),
        ((b"ab", b"\x14"), "ba"),
        (("é猫".encode(), b"\x7f"), "é"),
        (("é".encode()[:1], "é".encode()[1:]), "é"),
        ((b"a\tb",), "ab"),
        ((b"a\x1b[27;5;9~b", b"\x1b[24;80R", b"\x1b[I"), "ab"),
        ((b"a\x00\x0f\x1c\x1ab",), "ab"),
        ((b"\x1b[200~a\tb\x1b[201~",), "a b"),
        ((b"a\xc2\x9bb", b"\xe2\x80\xae"), "ab"),
    ],
)
def test_keys_make_a_line(keys: tuple[bytes, ...], expected: str) -> None:
    assert line(*keys) == expected


@pytest.mark.parametrize("enter", [b"\r", b"\n", b"\r\n", b"\x1bOM", b"\x1b[13u", b"\x1b[13;2u"])
def test_every_enter_enters_once(enter: bytes) -> None:
    assert Seat().type(b"ls" + enter).given == [Given(Did.ENTERED, "ls")]


def test_an_interrupt_and_an_end_are_told_apart() -> None:
    seat = Seat().type(b"ls\x03").type(b"\x04")

    assert [given.did for given in seat.given] == [Did.INTERRUPTED, Did.ENDED]
    assert seat.lines() == ["$ ls^C", "$", "$"]


def test_history_is_walked_and_what_was_typed_is_kept() -> None:
    seat = Seat(60)
    for command in (b"one", b"two", b"two"):
        seat.type(command + b"\r")
        seat.editor.history.add(command.decode())
    seat.type(b"thr\x1b[A\x1b[A\x1b[A").type(b"\x1b[B\x1b[B").type(b"ee\r")

    assert seat.given[-1].text == "three"
    assert seat.editor.history.lines == ("one", "two")


def test_history_is_searched() -> None:
    seat = Seat(60)
    for command in ("cat /etc/a", "ls", "cat /etc/b"):
        seat.editor.history.add(command)
    seat.type(b"\x12cat")
    newest = seat.lines()[-1]
    seat.type(b"\x12")
    older = seat.lines()[-1]
    seat.type(b"\r")

    assert newest == "(search) cat: cat /etc/b"
    assert older == "(search) cat: cat /etc/a"
    assert seat.given[-1].text == "cat /etc/a"


def test_a_search_is_left_with_nothing() -> None:
    seat = Seat(60)
    seat.editor.history.add("ls")
    seat.type(b"\x12l\x07")

    assert seat.lines() == ["$"]


def test_history_is_bounded() -> None:
    history = History()
    for number in range(MOST_LINES + 10):
        history.add(str(number))

    assert len(history.lines) == MOST_LINES
    assert history.lines[0] == "10"


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.one_of(
            st.text(alphabet="abc déž", min_size=1, max_size=12).map(str.encode),
            st.sampled_from(
                [b"\x01", b"\x05", b"\x02", b"\x06", b"\x7f", b"\x0b", b"\x15", b"\x17", b"\x19"]
            ),
        ),
        max_size=25,
    ),
    st.integers(4, 30),
)
def test_the_screen_shows_the_line_and_the_cursor_in_it(keys: list[bytes], columns: int) -> None:
    seat = Seat(columns)
    for key in keys:
        seat.type(key)
        if len(seat.editor._buffer.text) > columns * 2:
            seat.type(b"\x15\x0b")
    buffer = seat.editor._buffer
    expected = pyte.Screen(columns, 8)
    pyte.Stream(expected).feed("$ " + buffer.text)

    assert [row.rstrip() for row in seat.screen.display] == [
        row.rstrip() for row in expected.display
    ]
    pyte.Stream(expected).feed("\r\x1b[H")
    pyte.Stream(expected).feed("$ " + buffer.before)
    row, column = expected.cursor.y, expected.cursor.x
    assert seat.cursor == ((row + 1, 0) if column == columns else (row, column))


def test_after_a_resize_the_next_change_is_drawn_for_the_new_width() -> None:
    seat = Seat(10)
    seat.editor.resize(20)
    seat.screen.resize(8, 20)
    seat.type(b"abcdefghij\x02x")

    assert seat.lines() == ["$ abcdefghixj"]


def test_on_a_plain_terminal_only_the_end_can_be_edited() -> None:
    seat = Seat(plain=True)
    seat.editor.feed(0, "aé猫".encode() + b"\x7f\x01\x02x")
    shown, _ = seat.editor.step()

    assert shown.decode() == "aé猫\b\b  \b\bx"


def test_what_is_typed_behind_a_line_waits_and_can_be_dropped() -> None:
    editor = Editor(80, plain=False)
    editor.begin("$ ")
    editor.feed(0, b"one\rtwo\rthree")
    _, first = editor.step()

    assert first == Given(Did.ENTERED, "one")
    assert editor.waiting == 9
    assert editor.drop() == (2, 9)
    assert editor.step() == (b"", None)


def test_a_line_that_is_too_long_is_said_to_be_cut() -> None:
    buffer = Buffer()
    buffer.insert("a" * (LONGEST + 1))

    assert len(buffer.text) == LONGEST
    assert buffer.overfull


def test_an_escape_alone_is_a_key_when_its_time_is_over() -> None:
    editor = Editor(80, plain=False)
    editor.begin("$ ")
    editor.feed(0, b"a\x1b")
    due = editor.due()
    editor.expire()
    editor.feed(100_000, b"b\r")

    assert due == 50_000
    assert editor.step()[1] == Given(Did.ENTERED, "ab")


def test_painting_measures_wide_characters_that_do_not_fit_a_row() -> None:
    painting = Painting(5, plain=False)
    painting.begin("$ ")

    assert painting.show("ab猫", "") == "ab猫"
    assert painting.show("ab猫cd", "") == "cd"
    assert painting.show("a", "b猫cd").endswith("\x1b[1A\r\x1b[3C")
    assert painting.end() == "\x1b[1B\r\x1b[4C\r\n"


@pytest.mark.parametrize(
    ("data", "lines"), [(b"", 0), (b"a", 1), (b"a\r", 1), (b"a\r\nb", 2), (b"\r\r", 2)]
)
def test_lines_are_counted(data: bytes, lines: int) -> None:
    assert count_lines(data) == lines


def test_without_a_terminal_lines_are_lines() -> None:
    reader = Reader()
    reader.feed(0, b"one\r\ntw")
    first = reader.step()
    rest = reader.step()
    reader.finish()

    assert first == (b"", Given(Did.ENTERED, "one"))
    assert rest == (b"", None)
    assert reader.step() == (b"", Given(Did.ENTERED, "tw"))
    assert reader.step() == (b"", Given(Did.ENDED))


def test_without_a_terminal_a_line_without_an_end_is_not_kept() -> None:
    reader = Reader()
    for _ in range(100):
        reader.feed(0, b"x" * 10_000)
        reader.step()
    kept = reader.waiting
    reader.feed(0, b"\nls\n")

    assert kept <= 4 * LONGEST + 10_000
    assert reader.step() == (b"", Given(Did.ENTERED, "", whole=False))
    assert reader.step() == (b"", Given(Did.ENTERED, "ls"))
    assert reader.drop() == (0, 0)
