"""What a command line claims to be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.transfers.scp_claim import ScpClaim, claims


@pytest.mark.parametrize(
    ("command", "claim"),
    [
        ("scp -t /tmp/x", ScpClaim("upload", "/tmp/x")),
        ("scp -f /tmp/x", ScpClaim("download", "/tmp/x")),
        ("scp -r -p -d -t .", ScpClaim("upload", ".", recursive=True, directory=True)),
        ("scp -v -rpf dir", ScpClaim("download", "dir", recursive=True)),
        ("/usr/bin/scp -qt -- -x", ScpClaim("upload", "-x")),
        ("scp  -t  'a b; $(c)'", ScpClaim("upload", "a b; $(c)")),
        ('scp -t "a b;c"', ScpClaim("upload", "a b;c")),
        ("scp -t a\\ b\\;c", ScpClaim("upload", "a b;c")),
        ("scp -f ~/log", ScpClaim("download", "~/log")),
        ("scp -f /var/log/*.log", ScpClaim("download", "/var/log/*.log")),
        ("scp -t größe", ScpClaim("upload", "größe")),
    ],
)
def test_a_plain_scp_command_is_a_claim(command: str, claim: ScpClaim) -> None:
    assert claims(command) == claim


@pytest.mark.parametrize(
    "command",
    [
        "",
        "scp",
        "scp -t",
        "scp /a host:/b",
        "scp -t -f x",
        "scp -tx y",
        "scp -S prog -t x",
        "scp -t x y",
        "scp -t ''",
        "scp -t x; bash",
        "scp -t x;bash",
        "scp -t x && bash",
        "scp -t x & bash",
        "scp -t x | bash",
        "scp -t x\nbash",
        "scp -t x\rbash",
        "scp -t $(bash)",
        "scp -t `bash`",
        'scp -t "$(bash)"',
        'scp -t "`bash`"',
        "scp -t $HOME",
        "scp -t <(bash)",
        "scp -t x > y",
        "scp -t {a,b}",
        "scp -t 'x",
        "scp -t x # y",
        "scp -t x\\\nbash",
        "scp -t x\0",
        "A=b scp -t x",
        "exec scp -t x",
        "sudo scp -t x",
        "./scp -t x",
        "/tmp/scp -t x",
        "bash -c 'scp -t x'",
        "scpx -t x",
        "-t scp x",
        " scp -t x",
        "scp -t " + "x" * 9000,
    ],
)
def test_anything_else_claims_nothing(command: str) -> None:
    assert claims(command) is None


@given(st.text(max_size=40))
def test_no_command_line_makes_it_raise(tail: str) -> None:
    claim = claims("scp -t " + tail)

    assert claim is None or claim.direction == "upload"


def test_a_long_command_is_decided_at_once() -> None:
    assert claims("scp -t " + "a'b'" * 2000 + ";") is None
    assert claims("scp" + " -t" * 2000 + " ;") is None
