"""The cut of a terminal's octets into tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.terminal.escapes import KEPT, LONGEST_STRING, Token, Tokenizer, TokenKind

CASES = [
    (b"hello", [("TEXT", b"hello")]),
    (
        "gr\u00fc\u00df \u2705 \U0001f600".encode(),
        [("TEXT", "gr\u00fc\u00df \u2705 \U0001f600".encode())],
    ),
    (b"a\r\nb", [("TEXT", b"a"), ("CONTROL", b"\r"), ("CONTROL", b"\n"), ("TEXT", b"b")]),
    (b"\x1b[1;31mred", [("CSI", b"1;31m"), ("TEXT", b"red")]),
    (b"\x1b[?25l", [("CSI", b"?25l")]),
    (b"\x1b[2 q", [("CSI", b"2 q")]),
    (b"\xc2\x9b2J", [("CSI", b"2J")]),
    (b"\x1b(Bx", [("ESCAPE", b"(B"), ("TEXT", b"x")]),
    (b"\xc2\x85", [("ESCAPE", b"E")]),
    (b"\x1b]0;t\x07x", [("OSC", b"0;t"), ("TEXT", b"x")]),
    (b"\x1b]0;t\x1b\\x", [("OSC", b"0;t"), ("TEXT", b"x")]),
    ("\x1b]0;\u2705\x07".encode(), [("OSC", "0;\u2705".encode())]),
    (b"\xc2\x9d0;t\xc2\x9cx", [("OSC", b"0;t"), ("TEXT", b"x")]),
    (b"\x1bP$qm\x1b\\x", [("STRING", b"P$qm"), ("TEXT", b"x")]),
    (b"\x1bPa\x07b\x1b\\", [("STRING", b"Pa\x07b")]),
    (b"\x1b]0;t\x1b[1mx", [("OSC", b"0;t"), ("CSI", b"1m"), ("TEXT", b"x")]),
    (b"\x1b]0;t\x18x", [("OSC", b"0;t"), ("TEXT", b"x")]),
    (b"\xff\x9b", [("BROKEN", b"\xff"), ("BROKEN", b"\x9b")]),
    (b"\xc0\x9b", [("BROKEN", b"\xc0"), ("BROKEN", b"\x9b")]),
    (b"\xe2\x82", [("BROKEN", b"\xe2\x82")]),
    (b"\x1b[1\n2m", [("BROKEN", b"\x1b[1"), ("CONTROL", b"\n"), ("TEXT", b"2m")]),
    (b"\x1b\x1b[1m", [("BROKEN", b"\x1b"), ("CSI", b"1m")]),
    (b"\x1b[3", [("BROKEN", b"\x1b[3")]),
    (b"\x1b]0;x", [("OSC", b"0;x")]),
]


def cut(*chunks: bytes) -> list[Token]:
    tokenizer = Tokenizer()
    tokens = [token for chunk in chunks for token in tokenizer.feed(chunk)]
    return joined([*tokens, *tokenizer.finish()])


def joined(tokens: list[Token]) -> list[Token]:
    """Neighboring texts as one: where a chunk ends inside text is no boundary."""
    result: list[Token] = []
    for token in tokens:
        if result and token.kind is result[-1].kind is TokenKind.TEXT:
            result[-1] = Token(token.kind, result[-1].octets + token.octets)
        else:
            result.append(token)
    return result


@pytest.mark.parametrize(("octets", "expected"), CASES)
@pytest.mark.parametrize("bitwise", [False, True])
def test_octets_are_cut_as_a_terminal_cuts_them(
    octets: bytes, expected: list[tuple[str, bytes]], bitwise: bool
) -> None:
    chunks = [bytes((octet,)) for octet in octets] if bitwise else [octets]

    assert [(token.kind.name, token.octets) for token in cut(*chunks)] == expected


PIECES = st.sampled_from(
    [b"\x1b", b"[", b"]", b"P", b"\\", b"\x07", b"\xc2", b"\x9b", b"\x9c", b"?25", b"m", b"\x18"]
)


@given(st.lists(st.one_of(PIECES, st.binary(max_size=4)), max_size=30), st.data())
def test_chunking_never_changes_the_cut(pieces: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(pieces)
    place = data.draw(st.integers(0, len(whole)))
    bitwise = [bytes((octet,)) for octet in whole]

    assert cut(whole[:place], whole[place:]) == cut(whole)
    assert cut(*bitwise) == cut(whole)


def test_a_string_that_nobody_ends_is_given_up_and_the_rest_is_seen() -> None:
    tokenizer = Tokenizer()
    chunk = b"a" * 65536
    tokens = list(tokenizer.feed(b"\x1b]0;"))
    for _ in range(LONGEST_STRING // len(chunk)):
        tokens += tokenizer.feed(chunk)
    tokens += tokenizer.feed(b"seen")

    assert tokens[0].kind is TokenKind.OSC
    assert len(tokens[0].octets) == KEPT
    assert tokens[-1] == Token(TokenKind.TEXT, b"seen")


def test_a_sequence_without_an_end_is_not_held_for_ever() -> None:
    tokenizer = Tokenizer()
    tokens = list(tokenizer.feed(b"\x1b[" + b"1;" * 500))

    assert tokens[0].kind is TokenKind.BROKEN
    assert sum(len(token.octets) for token in tokens) == 1002
