"""Which login is which session's, and the ways to pretend that it is."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest
from coverage_lines import CA, NOW_US, SESSION, accepted, facts, login, plain
from hypothesis import given
from hypothesis import strategies as st

from watchgate.reports.coverage.join import Exemption, Horizon, Known, SessionFacts, judge
from watchgate.reports.coverage.model import Judged, Login, State

SECOND = 1_000_000
AN_HOUR_AGO = NOW_US - 3600 * SECOND


def known(*sessions: SessionFacts, exemptions: Sequence[Exemption] = ()) -> Known:
    here = [one for one in sessions if one.target == "web1"]
    named = {one.id: one for one in sessions}
    horizon = Horizon(NOW_US - 86_400 * SECOND, NOW_US - 10 * SECOND)
    return Known(horizon, here, named, exemptions, frozenset({CA}))


def judged(one: Login, *sessions: SessionFacts) -> Judged:
    (found,) = judge([one], known(*sessions))
    return found


def password(port: int = 42934, **given: object) -> SessionFacts:
    """A session with a password."""
    return facts(1, **({"key_id": None, "port": port} | given))


def test_the_certificate_of_a_session_is_the_gateway_also_behind_address_translation() -> None:
    through = judged(login(said=accepted(source="203.0.113.1", port=7)), facts())

    assert (through.state, through.session) == (State.GATEWAY, SESSION)


def test_the_gateways_end_of_the_connection_is_the_gateway() -> None:
    found = judged(login(said=plain(method="password")), password())

    assert (found.state, found.session) == (State.GATEWAY, SESSION)


@pytest.mark.parametrize(
    ("one", "session", "why"),
    [
        (login(), facts(target="db1"), "a session on db1"),
        (login(said=accepted(account="bob")), facts(), "as root let in bob"),
        (login(AN_HOUR_AGO - 11 * SECOND), facts(), "not open"),
        (login(NOW_US - 2980 * SECOND), facts(), "not open"),
        (login(said=accepted(authority="SHA256:other")), facts(), "another CA"),
        (login(said=accepted(authority=None)), facts(), "another CA"),
    ],
    ids=["target", "account", "before", "after", "another CA", "no CA"],
)
def test_a_certificate_of_ours_in_the_wrong_place_is_a_bypass(
    one: Login, session: SessionFacts, why: str
) -> None:
    found = judged(one, session)

    assert found.state is State.BYPASSED
    assert why in found.reason
    assert found.session == session.id


@pytest.mark.parametrize("seconds", [-9, 0, 609])
def test_clocks_may_be_ten_seconds_apart(seconds: int) -> None:
    assert judged(login(AN_HOUR_AGO + seconds * SECOND), facts()).state is State.GATEWAY


def test_a_session_that_goes_on_has_no_end() -> None:
    one = login(NOW_US - 60 * SECOND)

    assert judged(one, facts(ended_at_us=None)).state is State.GATEWAY


def test_a_session_logs_in_once() -> None:
    own, stolen = login(), login(AN_HOUR_AGO - 2 * SECOND, accepted(source="203.0.113.9", port=9))
    found = {one.login: one for one in judge([own, stolen], known(facts()))}

    assert found[own].state is State.GATEWAY
    assert found[stolen].state is State.BYPASSED
    assert "second time" in found[stolen].reason


def test_a_certificate_of_the_gateway_for_no_session_is_a_bypass() -> None:
    found = judged(login())

    assert found.state is State.BYPASSED
    assert "no session that is known" in found.reason


def test_another_cas_certificate_is_compared_by_address() -> None:
    said = accepted(key_id="laptop", authority="SHA256:corp")

    assert judged(login(said=said), facts()).state is State.BYPASSED
    assert judged(login(said=said), password()).state is State.GATEWAY


def test_a_session_with_a_certificate_is_not_he_who_comes_without_one() -> None:
    found = judged(login(said=plain()), facts())

    assert found.state is State.BYPASSED
    assert "from the machine itself" in found.reason


def test_who_logs_in_from_the_gateway_itself_bypasses_it() -> None:
    found = judged(login(said=plain(port=5)), password())

    assert found.state is State.BYPASSED
    assert "machine itself" in found.reason


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (login(NOW_US - 90_000 * SECOND, plain(source="203.0.113.9")), "before the gateway's own"),
        (login(NOW_US - 5 * SECOND, plain(source="203.0.113.9")), "too new"),
        (login(NOW_US - 5 * SECOND), "too new"),
        (login(said=plain(source="UNKNOWN", port=65535)), "does not say"),
    ],
)
def test_what_cannot_be_told_is_unknown(one: Login, why: str) -> None:
    found = judged(one)

    assert found.state is State.UNKNOWN
    assert why in found.reason


def test_a_password_behind_address_translation_is_unknown_and_not_accused() -> None:
    behind = login(said=plain(source="203.0.113.1", port=9))

    assert judged(behind, password()).state is State.UNKNOWN


def test_a_session_whose_login_is_found_hides_no_other() -> None:
    own, other = login(said=plain()), login(said=plain(source="203.0.113.9", port=9))
    found = {one.login: one.state for one in judge([own, other], known(password()))}

    assert found == {own: State.GATEWAY, other: State.BYPASSED}


def _exemption(**given: object) -> Exemption:
    values: dict[str, object] = {
        "target": "web1",
        "account": "monitor",
        "source": ipaddress.ip_network("192.0.2.0/24"),
        "from_us": NOW_US - 7200 * SECOND,
        "until_us": NOW_US,
        "reason": "monitoring",
    }
    return Exemption(**(values | given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("exemption", "state"),
    [
        (_exemption(), State.EXCEPTED),
        (_exemption(target=None, account=None), State.EXCEPTED),
        (_exemption(source=None), State.EXCEPTED),
        (_exemption(target="db1"), State.BYPASSED),
        (_exemption(account="root"), State.BYPASSED),
        (_exemption(source=ipaddress.ip_network("10.0.0.0/8")), State.BYPASSED),
        (_exemption(source=ipaddress.ip_network("2001:db8::/32")), State.BYPASSED),
        (_exemption(until_us=NOW_US - 7000 * SECOND), State.BYPASSED),
        (_exemption(from_us=NOW_US - 60 * SECOND), State.BYPASSED),
    ],
)
def test_an_exception_covers_what_it_says_while_it_holds(
    exemption: Exemption, state: State
) -> None:
    one = login(said=plain(account="monitor", source="192.0.2.7"))
    (found,) = judge([one], known(exemptions=[exemption]))

    assert found.state is state


def test_no_exception_covers_a_certificate_that_is_shown_again() -> None:
    everything = _exemption(target=None, account=None, source=None)
    (found,) = judge([login()], known(facts(target="db1"), exemptions=[everything]))

    assert found.state is State.BYPASSED


@given(st.permutations(range(6)))
def test_the_order_of_a_log_never_matters(order: list[int]) -> None:
    logins = [login(AN_HOUR_AGO + n // 2 * SECOND, accepted(port=42934 + n % 3)) for n in range(6)]
    wanted = judge(logins, known(facts()))

    assert judge([logins[n] for n in order], known(facts())) == wanted
    assert sum(one.state is State.GATEWAY for one in wanted) == len(
        {one.uid for one in logins if one.accepted.port == 42934 and one.at_us == AN_HOUR_AGO}
    )
