"""Many commands at once: in order, up to the first that may not simply run."""

from __future__ import annotations

from judged import judge

from watchgate.policy.commands import KnownCommand, Source
from watchgate.protocols.ssh.effects import Commit, Effect, NoteCommand, Resume
from watchgate.protocols.ssh.judging_many import MOST, Given, judge_all
from watchgate.session.deciding import Decision


def decided(*lines: str) -> tuple[int, list[Effect], list[str]]:
    """How many were decided, the effects, and what was learned of."""
    learned: list[str] = []

    def known(line: str) -> KnownCommand:
        return KnownCommand(1, line, Source.STDIN, exact=True)

    def learn(decision: Decision) -> None:
        learned.append(decision.command.text)

    number, effects = judge_all(
        judge(), lines, Given(known, learn), lambda decision, seq: [], lambda whom: []
    )
    return number, effects, learned


def test_all_are_noted_before_one_wait_and_then_each_goes_on() -> None:
    number, effects, learned = decided("ls", "id")

    assert [type(effect) for effect in effects] == [
        NoteCommand,
        NoteCommand,
        Commit,
        Resume,
        Resume,
    ]
    assert (number, learned) == (2, ["ls", "id"])


def test_nothing_behind_one_that_may_not_run_is_decided() -> None:
    number, effects, learned = decided("ls", "rm -r /", "id")

    assert number == 2
    assert learned == ["ls"]
    assert sum(isinstance(effect, NoteCommand) for effect in effects) == 2


def test_nothing_behind_one_that_locks_the_account_is_decided() -> None:
    assert decided("shred x", "ls")[0] == 1


def test_so_many_at_most_are_decided_at_once() -> None:
    assert decided(*["ls"] * (MOST + 10))[0] == MOST
