"""Which Enter ended which line."""

from __future__ import annotations

from watchgate.terminal.live.after import Enters, Judged
from watchgate.terminal.live.entry import Entry
from watchgate.terminal.live.lineread import LineRead


def _judged(text: str) -> Judged:
    return Judged(Entry(), "", LineRead(text), None, plain=True)


def test_lines_end_in_the_order_of_their_enters() -> None:
    enters = Enters()
    one, two = _judged("one"), _judged("two")
    enters.passed(one, editing=True, at_shell=True)
    enters.passed(two, editing=True, at_shell=True)

    assert [enters.editor_ended(), enters.editor_ended()] == [one, two]
    assert enters.editor_ended() is None


def test_what_was_typed_ahead_ends_a_line_later() -> None:
    enters = Enters()
    ahead = _judged("ahead")
    enters.passed(ahead, editing=False, at_shell=True)

    assert enters.editor_ended() is ahead


def test_an_enter_that_a_program_took_ends_no_line_of_a_later_prompt() -> None:
    enters = Enters()
    enters.passed(_judged("data"), editing=False, at_shell=False)
    enters.begun(400_000, editing=True)

    assert enters.editor_ended() is None


def test_an_enter_that_only_chose_from_a_list_has_not_ended_its_line() -> None:
    enters = Enters()
    enters.passed(_judged("rm H"), editing=True, at_shell=True)
    enters.line_feed()

    assert not enters.ended

    enters.editor_ended()

    assert enters.ended


def test_where_no_editor_tells_a_line_feed_ends_the_line() -> None:
    enters = Enters()
    enters.passed(_judged("ls"), editing=False, at_shell=True)
    enters.line_feed()

    assert enters.ended


def test_so_many_enters_are_kept_and_no_more() -> None:
    enters = Enters()
    for n in range(10_000):
        enters.passed(_judged(str(n)), editing=False, at_shell=True)
    count = 0
    while enters.editor_ended() is not None:
        count += 1

    assert count == 256
