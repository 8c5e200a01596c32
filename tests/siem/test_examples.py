"""There is an example of every kind of event, and it can be read as one."""

from __future__ import annotations

import pytest

from watchgate.clock import ManualClock
from watchgate.errors import NotFound
from watchgate.session.events import KINDS, UnknownEvent, revive
from watchgate.siem.examples import MARK, example, examples
from watchgate.siem.fact import UNTOLD, Fact, Host
from watchgate.siem.views import VIEWS


def test_there_is_one_of_each_kind_with_an_id_of_its_own() -> None:
    found = list(examples(ManualClock()))

    assert [fact.kind for fact in found] == sorted(set(KINDS) - UNTOLD)
    assert len({fact.uid for fact in found}) == len(found)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_example_is_a_whole_event_and_says_that_it_is_a_test(kind: str) -> None:
    fact = example(kind, ManualClock())
    event = revive(fact.kind, fact.v, dict(fact.data))

    assert not isinstance(event, UnknownEvent)
    assert fact.data[MARK] is True
    assert Fact.from_json(fact.to_json()) == fact


@pytest.mark.parametrize("form", sorted(VIEWS))
def test_every_format_shows_that_it_is_a_test(form: str) -> None:
    lines = [VIEWS[form](fact, Host("gate1", "1.0")) for fact in examples(ManualClock())]

    assert [line for line in lines if b"test" not in line] == []


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(NotFound, match=r"did you mean session\.opened"):
        example("session.opend", ManualClock())
