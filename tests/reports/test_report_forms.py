"""The forms of a report: the same octets for the same data, and no text that is more than text."""

from __future__ import annotations

import base64
import csv as stdlib_csv
import hashlib
import io
import re
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_world import HOSTILE, action, activity, everything

from watchgate.reports import csv, html, markdown, tabular, words
from watchgate.reports.forms import FORMS
from watchgate.reports.style import STYLE


@pytest.mark.parametrize("form", FORMS)
def test_the_same_data_gives_the_same_octets(form: str) -> None:
    assert FORMS[form](everything()) == FORMS[form](everything())


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_who_did_what_when_and_with_what_proof(form: str) -> None:
    said = FORMS[form](everything()).replace("\\", "")

    for words_in in (
        "alice",
        "web1",
        "uptime",
        "inferred",
        "2026-11-21 02:31:23 +00:00",
        "no grant",
        "3 attempts",
        "ef" * 32,
        "cd" * 32,
        "intact",
        "--at 0:01:23",
        "ticket 7",
    ):
        assert words_in in said


def test_moments_are_those_of_the_zone_which_is_named() -> None:
    said = markdown.render(activity(action(), zone=ZoneInfo("Europe/Berlin"))).replace("\\", "")

    assert "2026-11-21 03:31:23 +01:00" in said
    assert "(Europe/Berlin)" in said


def test_the_report_in_numbers_stands_at_the_top() -> None:
    numbers = dict(words.totals(everything()))

    assert numbers == {
        "sessions": "1 (1:00:00 in all)",
        "commands": "3 (1 inferred)",
        "commands held up": "0",
        "commands of high risk": "0",
        "files uploaded": "1 (1,234,567 B)",
        "files downloaded": "0 (0 B)",
        "files changed": "1",
        "forwarded connections": "1",
        "refused attempts": "3",
        "recordings": "1 intact",
    }


# --- HTML ----------------------------------------------------------------------------------------


class _Tags(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


KNOWN = _Tags(html.render(everything()))
PLAIN = _Tags(html.render(activity(action())))


def test_hostile_text_is_no_markup() -> None:
    assert "script" not in KNOWN.tags
    assert not {name for name in KNOWN.attributes if name.startswith("on") or name == "style"}
    assert "\x1b" not in html.render(everything())
    assert "\u202e" not in html.render(everything())


@given(st.text(max_size=200))
def test_no_text_adds_a_tag_or_an_attribute(text: str) -> None:
    page = _Tags(html.render(activity(action(text, outcome=text, how=text))))

    assert page.tags == PLAIN.tags
    assert page.attributes == PLAIN.attributes


def test_a_page_loads_nothing_and_runs_nothing() -> None:
    page = html.render(everything())
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}'" in policy
    assert f"<style>{STYLE}</style>" in page
    assert not re.search(r"\b(?:src|href)=", page)
    assert "url(" not in STYLE
    assert "@import" not in STYLE


# --- Markdown ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("ls", "`ls`"),
        ("a`b", "``a`b``"),
        ("`a`", "`` `a` ``"),
        ("a|b", r"`a\|b`"),
        ("a\nb", r"`a\nb`"),
        ("", "–"),
        ("  ", "–"),
        (" a", "`  a `"),
    ],
)
def test_a_command_is_a_code_span(text: str, span: str) -> None:
    assert markdown.code(text) == span


@pytest.mark.parametrize(
    "text", ["[x](http://y)", "<b>", "# h", "*a*", "_a_", "![i](u)", "a|b", "https://x.example"]
)
def test_text_is_no_markup_in_markdown(text: str) -> None:
    escaped = markdown.escape(text)

    assert re.sub(r"\\(.)", r"\1", escaped) == text
    assert not re.search(r"(?<!\\)[*_#<>|\[\]`:]", escaped)


@given(st.text(max_size=100))
def test_no_text_breaks_a_row_of_a_table(text: str) -> None:
    page = markdown.render(activity(action(text, outcome=text)))
    rows = [line for line in page.split("\n") if "watchgate session play" in line and "|" in line]

    (row,) = [line for line in rows if line.startswith("| 2026")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 6


# --- comma-separated -----------------------------------------------------------------------------


def read(text: str) -> list[list[str]]:
    return list(stdlib_csv.reader(io.StringIO(text, newline="")))


def test_each_action_is_a_row() -> None:
    head, *rows = read(tabular.render(everything()))

    assert tuple(head) == tabular.HEADINGS
    assert {len(row) for row in rows} == {len(head)}
    assert [row[8] for row in rows] == [
        *("session began", "refused", "command", "command", "command"),
        *("file", "file", "forward", "session ended"),
    ]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\n=1", "  =1", "＝1", "\ufeff=1"]
)
def test_a_formula_is_text(text: str) -> None:
    assert csv.cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "cell"),
    [(None, ""), (-5, "-5"), (True, "yes"), ("a,b", "a,b"), ("\udc80\0", r"\udc80\x00")],
)
def test_other_values_stay_what_they_are(value: object, cell: str) -> None:
    assert csv.cell(value) == cell


@given(st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_what_is_written_is_read_back(values: list[str]) -> None:
    written = csv.text(["h"] * len(values), [values])
    (_, row) = read(written)

    assert written.endswith("\r\n")
    assert row == [csv.cell(value) for value in values]


def test_a_hostile_command_is_one_cell() -> None:
    rows = read(tabular.render(activity(action(HOSTILE), action(HOSTILE[-13:]))))

    assert rows[-2][10] == "'=HYPERLINK(1)"
    assert "\x1b" not in tabular.render(activity(action(HOSTILE)))
