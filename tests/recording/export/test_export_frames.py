"""Records as frames for the player."""

from __future__ import annotations

from export_tapes import Tape

from watchgate.recording.export import pick
from watchgate.recording.export.frames import frames
from watchgate.terminal.player import Frame


def test_frames_count_from_the_opening_of_their_channel() -> None:
    tape = (
        Tape().exec(1000, "up\x1b[2J").out(1500, b"a\n").out(1600, b"no", channel=9).err(2000, b"e")
    )

    assert list(frames(tape(), pick(tape()))) == [
        Frame(0, command="up\\x1b[2J"),
        Frame(500_000, b"a\r\n"),
        Frame(1_000_000, b"e"),
    ]
