"""Delivery to sinks in memory: nothing lost, nobody held up, and all of it said."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from watchgate.catalog import journal
from watchgate.clock import ManualClock
from watchgate.errors import ConfigurationError, SinkError, WatchgateError
from watchgate.session.events import GatewayStopped, SinkDropped, SinkFailed, SinkRecovered
from watchgate.siem.filters import Filter
from watchgate.siem.transport import Batch, Guarantee

from .delivery_world import QUICK, World, eventually, world

GONE = SinkError("nobody listens on 127.0.0.1:1; is the SIEM running?")


def test_what_is_put_arrives_in_order_and_then_leaves_the_outbox(tmp_path: Path) -> None:
    with world(tmp_path, "one") as made:
        before = made.put(1200)
        with made.delivering() as delivery:
            after = made.put(3)
            delivery.wake()
            eventually(lambda: len(made.siems["one"].got) == 1203, "all arrive")
            eventually(lambda: made.left() == 0, "the outbox is empty")
        state = made.states()["one"]

    assert made.siems["one"].uids() == before + after
    assert (state.cursor, state.delivered, state.dropped) == (1203, 1203, 0)
    assert state.delivered_at_us is not None


def test_an_event_is_sent_when_it_is_woken_and_not_when_it_looks(tmp_path: Path) -> None:
    pace = replace(QUICK, look=60.0)
    with world(tmp_path, "one", pace=pace) as made, made.delivering() as delivery:
        made.put(1)
        delivery.wake()
        eventually(lambda: len(made.siems["one"].got) == 1, "the first", 5)
        made.put(1)
        began = time.monotonic()
        delivery.wake()
        eventually(lambda: len(made.siems["one"].got) == 2, "the second", 5)
        took = time.monotonic() - began

    assert took < 1.0


def test_what_another_process_puts_is_noticed(tmp_path: Path) -> None:
    with world(tmp_path, "one") as made, made.delivering():
        with made.catalog.write() as connection:
            journal.append(connection, made.clock, GatewayStopped("x"))
        eventually(lambda: made.siems["one"].kinds() == ["gateway.stopped"], "it arrives")

        assert made.siems["one"].got[0].data == {"reason": "x"}


def test_what_is_not_acknowledged_is_sent_again(tmp_path: Path) -> None:
    with world(tmp_path, "one") as made:
        uids = made.put(10)
        made.siems["one"].takes = 3
        with made.delivering():
            eventually(lambda: len(made.siems["one"].got) == 10, "all arrive")

    assert made.siems["one"].uids() == uids


def test_delivery_goes_on_where_a_former_process_was(tmp_path: Path) -> None:
    with world(tmp_path, "one") as made:
        first = made.put(5)
        with made.delivering():
            eventually(lambda: len(made.siems["one"].got) == 5, "the first")
        second = made.put(5)
        with made.delivering():
            eventually(lambda: len(made.siems["one"].got) >= 10, "the second")

    assert made.siems["one"].uids() == first + second


def test_to_stop_is_to_send_what_waits_first(tmp_path: Path) -> None:
    with world(tmp_path, "one", pace=replace(QUICK, look=60.0)) as made:
        delivery = made.delivery()
        delivery.start()
        eventually(lambda: made.siems["one"].opened == 1, "it began")
        made.put(700)
        delivery.stop(5.0)

    assert len(made.siems["one"].got) == 700
    assert made.states()["one"].cursor == 700


def test_to_stop_does_not_wait_for_a_sink_that_fails(tmp_path: Path) -> None:
    with world(tmp_path, "one", pace=replace(QUICK, first_wait=60.0, longest_wait=60.0)) as made:
        made.siems["one"].fails(GONE)
        made.put(1)
        delivery = made.delivery()
        delivery.start()
        eventually(lambda: made.siems["one"].tries == 1, "it tried")
        began = time.monotonic()
        delivery.stop(10.0)
        took = time.monotonic() - began

    assert took < 5.0


# --- a sink that fails -----------------------------------------------------------------------------


def test_a_sink_that_fails_is_said_once_and_holds_up_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with world(tmp_path, "bad", "good") as made, caplog.at_level(logging.WARNING):
        bad, good = made.siems["bad"], made.siems["good"]
        bad.fails(GONE)
        uids = made.put(5)
        with made.delivering():
            eventually(lambda: "sink.failed" in good.kinds(), "the other sink hears of it")
            tries = bad.tries
            eventually(lambda: bad.tries > tries + 5, "it goes on trying")
            failing = made.states()["bad"]
            bad.fails(None)
            eventually(lambda: "sink.recovered" in bad.kinds(), "it hears of itself")
            eventually(lambda: "sink.recovered" in good.kinds(), "the other does too")
            eventually(lambda: made.states()["bad"].failing_since_us is None, "it is well")
        events = [event for event in made.journal() if event.kind.startswith("sink.")]

    failed, recovered = events
    assert failed == SinkFailed("bad", str(GONE), 5)
    assert isinstance(recovered, SinkRecovered)
    assert recovered.sink == "bad"
    assert recovered.duration_us >= 0
    assert failing.failure == str(GONE)
    assert failing.failing_since_us is not None
    assert bad.uids()[:5] == uids
    assert bad.kinds()[5:] == ["sink.failed", "sink.recovered"]
    assert good.kinds() == ["channel.opened"] * 5 + ["sink.failed", "sink.recovered"]
    assert "the sink bad fails, 5 events wait for it" in caplog.text


def test_a_sink_that_fails_for_a_moment_is_not_news(tmp_path: Path) -> None:
    with world(tmp_path, "one", pace=replace(QUICK, patience=30.0)) as made:
        made.siems["one"].fails(GONE)
        made.put(1)
        with made.delivering():
            eventually(lambda: made.siems["one"].tries > 3, "some tries")
            made.siems["one"].fails(None)
            eventually(lambda: len(made.siems["one"].got) == 1, "it arrives")

    assert made.kinds() == []


def test_that_a_sink_fails_is_said_while_its_next_try_is_far(tmp_path: Path) -> None:
    pace = replace(QUICK, first_wait=60.0, longest_wait=60.0, patience=0.1)
    with world(tmp_path, "one", pace=pace) as made:
        made.siems["one"].fails(GONE)
        made.put(1)
        with made.delivering():
            eventually(lambda: made.kinds() == ["sink.failed"], "it is said")

        assert made.siems["one"].tries == 1


def test_a_new_process_does_not_say_again_that_a_sink_fails(tmp_path: Path) -> None:
    with world(tmp_path, "one") as made:
        made.siems["one"].fails(GONE)
        made.put(1)
        with made.delivering():
            eventually(lambda: "sink.failed" in made.kinds(), "it is said")
        made.siems["one"].fails(SinkError("it answers 500"))
        with made.delivering():
            eventually(lambda: made.states()["one"].failure == "it answers 500", "why is kept")
        made.siems["one"].fails(None)
        with made.delivering():
            eventually(lambda: "sink.recovered" in made.kinds(), "it is well")

    assert made.kinds() == ["sink.failed", "sink.recovered"]


def test_waits_grow_and_what_the_receiver_asks_for_is_heeded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from watchgate.siem.health import Health

    waits: list[float] = []
    real = Health.ill

    async def ill(health: Health, reason: str, seconds: float) -> None:
        waits.append(seconds)
        await real(health, reason, 0.0)

    monkeypatch.setattr(Health, "ill", ill)
    with world(tmp_path, "one", pace=replace(QUICK, first_wait=1.0, longest_wait=60.0)) as made:
        siem = made.siems["one"]
        asked = SinkError("too many", retry_after=300.0)
        siem.error = lambda batch: asked if siem.tries == 9 else GONE if siem.tries < 10 else None
        made.put(1)
        with made.delivering():
            eventually(lambda: len(siem.got) == 1, "it arrives")

    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 300.0]


def test_what_cannot_be_opened_fails_until_it_can(tmp_path: Path) -> None:
    with world(tmp_path, "one") as made:
        delivery = made.delivery()
        there = threading.Event()
        real = delivery._open

        def opened(sink: object) -> object:
            if not there.is_set():
                raise ConfigurationError("the secret file:token cannot be read")
            return real(sink)  # type: ignore[arg-type]

        delivery._open = opened  # type: ignore[assignment]
        made.put(2)
        delivery.start()
        eventually(lambda: made.states()["one"].failure is not None, "it is said why")
        why = made.states()["one"].failure
        there.set()
        eventually(lambda: len(made.siems["one"].got) >= 2, "they arrive")
        delivery.stop(2.0)

    assert why == "the secret file:token cannot be read"


def test_a_defect_in_one_sink_stops_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with world(tmp_path, "bad", "good") as made, caplog.at_level(logging.ERROR):

        def broken(batch: Batch) -> WatchgateError | None:
            raise ZeroDivisionError

        made.siems["bad"].error = broken
        made.put(3)
        with made.delivering():
            eventually(lambda: len(made.siems["good"].got) >= 3, "the other gets all")
            eventually(lambda: "sink.failed" in made.kinds(), "it is said")

    assert made.states()["bad"].failure == "an unexpected ZeroDivisionError, see the log"
    assert made.states()["bad"].cursor == 0


def test_a_sink_that_never_answers_holds_up_nobody(tmp_path: Path) -> None:
    with world(tmp_path, "slow", "quick") as made:
        gate = made.siems["slow"].gate = threading.Event()
        made.put(600)
        with made.delivering():
            eventually(lambda: len(made.siems["quick"].got) == 600, "the other gets all")
            eventually(lambda: made.siems["slow"].tries == 1, "the slow one was asked")
            # The outbox takes what sessions put while a sink is asked.
            made.put(600)
            eventually(lambda: len(made.siems["quick"].got) == 1200, "it goes on")
            waiting = len(made.siems["slow"].got)
            gate.set()
            eventually(lambda: len(made.siems["slow"].got) == 1200, "the slow one catches up")

    assert waiting == 0


# --- receivers that acknowledge nothing ------------------------------------------------------------


def resent(made: World) -> None:
    siem = made.siems["one"]
    siem.guarantee, siem.settle_us = Guarantee.RESENT, 30_000_000


def test_what_was_sent_settles_only_after_a_while(tmp_path: Path) -> None:
    clock = ManualClock()
    with world(tmp_path, "one", clock=clock) as made:
        resent(made)
        made.put(5)
        with made.delivering():
            eventually(lambda: len(made.siems["one"].got) == 5, "they are sent")
            unsettled = made.states()["one"].cursor
            clock.advance(31)
            eventually(lambda: made.states()["one"].cursor == 5, "they settle")

    assert unsettled == 0
    assert made.states()["one"].delivered == 5


def test_after_a_broken_connection_what_had_not_settled_is_sent_again(tmp_path: Path) -> None:
    clock = ManualClock()
    with world(tmp_path, "one", clock=clock) as made:
        resent(made)
        siem = made.siems["one"]
        settled = made.put(5)
        with made.delivering():
            eventually(lambda: len(siem.got) == 5, "the first are sent")
            clock.advance(31)
            eventually(lambda: made.states()["one"].cursor == 5, "the first settle")
            unsettled = made.put(3)
            eventually(lambda: len(siem.got) == 8, "more are sent")
            # It breaks while nothing is sent; the transport says so when it is asked again.
            siem.fails(SinkError("the connection broke"))
            siem.stands = False
            eventually(lambda: siem.opened > 1, "it is opened again")
            siem.stands = True
            siem.fails(None)
            eventually(lambda: len(siem.got) >= 11, "they are sent again")

    assert siem.uids()[:11] == settled + unsettled + unsettled


# --- what is left out ------------------------------------------------------------------------------


def test_a_sink_gets_only_what_its_filter_wants(tmp_path: Path) -> None:
    with world(tmp_path, "all", "some") as made:
        made.filters["some"] = Filter(kinds=("session.*", "!session.claimed"), operators=("al*",))
        made.put(1, "session.claimed", operator="alice")
        wanted = made.put(1, "session.opened", operator="alice")
        made.put(1, "session.opened", operator="bob")
        made.put(1, "channel.opened", operator="alice")
        with made.delivering():
            eventually(lambda: made.states()["some"].cursor == 4, "all are looked at")
            eventually(lambda: made.left() == 0, "none waits")

    assert made.siems["some"].uids() == wanted
    assert made.states()["some"].delivered == 1
    assert len(made.siems["all"].got) == 4


def refusing(uid: str) -> WatchgateError:
    return SinkError(f"it refuses {uid}", event=uid)


def test_an_event_that_is_never_taken_is_left_out_and_said(tmp_path: Path) -> None:
    with world(tmp_path, "one") as made:
        uids = made.put(5)
        siem = made.siems["one"]

        def picky(batch: Batch) -> WatchgateError | None:
            siem.takes = next((n for n, (f, _) in enumerate(batch) if f.uid == uids[2]), 100)
            return refusing(uids[2]) if siem.takes == 0 else None

        siem.error = picky
        with made.delivering():
            eventually(lambda: len(siem.got) >= 5, "the others and the news arrive")
        dropped = [event for event in made.journal() if isinstance(event, SinkDropped)]

    assert siem.uids()[:4] == uids[:2] + uids[3:]
    assert dropped == [SinkDropped("one", 1, 2, 2)]
    assert made.states()["one"].dropped == 1


def test_what_is_said_of_sinks_and_refused_makes_no_more_of_it(tmp_path: Path) -> None:
    with world(tmp_path, "one") as made:
        siem = made.siems["one"]

        def picky(batch: Batch) -> WatchgateError | None:
            return refusing(batch[0][0].uid) if batch[0][0].kind.startswith("sink.") else None

        siem.error, siem.takes = picky, 1
        made.put(1, "sink.failed")
        made.put(3)
        with made.delivering():
            eventually(lambda: len(siem.got) == 3, "the others arrive")
            eventually(lambda: made.left() == 0, "nothing is left")

    assert made.kinds() == []
    assert made.states()["one"].dropped == 1


def test_beyond_the_bound_the_oldest_go_and_it_is_said(tmp_path: Path) -> None:
    with world(tmp_path, "gone", "there") as made:
        made.backlog = 1000
        made.siems["gone"].fails(GONE)
        made.filters["gone"] = Filter(kinds=("channel.*", "sink.recovered"))
        with made.delivering() as delivery:
            for _ in range(20):
                made.put(100)
                made.put(100, "session.opened")
                delivery.wake()
            eventually(lambda: made.left() <= 1100, "what waits is bounded")
            eventually(lambda: len(made.siems["there"].uids()) >= 4000, "the other has all")
            made.siems["gone"].fails(None)
            eventually(lambda: "sink.recovered" in made.siems["gone"].kinds(), "it is back")
        dropped = [event for event in made.journal() if isinstance(event, SinkDropped)]
        lost = sum(event.events for event in dropped)
        state = made.states()["gone"]

    assert {event.sink for event in dropped} == {"gone"}
    assert len(dropped) < 100
    assert state.dropped == lost >= 1000
    assert made.siems["gone"].kinds().count("channel.opened") == 2000 - lost
    assert made.states()["there"].dropped == 0


def test_an_event_that_a_format_cannot_show_is_sent_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(fact: object, host: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setitem(
        __import__("watchgate.siem.views", fromlist=["VIEWS"]).VIEWS, "json", broken
    )
    with world(tmp_path, "one") as made:
        (uid,) = made.put(1)
        with made.delivering():
            eventually(lambda: len(made.siems["one"].got) == 1, "it arrives")

    assert uid.encode() in made.siems["one"].texts[0]


def test_without_a_sink_there_is_no_thread_and_nothing_is_kept(tmp_path: Path) -> None:
    with world(tmp_path, "one") as made:
        made.put(3)
        made.siems.clear()
        with made.delivering():
            names = {thread.name for thread in threading.enumerate()}
            made.put(3)

    assert "siem-delivery" not in names
    assert made.left() == 0
