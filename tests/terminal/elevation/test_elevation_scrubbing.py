from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.secret import Secret
from watchgate.terminal.elevation.scrubbing import LASTS, MASK, Scrubber

SECRET = b"s3cret pw*"


def through(*chunks: bytes, secret: bytes = SECRET) -> bytes:
    scrubber = Scrubber(Secret(secret))
    return b"".join(scrubber.feed(chunk) for chunk in chunks) + scrubber.flush()


def test_a_secret_is_replaced_wherever_the_output_is_cut() -> None:
    text = b"\r\nbash: " + SECRET + b": not found; " + SECRET + b"!"
    clean = b"\r\nbash: ***: not found; ***!"

    assert through(text) == clean
    assert through(*(bytes([octet]) for octet in text)) == clean
    for cut in range(len(text)):
        assert through(text[:cut], text[cut:]) == clean


@pytest.mark.parametrize(
    "between", [b"\r\n", b" \r", b"\x1b[K", b"\r\x1b[1B", b"\x08", b"\x1b[?25l\x1b[0m"]
)
def test_a_secret_that_is_broken_at_the_edge_is_replaced(between: bytes) -> None:
    for at in range(1, len(SECRET)):
        text = b"> " + SECRET[:at] + between + SECRET[at:] + b"\r\n"

        assert through(text) == b"> ***\r\n"
        assert through(*(bytes([octet]) for octet in text)) == b"> ***\r\n"


def test_other_output_passes_as_it_is() -> None:
    text = b"\r\ns3cre s3cret_pw s3s3cret \x1b[31mred\x1b[0m s3"

    assert through(text) == text
    assert through(*(bytes([octet]) for octet in text)) == text


def test_only_what_could_be_the_secret_is_held_back() -> None:
    scrubber = Scrubber(Secret(SECRET))

    steps = [
        (scrubber.feed(b"root@web1:~# "), scrubber.holds),
        (scrubber.feed(b"ls s3c"), scrubber.holds),
        (scrubber.flush(), scrubber.holds),
    ]

    assert steps == [(b"root@web1:~# ", False), (b"ls ", True), (b"s3c", False)]


def test_what_is_held_back_is_bounded() -> None:
    scrubber = Scrubber(Secret(SECRET))
    given_back = b"".join(scrubber.feed(b"s" + b"\x1b[K" * 100) for _ in range(100))

    assert len(given_back) > 29_000
    assert len(scrubber.flush()) < 200


def test_stars_that_tell_a_length_are_not_shown() -> None:
    assert through(b"**********", b"\x08 \x08" * 10, b"\r\nuid=0") == b"\r\nuid=0"
    assert through(b"Password: ***", b"*", b"*\r\n* a list") == b"Password: \r\n* a list"


def test_it_is_over_after_a_while() -> None:
    scrubber = Scrubber(Secret(SECRET))
    scrubber.feed(b"x" * LASTS)

    assert scrubber.over
    assert scrubber.feed(SECRET) == SECRET


def test_it_does_not_show_the_secret_itself() -> None:
    assert "s3cret" not in repr(Scrubber(Secret(SECRET)))


def test_an_empty_secret_changes_nothing() -> None:
    assert through(b"abc", secret=b"") == b"abc"


@given(
    secret=st.binary(min_size=1, max_size=12).filter(lambda one: one.rstrip(b"\r\n") == one),
    parts=st.lists(st.binary(max_size=20), max_size=6),
    cuts=st.lists(st.integers(1, 30), max_size=10),
)
def test_no_cut_lets_a_secret_through(secret: bytes, parts: list[bytes], cuts: list[int]) -> None:
    text = b"\r\n" + secret.join(parts)
    chunks = []
    for cut in cuts:
        chunks.append(text[:cut])
        text = text[cut:]
    cleaned = through(*chunks, text, secret=secret)

    if secret not in MASK and not set(secret) & set(MASK):
        assert secret not in cleaned
