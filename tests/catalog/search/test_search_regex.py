"""What a text must hold for a regular expression to match it."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from watchgate.catalog.search.regex import required
from watchgate.catalog.search.text import fold

CASES = {
    "systemctl": [{"systemctl"}],
    r"curl .*\| *(ba)?sh": [{"curl "}],
    "rm -[rf]+ /": [{"rm -f", "rm -r"}, {"f /", "r /"}],
    "(foo|barx)baz": [{"foobaz", "barxbaz"}],
    "foo.*bar|qux.*zzz": [{"foo", "qux"}],
    "a+bc{2,}d": [{"abcc"}],
    "ab+cd": [{"bcd"}],
    "(abc)+": [{"abc"}],
    "(abc){3}": [{"abcabcabc"}],
    "x(abc)?yz": [{"xyz", "xabcyz"}],
    "abc*": [],
    "abcd*": [{"abc"}],
    "a.b.c": [],
    r"\d{3}-\w+": [],
    "[Rr]oot": [{"root"}],
    "[a-z]root[0-9]": [{"root"}],
    "[^a]bcd": [{"bcd"}],
    "[]a]bcd": [{"]bcd", "abcd"}],
    "[[:alpha:]]xyz": [{"xyz"}],
    r"\Qa.b\Ecc": [{"a.bcc"}],
    r"\Qa.b": [{"a.b"}],
    "(?i:ABC)d": [{"abcd"}],
    "(?i)ABC": [{"abc"}],
    "(?P<name>abc)(?:d)": [{"abcd"}],
    "x{,3}y": [{"x{,3}y"}],
    "a{2}bc": [{"aabc"}],
    r"\x{61}\x62c\143": [{"abcc"}],
    r"^root:\$6\$": [{"root:$6$"}],
    r"\bpasswd\b": [{"passwd"}],
    r"\pLabc\p{Greek}def": [{"abc"}, {"def"}],
    "ÄRGER": [{"ärger"}],
    "a|": [],
    "": [],
    r"abc\x00def": [{"abc"}, {"def"}],
    r"abc[\x00-\x02]": [{"abc"}],
    "(" * 60 + "abc" + ")" * 60: [],
}


@pytest.mark.parametrize(("pattern", "clauses"), CASES.items(), ids=[*CASES])
def test_the_literals_of_a_pattern_are_found(pattern: str, clauses: list[set[str]]) -> None:
    re2.compile(pattern)

    assert [set(clause) for clause in required(pattern)] == clauses


_ATOMS = st.one_of(
    st.sampled_from(["a", "b", "c", "K", "ä", " ", "-", ".", "^", "$", r"\b", r"\d", r"\w"]),
    st.sampled_from([r"\.", r"\x61", r"\x{62}", r"\143", r"\pL", "[ab]", "[^a]", "[a-c]", "[]a]"]),
    st.sampled_from(["[[:alpha:]]", r"[\d-]", r"\Qa.\E", "[a-]", r"\t", "(?i)", "{", "a{,2}", "é"]),
)
_PATTERNS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        inner.map("({})".format),
        inner.map("(?:{})".format),
        inner.map("(?P<n>{})".format),
        st.tuples(
            inner.map("(?:{})".format),
            st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "{0}", "+?", "{6}"]),
        ).map("".join),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{3,}"])).map("".join),
    ),
    max_leaves=12,
)


@settings(max_examples=1500)
@given(_PATTERNS, st.lists(st.text("abcKkäé .-{,}2tAB\n", max_size=40), min_size=8, max_size=8))
def test_every_text_that_matches_has_what_is_required(pattern: str, texts: list[str]) -> None:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error:
        return
    clauses = required(pattern)

    for text in texts:
        match = compiled.search(text)
        if match is not None:
            folded = fold(text)
            assert all(any(literal in folded for literal in clause) for clause in clauses)
