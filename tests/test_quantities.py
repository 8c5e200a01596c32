"""How values are read and shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watchgate import quantities as q
from watchgate.session.model import Address


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (30, 30.0),
        (0.5, 0.5),
        ("30s", 30),
        ("250ms", 0.25),
        ("5 min", 300),
        ("5m", 300),
        ("1.5h", 5400),
        ("2d", 172_800),
        ("45", 45),
    ],
)
def test_a_duration_is_a_number_or_a_number_with_a_unit(written: object, seconds: float) -> None:
    assert q.parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written", ["", "s", "-1s", "1 fortnight", "1e3s", True, None, [], float("nan"), float("inf")]
)
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="not"):
        q.parse_duration(written)


@pytest.mark.parametrize(
    ("written", "octets"),
    [(4096, 4096), ("64MiB", 64 << 20), ("1.5 KiB", 1536), ("2GB", 2 * 10**9), ("10", 10)],
)
def test_a_size_is_a_number_or_a_number_with_a_unit(written: object, octets: int) -> None:
    assert q.parse_size(written) == octets


@example(2**53 + 1)
@given(st.integers(min_value=0, max_value=1 << 70))
def test_a_shown_size_reads_back_as_itself(octets: int) -> None:
    assert q.parse_size(q.show_size(octets)) == octets


@given(st.integers(min_value=0, max_value=900_000))
def test_a_shown_duration_reads_back_as_itself(seconds: int) -> None:
    assert q.parse_duration(q.show_duration(float(seconds))) == seconds


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("10.0.0.7:22", Address("10.0.0.7", 22)),
        ("[::1]:2222", Address("::1", 2222)),
        ("gate.corp:65535", Address("gate.corp", 65535)),
    ],
)
def test_an_address_is_a_host_and_a_port(written: str, address: Address) -> None:
    assert q.parse_address(written) == address
    assert str(q.parse_address(written)) == written


@pytest.mark.parametrize(
    "written", ["", "22", ":22", "host", "host:", "::1:22", "[::1]", "h:65536", "h:-1", "[h]:1", 22]
)
def test_what_is_no_address_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"not|at most"):
        q.parse_address(written)


def test_a_list_is_an_array_or_text_with_commas() -> None:
    addresses = q.listing(q.ADDRESS)

    assert addresses.read(["a:1", "b:2"]) == addresses.read("a:1, b:2")
    assert addresses.show(addresses.read("a:1,[::1]:2")) == "a:1, [::1]:2"


def test_an_empty_list_is_refused_where_one_entry_is_needed() -> None:
    with pytest.raises(ValueError, match="not a list"):
        q.listing(q.TEXT).read([])
    assert q.listing(q.TEXT, empty=True).read([]) == ()


def test_bounds_hold() -> None:
    with pytest.raises(ValueError, match="not within"):
        q.duration(1).read("500ms")
    with pytest.raises(ValueError, match="not within"):
        q.duration(0, 0.5).read("501ms")
    with pytest.raises(ValueError, match="not within"):
        q.size(1024).read(1023)
    with pytest.raises(ValueError, match="not within"):
        q.integer(1).read(0)


@pytest.mark.parametrize("written", [1.5, "1.5", "x", "1/2", "1/0", True])
def test_a_whole_number_is_whole(written: object) -> None:
    with pytest.raises(ValueError, match=r"not|invalid"):
        q.integer().read(written)


@pytest.mark.parametrize(("written", "value"), [(True, True), ("yes", True), ("Off", False)])
def test_a_flag_is_true_or_false_in_the_usual_words(written: object, value: bool) -> None:
    assert q.FLAG.read(written) is value
    assert q.FLAG.read(q.FLAG.show(value)) is value


def test_a_flag_is_nothing_else() -> None:
    with pytest.raises(ValueError, match="neither"):
        q.FLAG.read("maybe")


def test_an_optional_path_may_be_empty() -> None:
    path = q.optional(q.PATH)

    assert path.read("") is None
    assert path.read("cas.pub") == Path("cas.pub")
    assert path.show(None) == ""
