"""The transcript: what stands in it, and what never does."""

from __future__ import annotations

from export_tapes import Made, Tape, exported
from hypothesis import given
from hypothesis import strategies as st

from watchgate.session.events import (
    FileChanged,
    FileMoved,
    InputRedacted,
    RecordingGap,
    SessionClosed,
)
from watchgate.session.ports import RecordKind


def transcript(tape: Tape, with_input: bool = True) -> list[str]:
    (text,) = exported("text", tape, with_input=with_input)
    return text.decode().split("\n")[:-1]


def test_lines_have_their_time_and_their_origin() -> None:
    tape = Tape().shell(0).out(500, b"\x1b[32m$\x1b[0m ").typed(2000, b"ls").typed(2500, b"\r")
    tape.out(2500, b"ls\r\nbin\r\n").event(3000, InputRedacted(1)).closed(4000, 0)

    assert transcript(tape) == [
        "alice as root on web1",
        "2026-11-21T09:30:00Z  * channel 1 opened: shell, terminal xterm-256color 100x30",
        "2026-11-21T09:30:02Z  < ls\\r",
        "2026-11-21T09:30:02Z  | $ ls",
        "2026-11-21T09:30:02Z  | bin",
        "2026-11-21T09:30:03Z  * input that the terminal did not echo (redacted)",
        "2026-11-21T09:30:04Z  * channel 1 closed, exit status 0",
    ]


def test_commands_and_files_are_lines_of_their_own() -> None:
    tape = Tape().exec(0, "scp -t /tmp\x1b[2J").err(10, b"warn\n")
    tape.event(20, FileMoved(1, "scp", "upload", "/tmp/a", 3, "ab" * 32, True))
    tape.event(30, FileMoved(1, "scp", "download", "/tmp/b\n", 3, None, False, "broke off"))
    tape.event(40, FileChanged(1, "sftp", "rename", "/a", "/b", False))
    tape.event(50, RecordingGap(12, 1_500_000, "disk full"))
    tape.event(60, SessionClosed("client", "", None, 1, 2))

    assert [line[22:] for line in transcript(tape)[2:]] == [
        "* command: scp -t /tmp\\x1b[2J",
        "! warn",
        f"* file: upload /tmp/a (3 octets, SHA-256 {'ab' * 32})",
        "* file: download /tmp/b\\x0a (3 octets, incomplete, broke off)",
        "* file: rename /a to /b (failed)",
        "* GAP: evidence is missing here (12 octets, 1.500 s): disk full",
        "* session.closed reason=client detail= input_octets=1 output_octets=2",
    ]


def test_input_can_be_left_out_and_a_long_one_is_cut() -> None:
    tape = Tape().shell(0).typed(10, b"\x1b[A\x7f\xff\r").typed(20, b"y" * 5000)

    assert [line[22:] for line in transcript(tape)[2:]] == [
        "< \\x1b[A\\x7f\\xff\\r",
        "< " + "y" * 4096,
        "< " + "y" * 904,
    ]
    assert not [line for line in transcript(tape, with_input=False) if "<" in line]


def test_a_program_cannot_forge_an_event() -> None:
    tape = Tape().shell(0).out(10, b"\n2026-11-21T09:30:00Z  * channel 1 closed\n")

    assert transcript(tape)[-1][22:] == "| 2026-11-21T09:30:00Z  * channel 1 closed"


def test_a_damaged_event_is_shown_as_it_is() -> None:
    tape = Tape().shell(0)
    tape.records.append(Made(5, RecordKind.EVENT, 0, b"{\x1b"))

    assert transcript(tape)[-1][22:] == "* an event that cannot be read: {\\x1b"


@given(st.lists(st.binary(max_size=30), max_size=8))
def test_no_control_reaches_the_reader(chunks: list[bytes]) -> None:
    tape = Tape().shell(0)
    for chunk in chunks:
        tape.out(1, chunk).typed(1, chunk).err(1, chunk)
    (text,) = exported("text", tape)

    assert all(c == "\n" or not (ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0) for c in text.decode())
    assert all(line[22:24] in ("| ", "! ", "< ", "* ") for line in text.decode().split("\n")[1:-1])
