"""Decides many commands that are given at once: in order, with one wait for the recording.

A script of a thousand lines would otherwise wait a thousand times. The order holds: a command is decided
only when all before it may run, and none is sent on before the verdicts of all are in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from watchgate.policy.commands import KnownCommand
from watchgate.protocols.ssh.effects import Commit, Effect, NoteCommand, Resume
from watchgate.protocols.ssh.judging import Judge, Then, Waiting
from watchgate.session.deciding import Decision

T = TypeVar("T")

MOST = 64
"""Commands that are decided before the event loop may do something else."""


@dataclass(frozen=True, slots=True)
class Given(Generic[T]):
    """How what is given becomes commands."""

    known: Callable[[T], KnownCommand]
    decided: Callable[[Decision], None]
    """Is told of each command that may run, before the next one is looked at."""


def judge_all(
    judge: Judge, lines: Sequence[T], given: Given[T], then: Then, waiting: Waiting
) -> tuple[int, list[Effect]]:
    """Decide *lines* in order, up to the first that may not simply run: how many, and what follows.

    *then* is called once for each of them, in their order.
    """
    notes: list[Effect] = []
    resumes: list[Effect] = []
    number = 0
    for line in lines[:MOST]:
        number += 1
        decision: Decision | None = None
        for effect in judge.judge(given.known(line), then, waiting):
            if isinstance(effect, NoteCommand):
                decision = effect.decision
            if isinstance(effect, Resume):
                resumes.append(effect)
            elif not isinstance(effect, Commit):
                notes.append(effect)
        if decision is None or not _simply_runs(decision):
            break
        given.decided(decision)
    return number, [*notes, Commit(), *resumes]


def _simply_runs(decision: Decision) -> bool:
    return decision.runs and decision.lock is None and decision.ends is None
