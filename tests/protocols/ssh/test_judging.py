"""What comes of putting a command to the rules, as effects in their order."""

from __future__ import annotations

import pytest
from judged import Memory, judge

from watchgate.policy.commands import KnownCommand, Source
from watchgate.protocols.ssh.effects import (
    Commit,
    Effect,
    EndSession,
    LockOperator,
    Note,
    NoteCommand,
    Resume,
    Say,
    Seek,
    Withdraw,
)
from watchgate.protocols.ssh.judging import Judge
from watchgate.session.deciding import Decision
from watchgate.session.events import ApprovalAnswered, ApprovalClosed, CommandDecided
from watchgate.session.model import EndReason
from watchgate.session.ports import ApprovalAnswer


class Channel:
    """Performs what a judge wants, and remembers what became of the command."""

    def __init__(self, memory: Memory | None = None) -> None:
        self.judge: Judge = judge(memory)
        self.done: list[Effect] = []
        self.came_to: list[tuple[Decision, int]] = []
        self.shown: list[str] = []

    def ask(self, line: str) -> None:
        command = KnownCommand(1, line, Source.EXEC, exact=True)
        self.perform(self.judge.judge(command, self._then, self._waiting))

    def perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            self.done.append(effect)
            if isinstance(effect, NoteCommand):
                self.judge.recorded(7)
            elif isinstance(effect, Resume):
                self.perform(self.judge.resumed(effect.ticket))

    def _then(self, decision: Decision, seq: int) -> list[Effect]:
        self.came_to.append((decision, seq))
        return [Say(decision.message)] if decision.message else []

    def _waiting(self, whom: str) -> list[Effect]:
        self.shown.append(whom)
        return [Say(f"waiting for {whom}")]

    def kinds(self) -> list[str]:
        return [type(effect).__name__ for effect in self.done]

    def sought(self) -> Seek:
        return next(effect for effect in self.done if isinstance(effect, Seek))


def test_nothing_is_done_before_the_verdict_is_in_the_file() -> None:
    channel = Channel()
    effects = channel.judge.judge(
        KnownCommand(1, "ls", Source.EXEC, exact=True), channel._then, channel._waiting
    )

    assert [type(effect) for effect in effects] == [NoteCommand, Commit, Resume]
    assert channel.came_to == []


def test_what_may_run_comes_back_with_its_number() -> None:
    channel = Channel()

    channel.ask("ls -l")

    ((decision, seq),) = channel.came_to
    assert decision.runs
    assert seq == 7


def test_a_command_is_resumed_once() -> None:
    channel = Channel()
    channel.ask("ls")
    resume = next(effect for effect in channel.done if isinstance(effect, Resume))

    assert channel.judge.resumed(resume.ticket) == []
    assert len(channel.came_to) == 1


def test_the_operator_reads_why_before_the_session_ends() -> None:
    channel = Channel()

    channel.ask("reboot")
    channel.ask("reboot")

    assert channel.kinds()[-2:] == ["Say", "EndSession"]
    ends = channel.done[-1]
    assert isinstance(ends, EndSession)
    assert ends.ending.reason is EndReason.INTERRUPTED
    assert ends.ending.detail == "ended by rule no-reboot"


def test_an_account_is_locked_after_the_operator_was_told() -> None:
    channel = Channel()

    channel.ask("shred x")

    assert channel.kinds()[-2:] == ["Say", "LockOperator"]
    lock = channel.done[-1]
    assert isinstance(lock, LockOperator)
    assert lock.lock.operator == "alice"


def test_what_waits_for_an_approval_says_who_was_asked() -> None:
    channel = Channel()
    channel.ask("systemctl stop nginx")

    channel.perform(channel.judge.asked(channel.sought().ticket, "a1", "bob"))

    assert channel.came_to == []
    assert channel.shown == ["bob"]
    assert channel.judge.waits


@pytest.mark.parametrize("approved", [True, False])
def test_an_answer_is_recorded_before_the_command_goes_on(approved: bool) -> None:
    channel = Channel()
    channel.ask("systemctl stop nginx")
    ticket = channel.sought().ticket
    channel.perform(channel.judge.asked(ticket, "a1", "bob"))
    before = len(channel.done)

    channel.perform(channel.judge.approved(ticket, ApprovalAnswer("a1", approved, "bob", "ok")))

    first, second = channel.done[before : before + 2]
    assert isinstance(first, Note)
    assert isinstance(first.event, ApprovalAnswered)
    assert isinstance(second, Note)
    assert isinstance(second.event, CommandDecided)
    assert second.event.outcome == ("allow" if approved else "block")
    assert second.event.approval == "a1"
    assert channel.kinds()[before + 2 : before + 4] == ["Commit", "Resume"]
    ((decision, _),) = channel.came_to
    assert decision.runs is approved


def test_who_withdraws_hears_that_it_does_not_run() -> None:
    channel = Channel()
    channel.ask("systemctl stop nginx")
    channel.perform(channel.judge.asked(channel.sought().ticket, "a1", "bob"))

    channel.perform(channel.judge.withdraw())

    assert any(isinstance(effect, Withdraw) for effect in channel.done)
    closed = [e.event for e in channel.done if isinstance(e, Note)]
    assert any(isinstance(event, ApprovalClosed) and event.why == "withdrawn" for event in closed)
    ((decision, _),) = channel.came_to
    assert decision.message == "not approved: withdrawn"
    assert not channel.judge.waits


def test_a_standing_approval_covers_the_same_command_and_no_other() -> None:
    memory = Memory()
    channel = Channel(memory)
    channel.ask("systemctl stop nginx")
    memory.given[channel.sought().request.key] = "a9"

    channel.ask("systemctl stop postgresql")
    channel.ask("systemctl  stop 'nginx'")
    channel.ask("systemctl stop nginx")

    ((decision, _),) = channel.came_to
    assert decision.command.text == "systemctl stop nginx"
    assert decision.approval == "a9"


def test_an_answer_that_comes_late_changes_nothing() -> None:
    channel = Channel()
    channel.ask("systemctl stop nginx")
    ticket = channel.sought().ticket
    channel.perform(channel.judge.withdraw())
    count = len(channel.came_to)

    assert channel.judge.approved(ticket, ApprovalAnswer("a1", True, "bob")) == []
    assert len(channel.came_to) == count
