"""Logs as streams: long lines, cut files, hosts of others."""

from __future__ import annotations

import gzip
import io

import pytest
from coverage_lines import MESSAGE, forms

from watchgate.errors import ConfigurationError
from watchgate.reports.coverage.intake import Intake
from watchgate.reports.coverage.lines import LONGEST_LINE, Lines
from watchgate.reports.coverage.model import Login

GOOD = f"Nov 21 02:30:00 web1 sshd[1]: {MESSAGE}\n".encode()


def lines(octets: bytes) -> list[bytes | None]:
    return list(Lines(io.BytesIO(octets), "a.log"))


def read(octets: bytes, hosts: dict[str, str]) -> tuple[list[Login], Intake]:
    intake = Intake(forms(), hosts.get)
    return list(intake.logins(Lines(io.BytesIO(octets), "a.log"))), intake


@pytest.mark.parametrize(
    ("octets", "found"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b"a\r\nb\n\nc", [b"a", b"b", b"", b"c"]),
        (b"x" * LONGEST_LINE + b"\ny\n", [b"x" * LONGEST_LINE, b"y"]),
        (b"x" * (LONGEST_LINE + 1) + b"\ny\n", [None, b"y"]),
        (b"x" * 1_000_000 + b"\ny\n" + b"z" * 600_000, [None, b"y", None]),
    ],
    ids=["nothing", "one", "ends", "longest", "too long", "much too long"],
)
def test_lines_are_bounded(octets: bytes, found: list[bytes | None]) -> None:
    read = lines(octets)

    assert [one for one in read if one != b""] == [one for one in found if one != b""]


def test_a_compressed_log_is_read() -> None:
    assert lines(gzip.compress(b"a\nb\n")) == [b"a", b"b"]


def test_a_compressed_log_that_is_cut_off_is_read_up_to_there() -> None:
    whole = gzip.compress(b"".join(b"%d\n" % number for number in range(100_000)))
    log = Lines(io.BytesIO(whole[: len(whole) // 2]), "a.log.gz")
    read = list(log)

    assert read[:2] == [b"0", b"1"]
    assert "cut off" in log.problem


def test_another_compression_is_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="zstdcat"):
        Lines(io.BytesIO(b"\x28\xb5\x2f\xfd rest"), "a.log.zst")


def test_a_log_is_counted() -> None:
    other = b"Nov 21 03:30:00 web1 CRON[1]: (root) CMD (true)\n"
    unclear = b"Nov 21 02:30:00 web1 sshd[1]: Accepted password for root from the moon\n"
    logins, intake = read(
        GOOD + other + unclear + b"garbage\n" + b"x" * 9000 + b"\n", {"web1": "web1"}
    )

    assert [login.accepted.account for login in logins] == ["root"]
    tally = intake.tally
    assert (tally.lines, tally.logins, tally.unreadable_logins) == (5, 1, 1)
    assert (tally.unreadable, tally.overlong) == (1, 1)
    ((target, _), seen) = next(iter(intake.seen.items()))
    assert target == "web1"
    assert seen.hours == 1 << 2 | 1 << 3


def test_hosts_that_no_target_has_are_counted_and_named() -> None:
    logins, intake = read(GOOD + GOOD.replace(b"web1", b"db9") * 3, {"web1": "web1"})

    assert len(logins) == 1
    assert intake.tally.unknown_hosts == {"db9": 3}
    assert {target for target, _ in intake.seen} == {"web1"}


def test_the_same_login_has_one_name() -> None:
    precise = GOOD.replace(b"Nov 21 02:30:00", b"2026-11-21T02:30:00.999999Z")
    (first, second), _ = read(GOOD + precise, {"web1": "web1"})

    assert first.uid == second.uid
    assert first != second
