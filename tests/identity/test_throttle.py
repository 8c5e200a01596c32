from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchgate.clock import ManualClock
from watchgate.identity.throttle import Buckets, Limit, Limits, Throttle, network_of


def guesses(throttle: Throttle, operator: str, host: str, count: int) -> int:
    return sum(throttle.admits(operator, host) for _ in range(count))


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix", "unix"),
    ],
)
def test_a_network_is_what_one_subscriber_has(host: str, network: str) -> None:
    assert network_of(host) == network


def test_guesses_at_an_operator_from_one_network_are_few() -> None:
    assert guesses(Throttle(ManualClock()), "alice", "192.0.2.7", 100) == 6


def test_an_attacker_locks_a_name_for_his_own_network_only() -> None:
    throttle = Throttle(ManualClock())
    guesses(throttle, "alice", "192.0.2.66", 100)

    assert throttle.admits("alice", "192.0.2.7")
    assert not throttle.admits("alice", "192.0.2.66")


def test_one_network_cannot_try_many_names() -> None:
    throttle = Throttle(ManualClock())

    assert sum(throttle.admits(f"name{n}", "192.0.2.66") for n in range(200)) == 30
    assert throttle.admits("name1", "192.0.2.7")


def test_guesses_from_everywhere_are_bounded() -> None:
    throttle = Throttle(ManualClock())
    admitted = sum(throttle.admits("alice", f"198.51.{n // 250}.{n % 250}") for n in range(1000))

    assert admitted == 60


def test_an_attack_from_everywhere_does_not_lock_out_a_familiar_network() -> None:
    throttle = Throttle(ManualClock())
    assert throttle.admits("alice", "192.0.2.7")
    throttle.logged_in("alice", "192.0.2.7")
    for number in range(1000):
        throttle.admits("alice", f"198.51.{number // 250}.{number % 250}")

    assert not throttle.admits("alice", "203.0.113.1")
    assert guesses(throttle, "alice", "192.0.2.7", 100) == 6


def test_each_closing_is_twice_as_long_up_to_a_ceiling() -> None:
    clock = ManualClock()
    throttle = Throttle(clock)
    guesses(throttle, "alice", "192.0.2.7", 7)
    waits = []
    for _ in range(8):
        waited = 0
        while not throttle.admits("alice", "192.0.2.7"):
            clock.advance(1)
            waited += 1
        waits.append(waited)
        while throttle.admits("alice", "192.0.2.7"):
            pass

    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]


def test_asking_while_it_is_closed_does_not_prolong_it() -> None:
    clock = ManualClock()
    throttle = Throttle(clock)
    guesses(throttle, "alice", "192.0.2.7", 7)
    for _ in range(29):
        clock.advance(1)
        assert not throttle.admits("alice", "192.0.2.7")
    clock.advance(1)

    assert throttle.admits("alice", "192.0.2.7")


def test_only_a_long_rest_makes_the_closings_short_again() -> None:
    clock = ManualClock()
    throttle = Throttle(clock)
    for _ in range(3):
        guesses(throttle, "alice", "192.0.2.7", 50)
        clock.advance(300)
    guesses(throttle, "alice", "192.0.2.7", 50)
    clock.advance(239)
    assert not throttle.admits("alice", "192.0.2.7")
    clock.advance(1 + 900 + 900)
    guesses(throttle, "alice", "192.0.2.7", 50)
    clock.advance(30)

    assert throttle.admits("alice", "192.0.2.7")


def test_time_makes_it_forget() -> None:
    clock = ManualClock()
    throttle = Throttle(clock)
    guesses(throttle, "alice", "192.0.2.7", 50)
    clock.advance(3600)

    assert guesses(throttle, "alice", "192.0.2.7", 50) == 6


def test_a_jump_of_the_wall_clock_changes_nothing() -> None:
    clock = ManualClock()
    throttle = Throttle(clock)
    guesses(throttle, "alice", "192.0.2.7", 50)
    clock.jump(86_400)

    assert not throttle.admits("alice", "192.0.2.7")


def test_right_guesses_cost_nothing() -> None:
    throttle = Throttle(ManualClock())
    for _ in range(500):
        assert throttle.admits("alice", "192.0.2.7")
        throttle.right("alice", "192.0.2.7")

    assert guesses(throttle, "alice", "192.0.2.7", 50) == 6


def test_a_login_clears_his_own_mistakes_but_not_those_of_his_network() -> None:
    throttle = Throttle(ManualClock())
    assert guesses(throttle, "mallory", "192.0.2.7", 6) == 6
    throttle.logged_in("mallory", "192.0.2.7")
    total = 6
    for _ in range(10):
        total += guesses(throttle, "mallory", "192.0.2.7", 6)
        throttle.logged_in("mallory", "192.0.2.7")

    assert total == 30


def test_floods_of_connections_are_refused_and_ordinary_work_is_not() -> None:
    clock = ManualClock()
    throttle = Throttle(clock)
    flood = sum(throttle.source_may_connect("192.0.2.66") for _ in range(1000))
    clock.advance(5)
    later = sum(throttle.source_may_connect("192.0.2.66") for _ in range(1000))

    assert flood == 200
    assert later == 100
    assert throttle.source_may_connect("192.0.2.7")


def test_tables_are_bounded_and_forget_full_buckets_first() -> None:
    buckets: Buckets[int] = Buckets(Limit(burst=2, per_second=1), size=10)
    for key in range(10):
        assert buckets.ready(key, 0.0)
        if key != 3:
            buckets.take(key, 0.0)
            buckets.take(key, 0.0)
    assert buckets.ready(99, 0.0)
    emptied = [key for key in range(10) if key != 3 and not buckets.ready(key, 0.0)]

    assert len(buckets) == 10
    assert emptied == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_a_flood_of_sources_keeps_the_tables_bounded() -> None:
    throttle = Throttle(ManualClock(), size=50)
    for number in range(5000):
        host = f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"
        throttle.source_may_connect(host)
        if throttle.admits(f"name{number}", host):
            throttle.logged_in(f"name{number}", host)
    tables = (throttle._connections, throttle._network, throttle._here, throttle._operator)

    assert max(len(table) for table in tables) <= 50
    assert len(throttle._familiar) <= 50


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.tuples(st.floats(0, 100), st.integers(1, 20)), max_size=30),
    burst=st.integers(1, 10),
)
def test_no_more_is_admitted_than_burst_and_rate_allow(
    steps: list[tuple[float, int]], burst: int
) -> None:
    clock = ManualClock()
    limit = Limit(burst=burst, per_second=0.1, closed_seconds=5, closed_most=50)
    throttle = Throttle(clock, Limits(operator_here=limit))
    admitted = 0
    for seconds, count in steps:
        clock.advance(seconds)
        admitted += guesses(throttle, "alice", "192.0.2.7", count)
    passed = clock.monotonic_us() / 1e6

    assert admitted <= burst + passed * 0.1 + 1e-3
