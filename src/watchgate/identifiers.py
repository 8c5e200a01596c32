"""Names that sort by time: UUIDv7 (RFC 9562 §5.7).

Python has them from 3.14 on; these few lines take the clock and the random source as arguments.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable

from watchgate.clock import Clock


def uuid7(clock: Clock, random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A fresh UUIDv7 in its usual text form: 48 bits of milliseconds, 74 random bits."""
    milliseconds = clock.wall_us() // 1000 & 0xFFFF_FFFF_FFFF
    value = milliseconds << 80 | int.from_bytes(random(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
