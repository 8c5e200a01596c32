"""Lines of which a shell that should ask said nothing."""

from __future__ import annotations

import pytest

from watchgate.terminal.gate.unsaid import LONGEST, Unsaid


def test_a_line_that_was_asked_about_is_not_unsaid() -> None:
    unsaid = Unsaid()
    unsaid.accepted("ls")
    waited = bool(unsaid)
    unsaid.told()

    assert waited
    assert not unsaid
    assert unsaid.prompted(continuation=False) is None


def test_a_line_that_came_back_without_a_word_is_given_once() -> None:
    unsaid = Unsaid()
    unsaid.accepted("ls")

    assert unsaid.prompted(continuation=False) == "ls"
    assert unsaid.prompted(continuation=False) is None


@pytest.mark.parametrize("first", ["echo 'one", "cat <<EOF", "for x in 1; do", "echo \\", "a |"])
def test_a_command_that_goes_on_is_waited_for(first: str) -> None:
    unsaid = Unsaid()
    unsaid.accepted(first)

    assert unsaid.prompted(continuation=True) is None

    unsaid.accepted("more")

    assert unsaid


def test_a_prompt_that_pretends_that_a_whole_command_goes_on_is_not_believed() -> None:
    unsaid = Unsaid()
    unsaid.accepted("touch x")

    assert unsaid.prompted(continuation=True) == "touch x"


def test_the_lines_of_a_command_are_given_together() -> None:
    unsaid = Unsaid()
    unsaid.accepted("echo \\")
    unsaid.prompted(continuation=True)
    unsaid.accepted("one")

    assert unsaid.prompted(continuation=False) == "echo \\\none"


def test_a_command_that_was_given_up_half_way_did_not_run() -> None:
    unsaid = Unsaid()
    unsaid.accepted("echo 'one")

    assert unsaid.prompted(continuation=False) is None
    assert not unsaid


def test_of_a_command_with_a_line_that_the_keys_do_not_tell_nothing_is_known() -> None:
    unsaid = Unsaid()
    unsaid.accepted("for x in 1; do")
    unsaid.accepted(None)
    unsaid.accepted("done")

    assert unsaid.prompted(continuation=False) is None

    unsaid.accepted("ls")

    assert unsaid.prompted(continuation=False) == "ls"


def test_what_is_kept_is_bounded() -> None:
    unsaid = Unsaid()
    for _ in range(100):
        unsaid.accepted("x" * (LONGEST // 10) + "\\")

    assert not unsaid
