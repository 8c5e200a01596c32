"""The bounds that recordings keep to, in one place."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in octets.

    What was recorded is written after at most *interval* and synced right after, so it is durable at
    most a second after it happened as long as a sync takes less than half a second.
    """

    interval: float = 0.4
    flush_at: int = 256 * 1024
    """A recording with this much waiting is written at once."""
    waiting: int = 4 * MIB
    """More than this waiting in a recording makes it `congested`, until half of it is written."""
    minimum_free: int = 64 * MIB
    """New recordings are not opened in a store with less free space."""
    spool: int = 1024 * MIB
    """All that recordings of this process may keep in the spool together."""
    checkpoint_every: float = 10.0
    idle_compressor: float = 30.0
    """A recording quiet for this long ends its segment and gives its compressor back."""
    retry_every: float = 1.0
    home_every: float = 10.0
    segment_seconds: float = 60.0
    segment_octets: int = MIB
    kept_events: int = 256 * 1024
    """While a recording under `open` is degraded, its events are kept in memory up to this size."""
