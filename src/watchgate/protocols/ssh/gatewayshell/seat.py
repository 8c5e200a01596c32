"""Where a gateway shell stands, and what it is doing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from watchgate.clock import Clock
from watchgate.protocols.ssh.judging import Judge
from watchgate.session.deciding import Read
from watchgate.session.model import Policy, Route


class Phase(Enum):
    """What the shell is doing."""

    BEFORE = auto()
    """The client has not asked for it yet."""
    PROMPT = auto()
    DECIDING = auto()
    RUNNING = auto()
    """A program runs, or is being started."""
    OVER = auto()


@dataclass(frozen=True, slots=True)
class Seat:
    """Where the shell stands."""

    number: int
    route: Route
    policy: Policy
    judge: Judge
    read: Read
    clock: Clock
