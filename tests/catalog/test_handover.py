"""Events on their way into the catalog outlive the process that carries them."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

import pytest
from catalog_world import envelopes, request
from hypothesis import given
from hypothesis import strategies as st

from watchgate.catalog.handover import Handed, Handover
from watchgate.errors import ConfigurationError
from watchgate.session.events import CommandRequested, Envelope, Event, SessionClosed

CLOSED = SessionClosed("client", "", None, 1, 2)


def opened(folder: Path, applied: int = 0, **options: int) -> Handover:
    log = Handover(folder / "handover", **options)
    log.open(applied)
    return log


def hand(log: Handover, number: int = 1, *events: Event, end: int = 100) -> None:
    of = request(number)
    encoded = [one.to_json().encode() for one in envelopes(of, *(events or (CLOSED,)))]
    log.announce(of, encoded, end)


def numbers(handed: list[Handed]) -> list[int]:
    return [one.number for one in handed]


def test_what_one_process_announced_the_next_one_reads(tmp_path: Path) -> None:
    event = CommandRequested(0, 'ls "\udcff\n\0')
    log = opened(tmp_path)
    hand(log, 1, event, CLOSED, end=4711)
    hand(log, 2)
    after = opened(tmp_path)
    first, second = after.behind(0)

    assert first.request == request(1)
    assert first.end == 4711
    assert list(first.envelopes) == envelopes(request(1), event, CLOSED)
    assert second.request == request(2)
    assert after.last == 2


def test_what_the_catalog_has_is_not_read_again(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for number in range(1, 6):
        hand(log, number)

    assert numbers(list(opened(tmp_path, applied=3).behind(3))) == [4, 5]
    assert numbers(list(log.behind(1, until=3))) == [2, 3]


def test_numbers_go_on_behind_what_the_catalog_has(tmp_path: Path) -> None:
    log = opened(tmp_path, applied=70)
    hand(log)

    assert log.last == 71
    assert numbers(list(opened(tmp_path, applied=70).behind(70))) == [71]


def test_what_did_not_get_into_its_recording_is_taken_back(tmp_path: Path) -> None:
    log = opened(tmp_path)
    hand(log, 1)
    hand(log, 2)
    log.withdraw()
    hand(log, 3)
    found = list(opened(tmp_path).behind(0))

    assert [one.request for one in found] == [request(1), request(3)]
    assert numbers(found) == [1, 2]


def test_applied_lines_leave_the_disk(tmp_path: Path) -> None:
    log = opened(tmp_path, segment=1000)
    for number in range(1, 8):
        hand(log, number)
    several = len(list((tmp_path / "handover").iterdir()))
    log.release(6)
    left = numbers(list(log.behind(0)))
    log.release(7)
    texts = [path.read_bytes() for path in (tmp_path / "handover").iterdir()]
    hand(log, 8)

    assert several > 2
    assert 7 in left
    assert 1 not in left
    assert texts == [b""]
    assert numbers(list(opened(tmp_path).behind(0))) == [8]


def test_what_is_announced_and_not_applied_is_never_emptied(tmp_path: Path) -> None:
    log = opened(tmp_path)
    hand(log, 1)
    hand(log, 2)
    log.release(1)

    assert numbers(list(log.behind(1))) == [2]


def test_in_order_nothing_is_left(tmp_path: Path) -> None:
    log = opened(tmp_path)
    hand(log)
    log.close(applied=1)

    assert list((tmp_path / "handover").iterdir()) == []


@given(cut=st.integers(0, 3000))
def test_a_torn_line_costs_only_itself(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("torn")
    log = opened(folder)
    ends = []
    for number in range(1, 4):
        hand(log, number)
        ends.append(log.size)
    (path,) = (folder / "handover").iterdir()
    os.truncate(path, min(cut, ends[-1]))
    after = opened(folder)
    found = numbers(list(after.behind(0)))
    hand(after, 9)

    assert found == [n for n, end in enumerate(ends, 1) if end <= cut]
    assert numbers(list(opened(folder).behind(0))) == [*found, len(found) + 1]


def test_a_damaged_line_is_said_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = opened(tmp_path)
    for number in range(1, 4):
        hand(log, number)
    (path,) = (tmp_path / "handover").iterdir()
    octets = bytearray(path.read_bytes())
    octets[octets.index(b"\n") + 40] ^= 1
    path.write_bytes(octets)
    with caplog.at_level(logging.WARNING):
        found = numbers(list(opened(tmp_path).behind(0)))

    assert found == [1, 3]
    assert "line 2 is damaged" in caplog.text


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    log = opened(tmp_path)
    hand(log)
    log.sync()
    folder = tmp_path / "handover"

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_full_log_is_counted_and_said_and_raises_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = opened(tmp_path, limit=1500)
    with caplog.at_level(logging.WARNING):
        for number in range(1, 11):
            hand(log, number)
    kept = numbers(list(opened(tmp_path).behind(0)))
    log.withdraw()

    assert log.missed == 10 - len(kept) > 0
    assert not log.kept
    assert log.last == len(kept)
    assert caplog.text.count("are not kept on their way") == 1
    assert numbers(list(opened(tmp_path).behind(0))) == kept


@pytest.mark.parametrize("short", [0, 10])
def test_a_full_disk_leaves_no_half_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short: int
) -> None:
    log = opened(tmp_path)
    hand(log, 1)
    real = os.write

    def full(descriptor: int, octets: bytes) -> int:
        if short:
            return real(descriptor, octets[:short])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    hand(log, 2)
    monkeypatch.undo()
    hand(log, 3)

    assert log.missed == 1
    assert log.kept
    assert [one.request for one in opened(tmp_path).behind(0)] == [request(1), request(3)]


def test_a_directory_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "handover").write_text("")
    with pytest.raises(ConfigurationError, match="must be a directory of the user that serves"):
        opened(tmp_path)


def test_an_event_of_a_newer_version_is_kept_as_it_is(tmp_path: Path) -> None:
    log = opened(tmp_path)
    of = request()
    log.announce(
        of, [b'{"at_us":5,"session":"s","seq":3,"kind":"moon.landed","v":9,"data":{"x":1}}'], 1
    )
    (handed,) = opened(tmp_path).behind(0)
    (envelope,) = handed.envelopes

    assert isinstance(envelope, Envelope)
    assert envelope.event.data() == {"x": 1}
