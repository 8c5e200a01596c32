"""Shells in shells: which of them is in front, and what ends when one comes back."""

from __future__ import annotations

import pytest

from watchgate.terminal.gate.levels import Level, Levels


def levels(count: int) -> Levels:
    """So many shells in each other, the innermost at its prompt."""
    stack = Levels()
    for number in range(count):
        stack.push(Level(b"%d" % number, "bash"))
        if number + 1 < count:
            stack.at(number).at_prompt = False
            stack.at(number).running = number + 1
    return stack


def test_without_shells_nothing_is_in_front() -> None:
    stack = Levels()

    assert (len(stack), stack.top, stack.front) == (0, None, None)
    assert stack.return_to(0) == []


def test_the_last_is_in_front_while_it_is_at_its_prompt() -> None:
    stack = levels(2)
    top = stack.top

    assert top is not None
    assert top.nonce == b"1"
    assert stack.front is top


def test_the_last_is_not_in_front_while_something_runs_in_it() -> None:
    stack = levels(2)
    stack.at(1).at_prompt = False

    assert stack.front is None
    assert stack.top is stack.at(1)


def test_one_that_no_longer_tells_or_is_doubted_is_not_in_front() -> None:
    stack = levels(1)
    only = stack.at(0)

    only.lost = True
    lost = stack.front
    only.lost, only.doubted = False, True

    doubted = stack.front
    only.believed()

    assert (lost, doubted) == (None, None)
    assert stack.front is only


def test_a_shell_that_comes_back_ends_what_ran_in_it_the_innermost_first() -> None:
    stack = levels(3)
    stack.at(2).running = 9

    assert stack.return_to(0) == [9, 2, 1]
    assert len(stack) == 1
    assert stack.front is stack.at(0)


def test_coming_back_does_not_make_a_shell_believed() -> None:
    stack = levels(1)
    stack.at(0).lost = True
    stack.return_to(0)

    assert stack.front is None


def test_a_shell_at_its_prompt_comes_back_to_nothing_new() -> None:
    stack = levels(2)

    assert stack.return_to(1) == []
    assert len(stack) == 2


@pytest.mark.parametrize(
    ("ran", "prompt", "shows"),
    [
        ("ls", "root@h:~# ", True),
        ("ls", "root@h:/srv# ", True),
        ("sqlite3", "sqlite> ", False),
        ("./menu", "choice# ", False),
        ("read -p '$ ' x", "$ ", False),
        ("PS0=; PS1='$ '", "$ ", True),
        ("unset PS0 PROMPT_COMMAND", "bash-5.2# ", True),
        ("trap - DEBUG", "bash-5.2# ", True),
    ],
)
def test_a_prompt_without_its_mark_is_the_shells_where_nothing_else_can_have_shown_it(
    ran: str, prompt: str, shows: bool
) -> None:
    level = Level(b"0", "bash", ran=ran)
    level.prompts.learn("root@h:~# ")

    assert level.shows(prompt) is shows
