"""What may reach the terminal that a recording is played on."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.terminal.defuse import Defuse

PASSES = [
    b"plain text\r\n\t\b\x07",
    "grüße ✅".encode(),
    b"\x1b[1;38;5;196mred\x1b[0m",
    b"\x1b[2J\x1b[H\x1b[10;20Hx\x1b[K\x1b[3A\x1b[1;24r\x1b[2L\x1b[5P\x1b[3@",
    b"\x1b[?1049h\x1b[?25l\x1b[?7h\x1b[?1049l",
    b"\x1b7\x1b8\x1b(B\x1b)0\x1bM\x1bc\x1b=\x1b>\x1b#8",
    b"\x1b]0;title\x07",
    b"\x1b]8;;https://example.org/?q=1\x07link\x1b]8;;\x07",
    b"\x1b]10;#ffffff\x07\x1b]104\x07",
    b"\x1b[2 q\x1b[!p\x1b[22;0t\x1b[23;0t",
]
HELD_BACK = [
    b"\x05",
    b"\x1b[c\x1b[0c\x1b[>c\x1b[=c\x1bZ",
    b"\x1b[5n\x1b[6n\x1b[?6n\x1b[?996n",
    b"\x1b[21t\x1b[20t\x1b[18t\x1b[14t\x1b[8;10;10t",
    b"\x1bP$qm\x1b\\",
    b"\x1bP+q544e\x1b\\",
    b"\x1b]52;c;cm0gLXJmIC8=\x07\x1b]52;c;?\x1b\\",
    b"\x1b]10;?\x07\x1b]11;?\x1b\\\x1b]4;1;?\x07",
    b"\x1b]50;?\x07\x1b]1337;File=x:AAAA\x07\x1b]9;note\x07\x1b]777;notify;a;b\x07",
    b"\x1b[x\x1b[?25$p\x1b[1$w\x1b[1;1;1;1;1;1*y\x1b[>q\x1b[?u\x1b[>1u\x1b[=1u\x1b[?4m\x1b[>4;2m\x1b[?1;1S",
    b"\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[?1004h\x1b[?9001h\x1b[2h\x1b[12l",
    b"\x1b[i\x1b[5i\x1b[?5i",
    b"\x1b_Ga=q;AAAA\x1b\\\x1b^x\x1b\\\x1bXx\x1b\\",
    b"\xc2\x9bc\xc2\x9d52;c;AA\xc2\x9c\xc2\x90$qm\xc2\x9c",
    b"\x1b F\x1b G",
]


@pytest.mark.parametrize("octets", PASSES)
def test_what_draws_passes(octets: bytes) -> None:
    assert Defuse().feed(octets) == octets


@pytest.mark.parametrize("octets", HELD_BACK)
def test_what_asks_or_reaches_out_is_held_back(octets: bytes) -> None:
    assert Defuse().feed(b"a" + octets + b"b") == b"ab"


@pytest.mark.parametrize("octets", [*PASSES, *HELD_BACK])
def test_chunks_make_no_difference(octets: bytes) -> None:
    whole = Defuse().feed(b"a" + octets + b"b")
    bitwise = Defuse()

    assert b"".join(bitwise.feed(bytes((octet,))) for octet in b"a" + octets + b"b") == whole


def test_octets_that_are_no_utf8_never_pass() -> None:
    assert Defuse().feed(b"a\x9b6n\x9d\xffb") == b"a6n\xef\xbf\xbdb"


def test_of_several_modes_only_the_harmless_are_set() -> None:
    assert Defuse().feed(b"\x1b[?1000;25;2004h\x1b[4;2l") == b"\x1b[?25h\x1b[4l"


def test_eight_bit_forms_are_written_in_seven_bits() -> None:
    assert Defuse().feed(b"\xc2\x9b1mx\xc2\x9d2;t\xc2\x9c") == b"\x1b[1mx\x1b]2;t\x07"


SOUP = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"\x1b",
                b"[",
                b"]",
                b"P",
                b"52;",
                b"6",
                b"n",
                b"c",
                b"\x07",
                b"\xc2",
                b"\x9b",
                b"?",
                b";",
                b"$",
                b"q",
            ]
        ),
        st.binary(max_size=3),
    ),
    max_size=40,
)
ASKS = re.compile(
    rb"\x1b\[[?>=]?[0-9;]*[cn]|\x1b\]52|\x1b[P_^XZ]|\x05|\xc2[\x80-\x9f]|\x1b\[[0-9;?]*\$p"
)


@given(SOUP)
def test_no_soup_makes_the_terminal_answer(pieces: list[bytes]) -> None:
    defuse = Defuse()
    passed = b"".join(defuse.feed(piece) for piece in pieces)

    assert not ASKS.search(passed)
    assert passed == Defuse().feed(b"".join(pieces))
    assert passed.decode("utf-8", "strict") is not None
