"""`watchgate operator lock` where no gateway serves: the catalog has it for the next one."""

from __future__ import annotations

import pytest

from .command_line import Cli


def test_an_operator_is_locked_and_released_without_a_gateway(gate: Cli) -> None:
    gate.done("operator", "add", "alice")
    gate.done("operator", "add", "bob")
    locked = gate.json("operator", "lock", "alice", "--reason", "left the company")
    again = gate.json("operator", "lock", "alice", "--reason", "again")
    listed = gate.json("operator", "list")
    shown = gate.done("operator", "show", "alice")
    released = gate.json("operator", "unlock", "alice", "--reason", "came back")

    assert locked == again
    assert (locked["operator"], locked["sessions"]) == ("alice", 0)
    assert [one["locked_reason"] for one in listed] == ["left the company", None]
    assert "locked" in shown
    assert "left the company" in shown
    assert released == {"operator": "alice", "was_locked": True}
    assert gate.done("operator", "unlock", "alice", "--reason", "x").endswith("was not locked\n")
    entries = gate.json("journal", "list", "--kind", "operator.*")
    assert [one["kind"] for one in entries] == ["operator.unlocked", "operator.locked"]
    assert entries[1]["data"]["by"].startswith("cli:")


def test_the_list_says_who_is_locked(gate: Cli) -> None:
    gate.done("operator", "add", "alice")
    gate.done("operator", "disable", "alice")
    gate.done("operator", "lock", "alice", "--reason", "x")

    assert "locked, disabled" in gate.done("operator", "list")


@pytest.mark.parametrize("verb", ["lock", "unlock"])
def test_nobody_is_locked_without_a_reason_or_a_name(gate: Cli, verb: str) -> None:
    gate.done("operator", "add", "alice")

    assert gate("operator", verb, "alice").status == 2
    assert gate("operator", verb, "alice", "--reason", " ").status == 2
    assert gate("operator", verb, "nobody", "--reason", "x").status == 3
