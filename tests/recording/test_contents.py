"""Commands with what was decided of them, out of a recording's records."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchgate.recording.contents import (
    MOST_UNDECIDED,
    VERDICT_US,
    Contents,
    Found,
    FoundCommand,
    FoundText,
)
from watchgate.session.events import (
    ChannelClosed,
    ChannelOpened,
    CommandDecided,
    CommandFinished,
    CommandRequested,
    Envelope,
    Event,
)
from watchgate.session.ports import RecordKind
from watchgate.terminal.screens import open_screen

STARTED = 1_780_000_000_000_000


@dataclass(frozen=True, slots=True)
class Made:
    t_us: int
    kind: RecordKind
    channel: int
    data: bytes


def decided(seq: int, outcome: str, *rules: str, severity: str | None = None) -> CommandDecided:
    return CommandDecided(
        *(1, seq, "rm -rf /", ["rm -r -f /"], [], outcome, list(rules), [], severity, 25, 25, 39),
        *("exact", "integration", "ab" * 32),
    )


@dataclass
class Tape:
    """A recording of a shell whose commands are told, or not."""

    told: bool = True
    screens: bool = False
    found: list[Found] = field(default_factory=list)
    seq: int = 0

    def __post_init__(self) -> None:
        self.contents = Contents(open_screen, screens=self.screens)
        self.event(0, ChannelOpened(1, "shell", "xterm", 80, 24, self.told))

    def event(self, t_us: int, event: Event) -> int:
        envelope = Envelope(STARTED + t_us, "s", self.seq, event)
        self.record(Made(t_us, RecordKind.EVENT, 0, envelope.to_json().encode()))
        self.seq += 1
        return self.seq - 1

    def asked(self, t_us: int, text: str = "rm -rf /") -> int:
        return self.event(t_us, CommandRequested(1, text, "integration", "exact"))

    def out(self, t_us: int, data: bytes) -> None:
        self.record(Made(t_us, RecordKind.OUTPUT, 1, data))

    def typed(self, t_us: int, data: bytes) -> None:
        self.record(Made(t_us, RecordKind.INPUT, 1, data))

    def record(self, record: Made) -> None:
        self.found += self.contents.add(record)

    def rest(self, t_us: int) -> None:
        self.found += self.contents.rest(t_us)

    def finish(self) -> list[FoundCommand]:
        self.found += self.contents.finish()
        return [one for one in self.found if isinstance(one, FoundCommand)]


def verdicts(found: list[FoundCommand]) -> list[tuple[int | None, str | None]]:
    return [(one.seq, one.verdict) for one in found]


def shell(tape: Tape) -> None:
    """`ls`, as a terminal shows it being typed."""
    tape.out(100_000, b"$ ")
    tape.typed(2_000_000, b"ls")
    tape.out(2_001_000, b"ls")
    tape.typed(2_200_000, b"\r")
    tape.out(2_201_000, b"\r\nbin\r\n$ ")


def test_a_command_is_found_once_with_its_verdict() -> None:
    tape = Tape()
    asked = tape.asked(10)
    tape.event(10, decided(asked, "block", "no-rm", severity="high"))
    (found,) = tape.finish()

    assert (found.seq, found.text, found.source) == (asked, "rm -rf /", "integration")
    assert (found.verdict, found.severity, found.rules) == ("block", "high", ("no-rm",))


def test_a_channel_whose_commands_are_told_is_not_read_off_its_screen() -> None:
    told, read = Tape(told=True), Tape(told=False)
    for tape in (told, read):
        shell(tape)

    assert told.finish() == []
    assert [one.text for one in read.finish()] == ["ls"]


def test_the_screens_of_a_told_channel_are_read_all_the_same() -> None:
    tape = Tape(told=True, screens=True)
    shell(tape)
    commands = tape.finish()

    assert commands == []
    assert "bin" in "".join(one.text for one in tape.found if isinstance(one, FoundText))


def test_a_command_that_waited_is_found_again_when_it_was_decided_again() -> None:
    tape = Tape()
    asked = tape.asked(10)
    tape.event(10, decided(asked, "approve", "ask"))
    other = tape.asked(20, "ls")
    tape.event(20, decided(other, "allow"))
    tape.event(9_000_000, decided(asked, "allow", "ask"))
    found = tape.finish()

    assert verdicts(found) == [(asked, "approve"), (other, "allow"), (asked, "allow")]
    assert found[0].t_us == found[2].t_us == 10


def test_a_command_that_nothing_decides_is_found_without_a_verdict() -> None:
    tape = Tape()
    asked = tape.asked(10)
    tape.event(20, CommandFinished(1, asked, 0, None, 10))

    assert verdicts(tape.finish()) == [(asked, None)]


def test_a_command_at_the_end_of_a_recording_is_found() -> None:
    tape = Tape()
    asked = tape.asked(10)

    assert verdicts(tape.finish()) == [(asked, None)]


def test_a_verdict_is_waited_for_a_moment_and_taken_when_it_comes_late() -> None:
    tape = Tape()
    asked = tape.asked(10)
    due = tape.contents.due_us
    tape.rest(10 + VERDICT_US - 1)
    early = list(tape.found)
    tape.rest(10 + VERDICT_US)
    late = list(tape.found)
    tape.event(10, decided(asked, "block"))

    assert due == 10 + VERDICT_US
    assert early == []
    assert [one.verdict for one in late if isinstance(one, FoundCommand)] == [None]
    assert verdicts(tape.finish()) == [(asked, None), (asked, "block")]


def test_a_verdict_on_an_unknown_command_finds_nothing() -> None:
    tape = Tape()
    tape.event(10, decided(77, "block"))

    assert tape.finish() == []


def test_of_very_many_undecided_commands_the_last_are_remembered() -> None:
    tape = Tape()
    asked = [tape.asked(n) for n in range(MOST_UNDECIDED + 2)]
    tape.event(5_000, ChannelClosed(1, 0, None, 0, 0))
    for seq in (asked[0], asked[-1]):
        tape.event(6_000, decided(seq, "block"))
    decisions = [one for one in tape.finish() if one.verdict]

    assert verdicts(decisions) == [(asked[-1], "block")]
