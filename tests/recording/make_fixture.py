"""Makes tests/recording/data: a recording of this version, which every later version must read.

Run it once per format version, never again for an old one:
`PYTHONPATH=src python tests/recording/make_fixture.py v1`.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from pathlib import Path

from recording_world import ERROR, INPUT, OUTPUT, RESIZE, World

from watchgate.recording.format import Record
from watchgate.session.events import ChannelOpened, CommandRequested, text

DATA = Path(__file__).with_name("data")


async def session(world: World) -> Path:
    """A little of everything: both tracks, several segments, awkward octets, a clock that jumps."""
    recorder = await world.open()
    recorder.event(ChannelOpened(1, "shell", "xterm", 80, 24))
    recorder.octets(RESIZE, 1, b"80x24")
    recorder.octets(OUTPUT, 1, b"\x1b[1mroot@web1\x1b[0m:~# ")
    for minute in range(4):
        recorder.octets(INPUT, 1, b"cat /etc/passwd\r" * (minute * 3 + 1))
        recorder.octets(OUTPUT, 1, b"root:x:0:0\r\n\xff\xfe\0 \xc3\xa9\r\n" * 20)
        recorder.octets(ERROR, 2, b"cat: nothing\n")
        recorder.event(CommandRequested(2, text(b"caf\xc3\xa9 \xff")))
        await world.turn(61)
        await world.turn(0.4)
    world.clock.jump(-3600)
    recorder.octets(OUTPUT, 1, b"logout\r\n")
    return await world.sealed(recorder)


def expected(records: list[Record]) -> list[list[object]]:
    """Records as JSON values."""
    return [[r.t_us, int(r.kind), r.channel, r.data.hex()] for r in records]


def main(name: str) -> None:
    if (DATA / f"{name}.wgr").exists():
        raise SystemExit(f"{name} exists; an old version's recording is never made again")
    with tempfile.TemporaryDirectory() as temporary:
        world = World.at(Path(temporary), minimum_free=0)
        path = asyncio.run(session(world))
        DATA.mkdir(exist_ok=True)
        shutil.copy(path, DATA / f"{name}.wgr")
        shutil.copy(path.with_suffix(".key"), DATA / f"{name}.key")
        shutil.copy(Path(temporary) / "auditor.key", DATA / f"{name}.identity")
        (DATA / f"{name}.evidence.pub").write_text(world.evidence.public.line() + "\n")
        with world.read(path) as recording:
            values = {
                "header": json.loads(recording.header.to_json()),
                "duration_us": recording.duration_us,
                "records": expected(list(recording.records())),
            }
        (DATA / f"{name}.expected.json").write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
