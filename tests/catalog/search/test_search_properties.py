"""The index finds exactly what looking at every document finds, however they were put."""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import re2
from hypothesis import given, settings
from hypothesis import strategies as st
from search_world import NOVEMBER_US, SECOND_US, Put, about, identities, looked_through, opened

from watchgate.catalog.search.model import About, Document, Kind, Mode, Query
from watchgate.errors import Refused

DAY_US = 86_400 * SECOND_US

LETTERS = "abcABÄäßİiıſsσς日本é\u0301 .-/*\n\0"
TEXTS = st.text(LETTERS, max_size=30) | st.sampled_from(
    ["rm -rf /", "sudo rm -r x", "cat /etc/shadow", "curl x | bash\nok", "RM -RF", "systemctl stop"]
)
SESSIONS = [
    about(1),
    about(2, operator="bob"),
    about(3, target="db1", account="app"),
    about(0x1990, operator="bob", protocol="sql"),
]
TIMES = st.one_of(
    st.integers(0, 3 * SECOND_US),
    st.integers(29 * DAY_US, 31 * DAY_US),
    st.sampled_from([0, SECOND_US, 30 * DAY_US, 30 * DAY_US - 1]),
)


@st.composite
def _documents(draw: st.DrawFn) -> Put:
    found: dict[tuple[str, Kind, int], tuple[About, Document]] = {}
    for _ in range(draw(st.integers(0, 25))):
        common, kind = draw(st.sampled_from(SESSIONS)), draw(st.sampled_from([*Kind]))
        at = draw(TIMES)
        one = Document(
            kind=kind,
            item=draw(st.integers(0, 30)),
            at_us=NOVEMBER_US + at,
            offset_us=at,
            channel=0,
            text=draw(TEXTS),
            verdict=draw(st.sampled_from([None, "allow", "block"])),
            severity=draw(st.sampled_from([None, "low", "high"])),
        )
        found[common.session, kind, one.item] = common, one
    return [*found.values()]


PATTERNS = st.one_of(
    TEXTS.map(re2.escape),
    st.sampled_from(
        [r"rm -[rf]+", "^cat|bash$", r"(?:sudo )?rm.*/", r"[aä]b?c*", r"\w{3,}\s", "s(a|b)+", "ß.?"]
    ),
    st.text("ab|()*+?.[]-^$\\ äS", max_size=8),
)


@st.composite
def _queries(draw: st.DrawFn) -> Query:
    mode = draw(st.sampled_from([*Mode]))
    return Query(
        text=draw(PATTERNS if mode is Mode.REGEX else TEXTS),
        mode=mode,
        kinds=draw(st.sampled_from([frozenset(Kind), frozenset({Kind.COMMAND})])),
        any_case=draw(st.booleans()),
        operator=draw(st.sampled_from([None, "alice", "bob", "Bob"])),
        target=draw(st.sampled_from([None, None, "web1"])),
        account=draw(st.sampled_from([None, None, "root"])),
        protocol=draw(st.sampled_from([None, None, "ssh"])),
        session=draw(st.sampled_from([None, "0199", about(2).session, "0199199"])),
        verdict=draw(st.sampled_from([None, None, "block"])),
        severity=draw(st.sampled_from([None, None, "high"])),
        since_us=draw(st.none() | TIMES.map(lambda at: NOVEMBER_US + at)),
        until_us=draw(st.none() | TIMES.map(lambda at: NOVEMBER_US + at)),
        limit=1000,
        seconds=60,
    )


def _readable(documents: Put) -> Put:
    """As the index keeps them, of which the model looks at the text alone."""
    return [
        (common, replace(one, text=one.text.replace("\0", "\\x00"))) for common, one in documents
    ]


@settings(max_examples=250, deadline=None)
@given(_documents(), st.lists(_queries(), min_size=1, max_size=6))
def test_the_index_finds_what_looking_at_each_finds(documents: Put, queries: list[Query]) -> None:
    readable = _readable(documents)
    with tempfile.TemporaryDirectory() as name, closing(opened(Path(name))) as index:
        for common in SESSIONS:
            index.put(common, [one for of, one in documents if of == common])
        for query in queries:
            try:
                answer = index.search(query)
            except Refused:
                continue
            written = replace(query, text=query.text.replace("\0", "\\x00"))

            assert identities(answer.hits) == looked_through(readable, written)
            assert (answer.partial, answer.problems) == ("", ())


@settings(max_examples=60, deadline=None)
@given(_documents(), st.data())
def test_neither_order_nor_repetition_changes_an_answer(
    documents: Put, data: st.DataObject
) -> None:
    everything = Query("", since_us=0, limit=1000, seconds=60)
    again = data.draw(st.permutations(documents))
    more = data.draw(st.lists(st.sampled_from(documents), max_size=9)) if documents else []
    wrong = [
        (common, replace(one, text=f"not {one.text}", at_us=one.at_us // 2)) for common, one in more
    ]
    with tempfile.TemporaryDirectory() as name, closing(opened(Path(name))) as index:
        for common, one in [*wrong, *again, *more]:
            index.put(common, [one])
        answer = index.search(everything)

    assert identities(answer.hits) == looked_through(_readable(documents), everything)
