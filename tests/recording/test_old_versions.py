"""Recordings of every version that was ever released are read as they were made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from make_fixture import expected

from watchgate.recording.auditors import load_identities
from watchgate.recording.keys import EvidencePublicKey
from watchgate.recording.reader import Recording
from watchgate.recording.verify import State, verify

DATA = Path(__file__).with_name("data")
VERSIONS = sorted(path.stem for path in DATA.glob("*.wgr"))


def test_there_are_old_recordings() -> None:
    assert "v1" in VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_recording_is_read_as_it_was_made(version: str) -> None:
    values = json.loads((DATA / f"{version}.expected.json").read_text())
    identities = load_identities(DATA / f"{version}.identity")

    with Recording.open(DATA / f"{version}.wgr", identities) as recording:
        records = list(recording.records())
        events = list(recording.events())
        assert json.loads(recording.header.to_json()) == values["header"]
        assert recording.duration_us == values["duration_us"]
        late = list(recording.records(100_000_000))
    assert expected(records) == values["records"]
    assert late == [record for record in records if record.t_us >= 100_000_000]
    assert events[-1].event.kind == "session.closed"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_recording_is_intact(version: str) -> None:
    keys = EvidencePublicKey.load(DATA / f"{version}.evidence.pub")

    found = verify(DATA / f"{version}.wgr", keys)

    assert found.state is State.INTACT
    assert found.notes == ({"note": "clock", "jump_us": -3_600_000_000},)
