"""ttyrec: frames of wall time, length and octets, for ttyplay, ttytime and ovh-ttyrec's tools.

The format knows output only, and no size of the terminal.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import BinaryIO

from watchgate.recording.export.source import Channel, Description, of_channel
from watchgate.recording.records import RecordLike
from watchgate.session.ports import RecordKind

_FRAME = struct.Struct("<III")


def write(
    records: Iterable[RecordLike],
    about: Description,
    channel: Channel,
    files: tuple[BinaryIO, ...],
    with_input: bool = True,
) -> None:
    """Write the output of *channel*, octet for octet; its seconds wrap in 2106."""
    (out,) = files
    for record in of_channel(records, channel):
        if record.kind in (RecordKind.OUTPUT, RecordKind.ERROR) and record.data:
            seconds, microseconds = divmod(about.started_at_us + record.t_us, 1_000_000)
            out.write(_FRAME.pack(seconds & 0xFFFF_FFFF, microseconds, len(record.data)))
            out.write(record.data)
