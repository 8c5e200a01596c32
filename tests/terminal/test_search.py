"""Looking ahead in a recording, in pieces."""

from __future__ import annotations

from watchgate.terminal.player import Frame
from watchgate.terminal.search import CommandSearch, Search, TextSearch

TAPE = [
    Frame(0, b"Alpha \x1b[1mBe"),
    Frame(1, b"\x1b[0mta\r\n"),
    Frame(2, command="ls"),
    Frame(3, "gr\u00fc\u00df".encode()),
    Frame(4, command="id"),
]


def found(search: Search) -> int | None:
    while not search.go_on(1, 1):
        pass
    return search.found


def test_text_is_found_across_colors_and_frames() -> None:
    assert found(TextSearch(iter(TAPE), 0, "beta")) == 1
    assert found(TextSearch(iter(TAPE), 0, "gr\u00fc\u00df")) == 3


def test_a_capital_in_the_question_makes_capitals_matter() -> None:
    assert found(TextSearch(iter(TAPE), 0, "alpha")) == 0
    assert found(TextSearch(iter(TAPE), 0, "alphA")) is None


def test_what_lies_before_the_start_is_not_found() -> None:
    assert found(TextSearch(iter(TAPE), 1, "alpha")) is None
    assert found(CommandSearch(iter(TAPE), 3, 1)) == 4


def test_commands_are_counted() -> None:
    assert found(CommandSearch(iter(TAPE), 0, 1)) == 2
    assert found(CommandSearch(iter(TAPE), 0, 2)) == 4
    assert found(CommandSearch(iter(TAPE), 0, 3)) is None


def test_a_search_goes_no_further_than_it_is_let() -> None:
    read = iter(TAPE)
    search = CommandSearch(read, 0, 2)

    assert not search.go_on(2, 1000)
    assert next(read) is TAPE[2]
    assert not TextSearch(iter(TAPE), 0, "zeta").go_on(1000, 5)
