"""The menu: keys in, octets out."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.protocols.ssh.menu import LEFT, Choice, Menu, Outcome
from watchgate.protocols.ssh.menu_text import width

WEB = Choice("web1", "root", {"env": "prod", "role": "web"})
DEPLOY = Choice("web1", "deploy", {"env": "prod", "role": "web"})
DB = Choice("db1", "postgres", {"env": "test"})
CHOICES = [WEB, DEPLOY, DB]
ENTERED = b"\x1b[?1049h\x1b[?25l\x1b[2J"
RESTORED = b"\x1b[m\x1b[?25h\x1b[?1049l"


def screen(choices: list[Choice], columns: int = 60, rows: int = 10) -> Menu:
    return Menu(choices, columns, rows, title="Watchgate: alice", terminal="xterm-256color")


def lines(choices: list[Choice], terminal: str | None = "dumb") -> Menu:
    return Menu(choices, 80, 24, title="Watchgate: alice", terminal=terminal)


class Paper:
    """As much of a terminal as the menu uses."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.lines = dict.fromkeys(range(1, rows + 1), "")
        self.chosen = ""

    def show(self, data: bytes) -> None:
        text = data.decode()
        if "\x1b[2J" in text:
            self.lines = dict.fromkeys(self.lines, "")
        for row, line in re.findall(r"\x1b\[(\d+);1H\x1b\[K((?:(?!\x1b\[\d+;1H).)*)", text):
            plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line)
            assert int(row) <= self.rows
            assert all(character.isprintable() for character in plain)
            self.lines[int(row)] = plain.rstrip()
            if "\x1b[7m" in line:
                self.chosen = plain.strip(" >")

    def text(self) -> list[str]:
        return [self.lines[row] for row in sorted(self.lines)]


def test_the_first_picture_is_titled_and_restores_nothing_yet() -> None:
    menu, paper = screen(CHOICES), Paper(60, 10)
    first = menu.start()
    paper.show(first)

    assert first.startswith(ENTERED)
    assert paper.text() == [
        "Watchgate: alice                                      3 of 3",
        "  Target  Account   Labels",
        "> web1    root      env=prod role=web",
        "  web1    deploy    env=prod role=web",
        "  db1     postgres  env=test",
        "",
        "",
        "",
        "",
        "Type to filter, arrows choose, Enter connects, Esc leaves",
    ]


def test_only_lines_that_changed_are_sent() -> None:
    menu = screen(CHOICES)
    menu.start()
    shown, _ = menu.feed(b"\x1b[B")

    assert re.findall(rb"\x1b\[(\d+);1H", shown) == [b"3", b"4"]
    assert menu.feed(b"\0")[0] == b""


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        (b"\r", WEB),
        (b"\n", WEB),
        (b"\x1b[B\r", DEPLOY),
        (b"\x1bOB\x1bOB\r", DB),
        (b"\x1b[B\x1b[B\x1b[B\x1b[B\r", DB),
        (b"\x1b[B\x1b[A\r", WEB),
        (b"\x1b[A\r", WEB),
        (b"\x1b[F\r", DB),
        (b"\x1b[4~\x1b[1~\r", WEB),
        (b"\x1bOF\x1bOH\r", WEB),
        (b"\x1b[6~\r", DB),
        (b"\x1b[6~\x1b[5~\r", WEB),
        (b"\x0e\x0e\x10\r", DEPLOY),
        (b"\t\r", DEPLOY),
        (b"dep\r", DEPLOY),
        (b"DB\r", DB),
        (b"prod dep\r", DEPLOY),
        (b"test\r", DB),
        (b"zzz\x7f\x7f\x7f\x7f\x7fdb\r", DB),
        (b"zzz\x08\x15db\r", DB),
        (b"db zzz\x17\r", DB),
        (b"zzz\x1b\x1b[F\r", DB),
        (b"\x1b[B\x1b[B\x1b[B\x1b[Bweb\x15\r", WEB),
        (b"\xff\xfe\x7f\x7f\r", WEB),
        (b"\x1b[1;2R\x1b[?62;1c\x1b[Bw\x7f\r", DEPLOY),
        (b"\x1b[200~db\x1b[201~\r", DB),
    ],
)
def test_keys_choose_whole_and_octet_by_octet(keys: bytes, chosen: Choice) -> None:
    whole, single = screen(CHOICES), screen(CHOICES)
    whole.start(), single.start()
    at_once = whole.feed(keys)
    steps = [single.feed(keys[i : i + 1]) for i in range(len(keys))]

    assert at_once == (RESTORED, Outcome(chosen))
    assert steps[-1] == (RESTORED, Outcome(chosen))
    assert all(outcome is None for _, outcome in steps[:-1])


@pytest.mark.parametrize(
    "keys",
    [b"q", b"\x03", b"\x04", b"web\x03", b"web\x04", b"\x1b\x1b", b"w\x7fq", b"w\x1b\x1b\x1b"],
)
def test_keys_leave_and_restore_the_screen(keys: bytes) -> None:
    whole, single = screen(CHOICES), screen(CHOICES)
    whole.start(), single.start()
    last = [single.feed(keys[i : i + 1]) for i in range(len(keys))][-1]

    assert whole.feed(keys) == (RESTORED, LEFT)
    assert last == (RESTORED, LEFT)


def test_an_escape_alone_waits_and_leaves_when_nothing_follows() -> None:
    menu = screen(CHOICES)
    menu.start()
    heard = menu.feed(b"\x1b")
    waited = menu.waiting

    assert heard == (b"", None)
    assert waited
    assert menu.expire() == (RESTORED, LEFT)
    assert not menu.waiting


def test_an_escape_clears_the_filter_first() -> None:
    menu, paper = screen(CHOICES), Paper(60, 10)
    paper.show(menu.start() + menu.feed(b"db")[0])
    narrowed = paper.text()
    menu.feed(b"\x1b")
    shown, outcome = menu.expire()
    paper.show(shown)

    assert narrowed[2:4] == ["> db1     postgres  env=test", ""]
    assert narrowed[0].endswith("1 of 3")
    assert narrowed[-1] == "Filter: db_"
    assert outcome is None
    assert paper.text()[0].endswith("3 of 3")


def test_a_q_inside_a_filter_is_text() -> None:
    menu = screen([*CHOICES, Choice("sql1", "dba")])
    menu.start()
    menu.feed(b"sq")

    assert menu.feed(b"\r") == (RESTORED, Outcome(Choice("sql1", "dba")))


def test_the_chosen_row_stays_chosen_while_it_matches() -> None:
    menu, paper = screen(CHOICES), Paper(60, 10)
    paper.show(menu.start() + menu.feed(b"\x1b[B")[0] + menu.feed(b"web")[0])

    assert paper.chosen == "web1    deploy    env=prod role=web"


def test_enter_does_nothing_when_nothing_matches() -> None:
    menu, paper = screen(CHOICES), Paper(60, 10)
    paper.show(menu.start() + menu.feed(b"zzz")[0])
    shown, outcome = menu.feed(b"\r")

    assert (shown, outcome) == (b"", None)
    assert paper.text()[2] == "  Nothing matches."


def test_after_the_end_nothing_more_is_shown() -> None:
    menu = screen(CHOICES)
    menu.start()
    menu.feed(b"\r")

    assert menu.feed(b"abc\r") == (b"", Outcome(WEB))
    assert menu.resize(10, 10) == b""
    assert menu.expire() == (b"", Outcome(WEB))


@pytest.mark.parametrize("columns", [0, 1, 2, 7, 40, 80, 100_000])
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 5, 6, 8, 24, 100_000])
def test_every_window_shows_the_chosen_row_and_nothing_beyond_its_edges(
    columns: int, rows: int
) -> None:
    menu = screen(CHOICES, columns, rows)
    paper = Paper(min(columns or 80, 500), min(rows or 24, 500))
    paper.show(menu.start() + menu.feed(b"\x1b[B\x1b[B")[0])

    assert all(len(line) <= paper.columns for line in paper.text())
    assert "db1".startswith(paper.chosen.split()[0].rstrip("…")) if paper.chosen else columns < 4
    assert menu.feed(b"\r")[1] == Outcome(DB)


def test_a_resize_paints_everything_anew() -> None:
    menu, paper = screen(CHOICES), Paper(30, 4)
    menu.start()
    shown = menu.resize(30, 4)
    paper.show(shown)

    assert shown.startswith(b"\x1b[m\x1b[2J")
    assert paper.text() == [
        "> web1    root     env=prod r…",
        "  web1    deploy   env=prod r…",
        "  db1     postgr…  env=test",
        "Type to filter, arrows choose…",
    ]


def test_ten_thousand_choices_scroll_and_are_filtered_quickly() -> None:
    choices = [Choice(f"host{n:05}", "root", {"rack": f"r{n % 40}"}) for n in range(10_000)]
    menu, paper = screen(choices, 80, 24), Paper(80, 24)
    paper.show(menu.start())
    begun = time.perf_counter()
    for key in (b"\x1b[F", b"\x1b[5~", b"h", b"o", b"s", b"t", b"0", b"9", b"9", b"8", b"7"):
        shown, _ = menu.feed(key)
        assert len(shown) < 8192
        paper.show(shown)
    took = time.perf_counter() - begun

    assert paper.chosen.startswith("host09987") or paper.chosen.startswith("host09970")
    assert took < 2
    assert menu.feed(b"\r")[1] is not None


def test_control_characters_and_wide_ones_are_shown_safely() -> None:
    bad = Choice("a\x1b[2Jb\n\x9b\u202e", "r\0t", {"日本": "漢字漢字"})
    menu, paper = screen([bad], 31, 6), Paper(31, 6)
    paper.show(menu.start())

    assert paper.text()[2] == "> a\ufffd[2Jb\ufffd\ufffd\ufffd  r\ufffdt      日本=漢…"
    assert menu.feed(b"\r")[1] == Outcome(bad)


def test_a_filter_is_bounded_and_typed_controls_are_not_shown() -> None:
    menu, paper = screen(CHOICES, 200, 8), Paper(200, 8)
    paper.show(menu.start() + menu.feed(b"w\xc2\x9bx" + b"y" * 10_000)[0])

    assert paper.text()[-1] == f"Filter: w\ufffdx{'y' * 125}_"


@given(st.lists(st.binary(max_size=12), max_size=30), st.integers(0, 12), st.integers(0, 12))
def test_no_input_breaks_it_or_prints_a_control(
    chunks: list[bytes], columns: int, rows: int
) -> None:
    menu = screen(CHOICES, columns, rows)
    paper = Paper(columns or 80, rows or 24)
    paper.show(menu.start())
    for chunk in chunks:
        shown, outcome = menu.feed(chunk)
        if outcome is not None:
            assert shown in (RESTORED, b"")
            return
        paper.show(shown)

    assert all(width(line) <= paper.columns for line in paper.text())


# --- without a screen ----------------------------------------------------------------------------

LIST = (
    b"Watchgate: alice\r\n"
    b"   1  web1  root      env=prod role=web\r\n"
    b"   2  web1  deploy    env=prod role=web\r\n"
    b"   3  db1   postgres  env=test\r\n"
    b"Number or name (q leaves): "
)


@pytest.mark.parametrize("terminal", ["dumb", "", "unknown"])
def test_a_dumb_terminal_gets_a_numbered_list(terminal: str) -> None:
    menu = lines(CHOICES, terminal)

    assert menu.start() == LIST
    assert menu.feed(b"2") == (b"2", None)
    assert menu.feed(b"\r") == (b"\r\n", Outcome(DEPLOY))


def test_without_a_terminal_nothing_is_echoed_and_lines_end_plainly() -> None:
    menu = lines(CHOICES, None)

    assert menu.start() == LIST.replace(b"\r\n", b"\n")
    assert menu.feed(b"3\n") == (b"", Outcome(DB))


@pytest.mark.parametrize(
    ("typed", "outcome"),
    [
        (b"1\r\n", Outcome(WEB)),
        (b"db\r", Outcome(DB)),
        (b"deploy@web1\r", Outcome(DEPLOY)),
        (b"web\r2\r", Outcome(DEPLOY)),
        (b"web1\r1\r", Outcome(WEB)),
        (b"db\x7f\x7f\x7f1\r", Outcome(WEB)),
        (b"zzz\x153\r", Outcome(DB)),
        (b"0\r4\r99999999999999999999\r-1\r3\r", Outcome(DB)),
        (b"nothing\r3\r", Outcome(DB)),
        (b"\r\r\r3\r", Outcome(DB)),
        (b"\x1b[A\xff3\x15" + b"x" * 5000 + b"\x153\r", Outcome(DB)),
        (b"q\r", LEFT),
        (b"\x03", LEFT),
        (b"12\x04", LEFT),
    ],
)
def test_lines_choose_whole_and_octet_by_octet(typed: bytes, outcome: Outcome) -> None:
    whole, single = lines(CHOICES), lines(CHOICES)
    whole.start(), single.start()
    shown, ended = whole.feed(typed)
    steps = [single.feed(typed[i : i + 1]) for i in range(len(typed))]

    assert ended == outcome
    assert b"".join(step[0] for step in steps) == shown
    assert next(step[1] for step in steps if step[1] is not None) == outcome
    assert all(octet >= 0x20 or octet in b"\r\n\b" for octet in shown)


def test_a_target_that_is_called_by_a_number_is_chosen_by_its_name() -> None:
    menu = lines([WEB, DEPLOY, Choice("1", "root")])
    menu.start()

    assert menu.feed(b"1\r")[1] == Outcome(Choice("1", "root"))


def test_a_long_list_shows_a_part_and_says_so() -> None:
    menu = lines([Choice(f"host{n:05}", "root") for n in range(10_000)])
    first = menu.start()
    second, outcome = menu.feed(b"host0998\r")

    assert first.count(b"\r\n") == 42
    assert b"and 9960 more" in first
    assert outcome is None
    assert second.count(b"host0998") == 11  # the echo of what was typed, and ten rows
    assert menu.feed(b"10\r")[1] == Outcome(Choice("host09989", "root"))


@pytest.mark.parametrize("terminal", ["xterm", "dumb", None])
def test_nothing_to_choose_is_said_and_is_the_end(terminal: str | None) -> None:
    menu = lines([], terminal)
    said = menu.start()

    assert b"There is no target that you may reach now." in said
    assert b"\x1b" not in said
    assert menu.outcome == LEFT
    assert menu.feed(b"x") == (b"", LEFT)
