"""Whatever a target prints and an operator types: nothing raises, nothing overtakes, nothing waits for ever."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from gate_world import FORGED, NONCES, World
from hypothesis import given, settings
from hypothesis import strategies as st
from pretended_shell import PASTE_OFF, PASTE_ON, PROMPT, PretendedShell, mark

from watchgate.terminal.gate.acts import Act, Ask, Dropped, ToTarget
from watchgate.terminal.gate.gate import Gate

LONGEST_WAIT_MS = 30_000
"""In so long everything that waits, and not for a verdict, is over."""

LONGEST_KEY = 12

KEYS = st.sampled_from(
    [
        *(b"ls", b"touch HIT", b"dash", b"exit", b"cat", b" ", b"#", b"'", b"\\", b"abc"),
        *(b"\r", b"\n", b"\r\r", b"\r\n", b"\x0f", b"\x16", b"\x16\r", b"\x03", b"\x04", b"\x1a"),
        *(b"\t", b"\x00", b"\x7f", b"\x15", b"\x12", b"\x1b", b"\x1b\r", b"\x1ba", b"\x1b[A"),
        *(b"\x1b[13u", b"\x1b[13;5u", b"\x1b[13;1:3u", b"\x1b[27;1;13~", b"\x1bOM", b"\x1b[57414u"),
        *(b"\x1b[200~", b"\x1b[201~", b"\x1b[200~one\rtwo\r", b"\x1b[20"),
        *(
            b"\x1b[12;3R",
            b"\x1b[?62;c",
            b"\x1b[I",
            b"\x1b]11;rgb:0/0/0\x07",
            b"\x1bP1+r",
            b"\x1b[M !!",
        ),
        *("日本語".encode(), b"\xe6\x97", b"\xff\xfe", b"\x80", b"x" * 3000),
    ]
)
MARKS = st.builds(
    mark,
    st.sampled_from([FORGED, *NONCES[:3], b"", b";"]),
    st.sampled_from([b"L", b"B", b"C", b"D", b"K", b"S", b"R", b"V", b"G", b"N", b"X", b"zz", b""]),
    st.sampled_from([b"", b" $'t=touch HIT'", b" t=ls d=/", b" s=1 d=/", b" 'open", b" v5.2 v v"]),
)
OUTPUT = st.one_of(
    MARKS,
    st.binary(max_size=40),
    st.sampled_from(
        [
            *(PROMPT, PASTE_ON + PROMPT, PASTE_OFF + b"\r", b"\r\n", b"$ ", b"Password: ", b"> "),
            *(b"touch HIT", b"\x1b]7717;", b"\x1b]7717;" + NONCES[0], b"\x1b]0;never", b"\x1b"),
            *(
                b"\x1b[999999999C",
                b"\x1b[2J\x1b[H",
                b"\x1b[?1049h",
                b"\x1b[?1049l",
                b"\x1bc",
                b"\x1b[6n",
            ),
            *(
                b"\x1b[8m",
                b"\r\x1b[K",
                b"\x1b[1;1H",
                b"\0" * 50,
                b"y" * 3000,
                b"\x1b[" + b"1;" * 500,
            ),
        ]
    ),
)
HAPPENS = st.one_of(
    st.tuples(st.just("types"), KEYS),
    st.tuples(st.just("types"), KEYS),
    st.tuples(st.just("prints"), OUTPUT),
    st.tuples(st.just("prints"), OUTPUT),
    st.tuples(st.just("waits"), st.sampled_from([1, 20, 60, 90, 400, 1500])),
    st.tuples(st.just("answers"), st.booleans()),
    st.tuples(st.just("resizes"), st.sampled_from([(80, 24), (1, 1), (0, 0), (300, 100), (20, 3)])),
)


class Watched(World):
    """A world that looks at every act as it comes."""

    typed = b""
    out: tuple[int, ...] = ()
    refused = 0

    def types(self, octets: bytes) -> None:
        self.typed += octets
        super().types(octets)

    def happens(self, what: str, given: object) -> None:
        match what, given:
            case "types", bytes(octets):
                self.types(octets)
            case "prints", bytes(octets):
                self.arrives(octets)
            case "waits", int(ms):
                self.waits(ms)
            case "answers", bool(permitted):
                if self.out:
                    self.answer(permitted, number=self.out[0])
            case "resizes", (int(columns), int(rows)):
                self.gate.resized(self.t_us, columns, rows)
            case _:
                raise ValueError(f"no such thing: {what} {given}")

    def answer(self, permitted: bool, *, number: int | None = None, say: bytes = b"no\r\n") -> None:
        self.out = ()
        self.refused += not permitted
        super().answer(permitted, number=number, say=say)

    def _perform(self, acts: list[Act]) -> None:
        for act in acts:
            if isinstance(act, Ask):
                self.out = (act.number,)
            elif isinstance(act, ToTarget) and act.typed:
                assert not self.out, f"{act.octets!r} passed while a verdict was out"
        super()._perform(acts)

    def settles(self) -> None:
        """Everything that waits is answered, and its time passes."""
        for _ in range(10_000):
            self.waits(LONGEST_WAIT_MS)
            if self.out:
                self.answer(False, number=self.out[0])
            elif self.gate.idle:
                return
        raise AssertionError("it never comes to a rest")


@settings(max_examples=150, deadline=None)
@given(st.booleans(), st.booleans(), st.lists(HAPPENS, max_size=40))
def test_nothing_that_is_typed_is_lost_overtakes_or_waits_for_ever(
    hooks: bool, integrate: bool, story: list[tuple[str, object]]
) -> None:
    there = Watched(shell=PretendedShell(hooks=hooks), integrate=integrate, held=True).begins()
    there.dead = True
    for what, given_ in story:
        there.happens(what, given_)
    there.settles()

    lost = sum(one.octets for one in there.all(Dropped))
    rest = iter(there.typed)
    missing = len(there.typed) - len(there.sent) - lost

    # The key that would have run a line that was refused goes nowhere.
    assert 0 <= missing <= LONGEST_KEY * there.refused
    assert all(octet in rest for octet in there.sent)


@settings(max_examples=100, deadline=None)
@given(
    st.booleans(),
    st.sampled_from([0, 1, 5]),
    st.lists(
        st.one_of(
            st.tuples(
                st.just("types"),
                st.sampled_from([b"touch HIT", b"ls", b"\r", b"\r", b"a", b"\x7f", b"\x03", b"\\"]),
            ),
            st.tuples(st.just("waits"), st.sampled_from([1, 20, 100, 700])),
            st.tuples(
                st.just("prints"),
                st.sampled_from([b"noise\r\n", PROMPT, b"\x1b]0;t\a", mark(FORGED, b"B")]),
            ),
        ),
        max_size=30,
    ),
)
def test_a_shell_that_tells_its_commands_never_runs_what_is_blocked(
    echoes: bool, piece: int, story: list[tuple[str, object]]
) -> None:
    there = Watched(shell=PretendedShell(echoes_verdict=echoes), piece=piece).begins()
    there.settles()
    there.held = False
    for what, given_ in story:
        World.types(there, given_) if isinstance(given_, bytes) and what == "types" else (
            there.happens(what, given_)
        )
    there.waits(LONGEST_WAIT_MS)

    assert [line for line in there.shell.ran if "HIT" in line] == []
    assert b"7717;0" not in there.seen


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"touch HIT", b"ls", b"\r", b"\n", b"x", b"\x7f", b"\x03", b"\\"]),
            st.sampled_from([0, 1, 30, 400]),
        ),
        max_size=25,
    )
)
def test_a_shell_that_is_read_off_the_screen_never_runs_what_is_typed_and_blocked(
    story: list[tuple[bytes, int]],
) -> None:
    there = World(shell=PretendedShell(hooks=False)).begins()
    for octets, ms in story:
        there.types(octets)
        there.waits(ms)
    there.waits(LONGEST_WAIT_MS)

    assert [line for line in there.shell.ran if "HIT" in line] == []


@pytest.mark.parametrize(
    "output",
    [
        b"\x1b]7717;" + NONCES[0] + b";L;q; " + b"x" * 200_000,
        b"\x1b]0;" + b"t" * 200_000,
        b"y" * 1024 * 1024,
        b"\x1b[1;31m" * 50_000,
        mark(FORGED, b"L", b" t=x") * 5000,
        mark(NONCES[0], b"C") * 5000,
        mark(NONCES[0], b"T", b" " + b"z" * 60_000) * 20,
        b"\x1b[?2004h\x1b[?2004l" * 20_000,
        PROMPT * 5000,
    ],
    ids=["mark", "title", "line", "colors", "forged", "more", "ahead", "modes", "prompts"],
)
def test_behind_a_flood_keys_flow_and_the_shell_is_decided_again(output: bytes) -> None:
    there = World().begins()
    there.line("sleep 1")
    begun = time.process_time()
    for at in range(0, len(output), 32_768):
        there.arrives(output[at : at + 32_768])
        there.waits(1)
    took = time.process_time() - begun
    there.waits(2000)
    there.types(b"\x1b[6;6R")
    there.prints(b"\r\n" + there.shell.ends())
    there.waits(2000)
    there.line("touch HIT")
    there.line("echo hi")

    assert took < 10
    assert "touch HIT" not in there.shell.ran
    assert there.shell.ran[-1] == "echo hi"
    assert there.gate.idle


@pytest.mark.parametrize("hooks", [True, False])
def test_a_line_of_a_mebibyte_is_held_in_bounds(hooks: bool) -> None:
    there = World(shell=PretendedShell(hooks=hooks)).begins()
    for _ in range(64):
        there.types(b"x" * 16_384)
        there.waits(1)
    there.types(b"\r")
    there.waits(5000)

    assert all(len(ask.line.text) <= 64 * 1024 for ask in there.asks)
    assert there.gate.idle


def test_a_paste_of_a_hundred_thousand_lines_is_dropped_behind_its_first_blocked_line() -> None:
    there = World().begins()
    lines = b"touch HIT\r" + b"echo one\r" * 100_000
    tracemalloc.start()
    begun = time.process_time()
    _feed(there, lines)
    there.waits(1000)
    took, (_, peak) = time.process_time() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert there.dropped == (100_000, len(b"echo one\r") * 100_000)
    assert there.shell.ran == []
    assert took < 20
    assert peak < 32 * 1024 * 1024


def test_a_paste_of_many_lines_waits_in_bounds_while_a_verdict_is_out() -> None:
    there = World(held=True).begins()
    fed = _feed(there, b"echo one\r" * 100_000)

    assert there.gate.full
    assert fed < 128 * 1024
    assert there.asked == ["echo one"]

    begun = time.process_time()
    there.held = False
    there.answer(True)
    there.waits(60_000)

    assert len(there.shell.ran) == len(there.asked) >= fed // len(b"echo one\r")
    assert time.process_time() - begun < 60


def test_an_open_paste_does_not_keep_what_is_typed_later() -> None:
    there = World().begins()
    there.types(b"\x1b[200~touch HIT\r")
    there.waits(1000)
    there.types(b"\x03")
    there.types(b"\x1b[201~")
    there.waits(1000)
    there.line("echo hi")

    assert there.shell.ran == ["echo hi"]


def test_a_blocked_line_before_an_open_paste_does_not_swallow_the_session() -> None:
    there = World().begins()
    there.types(b"touch HIT\r\x1b[200~one\rtwo")
    there.waits(3000)
    there.types(b"three\r")
    there.waits(6000)
    there.line("echo hi")

    assert there.dropped == (2, len(b"\x1b[200~one\rtwothree\r"))
    assert there.shell.ran == ["echo hi"]


@pytest.mark.parametrize("enter", [b"\r", b"\n", b"\x1b[13u", b"\x1bOM", b"\x1b[27;1;13~", b"\x0f"])
def test_every_key_that_is_an_enter_waits(enter: bytes) -> None:
    there = World(shell=PretendedShell(hooks=False), held=True).begins()
    there.keys(b"touch HIT")
    there.types(enter)
    there.waits(2000)

    assert there.asked == ["touch HIT"]
    assert there.sent == b"touch HIT"


def test_the_release_of_an_enter_is_no_enter() -> None:
    there = World(shell=PretendedShell(hooks=False), held=True).begins()
    there.types(b"\x1b[13;1:3u")

    assert there.sent == b"\x1b[13;1:3u"
    assert there.asked == []


def test_reports_that_a_target_asks_for_run_nothing_and_do_not_wait() -> None:
    there = World().begins()
    there.arrives(b"\x1b[6n\x1b[c\x1b]11;?\a")
    for report in (b"\x1b[24;80R", b"\x1b[?62;22c", b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\"):
        there.types(report)

        assert there.sent.endswith(report)
    assert there.asked == []
    assert isinstance(there.gate, Gate)


def test_prompts_that_a_file_imitates_change_no_verdict() -> None:
    there = World().begins()
    there.line("cat")
    there.arrives(b"\r\n" + PASTE_ON + PROMPT)
    there.waits(2000)
    there.keys(b"touch HIT\r")
    there.waits(1000)
    there.types(b"\x03")
    there.waits(2000)
    there.line("touch HIT")
    there.line("echo hi")

    assert there.shell.ran == ["cat", "echo hi"]


def _feed(there: World, octets: bytes) -> int:
    """Type all of it as a client does: in packets, and nothing while it is not read."""
    fed = 0
    for at in range(0, len(octets), 4096):
        if there.gate.full:
            there.waits(10)
        if there.gate.full:
            break
        there.types(octets[at : at + 4096])
        there.waits(1)
        fed += len(octets[at : at + 4096])
    return fed
