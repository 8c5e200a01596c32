"""What the channels of a session share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from watchgate.protocols.ssh.judging import Judge
from watchgate.terminal.screen import LiveScreen


@dataclass(frozen=True, slots=True)
class Ground:
    """What a channel stands on, besides its policy."""

    judge: Judge
    rtt_us: Callable[[], int]
    """How long an octet takes to the target and back, in microseconds."""
    random: Callable[[int], bytes]
    open_screen: Callable[[int, int], LiveScreen]
    """What shows a terminal of so many columns and rows."""
