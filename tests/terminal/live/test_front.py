"""Whether a shell or a program takes a line."""

from __future__ import annotations

import pytest

from watchgate.terminal.live.front import Front


def _takes(
    command: str,
    prompt: str,
    *,
    known: bool = False,
    looks: bool = False,
    alternate: bool = False,
    edits: bool | None = None,
    certain: bool = True,
) -> str | None:
    front = Front()
    front.ran(command, certain=certain)
    return front.takes(prompt, known=known, looks=looks, alternate=alternate, edits=edits)


@pytest.mark.parametrize(
    ("command", "prompt", "program"),
    [
        ("psql orders", "orders=# ", "psql"),
        ("sqlite3", "sqlite> ", "sqlite3"),
        ("cd /srv && python3", ">>> ", "python3"),
        ("sudo -u postgres psql", "postgres=# ", "psql"),
        ("docker exec -it db psql -U x", "x=# ", "psql"),
        ("cat > f", "", "cat"),
        ("read -p 'Name: ' x", "Name: ", "read"),
    ],
)
def test_a_program_takes_the_lines_behind_its_prompt(
    command: str, prompt: str, program: str
) -> None:
    assert _takes(command, prompt, looks=prompt == "sqlite> ") == program


@pytest.mark.parametrize(
    "command",
    [
        "bash",
        "sudo -i",
        "su -",
        "ssh host",
        "docker exec -it x sh",
        "tmux",
        "cat f",
        "cat < f",
        "vim f | cat f",
    ],
)
def test_a_shell_takes_the_lines_behind_what_starts_one_or_reads_nothing(command: str) -> None:
    assert _takes(command, "# ") is None


@pytest.mark.parametrize(
    "command",
    [
        "PS1='>>> '",
        "PS1=; cat",
        "printf x; python3",
        "python3; PS1='>>> '",
        ". ./rc; python3",
        "f() { :; }; python3",
        "python3 $(f)",
        "echo `f` | python3",
    ],
)
def test_who_may_have_drawn_the_prompt_is_not_believed(command: str) -> None:
    assert _takes(command, ">>> ") is None


def test_a_line_that_was_not_read_for_certain_starts_nothing() -> None:
    assert _takes("python3", ">>> ", certain=False) is None


def test_a_shells_own_prompt_is_a_shells() -> None:
    assert _takes("python3", "root@h:~# ", known=True) is None


def test_an_editor_that_left_its_screen_has_ended() -> None:
    front = Front()
    front.ran("vim f", certain=True)

    assert front.takes("", known=False, looks=False, alternate=True, edits=None) == "vim"
    assert front.takes("", known=False, looks=False, alternate=False, edits=None) is None


def test_what_reads_data_ends_with_its_input() -> None:
    front = Front()
    front.ran("cat > f", certain=True)
    front.ended()

    assert front.takes("", known=False, looks=False, alternate=False, edits=None) is None


def test_what_reads_data_has_no_line_editor() -> None:
    assert _takes("cat > f", "", edits=True) is None


def test_the_shell_knows_better() -> None:
    front = Front()
    front.told("./menu")

    assert front.takes("choose: ", known=False, looks=False, alternate=False, edits=None) == "menu"

    front.told(None)

    assert front.program is None
