"""Lines that were accepted: which belong together, and who took them."""

from __future__ import annotations

from watchgate.terminal.findings import Command
from watchgate.terminal.reading_shell import Accepted, ShellLines

PROMPT = "root@h:~# "


class Session:
    """Lines accepted one below the other."""

    def __init__(self) -> None:
        self.lines = ShellLines()
        self.done: list[Command] = []
        self.number = 0

    def line(
        self,
        text: str,
        prompt: str | None = PROMPT,
        *,
        output: bool = False,
        alternate: bool = False,
    ) -> None:
        follows = None if output or not self.number else self.number
        self.number += 1
        self.done += self.lines.accept(
            Accepted(self.number, text, prompt, "screen", self.number, follows, alternate)
        )

    def commands(self) -> list[tuple[str | None, str]]:
        return [(c.program, c.text) for c in [*self.done, *self.lines.flush()]]


def test_lines_behind_a_continuation_belong_to_the_first() -> None:
    session = Session()
    session.line("for i in 1; do")
    session.line("echo $i", "> ")
    session.line("done", "> ")
    session.line("ls", output=True)

    assert session.commands() == [(None, "for i in 1; do\necho $i\ndone"), (None, "ls")]


def test_an_indent_is_a_continuation() -> None:
    session = Session()
    session.line("for i in 1")
    session.line("echo $i", "           ")

    assert session.commands() == [(None, "for i in 1\necho $i")]


def test_what_looks_like_a_continuation_below_output_is_none() -> None:
    session = Session()
    session.line("./ask")
    session.line("yes", "> ", output=True)

    assert session.commands() == [(None, "./ask"), ("ask", "yes")]


def test_a_continuation_that_is_interrupted_takes_the_command_with_it() -> None:
    session = Session()
    session.line("for i in 1; do")
    session.done += session.lines.drop("> ", 1)
    session.line("ls", output=True)

    assert session.commands() == [(None, "ls")]


def test_an_interrupt_at_the_prompt_leaves_what_was_accepted() -> None:
    session = Session()
    session.line("ls")
    session.done += session.lines.drop(PROMPT, 1)

    assert session.commands() == [(None, "ls")]


def test_lines_for_a_program_are_told_from_commands() -> None:
    session = Session()
    session.line("psql shop")
    session.line("select 1", "shop=# ", output=True)
    session.line(";", "shop-# ")
    session.line("\\q", "shop=# ", output=True)
    session.line("ls", output=True)

    assert session.commands() == [
        (None, "psql shop"),
        ("psql", "select 1\n;"),
        ("psql", "\\q"),
        (None, "ls"),
    ]


def test_another_shell_brings_another_prompt() -> None:
    session = Session()
    session.line("ssh db1")
    session.line("id", "fred@db1:~$ ", output=True)
    session.line("cat > notes", "fred@db1:~$ ", output=True)
    session.line("some text", "")
    session.line("exit", "fred@db1:~$ ", output=True)
    session.line("ls", output=True)

    assert session.commands() == [
        (None, "ssh db1"),
        (None, "id"),
        (None, "cat > notes"),
        ("cat", "some text"),
        (None, "exit"),
        (None, "ls"),
    ]


def test_a_full_screen_program_does_not_hide_a_shell() -> None:
    session = Session()
    session.line("printf '\\e[?1049h'")
    session.line("rm -rf /srv", alternate=True)

    assert session.commands()[-1] == (None, "rm -rf /srv")


def test_without_a_prompt_a_line_is_what_the_one_before_was() -> None:
    session = Session()
    session.line("vim f")
    session.line(":wq", None, alternate=True)
    session.lines.returned()
    session.line("ls", None)

    assert session.commands() == [(None, "vim f"), ("vim", ":wq"), (None, "ls")]


def test_empty_lines_are_no_commands() -> None:
    session = Session()
    session.line("")
    session.line("   ")
    session.line("ls")

    assert session.commands() == [(None, "ls")]


def test_a_command_of_many_lines_is_bounded() -> None:
    session = Session()
    session.line("cat <<END")
    for _ in range(5000):
        session.line("x" * 100, "> ")

    assert len(session.commands()[0][1]) <= 64 * 1024
