"""What is shown: safe, readable, and the same for programs whatever the terminal."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.cli import logs, moments, output
from watchgate.cli.context import Common, Context
from watchgate.clock import ManualClock
from watchgate.errors import ConfigurationError
from watchgate.secret import Secret
from watchgate.session.model import Address
from watchgate.settings import LogSettings


def context(**options: bool) -> Context:
    return Context(Common(data=Path("/gate"), **options), ManualClock())


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_shown(text: str) -> None:
    shown = output.visible(text)

    assert all(c.isprintable() or c == "\n" for c in shown)
    assert "\n" not in output.on_one_line(text)


def test_what_is_harmless_is_shown_as_it_is() -> None:
    assert output.visible("größe 大 rm -rf /") == "größe 大 rm -rf /"


def test_a_secret_does_not_become_json() -> None:
    assert output.plain({"key": Secret("hidden")}) == {"key": "***"}


def test_nouns_become_plain_json() -> None:
    value = {"at": Address("::1", 22), "roles": frozenset({"b", "a"}), "x": (1, None, True)}

    assert output.plain(value) == {"at": "[::1]:22", "roles": ["a", "b"], "x": [1, None, True]}


def test_a_moment_is_joined_by_its_text() -> None:
    value = {"started_at_us": 0, "until_us": 1_000_000, "ended_at_us": None}

    assert output.plain(value)["started_at"] == "1970-01-01T00:00:00.000000Z"
    assert output.plain(value)["until"] == "1970-01-01T00:00:01.000000Z"
    assert "ended_at" not in output.plain(value)


def test_times_are_local_unless_utc_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        local = output.moment(context(), 0)
    finally:
        monkeypatch.undo()
        time.tzset()

    assert local == "1970-01-01 09:00:00"
    assert output.moment(context(utc=True), 0) == "1970-01-01 00:00:00Z"
    assert output.moment(context(), None) == "-"


def test_lengths_and_sizes_are_readable() -> None:
    shown = [output.duration(us) for us in (None, 400_000, 12_000_000, 187_000_000, 3_765_000_000)]

    assert shown == ["-", "0.4 s", "12 s", "3:07", "1:02:45"]
    assert [output.size(n) for n in (None, 812, 1_468_006, 5 << 40)] == [
        *("-", "812 B", "1.4 MiB", "5.0 TiB")
    ]


def test_a_table_in_a_pipe_is_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(context(), [1], {"NAME": ["alice"], "NOTE": ["x" * 200]}, empty="none")
    lines = capsys.readouterr().out.splitlines()

    assert lines == ["NAME   NOTE", "alice  " + "x" * 200]


def test_a_table_on_a_terminal_fits_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    output.table(context(), [1], {"NAME": ["[red]a"], "NOTE": ["y" * 200]}, empty="none")
    shown = capsys.readouterr().out

    assert max(map(len, shown.splitlines())) <= 80
    assert "[red]a" in shown
    assert shown.count("y") == 200


def test_an_empty_table_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(context(), [], {"NAME": []}, empty="Add one.")

    assert capsys.readouterr().out == "Add one.\n"


# --- moments -------------------------------------------------------------------------------------


def test_a_moment_is_a_date_a_duration_or_now() -> None:
    clock = ManualClock(wall=1_000_000_000_000_000)

    assert moments.past("8h", clock) == clock.wall - 8 * 3_600_000_000
    assert moments.coming("30min", clock) == clock.wall + 1_800_000_000
    assert moments.past("now", clock) == clock.wall
    assert moments.past("1970-01-01T00:00:01Z", clock) == 1_000_000
    assert moments.past("1970-01-01T01:00:00+01:00", clock) == 0
    assert moments.past(None, clock) is None


def test_a_moment_without_a_zone_is_meant_locally(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        at = moments.past("1970-01-02 09:00", ManualClock())
    finally:
        monkeypatch.undo()
        time.tzset()

    assert at == 86_400_000_000


@pytest.mark.parametrize("text", ["", "soon", "7", "2026-13-01", "8 fortnights"])
def test_what_is_no_moment_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a moment"):
        moments.coming(text, ManualClock())


# --- the log -------------------------------------------------------------------------------------


def entry(message: str) -> logging.LogRecord:
    return logging.LogRecord("watchgate.app", logging.WARNING, "f", 1, message, (), None)


def test_the_log_is_lines_or_json() -> None:
    text = logs.TextFormatter().format(entry("a\x1b[2Jb"))
    value = json.loads(logs.JsonFormatter().format(entry("a\nb")))

    assert text.endswith(r"Z WARNING watchgate.app: a\x1b[2Jb")
    assert (value["level"], value["message"]) == ("warning", "a\nb")


def test_the_log_is_configured_by_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        logs.configure(LogSettings(level="error", format="json"))
        formatter, chosen = root.handlers[0].formatter, root.level
    finally:
        root.handlers[:] = before
        root.setLevel(level)

    assert isinstance(formatter, logs.JsonFormatter)
    assert chosen == logging.ERROR
