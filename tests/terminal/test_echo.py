"""The echo proof: dialogues of typing and showing, and what may be kept of the typing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.terminal.echo import HELD_LIMIT, WINDOW_US, Decision, EchoProof, InClear, Redacted

T = "typed"
S = "shown"
Step = tuple[int, str, bytes]


def play(steps: list[Step]) -> list[Decision]:
    """The decisions of a dialogue, its times in milliseconds; `expire` is called as `due` asks."""
    proof = EchoProof()
    decided: list[Decision] = []
    now = 0
    for milliseconds, who, octets in steps:
        now = milliseconds * 1000
        while (due := proof.due()) is not None and due < now:
            decided += proof.expire(due)
        decided += proof.typed(now, octets) if who == T else proof.shown(now, octets)
    while (due := proof.due()) is not None:
        now = due
        decided += proof.expire(due)
    return decided + proof.close(now)


def kept(decided: list[Decision]) -> bytes:
    """What is on disk: octets in clear, and a `#` for each redaction."""
    return b"".join(d.octets if isinstance(d, InClear) else b"#" for d in decided)


def echoed(start: int, text: bytes, lag: int = 2, gap: int = 120) -> list[Step]:
    """*text* typed key by key and echoed."""
    steps: list[Step] = []
    for index, octet in enumerate(text):
        at = start + index * gap
        steps.append((at, T, bytes((octet,))))
        steps.append((at + lag, S, bytes((octet,))))
    return sorted(steps, key=lambda step: step[0])


def silent(start: int, text: bytes, gap: int = 120) -> list[Step]:
    """*text* typed key by key, and nothing comes back."""
    return [(start + i * gap, T, bytes((octet,))) for i, octet in enumerate(text)]


PROMPT = b"alice@web1:~$ "
DIALOGUES: dict[str, tuple[list[Step], bytes]] = {
    "a command": (
        [*echoed(0, b"ls -l"), (700, T, b"\r"), (702, S, b"\r\ntotal 0\r\n" + PROMPT)],
        b"ls -l\r",
    ),
    "a command in UTF-8, chunks inside characters": (
        [
            (0, T, b"gr\xc3"),
            (0, T, b"\xbc\xc3\x9f"),
            (5, S, b"gr"),
            (6, S, b"\xc3"),
            (6, S, b"\xbc\xc3\x9f"),
        ],
        b"gr\xc3\xbc\xc3\x9f",
    ),
    "sudo, the prompt at once": (
        [
            *echoed(0, b"sudo id"),
            (900, T, b"\r"),
            (901, S, b"\r\n[sudo] password for alice: "),
            *silent(1500, b"s3cret"),
            (2300, T, b"\r"),
            (2310, S, b"\r\nuid=0(root)\r\n" + PROMPT),
            *echoed(3000, b"ok"),
        ],
        b"sudo id\r#\rok",
    ),
    "sudo, the password typed before its prompt was shown, echo already off": (
        [
            *echoed(0, b"sudo id"),
            (900, T, b"\r"),
            (901, S, b"\r\n"),
            *silent(950, b"pass", gap=40),
            (1200, S, b"password for alice: "),
            *silent(1300, b"word"),
            (1900, T, b"\r"),
        ],
        b"sudo id\r#\r",
    ),
    "a prompt that is exactly what has been typed so far, and goes on": (
        [
            (0, T, b"P"),
            (10, T, b"a"),
            (20, S, b"Pa"),
            (30, S, b"ssword: "),
            (40, T, b"ss"),
            (90, T, b"\r"),
        ],
        b"#\r",
    ),
    "ssh asks for a password; a wrong one, then the right one": (
        [
            (0, S, b"root@db1's password: "),
            *silent(100, b"wrong"),
            (900, T, b"\r"),
            (2900, S, b"\r\nPermission denied, please try again.\r\nroot@db1's password: "),
            *silent(4000, b"right"),
            (4700, T, b"\r"),
            (4800, S, b"\r\nLinux db1\r\n# "),
            *echoed(5600, b"w"),
        ],
        b"#\r#\rw",
    ),
    "a password corrected, its length stays hidden": (
        [
            *silent(0, b"abc"),
            (400, T, b"\x7f\x7f"),
            (500, T, b"\x1b[D"),
            *silent(600, b"d"),
            (1500, T, b"\x7f"),
            (1600, T, b"\r"),
        ],
        b"#\r",
    ),
    "a password begun again after ^U": (
        [*silent(0, b"abc"), (400, T, b"\x15"), *silent(450, b"xyz"), (900, T, b"\r")],
        b"#\x15#\r",
    ),
    "a password with stars": (
        [
            (0, T, b"a"),
            (2, S, b"*"),
            (100, T, b"b"),
            (102, S, b"*"),
            (200, T, b"\r"),
            (202, S, b"\r\n"),
        ],
        b"#\r",
    ),
    "a password while a log scrolls": (
        [
            (0, S, b"Password: "),
            (90, T, b"t"),
            (100, S, b"tail: file truncated\r\n"),
            (150, T, b"o"),
            (160, S, b"ok 200\r\n"),
            (200, T, b"p"),
            (260, T, b"\r"),
        ],
        b"#\r",
    ),
    "a log that shows its lines octet by octet": (
        [
            (0, T, b"t"),
            (10, S, b"t"),
            (11, S, b"a"),
            (50, T, b"o"),
            (60, S, b"i"),
            (80, T, b"p"),
            (90, T, b"\r"),
        ],
        b"#\r",
    ),
    "a chance hit, then silence": (
        [(0, T, b"t"), (10, S, b"t"), (12, S, b"\r\n"), *silent(100, b"op"), (400, T, b"\r")],
        b"#\r",
    ),
    "a password pasted": ([(0, T, b"correct horse"), (5, T, b"\r"), (30, S, b"\r\n# ")], b"#\r"),
    "a slow link": (
        [*echoed(0, b"uptime", lag=300), (1000, T, b"\r"), (1300, S, b"\r\n up 3 days\r\n")],
        b"uptime\r",
    ),
    "an echo that comes too late": ([(0, T, b"w"), (650, S, b"w"), (900, T, b"\r")], b"#\r"),
    "typed ahead of a slow command, echoed after its output": (
        [(0, T, b"pwd\r"), (300, S, b"12 files\r\n" + PROMPT + b"pwd\r\n/root\r\n")],
        b"#\r",
    ),
    "one burst, echoed in pieces": (
        [
            (0, T, b"echo one two\r"),
            (5, S, b"echo o"),
            (6, S, b"ne t"),
            (7, S, b"wo\r\n"),
            (8, S, b"one two\r\n"),
        ],
        b"echo one two\r",
    ),
    "several keys in one echo, with the line's end": (
        [(0, T, b"l"), (20, T, b"s"), (40, T, b"\r"), (60, S, b"ls\r\nbin\r\n")],
        b"ls\r",
    ),
    "zsh draws the line again, with a suggestion": (
        [
            (0, T, b"l"),
            (2, S, b"\x1b[31ml\x1b[39m\x1b[90ms -la\x1b[39m\x1b[5D"),
            (100, T, b"s"),
            (102, S, b"\b\x1b[32ml\x1b[32ms\x1b[39m\x1b[90m -la\x1b[39m\x1b[4D"),
            (200, T, b"\r"),
            (201, S, b"\x1b[K\r\r\nbin\r\n"),
        ],
        b"ls\r",
    ),
    "readline wraps at the right margin": (
        [*echoed(0, b"abc"), (500, T, b"d"), (502, S, b"d \r"), *echoed(600, b"ef")],
        b"abcdef",
    ),
    "readline inserts in the middle of the line": (
        [
            (0, T, b"ls"),
            (2, S, b"ls"),
            (100, T, b"\x1b[D"),
            (102, S, b"\b"),
            (200, T, b"x"),
            (202, S, b"xs\b"),
        ],
        b"ls\x1b[Dx",
    ),
    "readline draws the line again after a paste": (
        [
            (0, T, b"\x1b[200~echo hi\x1b[201~"),
            (3, S, b"\x1b[7mecho hi\x1b[27m"),
            (300, T, b"x"),
            (303, S, b"\r\x1b[C\x1b[Cecho hix"),
        ],
        b"\x1b[200~echo hi\x1b[201~x",
    ),
    "a paste of two lines, in brackets": (
        [
            (0, T, b"\x1b[200~echo 1\recho 2\x1b[201~"),
            (3, S, b"\x1b[7mecho 1\x1b[27m\r\n\r\x1b[7mecho 2\x1b[27m"),
        ],
        b"\x1b[200~echo 1\recho 2\x1b[201~",
    ),
    "a correction in a cooked line": (
        [
            *echoed(0, b"lx"),
            (300, T, b"\x7f"),
            (302, S, b"\b \b"),
            *echoed(400, b"s"),
            (600, T, b"\r"),
        ],
        b"lx\x7fs\r",
    ),
    "a correction and text in one echo": (
        [(0, T, b"lx\x7fs\r"), (5, S, b"lx\b \bs\r\n")],
        b"lx\x7fs\r",
    ),
    "a completion": (
        [
            (0, T, b"ls /et"),
            (2, S, b"ls /et"),
            (90, T, b"\t"),
            (95, S, b"c/"),
            (300, T, b"p"),
            (302, S, b"p"),
        ],
        b"ls /et\tp",
    ),
    "a completion, its echo in one piece": (
        [(0, T, b"/et"), (1, T, b"\t"), (5, S, b"/etc/")],
        b"/et\t",
    ),
    "an interrupted line": (
        [
            (0, T, b"ls"),
            (2, S, b"ls"),
            (90, T, b"\x03"),
            (95, S, b"^C\r\n" + PROMPT),
            (99, T, b"w"),
            (100, S, b"w"),
        ],
        b"ls\x03w",
    ),
    "an interrupted line, the caret cut in two": (
        [(0, T, b"ls\x03"), (95, S, b"ls^"), (96, S, b"C\r\n" + PROMPT)],
        b"ls\x03",
    ),
    "controls that a cooked terminal shows as carets": (
        [(0, T, b"a\x01\x05b\x1b[Ac\r"), (5, S, b"a^A^Eb^[[Ac\r\n")],
        b"a\x01\x05b\x1b[Ac\r",
    ),
    "arrows, reports and focus need no proof": (
        [
            (0, T, b"\x1b[A"),
            (5, S, b"ls"),
            (9, T, b"\x1b[24;80R\x1b[?62;c\x1b[I"),
            (50, T, b"\x1bOP\x1b[15~\r"),
        ],
        b"\x1b[A\x1b[24;80R\x1b[?62;c\x1b[I\x1bOP\x1b[15~\r",
    ),
    "keys in vim": (
        [
            (0, T, b"j"),
            (2, S, b"\x1b[2;1H"),
            (300, T, b"j"),
            (302, S, b"\x1b[3;1H"),
            (500, T, b"\x1b[B"),
            (1500, T, b"k"),
            (1600, T, b":"),
        ],
        b"#",
    ),
    "Alt with a letter is text that was not shown": (
        [(0, T, b"\x1bf"), (5, S, b"\x1b[3C"), (50, T, b"\x1bb\x1b."), (900, T, b"\r")],
        b"#\r",
    ),
    "a password in the keypad's and the kitty protocol's codes": (
        [
            (0, T, b"\x1bOp\x1bOq"),
            (50, T, b"\x1b[97;1u"),
            (90, T, b"\x1b[27;2;65~"),
            (120, T, b"\r"),
        ],
        b"#\r",
    ),
    "ESC, and a password after it": (
        [(0, T, b"\x1b"), (200, T, b"s"), (300, T, b"e"), (400, T, b"\r")],
        b"\x1b#\r",
    ),
    "an arrow key in two chunks": ([(0, T, b"\x1b"), (3, T, b"[A"), (90, T, b"\r")], b"\x1b[A\r"),
    "a mixed line: echoed, then hidden": (
        [
            *echoed(0, b"user bob"),
            (1600, T, b"\x1f"),
            *silent(1700, b"pw"),
            (2600, T, b"x"),
            (2700, T, b"\r"),
        ],
        b"user bob\x1f#\r",
    ),
    "broken octets that are echoed": ([(0, T, b"\xff\xfe"), (2, S, b"\xff\xfe")], b"\xff\xfe"),
    "nothing but controls": ([(0, T, b"\x0c\x01\x05"), (1, T, b"\r\r")], b"\x0c\x01\x05\r\r"),
}


@pytest.mark.parametrize("name", DIALOGUES)
def test_a_dialogue_keeps_what_was_echoed_and_nothing_else(name: str) -> None:
    steps, expected = DIALOGUES[name]

    assert kept(play(steps)) == expected


@pytest.mark.parametrize("name", DIALOGUES)
def test_the_output_octet_by_octet_never_shows_more(name: str) -> None:
    steps, expected = DIALOGUES[name]
    merged: list[Step] = []
    for at, who, octets in steps:
        pieces = [octets] if who == T else [bytes((octet,)) for octet in octets]
        merged.extend((at, who, piece) for piece in pieces)

    assert kept(play(merged)) == expected


def test_a_decision_carries_the_time_of_the_key() -> None:
    assert play([(7, T, b"l"), (9, S, b"l"), (50, T, b"s"), (60, S, b"s"), (90, T, b"\r")]) == [
        InClear(7000, b"l"),
        InClear(50_000, b"s"),
        InClear(90_000, b"\r"),
    ]
    assert play(silent(5, b"abc")) == [Redacted(5000)]


def test_a_finished_line_is_decided_at_once() -> None:
    proof = EchoProof()
    proof.typed(0, b"ls")
    proof.shown(10, b"ls")
    held = proof.typed(20, b"\r")

    assert held == []
    assert kept(proof.shown(30, b"\r\nbin\r\n")) == b"ls\r"
    assert proof.due() is None


def test_every_key_is_decided_within_the_window() -> None:
    proof = EchoProof()
    proof.typed(1000, b"x")

    assert proof.due() == 1000 + WINDOW_US
    assert proof.expire(999 + WINDOW_US) == []
    assert proof.expire(1000 + WINDOW_US) == [Redacted(1000)]
    assert proof.due() is None


def test_closing_decides_what_is_left() -> None:
    proof = EchoProof()
    proof.typed(0, b"ok\r")
    proof.shown(1, b"ok\r\n")
    proof.typed(5, b"sec")

    assert proof.close(9) == [Redacted(5)]


def test_a_large_paste_is_held_within_the_bound() -> None:
    proof = EchoProof()
    decided = proof.typed(0, b"x" * 10_000_000 + b"\r")
    lines = proof.typed(1, b"abc\r" * 100_000)

    assert kept(decided) == b"#\r"
    assert set(kept(lines)) <= set(b"#\r")
    assert proof._held <= HELD_LIMIT
    assert len(proof._queue) <= HELD_LIMIT // 64


def test_a_large_paste_with_its_echo_stays_in_clear() -> None:
    proof = EchoProof()
    decided: list[Decision] = []
    text = bytes(0x21 + i % 90 for i in range(4000)) + b"\r"
    for number in range(250):
        decided += proof.typed(number * 1000, text)
        decided += proof.shown(number * 1000 + 500, text.replace(b"\r", b"\r\n"))

    assert kept(decided + proof.close(10**6)) == text * 250


def test_output_that_nobody_waits_for_is_not_looked_at() -> None:
    proof = EchoProof()
    proof.typed(0, b"\r")

    assert not proof._match.busy
    assert proof.shown(1, b"bulk" * 100_000) == []


PRINTABLE = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x2FFF, exclude_categories=("Cc", "Cs", "Cn")),
    min_size=1,
    max_size=30,
)


@given(lines=st.lists(PRINTABLE, min_size=1, max_size=5), data=st.data())
def test_a_terminal_that_echoes_leaves_all_in_clear_and_in_order(
    lines: list[str], data: st.DataObject
) -> None:
    typed = b"".join(line.encode() + b"\r" for line in lines)
    echo_of = [b"\r\n" if octet == 0x0D else bytes((octet,)) for octet in typed]
    sizes = st.integers(1, 7)
    proof = EchoProof()
    decided: list[Decision] = []
    now = keyed = 0
    pending = b""
    while keyed < len(typed) or pending:
        now += data.draw(st.integers(0, 20_000))
        if keyed < len(typed) and (not pending or data.draw(st.booleans())):
            size = data.draw(sizes)
            decided += proof.typed(now, typed[keyed : keyed + size])
            pending += b"".join(echo_of[keyed : keyed + size])
            keyed += size
        else:
            size = data.draw(sizes)
            decided += proof.shown(now, pending[:size])
            pending = pending[size:]

    assert kept(decided + proof.close(now)) == typed


SECRET = st.text("abcdeXYZ019!#", min_size=2, max_size=16).map(str.encode)
NOISE = st.lists(
    st.one_of(
        st.text("abcdefgh XYZ", min_size=1, max_size=12).map(str.encode),
        st.sampled_from(
            [b"\r\n", b"\x1b[31m", b"\x1b[0m", b"\r", b"\b", b"\x1b[5;1H", b" \r", b"*", b"\x1b[K"]
        ),
    ),
    max_size=6,
)


def printed(noise: bytes) -> bytes:
    """Noise as print, in the order it was shown, without what moves or colors."""
    for code in (b"\r\n", b"\x1b[31m", b"\x1b[0m", b"\r", b"\b", b"\x1b[5;1H", b"\x1b[K"):
        noise = noise.replace(code, b"")
    return noise


@given(secret=SECRET, noise=st.data())
def test_a_terminal_that_does_not_echo_never_leaks_a_secret(
    secret: bytes, noise: st.DataObject
) -> None:
    proof = EchoProof()
    decided: list[Decision] = []
    now = 0
    shown = b""
    position = 0
    while position < len(secret):
        size = noise.draw(st.integers(1, 4))
        now += noise.draw(st.integers(0, 400_000))
        decided += proof.typed(now, secret[position : position + size])
        position += size
        for chunk in noise.draw(NOISE):
            now += noise.draw(st.integers(0, 50_000))
            shown += chunk
            decided += proof.shown(now, chunk)
    decided += proof.typed(now + 100_000, b"\r")
    decided += proof.close(now + 2_000_000)
    by_chance = any(secret[i : i + 2] in printed(shown) for i in range(len(secret) - 1))
    clear = b"|".join(d.octets.rstrip(b"\r") for d in decided if isinstance(d, InClear))

    assert by_chance or not any(len(piece) > 1 for piece in clear.split(b"|"))
    assert by_chance or secret not in clear.replace(b"|", b"")
    assert kept(decided).endswith(b"\r")
