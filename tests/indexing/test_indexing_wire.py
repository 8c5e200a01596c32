"""Lines between the gateway and its worker: what is said is understood, what is not is refused."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.catalog.search.model import About
from watchgate.indexing.wire import (
    LINE_LIMIT,
    Begin,
    Done,
    Finish,
    Lines,
    Order,
    Reading,
    Resting,
    Said,
    SetAside,
    Stuck,
    Told,
    pack_said,
    pack_told,
    parse_said,
    parse_told,
)
from watchgate.recording.tracks import TrackKeys
from watchgate.secret import Secret

ABOUT = About("s1", "r1", "alice\udc80", "root", "web1", "ssh", 17)
ORDER = Order(
    ABOUT, Path("/r/one.wgr"), Path("/spool"), TrackKeys(Secret(b"k" * 32), Secret(b"i" * 32))
)


@pytest.mark.parametrize(
    "told",
    [
        Begin(Path("/index")),
        Finish(),
        SetAside("r1", "s1", "it hangs"),
        ORDER,
        Order(ABOUT, Path("/r/one.wgr"), None, TrackKeys(Secret(b"k" * 32), None), whole=True),
    ],
    ids=lambda told: type(told).__name__,
)
def test_what_the_worker_is_told_survives_the_way(told: Told) -> None:
    line = pack_told(told)

    assert parse_told(line) == told
    assert line.count(b"\n") == 1
    assert line.isascii()


@pytest.mark.parametrize(
    "said",
    [
        Reading("r1"),
        Resting(),
        Done("r1", True, 7, "why"),
        Stuck("the disk is full"),
        Stuck("gone", lost=True),
    ],
    ids=lambda said: type(said).__name__,
)
def test_what_the_worker_says_survives_the_way(said: Said) -> None:
    assert parse_said(pack_said(said)) == said


def test_keys_do_not_show() -> None:
    assert "kkkk" not in repr(ORDER)
    assert "a2tra2" not in repr(ORDER)


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"{}", b"[]", b"null", b'"follow"', b"\xff", b"[" * 100_000),
        *(b'{"do":"dance"}', b'{"do":"begin"}', b'{"do":"follow","about":{}}'),
        pack_told(ORDER).replace(b"a2tra2", b"a2t", 1),
        pack_told(ORDER).replace(b"a2tra2", b"\\u00e9", 1),
    ],
)
def test_a_broken_order_is_refused_without_quoting_it(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse_told(line)

    assert "a2tr" not in str(refused.value)


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"{}", b"[]", b"7", b"\xff", b"[" * 100_000, b'{"said":"hello"}'),
        *(b'{"said":"reading"}', b'{"said":"reading","recording":7}'),
        *(b'{"said":["reading"]}', b'{"said":"resting","more":1}'),
        b'{"said":"done","recording":"r","complete":1,"documents":0,"problem":""}',
        b'{"said":"done","recording":"r","complete":true,"documents":true,"problem":""}',
    ],
)
def test_a_broken_worker_is_not_believed(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_said(line)


def test_reasons_of_a_broken_worker_are_bounded_and_harmless() -> None:
    said = parse_said(pack_said(Stuck("\x1b]0;owned\x07\n" + "x" * 100_000)))

    assert isinstance(said, Stuck)
    assert said.reason.startswith("\\x1b]0;owned\\x07\\n")
    assert len(said.reason) < 1100


@given(st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")), max_size=6), st.data())
def test_lines_are_the_same_in_any_pieces(lines: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    ends = [0, *cuts, len(stream)]
    splitter = Lines()
    found = [line for begin, end in pairwise(ends) for line in splitter.feed(stream[begin:end])]

    assert found == lines


def test_a_line_beyond_the_bound_is_refused_before_it_ends() -> None:
    splitter = Lines()
    splitter.feed(b"x" * LINE_LIMIT)

    with pytest.raises(ValueError, match="more than"):
        splitter.feed(b"x")
