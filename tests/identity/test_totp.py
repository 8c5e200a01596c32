from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity_world import fresh

from watchgate.identity import operators, totp

KEY = b"12345678901234567890"

# RFC 6238 appendix B, SHA-1; its eight digits cut to the last six.
VECTORS = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}


@pytest.mark.parametrize("seconds", VECTORS)
def test_codes_are_those_of_the_rfc(seconds: int) -> None:
    assert totp.code_at(KEY, totp.step_at(seconds * 1_000_000)) == VECTORS[seconds]


@pytest.mark.parametrize("drift", [-1, 0, 1])
def test_a_code_is_right_one_step_around_now(drift: int) -> None:
    now = 1_000_000 * 30 * 50
    assert totp.matching_step(KEY, totp.code_at(KEY, 50 + drift), now, 0) == 50 + drift


@pytest.mark.parametrize("drift", [-3, -2, 2, 3])
def test_a_code_is_wrong_two_steps_from_now(drift: int) -> None:
    now = 1_000_000 * 30 * 50
    assert totp.matching_step(KEY, totp.code_at(KEY, 50 + drift), now, 0) is None


def test_a_used_step_and_those_before_it_are_wrong() -> None:
    now = 1_000_000 * 30 * 50
    codes = [totp.code_at(KEY, step) for step in (49, 50, 51)]

    assert [totp.matching_step(KEY, code, now, 50) for code in codes] == [None, None, 51]


@pytest.mark.parametrize("code", ["", "0", "12345", "1234567", "abcdef", "２８７０８２", "\udcff"])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert totp.matching_step(KEY, code, 59_000_000, 0) is None


def test_spaces_in_a_code_do_not_matter() -> None:
    assert totp.matching_step(KEY, " 287 082 ", 59_000_000, 0) == 1


@given(st.text(max_size=20))
def test_any_text_can_be_tried(code: str) -> None:
    result = totp.matching_step(KEY, code, 59_000_000, 0)

    assert result is None or "".join(code.split()) == totp.code_at(KEY, result)


def test_an_enrollment_holds_what_an_authenticator_needs(tmp_path: Path) -> None:
    with fresh(tmp_path) as world, world.change() as change:
        operators.add(change, "alice")
        enrolled = totp.enroll(
            change, world.vault, "alice", issuer="Acme Inc", random=lambda n: KEY
        )
        owner = operators.get(change.connection, "alice")
        sealed = world.vault.fetch(change.connection, "totp", owner.id)
    url = urlsplit(enrolled.url.reveal_text())
    query = parse_qs(url.query)

    assert owner.has_totp
    assert sealed is not None
    assert sealed.reveal() == KEY
    assert (url.scheme, url.netloc, unquote(url.path)) == ("otpauth", "totp", "/Acme Inc:alice")
    assert base64.b32decode(query["secret"][0]) == KEY
    assert query["issuer"] == ["Acme Inc"]
    assert "+" not in url.query
    assert enrolled.secret.reveal_text() not in repr(enrolled)


def test_codes_are_taken_away(tmp_path: Path) -> None:
    with fresh(tmp_path) as world, world.change() as change:
        operators.add(change, "alice")
        totp.enroll(change, world.vault, "alice")
        had = totp.disable(change, world.vault, "alice")
        again = totp.disable(change, world.vault, "alice")

    assert (had, again) == (True, False)


def test_a_step_is_used_once(tmp_path: Path) -> None:
    with fresh(tmp_path) as world, world.change() as change:
        owner = operators.add(change, "alice")
        used = [totp.use_step(change.connection, owner.id, step) for step in (5, 5, 4, 6)]

    assert used == [True, False, False, True]
