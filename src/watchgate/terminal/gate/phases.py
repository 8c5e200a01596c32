"""What a gate waits for, and for how long; all times are microseconds."""

from __future__ import annotations

from enum import Enum, auto

QUIET_US = 80_000
"""How long the output rests before a shell is asked who it is."""

SILENT_US = 1_000_000
"""After so long without output the operator's keys no longer wait for a first prompt."""

NOTHING_US = 3_000_000
"""The same when nothing was printed at all."""

MARK_US = 300_000
"""How long a shell that tells its commands may leave an accepted line without a word, beyond four round trips."""

LEAST_MARK_US = 75_000
"""The same at least, where the terminal is known to answer quickly."""

SOON_US = 150_000
"""How long after a command was let run a line that is typed already waits for the prompt."""

AHEAD_US = 150_000
"""How long what was typed ahead waits for the prompt behind a command that was let run."""

RESTED_US = 20_000
"""How long output rests before a prompt is looked for behind it."""

LOST_US = 1_000_000
"""How long a prompt may stand without its mark before the shell counts as one that no longer tells."""

FORGED_US = 60_000_000
"""How often it is said that marks come that are nobody's."""

RENEW_US = 20_000_000
"""How often a shell whose line waits for a person is told to go on waiting (integration.verdicts.WAIT_S)."""

HELD_US = 50_000
"""How long the beginning of what may be a mark is held back when nothing follows."""


class Phase(Enum):
    """What the gate waits for."""

    OPENING = auto()
    """The first prompt."""
    INSTALLING = auto()
    """A shell is being asked to tell its commands."""
    OPEN = auto()
    """Nothing: keys pass."""
    SETTLING = auto()
    """The line behind a held key can be read."""
    MARKING = auto()
    """A shell that tells its commands has an accepted line."""
    ASKING = auto()
    """The verdict."""
    TAKING = auto()
    """A shell takes its verdict."""
