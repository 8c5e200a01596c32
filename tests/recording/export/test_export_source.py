"""Channels of a recording, and the table of formats."""

from __future__ import annotations

from io import BytesIO

import pytest
from export_tapes import ABOUT, Made, Tape

from watchgate.errors import NotFound, RecordingUnreadable
from watchgate.recording.export import FORMATS, Channel, channels, exporter, pick
from watchgate.recording.records import size
from watchgate.session.ports import RecordKind


def two_channels() -> Tape:
    tape = Tape().exec(0, "uptime", channel=1).out(10, b"up\n", channel=1)
    tape.shell(20, channel=2).out(30, b"$ ", channel=2)
    return tape.closed(40, 3, channel=1).closed(90, None, "TERM", channel=2)


def test_channels_are_listed_with_what_they_were() -> None:
    assert channels(two_channels()()) == [
        Channel(1, "exec", 0, None, 80, 24, "uptime", 40_000, 3, None),
        Channel(2, "shell", 20_000, "xterm-256color", 100, 30, None, 90_000, None, "TERM"),
    ]


def test_the_first_channel_with_a_terminal_is_picked() -> None:
    assert pick(two_channels()()).number == 2


def test_without_a_terminal_the_first_channel_is_picked_with_its_command() -> None:
    picked = pick(Tape().exec(0, "uptime").out(10, b"up\n")())

    assert (picked.number, picked.command) == (1, "uptime")


def test_picking_reads_no_further_than_it_must() -> None:
    read = 0

    def counted() -> object:
        nonlocal read
        for record in Tape().shell(0).out(1, b"a").out(2, b"b")():
            read += 1
            yield record

    pick(counted())  # type: ignore[arg-type]

    assert read == 2


def test_a_channel_that_is_named_comes_with_its_command() -> None:
    assert pick(two_channels()(), 1).command == "uptime"
    assert pick(Tape().shell(0)(), 1).what == "shell"


def test_a_channel_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(NotFound, match=r"no channel 7; it has 1, 2"):
        pick(two_channels()(), 7)
    with pytest.raises(NotFound, match="nothing was opened"):
        pick([])


def test_octets_whose_opening_is_lost_are_a_channel_all_the_same() -> None:
    assert pick(Tape().out(5, b"x", channel=4)()) == Channel(4, "unknown", 5000)


def test_a_damaged_event_or_size_is_said() -> None:
    with pytest.raises(RecordingUnreadable, match="verify"):
        channels([Made(0, RecordKind.EVENT, 0, b"{")])
    with pytest.raises(RecordingUnreadable, match="terminal size"):
        size(b"80x\x1b[2J")


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_streams_an_empty_and_a_full_channel(name: str) -> None:
    for tape in (Tape().shell(0), two_channels()):
        files = tuple(BytesIO() for _ in FORMATS[name].extensions)
        chosen = FORMATS[name].export(tape, ABOUT, files)

        assert chosen.what == "shell"
        assert all(not file.closed for file in files)


def test_an_unknown_format_is_answered_with_the_known_ones() -> None:
    with pytest.raises(NotFound, match=r"asciicast2, asciicast3, typescript"):
        exporter("mp4")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_sentence(name: str) -> None:
    assert exporter(name).description.endswith(".")
    assert exporter(name).extension.startswith(".")
