"""`ssh bob@gate approvals`: what an approver reads, and what he may say."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from identity_world import World, fresh
from test_approving import Stage, request, rows

from watchgate.catalog.approvals import State
from watchgate.catalog.thread import CatalogThread
from watchgate.errors import ConfigurationError, NotFound, Refused, WatchgateError
from watchgate.identity import operators
from watchgate.identity.answering import Answering, visible
from watchgate.identity.approving import Approving
from watchgate.session.model import Operator

BOB, CAROL, ALICE = Operator("o2", "Bob"), Operator("o3", "carol"), Operator("o1", "alice")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with fresh(tmp_path) as made:
        with made.change() as change:
            operators.add(change, "alice", roles=["operator", "approver"])
            operators.add(change, "Bob", roles=["approver"])
            operators.add(change, "carol")
        yield made


def answer(
    world: World, line: str, by: Operator = BOB, *, command: str = "rm -rf x"
) -> list[str] | None:
    """The answer to *line*, in which ID stands for a request that waits."""

    async def scenario() -> list[str] | WatchgateError | None:
        thread = CatalogThread(world.catalog)
        try:
            async with (
                Approving(thread, world.clock, wait=60) as approving,
                asyncio.TaskGroup() as group,
            ):
                stage = Stage(world, approving, group)
                waiting = await stage.waiting(request(command=command))
                answering = Answering(approving, thread, world.clock)
                try:
                    return await answering.answer_over_ssh(by, line.replace("ID", stage.id))
                except WatchgateError as error:
                    return error
                finally:
                    waiting.cancel()
        finally:
            thread.close()

    outcome = asyncio.run(scenario())
    if isinstance(outcome, WatchgateError):
        raise outcome
    return outcome


def said(world: World, line: str, by: Operator = BOB, *, command: str = "rm -rf x") -> list[str]:
    """The same for a line that is about approvals."""
    lines = answer(world, line, by, command=command)
    assert lines is not None
    return lines


def test_what_waits_is_listed_with_what_is_left(world: World) -> None:
    (line,) = said(world, "approvals")

    assert line.endswith("alice  root@web1  60 s left  rm -rf x")


@pytest.mark.parametrize(
    ("line", "state", "until"),
    [
        ("approvals approve ID ticket 7", State.APPROVED, 60),
        ("approvals approve ID --for 2h 'ticket 7'", State.APPROVED, 7200),
        ("approvals approve ID --reason='ticket 7' --for=30min", State.APPROVED, 1800),
        ("approvals refuse ID --reason 'ticket 7'", State.REFUSED, None),
    ],
)
def test_an_answer_has_its_reason_and_time(
    world: World, line: str, state: State, until: int | None
) -> None:
    (told,) = said(world, line)
    (row,) = rows(world)

    assert told == f"{state}: alice, rm -rf x"
    assert (row.state, row.answered_by, row.reason) == (state, "Bob", "ticket 7")
    assert row.until_us == (None if until is None else world.clock.wall + until * 1_000_000)


def test_a_request_is_shown_whole_and_harmless(world: World) -> None:
    lines = said(world, "approvals show ID", command="rm \x1b]0;x\x07 \u202e\nls")

    assert "command   rm \\x1b]0;x\\x07 \\u202e\\nls" in lines
    assert "which is  rm -r -f x" in lines
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("by", [CAROL, Operator("o9", "gone")])
def test_only_approvers_read_what_others_want_to_run(world: World, by: Operator) -> None:
    with pytest.raises(Refused) as caught:
        said(world, "approvals", by)

    assert caught.value.code == "approval.not-approver"


def test_nobody_answers_himself_over_ssh_either(world: World) -> None:
    with pytest.raises(Refused, match="his own"):
        said(world, "approvals approve ID because", ALICE)


@pytest.mark.parametrize(
    "line",
    [
        "approvals approve ID",
        "approvals refuse",
        "approvals dance ID now",
        "approvals list all",
        "approvals approve ID 'open",
        "approvals approve ID --for soon because",
        "approvals approve ID --for",
        "approvals " + "x" * 5000,
    ],
)
def test_a_line_that_means_nothing_is_told_how_to_be_written(world: World, line: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        said(world, line)

    assert caught.value.code in ("approval.usage", "approval.no-reason")


def test_an_unknown_id_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        said(world, "approvals show 0000-nothing")


@pytest.mark.parametrize("line", ["", "uptime", "approvalsx", "scp -t /tmp"])
def test_other_lines_are_not_for_it(world: World, line: str) -> None:
    assert answer(world, line) is None


def test_nothing_that_a_terminal_obeys_is_visible() -> None:
    assert visible("a\tb\x9b\udcff") == "a\\tb\\x9b\\udcff"
