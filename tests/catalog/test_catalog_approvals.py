"""Requests for approval as rows: each leaves `waiting` once, and its journal entry comes with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from catalog_world import fresh
from sqlalchemy import select

from watchgate.catalog import approvals, journal
from watchgate.catalog.approvals import Asked, State
from watchgate.catalog.database import Catalog
from watchgate.catalog.schema import approval
from watchgate.clock import ManualClock
from watchgate.errors import NotFound

MINUTE = 60_000_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[Catalog, ManualClock]]:
    with fresh(tmp_path) as made:
        yield made


def asked(clock: ManualClock, number: int = 1, command: str = "rm -rf /srv/old") -> Asked:
    return Asked(
        id=f"0190aaaa-0000-7000-8000-{number:012}",
        session="s1",
        operator="alice",
        account="root",
        target="web1",
        channel=0,
        command=command,
        normalized=(command,),
        key_digest="ab" * 32,
        rules=("destructive",),
        expires_at_us=clock.wall + 5 * MINUTE,
    )


def kinds(catalog: Catalog) -> list[str]:
    with catalog.read() as connection:
        return [entry.kind for entry in reversed(journal.entries(connection))]


def test_a_request_waits_and_is_found_by_the_beginning_of_its_id(
    world: tuple[Catalog, ManualClock],
) -> None:
    catalog, clock = world
    with catalog.write() as connection:
        approvals.ask(connection, clock, asked(clock))
        found = approvals.find(connection, "0190AAAA-0000")

    assert found.state is State.WAITING
    assert found.normalized == ("rm -rf /srv/old",)
    assert found.rules == ("destructive",)
    assert not found.stands(clock.wall)
    assert kinds(catalog) == ["approval.asked"]


def test_an_approval_for_once_stands_as_long_as_its_request_would_have_waited(
    world: tuple[Catalog, ManualClock],
) -> None:
    catalog, clock = world
    with catalog.write() as connection:
        approvals.ask(connection, clock, asked(clock))
        waiting = approvals.find(connection, "0190aaaa")
        given = approvals.answer(
            connection, clock, waiting, approved=True, by="bob", reason="ticket 7"
        )

    assert given is not None
    assert given.once
    assert given.stands(clock.wall)
    assert given.stands(clock.wall + 5 * MINUTE - 1)
    assert not given.stands(clock.wall + 5 * MINUTE)
    assert (given.answered_by, given.reason) == ("bob", "ticket 7")


def test_an_approval_for_once_is_used_once(world: tuple[Catalog, ManualClock]) -> None:
    catalog, clock = world
    with catalog.write() as connection:
        approvals.ask(connection, clock, asked(clock))
        waiting = approvals.find(connection, "0190aaaa")
        approvals.answer(connection, clock, waiting, approved=True, by="bob", reason="x")
        uses = [approvals.use(connection, waiting.id) for _ in range(2)]
        used = approvals.find(connection, waiting.id)

    assert uses == [True, False]
    assert not used.stands(clock.wall)


def test_an_approval_for_a_time_is_not_worn_out(world: tuple[Catalog, ManualClock]) -> None:
    catalog, clock = world
    until = clock.wall + 120 * MINUTE
    with catalog.write() as connection:
        approvals.ask(connection, clock, asked(clock))
        waiting = approvals.find(connection, "0190aaaa")
        given = approvals.answer(
            connection, clock, waiting, approved=True, by="bob", reason="x", until_us=until
        )
        used = approvals.use(connection, waiting.id)
        standing = approvals.standing(connection, clock.wall, limit=10)

    assert given is not None
    assert not given.once
    assert given.until_us == until
    assert not used
    assert standing == [given]


def test_whoever_is_first_decides(world: tuple[Catalog, ManualClock]) -> None:
    catalog, clock = world
    with catalog.write() as connection:
        approvals.ask(connection, clock, asked(clock))
        waiting = approvals.find(connection, "0190aaaa")
        closed = approvals.close(connection, clock, waiting.id, State.EXPIRED, "too late")
        late = approvals.answer(connection, clock, waiting, approved=True, by="bob", reason="x")
        again = approvals.close(connection, clock, waiting.id, State.WITHDRAWN, "also")
        never = approvals.close(connection, clock, "0190bbbb", State.WITHDRAWN, "nothing")

    assert (closed, late, again, never) == (True, None, False, False)
    assert kinds(catalog) == ["approval.asked", "approval.closed"]


def test_what_is_refused_never_stands(world: tuple[Catalog, ManualClock]) -> None:
    catalog, clock = world
    until = clock.wall + MINUTE
    with catalog.write() as connection:
        approvals.ask(connection, clock, asked(clock))
        waiting = approvals.find(connection, "0190aaaa")
        refused = approvals.answer(
            connection, clock, waiting, approved=False, by="bob", reason="no", until_us=until
        )

    assert refused is not None
    assert refused.state is State.REFUSED
    assert (refused.until_us, refused.uses_left) == (None, None)


def test_what_is_revoked_stands_no_more(world: tuple[Catalog, ManualClock]) -> None:
    catalog, clock = world
    with catalog.write() as connection:
        approvals.ask(connection, clock, asked(clock))
        waiting = approvals.find(connection, "0190aaaa")
        before = approvals.revoke(connection, clock, waiting, by="cli:root", reason="early")
        given = approvals.answer(connection, clock, waiting, approved=True, by="bob", reason="x")
        assert given is not None
        done = approvals.revoke(connection, clock, given, by="cli:root", reason="a mistake")
        used = approvals.use(connection, given.id)
        gone = approvals.find(connection, given.id)

    assert (before, done, used) == (False, True, False)
    assert gone.state is State.REVOKED
    assert gone.reason == "revoked by cli:root: a mistake"


def test_after_a_crash_nothing_waits_and_nothing_for_once_stands(
    world: tuple[Catalog, ManualClock],
) -> None:
    catalog, clock = world
    with catalog.write() as connection:
        for number in (1, 2, 3):
            approvals.ask(connection, clock, asked(clock, number))
        for number, until in ((2, None), (3, clock.wall + 60 * MINUTE)):
            waiting = approvals.find(connection, f"0190aaaa-0000-7000-8000-{number:012}")
            approvals.answer(
                connection, clock, waiting, approved=True, by="bob", reason="x", until_us=until
            )
        closed = approvals.close_abandoned(connection, clock)
        states = [one.state for one in approvals.list_all(connection)]
        standing = approvals.standing(connection, clock.wall, limit=10)
        again = approvals.close_abandoned(connection, clock)

    assert (closed, again) == (2, 0)
    assert states == [State.APPROVED, State.EXPIRED, State.EXPIRED]
    assert [one.id[-1] for one in standing] == ["3"]
    assert kinds(catalog).count("approval.closed") == 2


@pytest.mark.parametrize(("name", "code"), [("01", "not-found"), ("0190aaab", "not-found")])
def test_a_wrong_id_says_so(world: tuple[Catalog, ManualClock], name: str, code: str) -> None:
    catalog, clock = world
    with catalog.write() as connection:
        approvals.ask(connection, clock, asked(clock))
        with pytest.raises(NotFound) as caught:
            approvals.find(connection, name)

    assert caught.value.code == f"approval.{code}"


def test_the_beginning_of_several_ids_names_them(world: tuple[Catalog, ManualClock]) -> None:
    catalog, clock = world
    with catalog.write() as connection:
        for number in (1, 11):
            approvals.ask(connection, clock, asked(clock, number))
        with pytest.raises(NotFound, match="000000000011, 0190") as caught:
            approvals.find(connection, "0190aaaa")

    assert caught.value.code == "approval.ambiguous"


def test_octets_that_are_no_text_can_be_asked_for(world: tuple[Catalog, ManualClock]) -> None:
    catalog, clock = world
    with catalog.write() as connection:
        approvals.ask(connection, clock, asked(clock, command="rm \udcff\0"))
        stored = connection.scalar(select(approval.c.command))
        listed = approvals.list_all(connection, states=[State.WAITING], operator="alice")

    assert stored == "rm \\udcff\\x00"
    assert len(listed) == 1
