"""Whose turn it is, and who is to blame."""

from __future__ import annotations

from pathlib import Path

from watchgate.catalog.search.model import About
from watchgate.indexing.roster import Roster
from watchgate.indexing.wire import Order
from watchgate.recording.tracks import TrackKeys


def order(name: str) -> Order:
    about = About(f"s-{name}", name, "alice", "root", "web1", "ssh", 0)
    return Order(about, Path(f"/{name}.wgr"), None, TrackKeys(None, None))


def roster(*names: str, together: int = 10) -> Roster:
    made = Roster(waiting=10, together=together)
    for name in names:
        assert made.add(order(name))
    return made


def given_all(made: Roster) -> list[str]:
    given = []
    while (one := made.give()) is not None:
        given.append(one.recording)
    return given


def test_a_recording_that_waits_or_is_given_is_not_taken_twice() -> None:
    made = roster("a", "b", "a", together=1)
    assert given_all(made) == ["a"]
    assert made.add(order("a"))
    made.done("a")
    assert given_all(made) == ["b"]
    made.done("b")

    assert len(made) == 0
    assert made.add(order("a"))
    assert given_all(made) == ["a"]


def test_recordings_are_given_in_their_order_and_no_more_than_may_be_at_once() -> None:
    made = roster("a", "b", "c", together=2)

    assert given_all(made) == ["a", "b"]
    made.done("a")
    assert given_all(made) == ["c"]
    assert made.nothing_waits
    assert len(made) == 2


def test_more_than_the_bound_are_not_taken() -> None:
    made = Roster(waiting=1, together=1)

    assert made.add(order("a"))
    assert not made.add(order("b"))


def test_after_a_death_all_that_was_not_done_waits_again_in_its_order() -> None:
    made = roster("a", "b", "c", "d", together=3)
    given_all(made)
    made.done("b")

    assert made.died() is None
    assert given_all(made) == ["a", "c", "d"]


def test_who_killed_the_worker_twice_is_set_aside() -> None:
    made = roster("a", "poison")
    given_all(made)
    made.turned_to("poison")
    assert made.died() is None
    given_all(made)
    made.turned_to("a")
    made.turned_to("poison")
    aside = made.died()

    assert aside is not None
    assert aside.recording == "poison"
    assert given_all(made) == ["a"]


def test_nobody_is_blamed_for_a_death_at_rest() -> None:
    made = roster("a")
    for _ in range(5):
        given_all(made)
        made.turned_to("a")
        made.turned_to(None)
        assert made.died() is None

    assert given_all(made) == ["a"]


def test_a_recording_that_the_worker_does_not_have_is_not_done_and_not_to_blame() -> None:
    made = roster("a")
    made.turned_to("a")

    assert made.reading is None
    assert made.done("a") is None
    assert made.died() is None


def test_clearing_forgets_all() -> None:
    made = roster("a", "b", together=1)
    given_all(made)

    assert made.clear() == 2
    assert len(made) == 0
    assert made.give() is None
