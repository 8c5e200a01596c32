"""Commands and text read from captured terminals, and from hostile ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from bench.reading import read as read_again
from bench.reading_drive import available, drive
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_world import capture, commands, names, read, reader, rested, shown

from watchgate.terminal.findings import Command, Finding, ScreenText
from watchgate.terminal.reading import FOREVER, TerminalReader
from watchgate.terminal.reading_text import SPAN_US

PROMPT = b"root@h:~# "
SECOND = 1_000_000


def typed(reading: TerminalReader, t_us: int, line: bytes, *, shows: bytes = b"") -> list[Finding]:
    """A line typed key by key from *t_us* on behind a prompt, accepted half a second later."""
    found: list[Finding] = []
    for number, octet in enumerate(line):
        found += reading.output(t_us + number * 20_000, bytes((octet,)))
    end = t_us + 500_000
    found += reading.typed(end, line + b"\r")
    return found + reading.output(end + 100, b"\r\n" + shows)


def session(*parts: tuple[int, bytes], screens: bool = True) -> list[Finding]:
    """What is found in output alone."""
    reading = reader(screens=screens)
    found: list[Finding] = []
    for t_us, octets in parts:
        found += reading.output(t_us, octets)
    return found + reading.closed(parts[-1][0] + SECOND)


@pytest.mark.parametrize("name", names())
def test_a_captured_terminal_gives_its_commands(name: str) -> None:
    captured = capture(name)

    assert commands(read(captured)) == list(captured.commands)


@pytest.mark.parametrize("name", names())
def test_it_makes_no_difference_how_the_octets_are_cut(name: str) -> None:
    captured = capture(name)
    whole = read(captured)

    assert read(captured, cuts=Random(1)) == whole
    assert read(captured, cuts=Random(2)) == whole


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("keys", [True, False], ids=["keys", "no-keys"])
def test_resting_between_records_changes_no_finding(name: str, keys: bool) -> None:
    captured = capture(name)
    without = read(captured, keys=keys)

    for seed in range(4):
        assert read(captured, keys=keys, rests=Random(seed)) == without


@pytest.mark.parametrize("name", names())
def test_reading_the_screen_too_changes_no_command(name: str) -> None:
    captured = capture(name)
    found = [f for f in read(captured) if isinstance(f, Command)]

    assert read(captured, screens=False) == found


@pytest.mark.parametrize("name", names())
def test_findings_come_in_the_order_of_the_keys(name: str) -> None:
    times = [f.t_us for f in read(capture(name)) if isinstance(f, Command)]

    assert times == sorted(times)


WITHOUT_KEYS = (
    *("bash-directories", "bash-here-document", "bash-history-search", "bash-completion-list"),
    *(
        "bash-wrapped",
        "bash-wide",
        "fish-block",
        "fish-right-prompt",
        "zsh",
        "zsh-menu",
        "mksh",
        "dash",
    ),
)


@pytest.mark.parametrize("name", WITHOUT_KEYS)
def test_commands_are_read_from_the_output_alone(name: str) -> None:
    captured = capture(name)
    of_shells = [command for command in captured.commands if command[0] is None]
    found = commands(read(captured, keys=False))

    assert [command for command in found if command[0] is None] == of_shells


def test_a_password_is_in_no_finding() -> None:
    found = read(capture("bash-password"))

    assert "hunter2" not in repr(found)
    assert "Password:" in repr(found)


def test_a_command_says_when_it_was_accepted_and_behind_which_prompt() -> None:
    reading = reader()
    found = reading.output(0, PROMPT)
    found += typed(reading, SECOND, b"ls", shows=PROMPT)
    found += reading.closed(3 * SECOND)

    assert [f for f in found if isinstance(f, Command)] == [
        Command(1_500_100, "ls", "root@h:~# ", None, "screen", "inferred")
    ]


def test_a_command_is_found_while_its_output_still_runs() -> None:
    reading = reader()
    reading.output(0, PROMPT)
    found = typed(reading, SECOND, b"make")
    for number in range(30):
        found += reading.output(2 * SECOND + number * 100_000, b"cc -c file.c\r\n")

    assert commands(found) == [(None, "make")]


def test_a_line_that_only_the_keys_tell_is_reported_as_such() -> None:
    reading = reader()
    reading.output(0, b"\x1b[?1049h\x1b[H\x1b[2Ja picture")
    found = reading.typed(SECOND, b":wq\r")
    found += reading.output(3 * SECOND, b"\x1b[5;5Hmore")
    found += reading.closed(4 * SECOND)

    assert [(f.text, f.source) for f in found if isinstance(f, Command)] == [(":wq", "keys")]


def test_what_was_not_echoed_is_not_reported() -> None:
    reading = reader()
    reading.output(0, PROMPT)
    found = typed(reading, SECOND, b"sudo id", shows=b"[sudo] password for root: ")
    found += reading.redacted(4 * SECOND)
    found += reading.typed(4 * SECOND + 5, b"\r")
    found += reading.output(4 * SECOND + 10, b"\r\nuid=0(root)\r\n" + PROMPT)
    found += reading.closed(6 * SECOND)

    assert commands(found) == [(None, "sudo id")]


def test_lines_are_shown_once_and_in_order() -> None:
    numbers = b"".join(b"line %d\r\n" % number for number in range(300))
    found = session((0, PROMPT), (SECOND, b"seq\r\n"), (SECOND + 1000, numbers + PROMPT))

    assert shown(found) == [
        "root@h:~# seq",
        *(f"line {number}" for number in range(300)),
        "root@h:~#",
    ]


def test_a_text_is_of_a_bounded_size_and_says_when_its_first_line_was_printed() -> None:
    parts = [(n * 100_000, b"%05d %s\r\n" % (n, b"x" * 60)) for n in range(400)]
    texts = [f for f in session(*parts) if isinstance(f, ScreenText)]

    assert all(len(text.text) <= 4096 + 80 for text in texts)
    assert [text.t_us for text in texts] == [int(text.text[:5]) * 100_000 for text in texts]


def test_a_progress_bar_is_one_line() -> None:
    bar = [(n * 50_000, b"\r[%-20s] %3d%%" % (b"#" * (n // 5), n)) for n in range(101)]
    found = session(*bar, (6 * SECOND, b"\r\ndone\r\n"))

    assert shown(found) == ["[####################] 100%", "done"]


def test_a_spinner_is_one_line() -> None:
    turns = [(n * 100_000, b"\b" + b"|/-\\"[n % 4 : n % 4 + 1]) for n in range(50)]
    found = session((0, b"working  "), *turns, (6 * SECOND, b"\b ok\r\n"))

    assert shown(found) == ["working  ok"]


def test_a_line_that_wraps_is_one_line() -> None:
    found = session((0, b"x" * 200 + b"\r\nnext\r\n"))

    assert shown(found) == ["x" * 200, "next"]


def test_what_is_cleared_was_shown_before() -> None:
    found = session((0, b"secret plan\r\n"), (SECOND, b"\x1b[H\x1b[2J"), (2 * SECOND, b"new\r\n"))

    assert shown(found) == ["secret plan", "new"]


@pytest.mark.parametrize("cut", range(1, 7))
def test_a_clearing_sequence_may_come_in_two_records(cut: int) -> None:
    clear = b"\x1b[H\x1b[2J"
    found = session((0, b"plan\r\n"), (SECOND, clear[:cut]), (2 * SECOND, clear[cut:] + b"new\r\n"))

    assert shown(found) == ["plan", "new"]


def test_titles_bells_and_answers_are_no_text() -> None:
    found = session(
        (0, b"\x1b]0;a title\x07\x07\x1b[c\x1b[6n\x1bP$qm\x1b\\visible\x1b]2;more\x1b\\\r\n")
    )

    assert shown(found) == ["visible"]


def test_characters_that_show_nothing_do_not_split_words() -> None:
    octets = "r\u200bm \u200e-r\u2060f \ufeff/\r\n".encode()
    found = session((0, octets))

    assert shown(found) == ["rm -rf /"]


def test_broken_utf8_stays_text() -> None:
    found = session((0, b"a\xff\xfeb \xed\xa0\x80 c\xc3\r\n"))
    text = "".join(shown(found))

    assert text.encode("utf-8")
    assert text.startswith("a")
    assert "b" in text


# --- what silence tells --------------------------------------------------------------------------


def at_prompt(command: bytes, output: bytes = b"file\r\n") -> TerminalReader:
    """A reader of a terminal whose prompt came back at 1.5 s."""
    reading = reader()
    reading.output(0, PROMPT)
    typed(reading, SECOND, command, shows=output + PROMPT)
    return reading


def test_a_command_is_found_when_its_prompt_came_back_and_nothing_follows() -> None:
    reading = at_prompt(b"ls")

    assert commands(rested(reading, [1_700_000])) == []
    assert commands(rested(reading, [1_800_100])) == [(None, "ls")]


def test_what_stands_above_a_quiet_prompt_is_found_and_not_found_again() -> None:
    reading = at_prompt(b"ls")
    first = rested(reading, [3 * SECOND])
    then = typed(reading, 4 * SECOND, b"id", shows=b"uid=0\r\n" + PROMPT)
    then += rested(reading, [6 * SECOND])

    assert shown(first) == ["root@h:~# ls", "file"]
    assert shown(then) == ["root@h:~# id", "uid=0"]


def test_nothing_more_is_due_in_a_terminal_that_is_quiet_for_good() -> None:
    reading = at_prompt(b"ls")
    reading.rest(FOREVER)

    assert reading.due_us is None
    assert shown(reading.closed(9 * SECOND)) == ["root@h:~#"]


def test_a_command_that_is_asked_for_more_is_not_found_half() -> None:
    reading = reader()
    reading.output(0, PROMPT)
    typed(reading, SECOND, b"for i in 1 2", shows=b"> ")
    found = rested(reading, [2 * SECOND, 60 * SECOND, 3600 * SECOND])
    found += typed(reading, 3601 * SECOND, b"do id; done", shows=PROMPT)
    found += rested(reading, [3603 * SECOND])

    assert commands(found) == [(None, "for i in 1 2\ndo id; done")]


def test_what_left_the_screen_is_found_while_a_program_waits() -> None:
    reading = reader(80, 5)
    found = reading.output(SECOND, b"".join(b"line %d\r\n" % number for number in range(9)))
    found += rested(reading, [2 * SECOND])
    assert shown(found) == []
    found += rested(reading, [6 * SECOND])

    # What still stands may be drawn again: a list of downloads with their progress.
    assert shown(found) == [f"line {number}" for number in range(5)]


def test_what_a_full_screen_program_shows_is_found_while_nobody_touches_it() -> None:
    reading = reader()
    found = reading.output(0, b"\x1b[?1049h\x1b[H\x1b[2Ja picture")
    found += rested(reading, [5 * SECOND, 3600 * SECOND])

    assert found == [ScreenText(5 * SECOND, "a picture", alternate=True)]


# --- moments -------------------------------------------------------------------------------------


def _stamped(found: list[Finding]) -> list[tuple[int, int]]:
    """Of each line that begins with the time when it was printed: that of its text, and its own."""
    texts = [f for f in found if isinstance(f, ScreenText)]
    return [
        (text.t_us, int(line.split()[0]))
        for text in texts
        for line in text.text.split("\n")
        if line[:1].isdigit()
    ]


def _redrawn(t_us: int) -> bytes:
    """Six lines of progress, drawn over the last ones."""
    lines = b"".join(b"\x1b[K%d layer %d\r\n" % (t_us, number) for number in range(6))
    return (b"\x1b[6A" if t_us else b"") + lines


PRINTED = {
    "lines": lambda t_us: b"%d line\r\n" % t_us,
    "wrapped lines": lambda t_us: b"%d %s\r\n" % (t_us, b"x" * 200),
    "very long lines": lambda t_us: b"%d %s\r\n" % (t_us, b"x" * 9000),
    "blank lines between": lambda t_us: b"%d line\r\n\r\n\r\n" % t_us,
    "progress": _redrawn,
    "a screen cleared": lambda t_us: b"\x1b[H\x1b[2J%d line\r\n" % t_us,
    "many lines": lambda t_us: b"%d line\r\n" % t_us * 500,
}


@pytest.mark.parametrize("gap_us", [100_000, 900_000, 2_500_000, 30 * SECOND])
@pytest.mark.parametrize("printed", PRINTED.values(), ids=PRINTED)
def test_every_line_was_printed_within_five_seconds_of_the_moment_of_its_text(
    printed: Callable[[int], bytes], gap_us: int
) -> None:
    reading = reader()
    found: list[Finding] = []
    for number in range(60):
        found += reading.output(number * gap_us, printed(number * gap_us))
        found += rested(reading, [number * gap_us + gap_us // 2])
    end_us = 60 * gap_us
    found += reading.output(end_us, b"\r\n%d end\r\n" % end_us)
    found += reading.closed(end_us + 10 * SECOND)
    stamped = _stamped(found)

    assert stamped
    assert [pair for pair in stamped if abs(pair[0] - pair[1]) > SPAN_US] == []


def test_a_window_that_changes_its_size_shows_nothing_twice() -> None:
    reading = reader()
    found = reading.output(0, b"one two three four five six seven\r\nsecond\r\n" + PROMPT)
    for number, size in enumerate(((20, 10), (80, 24), (40, 50), (120, 5), (80, 24))):
        found += reading.resized(SECOND * (number + 1), *size)
    found += reading.output(10 * SECOND, b"ls\r\nfile\r\n")
    found += reading.closed(11 * SECOND)

    lines = shown(found)
    assert lines.count("second") == 1
    assert sum("three" in line for line in lines) == 1
    assert lines[-1] == "file"


def test_a_full_screen_program_is_sampled_and_only_what_is_new_is_given() -> None:
    reading = reader()
    found = reading.output(0, b"\x1b[?1049h\x1b[H\x1b[2J")
    for second in range(30):
        drawn = b"\x1b[H\x1b[Kload %d\r\nfixed line\r\n" % second
        found += reading.output(second * SECOND, drawn)
    found += reading.output(30 * SECOND, b"\x1b[?1049l")
    found += reading.closed(31 * SECOND)

    lines = shown(found, alternate=True)
    assert lines.count("fixed line") == 1
    assert 5 <= sum(line.startswith("load") for line in lines) <= 7
    assert lines[-1] == "load 29"


def test_the_main_screen_stays_where_it_was_behind_a_full_screen_program() -> None:
    found = session(
        (0, b"before\r\n"),
        (SECOND, b"\x1b[?1049h\x1b[H\x1b[2Jpicture"),
        (2 * SECOND, b"\x1b[?1049lafter\r\n"),
    )

    assert shown(found) == ["before", "after"]
    assert shown(found, alternate=True) == ["picture"]


def test_a_flood_is_counted_and_its_end_is_read() -> None:
    reading = reader()
    found = reading.output(0, PROMPT)
    found += typed(reading, SECOND, b"cat big")
    for number in range(200):
        flood = b"".join(b"%06d-%02d\r\n" % (number, line) for line in range(2000))
        found += reading.output(2 * SECOND + number * 1000, flood)
    found += reading.output(3 * SECOND, PROMPT)
    found += typed(reading, 5 * SECOND, b"echo end", shows=b"end\r\n" + PROMPT)
    found += reading.closed(8 * SECOND)

    lines = shown(found)
    notes = [line for line in lines if line.endswith("not read ...]")]
    assert len(notes) == 1
    assert notes[0].endswith(" MB not read ...]")
    assert lines[-4:] == ["000199-1999", "root@h:~# echo end", "end", "root@h:~#"]
    assert commands(found) == [(None, "cat big"), (None, "echo end")]


HOSTILE = {
    "escapes": b"\x1b[1;31mx\x1b[0m\x1b[5A\x1b[2K",
    "clears": b"x\x1b[2J\x1b[H",
    "switches": b"x\x1b[?1049hy\x1b[?1049l",
    "line feeds": b"\n",
    "prompts": b"root@h:~# rm -rf /\r\n",
    "marks": "a\u0301\u0301\u0301".encode(),
    "a line without an end": b"x",
    "a title without an end": b"\x1b]0;xxxxxxxxx",
    "resets": b"\x1bcx",
    "editor": b"\x1b[?2004h$ x\x1b[?2004l\r\n",
}


@pytest.mark.parametrize("chunk", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("gap_us", [500, 20_000])
def test_hostile_output_costs_little_and_finds_little(chunk: bytes, gap_us: int) -> None:
    reading = reader()
    piece = (chunk * (32_768 // len(chunk) + 1))[:32_768]
    found: list[Finding] = []
    begun = time.process_time()
    for number in range(120):
        found += reading.output(number * gap_us, piece)
    found += reading.closed(120 * gap_us)
    taken = time.process_time() - begun

    assert taken < 4
    # What was read: the budget of the screen, and as much again for what was looked at.
    assert sum(len(f.text) for f in found) < 2_000_000
    assert sum(isinstance(f, Command) for f in found) < 500


@pytest.mark.soak
@pytest.mark.parametrize("chunk", HOSTILE.values(), ids=HOSTILE)
def test_a_hundred_megabytes_of_it(chunk: bytes) -> None:
    reading = reader()
    piece = (chunk * (65_536 // len(chunk) + 1))[:65_536]
    size = 0
    for number in range(1600):
        size += sum(len(f.text) for f in reading.output(number * 1000, piece))
    size += sum(len(f.text) for f in reading.closed(1600 * 1000))

    assert size < 2_000_000


def test_a_window_of_one_cell_in_the_middle_of_a_line_is_survived() -> None:
    reading = reader()
    found = reading.output(0, PROMPT + b"echo " + b"x" * 300)
    found += reading.resized(SECOND, 1, 1)
    found += reading.output(2 * SECOND, b"y" * 300 + b"\r\n" + PROMPT)
    found += reading.resized(3 * SECOND, 0, 100_000)
    found += reading.output(4 * SECOND, b"ls\r\n")
    found += reading.closed(5 * SECOND)

    assert shown(found)


_PRINTED = (
    *(PROMPT, b"ls", b"\r\n", b"\r", b"\b \b", b"\x1b[K", b"\x1b[A", b"\x1b[2J", b"\x1b[?1049h"),
    *(
        b"\x1b[?1049l",
        b"\x1b[?2004l",
        b"\x1b[?2004h",
        b">>> ",
        b"> ",
        b"^C",
        b"\xff",
        "日本".encode(),
    ),
    *(b"\x1b]0;t", b"\x07", b"\x1b[?1049", b"x" * 200, b"\t", b"$ ", b"(reverse-i-search)`': "),
)
_PRESSED = (
    *(b"ls", b"\r", b"\n", b"\x7f", b"\x1b[A", b"\t", b"\x03", b"\x15", b"\x1b", b"\x12", b"\x0f"),
    *(b"\x17", b"\x1b[200~", b"\x1b[201~", b"\xe6\x97", "日".encode(), b"\x1b[D", b"\x0b", b"\x19"),
)
_PIECES = st.sampled_from(_PRINTED)
_KEYS = st.sampled_from(_PRESSED)
_RECORDS = st.lists(
    st.one_of(
        st.tuples(
            st.just("o"), st.lists(_PIECES, max_size=6).map(b"".join) | st.binary(max_size=40)
        ),
        st.tuples(st.just("i"), st.lists(_KEYS, max_size=4).map(b"".join) | st.binary(max_size=10)),
        st.tuples(st.just("r"), st.just(b"")),
        st.tuples(st.just("s"), st.tuples(st.integers(0, 300), st.integers(0, 100))),
    ),
    max_size=40,
)
_GAPS = st.lists(
    st.sampled_from([0, 1, 5_000, 260_000, 400_000, 1_100_000, 2_000_000, 7_000_000]),
    min_size=40,
    max_size=40,
)


def _read_records(
    records: list[tuple[str, Any]], gaps: list[int], cut: bool, rests: Random | None = None
) -> list[Finding]:
    reading = reader()
    found: list[Finding] = []
    t_us = 0
    for (kind, what), gap in zip(records, gaps, strict=False):
        if rests is not None:
            moments = (rests.choice((0, gap, rests.randint(0, gap))) for _ in range(3))
            found += rested(reading, sorted(t_us + moment for moment in moments))
        t_us += gap
        if kind == "s":
            found += reading.resized(t_us, *what)
        elif kind == "r":
            found += reading.redacted(t_us)
        else:
            take = reading.output if kind == "o" else reading.typed
            pieces = [what[at : at + 1] for at in range(len(what))] if cut else [what]
            for piece in pieces:
                found += take(t_us, piece)
    return found + reading.closed(t_us + 1)


@settings(max_examples=150, deadline=None)
@given(_RECORDS, _GAPS)
def test_no_records_break_the_reader_and_the_cut_never_matters(
    records: list[tuple[str, Any]], gaps: list[int]
) -> None:
    found = _read_records(records, gaps, cut=False)

    assert _read_records(records, gaps, cut=True) == found
    assert all(f.text.strip() and f.text.encode("utf-8") for f in found)


@settings(max_examples=300, deadline=None)
@given(_RECORDS, _GAPS, st.randoms(use_true_random=False))
def test_resting_at_any_moment_changes_no_finding(
    records: list[tuple[str, Any]], gaps: list[int], rests: Random
) -> None:
    assert _read_records(records, gaps, cut=False, rests=rests) == _read_records(
        records, gaps, cut=False
    )


@pytest.mark.real
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "dash", "busybox", "mksh"])
def test_a_real_shell_is_read_exactly(shell: str) -> None:
    if not available(shell):
        pytest.skip(f"the program {shell} is not installed (make packages)")
    steps = [["prompt"], ["type", "echo one"], ["key", "enter"], ["prompt"]]
    steps += [["type", "echo twx"], ["key", "bs"], ["type", "o"], ["key", "enter"], ["prompt"]]
    recorded = drive({"id": shell, "shell": shell, "steps": steps})
    found = read_again(recorded, screens=True)

    assert commands(found) == [(None, "echo one"), (None, "echo two")]
    assert "two" in shown(found)
