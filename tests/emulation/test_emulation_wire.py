"""What the gateway and its emulating process say: everything comes through, and nonsense is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.emulation.wire import (
    LONGEST,
    Frame,
    Frames,
    Op,
    Picture,
    numbers,
    pack_styled,
    parse_styled,
    read_numbers,
)
from watchgate.terminal.screen import Line, Run, Style

frames = st.builds(Frame, st.sampled_from(Op), st.integers(0, 2**31 - 1), st.binary(max_size=300))
pictures = st.integers(1, 6).flatmap(
    lambda rows: st.builds(
        Picture,
        st.just(80),
        st.just(rows),
        st.tuples(st.integers(0, 80), st.integers(0, rows - 1)),
        st.booleans(),
        st.lists(
            st.builds(Line, st.text(max_size=90), st.booleans()), min_size=rows, max_size=rows
        ).map(tuple),
        st.dictionaries(
            st.integers(1, 99), st.none() | st.tuples(st.integers(0, 80), st.integers(-500, 24))
        ),
    )
)
colors = st.none() | st.integers(0, 255) | st.tuples(*[st.integers(0, 255)] * 3)
runs = st.builds(
    Run,
    st.text(max_size=9),
    st.integers(0, 80),
    st.builds(Style, foreground=colors, dim=st.booleans()),
)


@given(st.lists(frames), st.integers(1, 400))
def test_frames_come_through_however_they_are_cut(sent: list[Frame], piece: int) -> None:
    octets = b"".join(frame.packed() for frame in sent)
    taker = Frames()

    taken = [
        frame
        for at in range(0, len(octets), piece)
        for frame in taker.feed(octets[at : at + piece])
    ]

    assert taken == sent


@given(pictures)
def test_a_picture_comes_through(picture: Picture) -> None:
    assert Picture.parse(picture.packed()) == picture


@given(st.lists(st.lists(runs).map(tuple)).map(tuple))
def test_runs_come_through(rows: tuple[tuple[Run, ...], ...]) -> None:
    assert parse_styled(pack_styled(rows)) == rows


@given(st.lists(st.integers(-(2**31), 2**31 - 1)))
def test_numbers_come_through(values: list[int]) -> None:
    assert read_numbers(numbers(*values)) == tuple(values)


@given(st.binary())
def test_octets_that_are_nothing_are_refused_and_raise_nothing_else(octets: bytes) -> None:
    for parse in (Picture.parse, parse_styled, read_numbers, lambda data: [*Frames().feed(data)]):
        try:
            parse(octets)
        except ValueError:
            continue


GOOD = {
    "size": [80, 1],
    "cursor": [0, 0],
    "alternate": False,
    "lines": [""],
    "wrapped": [],
    "places": [],
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": [80]},
        {"size": [0, 1]},
        {"size": [80, 10_000]},
        {"size": [80, 2]},
        {"size": "80x1"},
        {"size": [80.0, 1]},
        {"cursor": [0, 1]},
        {"cursor": [-1, 0]},
        {"cursor": [81, 0]},
        {"cursor": [True, 0]},
        {"lines": [1]},
        {"lines": None},
        {"wrapped": ["0"]},
        {"places": {}},
        {"places": [[1, 2]]},
        {"places": [[1, 2, 3, 4]]},
        {"places": [[]]},
        {"places": [[1]] * 5000},
    ],
    ids=repr,
)
def test_a_picture_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    Picture.parse(json.dumps(GOOD).encode())

    with pytest.raises(ValueError, match=r"."):
        Picture.parse(json.dumps(GOOD | wrong).encode())


@pytest.mark.parametrize(
    "payload",
    [b"[]", b"nothing", b"[" * 100_000, b'{"rows": [[["a"]]]}', b'{"rows": [1]}', b"\xff"],
)
def test_what_is_no_answer_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_styled(payload)


def test_a_frame_that_claims_to_be_huge_is_refused_before_it_is_kept() -> None:
    head = Frame(Op.ANSWER, 1).packed()[4:]

    with pytest.raises(ValueError, match="too long"):
        [*Frames().feed((LONGEST + 1).to_bytes(4, "big") + head)]
