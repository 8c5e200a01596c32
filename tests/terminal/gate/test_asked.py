"""Lines that are asked about, out of what told them."""

from __future__ import annotations

from watchgate.policy.commands import Place, Source
from watchgate.terminal.gate import asked
from watchgate.terminal.integration.mark_kinds import Line
from watchgate.terminal.live.lineread import LineRead


def test_all_that_a_shell_says_of_a_line_is_asked_about() -> None:
    line = asked.told(
        Line(
            "ll x",
            expanded="ls -l x",
            cwd="/srv",
            variables={"A": "b"},
            aliases={"ll": "ls -l"},
            functions=frozenset({"f"}),
            resolved={"sudo": "/usr/bin/sudo"},
            unreadable="cut",
        ),
        "zsh",
        2,
    )

    assert (line.text, line.others, line.source, line.exact) == (
        "ll x",
        ("ls -l x",),
        Source.INTEGRATION,
        True,
    )
    assert (line.shell, line.depth, line.cwd, line.unreadable) == ("zsh", 2, "/srv", "cut")
    assert (line.variables, line.aliases, line.functions, line.resolved) == (
        {"A": "b"},
        {"ll": "ls -l"},
        frozenset({"f"}),
        {"sudo": "/usr/bin/sudo"},
    )


def test_where_a_hash_begins_no_comment_what_stands_behind_it_is_asked_about_too() -> None:
    line = asked.told(Line("true # ; rm x", comments=False), "zsh", 0)

    assert line.others == ("true \\# ; rm x",)


def test_a_line_off_the_screen_is_never_exact_for_what_it_says() -> None:
    read = LineRead("ls", place=Place.PROGRAM, program="psql", others=("lsx",), certain=True)
    line = asked.read_off(read, 1)

    assert (line.text, line.others, line.place, line.program) == (
        "ls",
        ("lsx",),
        Place.PROGRAM,
        "psql",
    )
    assert (line.exact, line.certain, line.depth, line.late) == (False, True, 1, False)


def test_a_line_that_was_typed_without_an_echo_is_in_no_representation() -> None:
    for line in (
        asked.read_off(LineRead("hunter2", secret=True), 0),
        asked.seen_late(LineRead("hunter2", secret=True)),
    ):
        assert line.hidden
        assert "hunter2" not in repr(line)


def test_what_was_seen_late_or_never_said_is_marked_as_that() -> None:
    late = asked.seen_late(LineRead("ls", unreadable="macro"))
    unsaid = asked.unsaid("ls", "bash", 1)

    assert (late.late, late.exact, late.unreadable) == (True, False, "macro")
    assert (unsaid.late, unsaid.exact, unsaid.source, unsaid.depth) == (
        True,
        False,
        Source.KEYS,
        1,
    )


def test_no_line_is_longer_than_is_decided() -> None:
    long = "x" * (2 * asked.LONGEST)

    assert len(asked.read_off(LineRead(long), 0).text) == asked.LONGEST
    assert len(asked.seen_late(LineRead(long)).text) == asked.LONGEST
    assert len(asked.unsaid(long, "bash", 0).text) == asked.LONGEST
