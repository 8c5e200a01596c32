"""From records to documents: the same in any pieces, and only what the policy wants."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from indexing_world import OUTPUT, Desk, executed, worked

from watchgate.catalog.search.model import Document, Kind
from watchgate.indexing.documents import INFERRED, ROOM, DocumentReader
from watchgate.recording.format import Record
from watchgate.session.events import (
    ChannelOpened,
    CommandDecided,
    CommandRequested,
    Envelope,
    Event,
    PolicyFrozen,
)
from watchgate.session.model import IndexPolicy
from watchgate.session.ports import RecordKind
from watchgate.terminal.screens import open_screen

STARTED = 1_780_000_000_000_000


@cache
def recorded(index: str | None = "screen") -> tuple[Record, ...]:
    """The records of a session with shells and executed commands."""
    with tempfile.TemporaryDirectory() as directory:
        desk = Desk.at(Path(directory))
        return tuple(desk.records(asyncio.run(worked(desk, index))))


def documents(*pieces: tuple[Record, ...]) -> list[Document]:
    reader = DocumentReader(STARTED, open_screen)
    found = [document for piece in pieces for document in reader.take(piece)]
    return found + list(reader.finish())


def texts(found: list[Document], kind: Kind) -> list[str]:
    return [document.text for document in found if document.kind is kind]


def with_policy(policy: object) -> tuple[Record, ...]:
    event = PolicyFrozen("0", {"index": policy})
    data = Envelope(STARTED, "s", 4, event).to_json().encode()
    first = recorded()[0]
    return (replace(first, data=data), *recorded()[1:])


def test_commands_are_exact_where_they_were_asked_for_and_inferred_where_they_were_typed() -> None:
    found = documents(recorded())
    exact = [d for d in found if d.kind is Kind.COMMAND and d.confidence == "exact"]
    inferred = [d for d in found if d.kind is Kind.COMMAND and d.confidence == "inferred"]

    assert [d.text for d in exact] == ["cat /etc/hostname", "systemctl restart nginx"]
    assert all(d.source == "exec" and d.item < INFERRED for d in exact)
    assert sorted(d.text for d in inferred) == [
        "grep -r secret /etc",
        "ls -l /srv",
        "uptime",
        "whoami",
    ]
    assert sorted(d.item - INFERRED for d in inferred) == [0, 1, 2, ROOM]
    assert {d.channel: d.item - INFERRED >= ROOM for d in inferred} == {0: False, 1: True}


def test_no_two_documents_of_a_kind_have_the_same_number() -> None:
    found = documents(recorded())

    assert len({(d.kind, d.item) for d in found}) == len(found)


def test_times_are_those_of_the_recording() -> None:
    for document in documents(recorded()):
        assert document.at_us == pytest.approx(STARTED + document.offset_us, abs=1000)


def test_all_that_terminals_and_programs_showed_can_be_found() -> None:
    shown = "\n".join(texts(documents(recorded()), Kind.SCREEN))

    for text in ("backup.tar", "root@web1:~# ls -l /srv", "web1", "Job failed", "secret=1"):
        assert text in shown


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, len(recorded())), max_size=10).map(sorted))
def test_in_any_pieces_the_documents_are_the_same(cuts: list[int]) -> None:
    records = recorded()
    ends = [0, *cuts, len(records)]
    pieces = [records[begin:end] for begin, end in pairwise(ends)]

    assert documents(*pieces) == documents(records)


def _rested(records: tuple[Record, ...], chance: Random) -> list[Document]:
    """The documents of *records* by a reader that rests between them, as late as that is allowed or less."""
    reader = DocumentReader(STARTED, open_screen)
    found: list[Document] = []
    for before, record in pairwise((records[0], *records)):
        until_us = chance.choice((before.t_us, record.t_us, chance.randint(0, record.t_us)))
        due_us = reader.due_us
        fresh = list(reader.rest(until_us))
        assert not fresh or (due_us is not None and due_us <= until_us)
        found += [*fresh, *reader.take([record])]
    return found + list(reader.finish())


def _by_number(found: list[Document]) -> dict[tuple[Kind, int], Document]:
    numbered = {(document.kind, document.item): document for document in found}
    assert len(numbered) == len(found)
    return numbered


@settings(max_examples=50, deadline=None)
@given(st.randoms(use_true_random=False))
def test_resting_changes_no_document_and_no_number(chance: Random) -> None:
    records = recorded()

    assert _by_number(_rested(records, chance)) == _by_number(documents(records))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, len(recorded())))
def test_a_recording_that_breaks_off_after_a_silence_gives_what_it_gave_in_it(end: int) -> None:
    records = recorded()[:end]
    reader = DocumentReader(STARTED, open_screen)
    found = list(reader.take(records))
    found += reader.rest(records[-1].t_us + 3_600_000_000)
    found += reader.finish()

    assert _by_number(found) == _by_number(documents(records))


def test_commands_only_where_the_policy_says_so() -> None:
    found = documents(with_policy("commands"))

    assert len(texts(found, Kind.COMMAND)) == 6
    assert texts(found, Kind.SCREEN) == []


def test_a_recording_of_an_older_version_is_read_for_its_commands() -> None:
    assert documents(recorded(None)) == documents(with_policy("commands"))


@pytest.mark.parametrize("policy", ["off", "everything", 7, ["screen"]])
def test_nothing_where_the_policy_says_off_or_what_nobody_knows(policy: object) -> None:
    reader = DocumentReader(STARTED, open_screen)

    assert list(reader.take(with_policy(policy))) == []
    assert list(reader.finish()) == []
    assert reader.off
    assert reader.policy is IndexPolicy.OFF


def test_the_end_of_a_channel_gives_what_a_program_printed(tmp_path: Path) -> None:
    desk = Desk.at(tmp_path)

    async def session() -> Path:
        recorder = await desk.open("screen")
        executed(recorder, 0, "printf half", b"half a line")
        await desk.turn()
        recorder.event(ChannelOpened(1, "exec"))
        recorder.octets(OUTPUT, 1, b"still open")
        return await desk.seal(recorder)

    records = desk.records(asyncio.run(session()))
    reader = DocumentReader(STARTED, open_screen)
    before = list(reader.take(records))
    after = list(reader.finish())

    assert texts(before, Kind.SCREEN) == ["half a line"]
    assert texts(after, Kind.SCREEN) == ["still open"]
    assert {d.source for d in after} == {"output"}


def test_octets_of_a_channel_that_nobody_opened_are_read_as_plain_text() -> None:
    policy = with_policy("screen")[0]
    stray = Record(policy.t_us + 1, RecordKind.OUTPUT, 9, b"stray\n")

    assert texts(documents((policy, stray)), Kind.SCREEN) == ["stray"]


def told(event: Event, seq: int) -> Record:
    data = Envelope(STARTED, "s", seq, event).to_json().encode()
    return replace(recorded()[0], t_us=seq * 1000, data=data)


def verdict(outcome: str) -> CommandDecided:
    return CommandDecided(
        *(7, 1_000_001, "reboot", ["reboot"], [], outcome, ["ask"], [], "high", 25, 25, 39),
        *("exact", "integration", "ab" * 32),
    )


def test_a_command_that_was_decided_twice_is_the_same_document_twice() -> None:
    found = documents(
        (
            told(ChannelOpened(7, "shell", "xterm", 80, 24, told=True), 1_000_000),
            told(CommandRequested(7, "reboot", "integration"), 1_000_001),
            told(verdict("approve"), 1_000_002),
            told(verdict("allow"), 1_000_003),
        )
    )

    assert [(one.item, one.text, one.verdict, one.severity) for one in found] == [
        (1_000_001, "reboot", "approve", "high"),
        (1_000_001, "reboot", "allow", "high"),
    ]
    assert replace(found[0], verdict="allow") == found[1]
