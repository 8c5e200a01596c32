"""Which trigrams the index is asked for, and which files and numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.catalog.search.model import Kind, Mode, Query
from watchgate.catalog.search.months import (
    CROWDED,
    LATEST_US,
    MonthFile,
    file_of,
    files_in,
    month_of,
    places,
    second_of,
)
from watchgate.catalog.search.planning import expressions, plan, quoted

CLAUSE = frozenset({"systemctl"})


def test_the_rarest_trigrams_are_asked_for() -> None:
    rare = {"sys", "emc", "mct"}

    (expression,) = expressions([CLAUSE], lambda trigram: 0.001 if trigram in rare else 0.9)

    # `mct` is a neighbor of `emc`: what has the one has the other.
    assert expression == '(("sys" AND "emc" AND "ste" AND "ctl"))'


def test_few_rare_trigrams_are_enough() -> None:
    (expression,) = expressions([frozenset({"abcdefghijklmnopqrstuvwxyz"})], lambda _: 0.0)

    assert expression.count("AND") == 3


def test_of_common_trigrams_all_are_asked_for() -> None:
    (expression,) = expressions([CLAUSE], lambda _: 0.9)

    assert expression.count("AND") == len("systemctl") - 3


def test_alternatives_are_alternatives() -> None:
    (expression,) = expressions([frozenset({"halt", "poweroff"})], lambda _: 0.9)

    assert expression.startswith('(("hal" AND "alt") OR ("')


def test_quotes_are_quoted() -> None:
    assert quoted('a"b') == '"a""b"'


def test_the_longest_literals_of_an_expression_are_chosen() -> None:
    found = plan(Query("abc.*longer one.*de f.*middle.*xyz.*(other|thing)", Mode.REGEX))

    assert [sorted(clause)[0] for clause in found.clauses] == [
        "longer one",
        "middle",
        "other",
        "de f",
    ]


def test_empty_filters_filter_nothing() -> None:
    assert plan(Query("abc", operator="", target="web1")).facets == {"target": "web1"}


# --- files and numbers -----------------------------------------------------------------------------


@given(st.integers(0, LATEST_US))
def test_a_moment_lies_in_its_month(at_us: int) -> None:
    file = MonthFile(month_of(at_us), Kind.COMMAND)

    assert file.start_us <= at_us < file.end_us
    assert month_of(file.end_us - 1) == file.month
    assert file_of(file.name) == file


@given(st.integers(0, 31 * 86_400 - 1), st.booleans())
def test_numbers_follow_the_seconds(second: int, crowded: bool) -> None:
    numbers = places(second, crowded=crowded)

    assert second_of(numbers[0]) == second_of(numbers[-1]) == second
    assert places(second + 1, crowded=crowded)[0] == numbers[-1] + 1
    assert (numbers[0] >= CROWDED) == crowded
    assert numbers[-1] < 1 << 63


def test_months_of_the_year_follow_each_other() -> None:
    december = MonthFile("2026-12", Kind.SCREEN)

    assert december.name == "screens-2026-12.db"
    assert december.end_us == int(datetime(2027, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    "name",
    [
        *("commands-2026-13.db", "commands-0000-01.db", "progress.db", "commands-2026-11.db-wal"),
        *("screen-2026-11.db", "commands-2026-11.db.damaged-x", "commands-2026-1.db", "x"),
    ],
)
def test_other_files_are_left_alone(name: str) -> None:
    assert file_of(name) is None


def test_the_newest_month_is_first(tmp_path: Path) -> None:
    for name in ("commands-2026-11.db", "screens-2026-12.db", "commands-2026-12.db", "other"):
        (tmp_path / name).touch()

    assert [file.month for file in files_in(tmp_path)] == ["2026-12", "2026-12", "2026-11"]
    assert files_in(tmp_path / "missing") == []
    assert files_in(tmp_path / "other") == []
