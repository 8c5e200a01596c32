"""Where a line begins on the screen, and what stands behind its prompt."""

from __future__ import annotations

from watchgate.session.model import Device as Kind
from watchgate.terminal.live.entry import Entry
from watchgate.terminal.live.glass import View
from watchgate.terminal.live.interpret import Interpreter
from watchgate.terminal.live.placing import Placed, placed
from watchgate.terminal.live.profiles import profile
from watchgate.terminal.live.sight import Sight, see
from watchgate.terminal.prompts import Prompts
from watchgate.terminal.screens import open_screen


def _sight(prompt: bytes, typed: bytes, *, columns: int = 80, right: str = "") -> Sight:
    screen = open_screen(columns, 24)
    screen.feed(prompt)
    anchor = screen.anchor()
    screen.feed(typed)
    return see(View(screen), [anchor], right)


def _placed(sight: Sight, *known: str, began: str = "") -> Placed | None:
    prompts = Prompts()
    for prompt in known:
        prompts.learn(prompt)
    return placed(sight, Entry(), prompts, profile(Kind.UNIX), began)


def test_a_prompt_of_this_session_is_known() -> None:
    where = _placed(_sight(b"odd: ", b"touch HIT"), "odd: ")

    assert where is not None
    assert (where.prompt, where.text, where.known) == ("odd: ", "touch HIT", True)


def test_a_prompt_is_known_that_stood_there_before_the_first_key() -> None:
    where = _placed(_sight(b"odd: ", b"touch HIT"), began="odd: ")

    assert where is not None
    assert where.text == "touch HIT"


def test_a_list_that_came_between_is_no_part_of_the_line() -> None:
    sight = _sight(b"odd: ", b"rm H\r\nHAT HIT\r\nodd: rm HI")
    where = _placed(sight, "odd: ")

    assert where is not None
    assert where.text == "rm HI"


def test_a_line_of_several_rows_is_one() -> None:
    where = _placed(_sight(b"odd: ", b"echo a\r\ntouch HIT"))

    assert where is not None
    assert where.text == "echo a\ntouch HIT"


def test_output_without_a_line_feed_shifts_what_an_editor_draws() -> None:
    sight = _sight(b"output; $> ", b"\r\x1b[3Cecho b\x1b[K")
    where = _placed(sight, "$> ", began="output; $> ")

    assert where is not None
    assert where.text == "echo b"


def test_what_a_search_found_is_the_line() -> None:
    where = _placed(_sight(b"", b"(reverse-i-search)`to': touch 'a': b"))

    assert where is not None
    assert where.text == "touch 'a': b"
    assert "b" in where.others


def test_a_row_that_is_not_marked_as_wrapped_is_joined_to_what_was_typed() -> None:
    sight = _sight(b"$ ", b"echo " + b"a" * 13 + b"\r\nbbb; touch HIT", columns=20)

    assert sight.shows_spread("echo " + "a" * 13 + "bbb; touch HIT")


def test_the_end_of_a_line_must_stand_behind_where_it_began() -> None:
    sight = _sight(b"the password is ", b"")

    assert not sight.shows_end_of("is")


def test_what_was_cleared_away_is_not_seen() -> None:
    sight = _sight(b"$ ", b"touch HIT\x1b[2J\x1b[H")

    assert sight.shows("touch HIT") is None


def test_without_a_picture_nothing_that_was_recalled_is_told() -> None:
    interpreter = Interpreter(profile(Kind.UNIX))
    entry = Entry()
    entry.keys.lose()

    line = interpreter.line(None, entry, alternate=False, edits=None, began="")

    assert line.unreadable is not None


def test_where_no_prompt_is_known_all_that_may_be_one_is_left_out_once() -> None:
    where = _placed(_sight(b"", b"$ touch HIT"))

    assert where is not None
    assert "touch HIT" in (where.text, *where.others)
