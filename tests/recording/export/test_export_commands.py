"""The table of commands."""

from __future__ import annotations

import csv
import io
import json

from export_tapes import STARTED, Tape, exported

from watchgate.recording.export.commands import FIELDS
from watchgate.session.events import (
    ChannelOpened,
    CommandDecided,
    CommandFinished,
    CommandRequested,
)

Rows = list[dict[str, str]]


def table(tape: Tape) -> Rows:
    (octets,) = exported("commands", tape)
    return list(csv.DictReader(io.StringIO(octets.decode(), newline="")))


def two_channels() -> Tape:
    """A shell in which `ls` was typed, and beside it a command that ended."""
    tape = Tape().shell(0).out(100, b"$ ")
    tape.typed(2000, b"ls").out(2001, b"ls").typed(2200, b"\r").out(2201, b"\r\nbin\r\n$ ")
    tape.event(3000, ChannelOpened(2, "exec")).event(3001, CommandRequested(2, "make,all"))
    number = len(tape.records) - 1
    tape.event(5001, CommandFinished(2, number, 2, None, 2_000_000))
    return tape.closed(6000, 0).closed(6000, 2, channel=2)


def test_every_channel_is_in_it_in_the_order_of_time() -> None:
    rows = table(two_channels())

    assert [(row["command"], row["channel"], row["confidence"]) for row in rows] == [
        ("ls", "1", "inferred"),
        ("make,all", "2", "exact"),
    ]
    assert rows[1]["exit_status"] == "2"
    assert rows[1]["duration_s"] == "2.0"
    assert rows[1]["time"].startswith("2026-11-21T09:30:03")


def test_a_cell_is_never_a_formula() -> None:
    rows = table(Tape().exec(0, '=cmd|"/c calc"!A1').closed(10))

    assert rows[0]["command"] == '\'=cmd|"/c calc"!A1'


def test_lines_of_json_say_the_same() -> None:
    (octets,) = exported("commands-json", two_channels())
    rows = [json.loads(line) for line in octets.decode().splitlines()]

    assert [row["command"] for row in rows] == ["ls", "make,all"]
    assert tuple(rows[0]) == FIELDS
    assert rows[0]["exit_status"] is None
    assert rows[1]["offset_s"] == 3.001
    assert STARTED % 1_000_000 == 250_000


def test_a_command_that_never_ended_is_there_all_the_same() -> None:
    tape = Tape().exec(0, "sleep 1\n\x1b[2J\udcff")

    assert [row["command"] for row in table(tape)] == ["sleep 1\\x0a\\x1b[2J\\xff"]


def decided(seq: int, outcome: str, *rules: str) -> CommandDecided:
    return CommandDecided(
        *(1, seq, "rm -rf /", ["rm -r -f /"], [], outcome, list(rules), [], "high", 25, 25, 39),
        *("exact", "exec", "ab" * 32),
    )


def judged() -> Tape:
    """A command that waited for an approval and got it, and one that was blocked."""
    tape = Tape().exec(0, "reboot")
    tape.event(0, decided(1, "approve", "ask")).event(5000, decided(1, "allow", "ask", "by-night"))
    tape.event(6000, CommandRequested(1, "rm -rf /")).event(6000, decided(4, "block", "no-rm"))
    tape.event(7000, CommandFinished(1, 1, 3, None, 10))
    return tape.closed(8000)


def test_a_command_has_one_row_with_what_was_decided_last() -> None:
    rows = table(judged())

    assert [(row["command"], row["verdict"], row["rules"]) for row in rows] == [
        ("reboot", "allow", "ask by-night"),
        ("rm -rf /", "block", "no-rm"),
    ]
    assert [(row["severity"], row["exit_status"]) for row in rows] == [("high", "3"), ("high", "")]


def test_in_json_the_rules_are_a_list() -> None:
    (octets,) = exported("commands-json", judged())
    rows = [json.loads(line) for line in octets.decode().splitlines()]

    assert [row["rules"] for row in rows] == [["ask", "by-night"], ["no-rm"]]
