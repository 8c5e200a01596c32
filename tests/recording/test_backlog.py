"""What is held back while nothing can be written."""

from __future__ import annotations

from dataclasses import replace

from watchgate.recording.backlog import Backlog
from watchgate.recording.desk import Batch, Stamped, of_events
from watchgate.session.events import (
    CommandRequested,
    Envelope,
    Event,
    RecordingGap,
    SessionClosed,
)

GAP = RecordingGap(100, 5, "full")
CLOSED = SessionClosed("client", "", None, 0, 0)


def stamped(number: int, event: Event) -> Stamped:
    return number, Envelope(number, "s", number, event)


def batch(*events: Event, octets: int = 0) -> Batch:
    given = [stamped(number, event) for number, event in enumerate(events)]
    return replace(of_events(given), octets=octets)


def kinds(given: list[Stamped]) -> list[str]:
    return [envelope.event.kind for _, envelope in given]


def test_events_are_kept_up_to_the_bound_and_the_end_always() -> None:
    backlog = Backlog(1000)
    backlog.keep(batch(*[CommandRequested(1, "x" * 100)] * 50, GAP, CLOSED))

    _, kept = backlog.written()

    assert kinds(kept)[-2:] == ["recording.gap", "session.closed"]
    assert 2 < len(kept) < 8


def test_a_gap_does_not_count_what_got_into_the_file_after_all() -> None:
    backlog = Backlog(1000)
    backlog.hold(b"frames", batch(octets=30))
    backlog.keep(batch(GAP))

    recovered, kept = backlog.written()

    assert recovered == 30
    assert kept[0][1].event == RecordingGap(70, 5, "full")
    assert backlog.written() == (0, [])


def test_the_last_words_fit_into_the_reserve() -> None:
    backlog = Backlog(1 << 20)
    backlog.hold(b"frames", batch(CommandRequested(1, "first")))
    backlog.keep(batch(*[CommandRequested(1, "x" * 1000)] * 200, GAP, CLOSED))

    words = backlog.last_words()

    assert kinds(words)[0] == "command.requested"
    assert kinds(words)[-2:] == ["recording.gap", "session.closed"]
    assert sum(map(len, of_events(words).encoded)) < 26_000


def test_a_lost_recording_keeps_only_its_end() -> None:
    backlog = Backlog(1000)
    backlog.keep_end(batch(CommandRequested(1, "late"), CLOSED))

    assert kinds(backlog.last_words()) == ["session.closed"]
