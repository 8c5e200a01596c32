"""Whatever a target prints and whoever types: the reader answers, within its bounds."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st
from live_world import MS, OFF, ON, PROMPT, Sitting

from watchgate.session.model import Device as Kind
from watchgate.terminal.keys import Keys
from watchgate.terminal.live.profiles import profile
from watchgate.terminal.live.reader import LiveReader
from watchgate.terminal.live.strokes import strokes
from watchgate.terminal.screens import open_screen

_PRINTED = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            PROMPT,
            ON,
            OFF,
            b"\r\n",
            b"\x1b[2J\x1b[H",
            b"\x1b[?1049h",
            b"\x1b[?1049l",
            b"\x1bc",
            b"> ",
            b"\x1b[A",
        ]
    ),
)
_TYPED = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(
        [b"ls", b"\t", b"\x1b[A", b"\x12", b"\x03", b"\x1b[200~", b"\x1b[201~", b"\x1b[13u", b"!!"]
    ),
)
_EVENT = st.one_of(
    st.tuples(st.just("printed"), _PRINTED),
    st.tuples(st.just("typed"), _TYPED),
    st.tuples(st.just("enter"), st.sampled_from([b"\r", b"\n", b"\x0f", b"\x1b\r"])),
    st.tuples(
        st.just("size"), st.sampled_from([b"\x00\x00", b"\x01\x01", b"\x50\x18", b"\xff\xff"])
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(Kind)), st.lists(_EVENT, max_size=40))
def test_nothing_makes_the_reader_fail_or_wait_for_ever(
    kind: Kind, events: list[tuple[str, bytes]]
) -> None:
    reader = LiveReader(80, 24, open_screen, profile(kind))
    keys, t_us = Keys(), 0
    for name, octets in events:
        t_us += 5 * MS
        if name == "printed":
            reader.printed(t_us, octets)
        elif name == "size":
            reader.resized(t_us, octets[0], octets[1])
        else:
            for stroke in [s for k in keys.feed(t_us, octets) for s in strokes(k)]:
                if not reader.accepts(stroke):
                    reader.typed(t_us, stroke)
                    continue
                reader.hold(t_us, stroke, 0)
                held = t_us
                while (line := reader.settled(t_us)) is None:
                    due = reader.due
                    assert due is not None
                    t_us = max(due, t_us + 1)
                reader.passed(t_us, line)

                assert t_us - held <= 2_500 * MS
        reader.appeared(t_us)

    assert reader.due is None


def test_a_flood_while_a_key_is_held_costs_only_so_many_looks() -> None:
    sitting = Sitting()
    sitting.shows(PROMPT)
    sitting.types(b"touch HIT", echo=False)
    (stroke,) = [s for k in Keys().feed(sitting.t_us, b"\r") for s in strokes(k)]
    sitting.reader.hold(sitting.t_us, stroke, 0)
    begun = time.process_time()
    for at in range(3000):
        sitting.reader.printed(sitting.t_us + at, b"a line of a flood\r\n" * 800)
        assert sitting.reader.settled(sitting.t_us + at) is None

    assert time.process_time() - begun < 5
    assert sitting.reader.settled(sitting.t_us + 500 * MS) is not None
