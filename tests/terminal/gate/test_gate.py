"""The gate of a terminal: which keys wait, for what, and what becomes of the line behind them."""

from __future__ import annotations

import pytest
from gate_world import BLOCKED, FORGED, MS, World
from pretended_shell import PASTE_OFF, PROMPT, PretendedShell, mark

from watchgate.policy.commands import Place, Source
from watchgate.session.model import Device as Kind
from watchgate.terminal.gate.acts import (
    Ask,
    Back,
    Finished,
    Hooked,
    Prompted,
    Tampering,
    ToTarget,
    Unhooked,
    Withdrawn,
)
from watchgate.terminal.gate.gate import UNQUOTE
from watchgate.terminal.gate.phases import LEAST_MARK_US, LOST_US, MARK_US


def world(**given: object) -> World:
    """A terminal at its first prompt."""
    return World(**given).begins()  # type: ignore[arg-type]


def dash(**given: object) -> World:
    """The same with a shell that cannot tell its commands."""
    return world(shell=PretendedShell(hooks=False), **given)


# --- the first prompt ----------------------------------------------------------------------------


def test_a_shell_is_asked_to_tell_its_commands_without_a_trace_on_the_screen() -> None:
    there = world()

    assert there.all(Hooked) == [Hooked("bash", "5.2.15", 0)]
    assert there.seen == b"Last login: today\r\n\x1b[?2004h" + PROMPT
    assert there.gate.idle


def test_keys_that_are_typed_before_the_hooks_are_set_wait_for_them_in_order() -> None:
    there = World()
    there.types(b"echo one\r")
    there.types(b"echo two\r")
    there.prints(there.shell.begins())
    before = bytes(there.sent)
    there.waits(3000)

    assert before == b""
    assert there.shell.ran == ["echo one", "echo two"]
    assert [ask.line.source for ask in there.asks] == [Source.INTEGRATION] * 2


def test_a_program_that_shows_no_prompt_holds_the_keys_for_a_bounded_time() -> None:
    there = World()
    there.prints(b"Do you accept the terms of this host? ")
    there.types(b"yes\r")
    there.waits(900)
    held = bytes(there.sent)
    there.waits(2500)

    assert held == b""
    assert there.sent == b"yes\r"
    assert [missing.reason for missing in there.all(Unhooked)] == ["no prompt was seen"]


def test_a_target_that_says_nothing_at_all_holds_the_keys_for_a_bounded_time() -> None:
    there = World(dead=True)
    there.types(b"ls\r")
    there.waits(5000)

    assert there.sent == b"ls\r"


def test_a_shell_without_hooks_is_said_to_have_none_and_its_lines_are_read_off_the_screen() -> None:
    there = dash()
    there.line("echo hi")
    there.line("touch HIT")

    assert [missing.reason for missing in there.all(Unhooked)] == [
        "there are no hooks for this shell"
    ]
    assert [ask.line.source for ask in there.asks] == [Source.SCREEN] * 2
    assert there.shell.ran == ["echo hi"]


def test_a_gate_that_may_not_ask_types_nothing_of_its_own() -> None:
    there = world(integrate=False)
    there.line("echo hi")

    assert [act for act in there.all(ToTarget) if not act.typed] == []
    assert there.asked == ["echo hi"]


def test_a_network_device_is_never_asked_who_it_is() -> None:
    there = World(kind=Kind.CISCO, integrate=False)
    there.prints(b"\r\nrouter1>")
    there.waits(1000)
    there.keys(b"show version\r")

    assert there.sent == there.shell.fed


# --- a shell that tells its commands -------------------------------------------------------------


def test_the_shell_says_the_line_and_it_runs_when_it_is_permitted() -> None:
    there = world()
    there.line("echo hi")

    (ask,) = there.asks
    assert (ask.line.text, ask.line.source, ask.line.exact) == (
        "echo hi",
        Source.INTEGRATION,
        True,
    )
    assert ask.line.cwd == "/root"
    assert there.shell.ran == ["echo hi"]
    assert there.all(Finished) == [Finished(ask.number, 0, "/root")]
    assert there.all(Back)[-1] == Back(0)


def test_a_blocked_line_does_not_run_and_the_prompt_is_back() -> None:
    there = world()
    there.line("touch HIT")
    there.line("echo hi")

    assert there.shell.ran == ["echo hi"]
    assert b"touch HIT\x1b[?2004l\r\r\n" + BLOCKED + b"\x1b[?2004h" + PROMPT in there.seen
    assert there.shell.line == b""


def test_nothing_of_what_a_gate_and_a_shell_say_is_seen() -> None:
    there = world(shell=PretendedShell(echoes_verdict=True), piece=1)
    there.line("echo hi")
    there.line("touch HIT")

    assert b"7717" not in there.seen
    assert there.seen.count(b"did echo hi\r\n") == 1


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 13])
def test_marks_and_echoes_are_known_in_pieces(piece: int) -> None:
    whole, cut = world(), world(piece=piece)
    for there in (whole, cut):
        there.line("echo hi")
        there.line("touch HIT")
        there.line("echo \\")
        there.line("there")

    assert cut.asked == whole.asked == ["echo hi", "touch HIT", "echo \\\nthere"]
    assert cut.seen == whole.seen
    assert cut.shell.ran == whole.shell.ran


def test_a_line_that_goes_on_is_asked_about_once_and_whole() -> None:
    there = world()
    there.keys(b"echo \\\rone \\\rtwo\r")
    there.waits(500)

    assert there.asked == ["echo \\\none \\\ntwo"]


def test_enter_on_an_empty_line_is_no_command() -> None:
    there = world()
    there.keys(b"\r\r\r")
    there.line("echo hi")

    assert there.asked == ["echo hi"]


def test_keys_that_end_no_line_are_never_held() -> None:
    there = world(held=True)
    there.keys(b"ec", between_ms=0)
    there.types(b"\x1b[A\t\x01\x05ho")

    assert there.sent == b"ec\x1b[A\t\x01\x05ho"
    assert there.gate.idle


def test_what_is_typed_while_a_verdict_is_out_comes_behind_it_and_in_order() -> None:
    there = world(held=True)
    there.types(b"echo one\r")
    there.waits(100)
    there.types(b"echo t")
    there.types(b"wo\r")
    waiting = bytes(there.sent)
    there.answer(True)
    there.waits(500)
    there.answer(True)
    there.waits(500)

    assert waiting == b"echo one\r"
    assert there.asked == ["echo one", "echo two"]
    assert there.shell.ran == ["echo one", "echo two"]


def test_what_the_shell_had_read_before_its_verdict_comes_back_before_newer_keys() -> None:
    there = world(held=True)
    # Both lines reach the shell before it asks about the first: no mark came within the bound.
    there.types(b"echo one\r")
    there.shell.takes(b"echo two\r")
    there.waits(20)
    there.types(b"echo three\r")
    for _ in range(3):
        there.answer(True)
        there.waits(500)

    assert there.asked == ["echo one", "echo two", "echo three"]
    assert there.shell.ran == there.asked


def test_a_paste_of_many_lines_is_decided_line_by_line() -> None:
    there = world()
    there.types(b"".join(b"echo %d\r" % number for number in range(20)))
    there.waits(5000)

    assert there.asked == [f"echo {number}" for number in range(20)]
    assert there.shell.ran == there.asked


def test_behind_a_blocked_line_the_rest_of_its_paste_is_dropped_and_said() -> None:
    there = world()
    there.types(b"echo one\rtouch HIT\recho two\recho three\r")
    there.waits(2000)
    there.line("echo four")

    assert there.shell.ran == ["echo one", "echo four"]
    assert there.dropped == (2, len(b"echo two\recho three\r"))


def test_what_the_shell_gives_back_behind_a_blocked_line_is_dropped_too() -> None:
    there = world(held=True)
    there.types(b"touch HIT\r")
    there.shell.takes(b"echo two\r")
    there.waits(20)
    there.answer(False)
    there.waits(2000)

    assert there.shell.ran == []
    assert there.dropped == (1, len(b"echo two\r"))


def test_one_ask_answers_for_all_commands_of_what_was_accepted_together() -> None:
    there = world(held=True)
    nonce = there.shell.nonces[0]
    there.types(b"a; b\r")
    there.waits(10)
    there.answer(True)
    there.arrives(mark(nonce, b"L", b" $'t=a; b' o="))

    assert there.asked == ["a; b"]
    assert there.acts[-1] == ToTarget(b" : 7717." + nonce + b".A\n", typed=False)


def test_again_says_nothing_for_another_text() -> None:
    there = world(held=True)
    nonce = there.shell.nonces[0]
    there.types(b"a\r")
    there.waits(10)
    there.answer(True)
    there.arrives(mark(nonce, b"L", b" $'t=touch HIT' o="))

    assert there.asked == ["a", "touch HIT"]


def test_a_shell_that_asks_anew_is_answered_anew() -> None:
    there = world(held=True)
    nonce = there.shell.nonces[0]
    there.types(b"echo hi\r")
    there.waits(10)
    there.arrives(mark(nonce, b"L", b" $'t=touch HIT'"))
    first, second = there.asks
    count = len(there.acts)
    there.answer(True, number=first.number)

    assert there.acts[count:] == []

    there.answer(False, number=second.number)

    assert there.all(ToTarget)[-1] == ToTarget(b" : 7717." + nonce + b".B\n", typed=False)


def test_a_zsh_without_comments_is_asked_about_what_stands_behind_the_hash() -> None:
    there = world(held=True)
    there.arrives(mark(there.shell.nonces[0], b"L", b" $'t=echo hi # ; touch HIT' h="))

    (ask,) = there.asks
    assert any("\\#" in other for other in ask.line.others)


def test_both_forms_of_a_line_with_an_alias_are_asked_about() -> None:
    there = world(held=True)
    there.arrives(mark(there.shell.nonces[0], b"L", b" t=ll $'x=ls -l' a=ll=ls"))

    (ask,) = there.asks
    assert ask.line.others == ("ls -l",)
    assert ask.line.aliases == {"ll": "ls"}


def test_the_token_of_an_elevation_goes_with_its_verdict_and_comes_back_with_its_prompt() -> None:
    there = world(held=True)
    nonce = there.shell.nonces[0]
    there.types(b"sudo id\r")
    there.waits(10)
    there.acts += there.gate.verdict(
        there.t_us, there.asks[0].number, permitted=True, token=b"cafe"
    )
    there.arrives(mark(nonce, b"K") + mark(nonce, b"S", b"cafe"))

    assert there.acts[-2] == ToTarget(b" : 7717." + nonce + b".A.cafe\n", typed=False)
    assert there.acts[-1] == Prompted(b"cafe")


# --- approvals -----------------------------------------------------------------------------------


def test_an_approval_is_waited_for_and_every_other_key_with_it() -> None:
    there = world(held=True)
    there.types(b"reboot\r")
    there.waits(10)
    there.gate.approving(there.t_us)
    there.types(b"echo hi\r")
    there.waits(20_000)
    before = list(there.shell.ran)
    there.answer(True)
    there.waits(500)
    there.answer(True)
    there.waits(500)

    assert before == []
    assert there.shell.ran == ["reboot", "echo hi"]
    assert there.all(Withdrawn) == []


def test_control_c_withdraws_what_waits_for_an_approval() -> None:
    there = world(held=True)
    there.types(b"reboot\r")
    there.waits(10)
    there.gate.approving(there.t_us)
    there.types(b"never mind\x03")

    assert there.all(Withdrawn) == [Withdrawn(there.asks[0].number)]
    assert b"\x03" not in there.sent

    there.answer(False)
    there.waits(500)
    there.line("")

    assert there.shell.ran == []
    assert there.gate.idle


def test_control_c_withdraws_nothing_before_somebody_was_asked() -> None:
    there = world(held=True)
    there.types(b"reboot\r")
    there.waits(10)
    there.types(b"\x03")
    there.answer(True)
    there.waits(500)

    assert there.all(Withdrawn) == []
    assert there.shell.ran == ["reboot"]
    assert there.sent.endswith(b"\x03")


def test_a_shell_that_no_longer_waits_takes_no_verdict() -> None:
    there = world(held=True)
    nonce = there.shell.nonces[0]
    there.types(b"reboot\r")
    there.waits(10)
    there.gate.approving(there.t_us)
    there.arrives(mark(nonce, b"K") + mark(nonce, b"D", b" s=130 d=/root") + mark(nonce, b"B"))

    assert there.all(Withdrawn) == [Withdrawn(there.asks[0].number)]
    assert there.gate.idle

    sent = len(there.all(ToTarget))
    there.answer(True)

    assert len(there.all(ToTarget)) == sent


def test_a_shell_on_the_screen_of_another_program_is_asked_nothing_and_holds_no_keys() -> None:
    there = world()
    there.types(b"bash\r")
    there.waits(5)
    there.prints(b"\x1b[?1049h" + PROMPT)  # as a multiplexer does
    there.waits(500)
    there.types(b"ls")

    assert there.sent == b"bash\rls"
    assert len(there.shell.nonces) == 1
    assert there.all(Unhooked) == [
        Unhooked("a full-screen program shows it, and passes no marks", 1)
    ]


# --- bounds --------------------------------------------------------------------------------------


def test_a_shell_that_says_nothing_of_an_accepted_line_holds_no_keys() -> None:
    there = world()
    there.shell.silent = True
    there.types(b"echo hi\r")
    there.types(b"abc")
    there.waits(MARK_US // MS - 50)
    early = bytes(there.sent)
    there.waits(100)

    assert early == b"echo hi\r"
    assert there.sent == b"echo hi\rabc"
    assert there.gate.idle


def test_a_shell_that_answers_keys_quickly_is_waited_for_a_shorter_time() -> None:
    there = world()
    there.keys(b"echo hi")
    there.shell.silent = True
    there.types(b"\rabc")
    there.waits(LEAST_MARK_US // MS - 5)
    early = bytes(there.sent)
    there.waits(10)

    assert early == b"echo hi\r"
    assert there.sent == b"echo hi\rabc"
    assert there.gate.idle


def test_the_bound_grows_with_the_distance() -> None:
    there = world(rtt_us=2_000_000)
    there.shell.silent = True
    there.types(b"echo hi\rabc")
    there.waits(8000)
    early = bytes(there.sent)
    there.waits(400)

    assert early == b"echo hi\r"
    assert there.sent == b"echo hi\rabc"


def test_a_target_that_dies_while_a_verdict_is_out_keeps_nothing_waiting() -> None:
    there = world(held=True)
    there.types(b"echo hi\rabc")
    there.waits(10)
    there.dead = True
    there.answer(True)
    there.waits(1000)

    assert there.sent == b"echo hi\rabc"
    assert there.gate.idle


def test_a_verdict_that_nobody_waits_for_changes_nothing() -> None:
    there = world(held=True)
    there.types(b"echo hi\r")
    there.waits(10)
    there.answer(True)
    count = len(there.acts)
    there.answer(False)
    there.answer(False, number=99)

    assert there.acts[count:] == []


def test_what_waits_is_bounded_and_says_when_it_is_full() -> None:
    there = world(held=True)
    there.types(b"echo hi\r")
    there.waits(10)
    there.types(b"x" * 63 * 1024)
    nearly = there.gate.full
    there.types(b"x" * 1024)

    assert (nearly, there.gate.full) == (False, True)

    there.answer(True)
    there.waits(1000)

    assert not there.gate.full
    assert there.sent.count(b"x") == 64 * 1024


def test_a_resize_while_a_verdict_is_out_changes_nothing_of_it() -> None:
    there = world(held=True)
    there.types(b"echo hi\r")
    there.waits(10)
    there.gate.resized(there.t_us, 1, 1)
    there.gate.resized(there.t_us, 200, 50)
    there.answer(True)
    there.waits(500)
    there.types(b"echo two\r")
    there.waits(10)

    assert there.asked == ["echo hi", "echo two"]


def test_reports_of_the_terminal_are_no_keys_and_never_wait() -> None:
    there = world(held=True)
    there.types(b"\x1b[12;3R")
    there.types(b"\x1b[?62;c\x1b[I")

    assert there.sent == b"\x1b[12;3R\x1b[?62;c\x1b[I"
    assert there.gate.idle


# --- what runs -----------------------------------------------------------------------------------


def test_enter_in_a_program_is_decided_as_a_line_of_the_program() -> None:
    there = world()
    there.line("cat")
    there.line("some text")
    there.types(b"\x03")
    there.waits(500)
    there.line("echo hi")

    assert there.asked[0] == "cat"
    assert there.asked[-1] == "echo hi"
    assert [ask.line.place for ask in there.asks[1:-1]] == [Place.PROGRAM] * (len(there.asks) - 2)
    assert there.shell.ran == ["cat", "echo hi"]


def test_what_is_typed_ahead_while_a_command_runs_is_decided_by_the_shell_that_takes_it() -> None:
    there = world()
    there.line("sleep 5")
    there.keys(b"echo hi\r")
    there.waits(1000)
    there.prints(there.shell.ends())
    there.waits(1000)

    assert there.shell.ran == ["sleep 5", "echo hi"]
    assert there.asks[-1].line.source is Source.INTEGRATION


def test_a_dangerous_line_that_is_typed_ahead_does_not_run() -> None:
    there = world()
    there.line("sleep 5")
    there.keys(b"touch HIT\r")
    there.waits(1000)
    there.prints(there.shell.ends())
    there.waits(1000)

    assert there.shell.ran == ["sleep 5"]


def test_a_password_is_never_in_what_is_asked() -> None:
    there = world()
    there.line("sleep 5")
    there.prints(b"Password: ")
    there.waits(200)
    there.types(b"hunter2\r")
    there.waits(3000)

    assert "hunter2" not in repr(there.asks)
    assert [ask.line.text for ask in there.asks if not ask.line.hidden] == ["sleep 5"]
    assert "hunter2" not in bytes(there.seen).decode()
    assert there.sent.endswith(b"hunter2\r")


# --- shells in shells ----------------------------------------------------------------------------


def test_a_shell_in_a_shell_is_asked_too_and_the_outer_one_goes_on_behind_it() -> None:
    there = world()
    there.line("bash")
    there.waits(2000)
    there.line("echo inner")
    there.line("touch HIT")
    there.line("exit")
    there.waits(2000)
    there.line("echo outer")

    assert [(hooked.shell, hooked.depth) for hooked in there.all(Hooked)] == [
        ("bash", 0),
        ("bash", 1),
    ]
    assert there.shell.ran == ["bash", "echo inner", "exit", "echo outer"]
    assert [(ask.line.text, ask.line.depth) for ask in there.asks] == [
        ("bash", 0),
        ("echo inner", 1),
        ("touch HIT", 1),
        ("exit", 1),
        ("echo outer", 0),
    ]
    assert {ask.line.source for ask in there.asks} == {Source.INTEGRATION}
    assert len(there.all(Finished)) == 4


def test_an_inner_shell_without_hooks_is_read_off_the_screen() -> None:
    there = world()
    there.line("dash")
    there.waits(3000)
    there.line("echo inner")
    there.line("touch HIT")
    there.line("exit")
    there.waits(2000)
    there.line("echo outer")

    assert there.shell.ran == ["dash", "echo inner", "exit", "echo outer"]
    sources = {ask.line.text: ask.line.source for ask in there.asks}
    assert sources["echo inner"] is Source.SCREEN
    assert sources["touch HIT"] is Source.SCREEN
    assert sources["echo outer"] is Source.INTEGRATION


def test_lines_before_an_inner_shell_is_asked_are_decided_too() -> None:
    there = world()
    there.keys(b"bash\r", between_ms=5)
    there.waits(20)
    there.keys(b"touch HIT\r", between_ms=1)
    there.waits(3000)

    assert there.shell.ran == ["bash"]


# --- hooks that are taken away -------------------------------------------------------------------


@pytest.fixture
def never_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell whose hooks cannot be set anew."""
    monkeypatch.setattr("watchgate.terminal.gate.gate.MOST_RENEWED", 0)


@pytest.mark.usefixtures("never_renewed")
def test_a_prompt_without_its_mark_is_tampering_and_lines_are_read_again() -> None:
    there = world()
    there.line("unhook")
    there.waits(LOST_US // MS + 100)
    there.line("echo hi")
    there.line("touch HIT")

    (lost,) = there.all(Tampering)
    assert (lost.severity, lost.lost) == ("high", True)
    assert there.shell.ran == ["unhook", "echo hi"]
    assert [ask.line.source for ask in there.asks[1:]] == [Source.SCREEN] * 2


@pytest.mark.parametrize("prompt", [b"sqlite> ", b"choice# ", b"$ "])
def test_the_prompt_of_a_program_is_no_tampering(prompt: bytes) -> None:
    there = world()
    there.line("sleep 5")
    there.prints(prompt)
    there.waits(LOST_US // MS + 1000)
    there.keys(b"echo hi\r")
    there.waits(1000)

    assert there.all(Tampering) == []


def test_what_is_typed_at_a_prompt_that_the_shell_does_not_tell_of_is_decided_at_once() -> None:
    there = world(held=True)
    there.types(b"menu\r")
    there.waits(10)
    there.shell.marks = False
    there.shell.prompt = b"other$ "
    there.answer(True)
    there.waits(500)
    there.waits(100)
    there.keys(b"systemctl stop x\r", between_ms=2)
    there.waits(500)

    assert there.asked == ["menu", "systemctl stop x"]
    assert b"systemctl stop x\r" not in there.sent


def test_hooks_that_are_removed_with_the_prompt_are_missed_without_a_pause() -> None:
    there = world()
    there.keys(b"PS0= PS1='$ '\r")
    there.waits(300)
    there.keys(b"true\r", between_ms=2)
    there.waits(300)

    assert [(one.lost, one.severity) for one in there.all(Tampering)] == [(True, "high")]
    assert there.asked[-1] == "true"


def test_a_dangerous_line_at_once_behind_hooks_that_were_taken_away_does_not_run() -> None:
    there = world()
    there.keys(b"unhook\rtouch HIT\r", between_ms=2)
    there.waits(3000)

    assert there.shell.ran == ["unhook"]


@pytest.mark.usefixtures("never_renewed")
def test_a_prompt_whose_mark_alone_is_left_is_tampering_for_good() -> None:
    there = world()
    nonce = there.shell.nonces[0]
    there.keys(b"unhook")
    there.shell.prompt = PROMPT + mark(nonce, b"B")
    there.line("")
    there.line("echo hi")
    there.line("touch HIT")
    there.line("touch HIT")

    assert [(one.lost, one.severity) for one in there.all(Tampering)] == [(True, "high")]
    assert there.shell.ran == ["unhook", "echo hi"]


def test_a_shell_that_tells_again_is_believed_again() -> None:
    there = world()
    there.keys(b"unhook\r")
    there.waits(LOST_US // MS + 500)
    there.shell.marks = True
    there.line("echo hi")
    there.line("echo two")

    assert len(there.all(Tampering)) == 1
    assert [ask.line.source for ask in there.asks][-1] is Source.INTEGRATION


def test_a_dangerous_line_that_comes_back_without_a_word_is_decided_after_the_fact() -> None:
    there = world()
    nonce = there.shell.nonces[0]
    # The prompt of another shell says the mark of the first.
    there.line("dash")
    there.shell.prompt = PROMPT + mark(nonce, b"D", b" s=0 d=/") + mark(nonce, b"B")
    there.waits(3000)
    there.line("true")
    there.line("touch HIT")
    ran = there.shell.ran.count("touch HIT")
    there.line("touch HIT")

    late = there.asks[2]
    assert (late.line.text, late.line.source, late.line.late) == ("touch HIT", Source.KEYS, True)
    assert BLOCKED in there.seen
    assert [one.lost for one in there.all(Tampering)] == [False]
    assert there.shell.ran.count("touch HIT") == ran

    there.line("true")

    assert [one.lost for one in there.all(Tampering)] == [False, True]


def test_a_line_that_the_shell_cannot_parse_is_no_tampering() -> None:
    there = world()
    there.shell.refuses = b"echo )"
    there.line("echo )")
    there.line("echo hi")

    assert there.all(Tampering) == []
    assert there.asked == ["echo hi"]


def test_a_command_of_many_lines_that_is_given_up_is_no_tampering() -> None:
    there = world()
    there.keys(b"echo \\\rtouch HIT \\\r\x03")
    there.waits(500)
    there.line("echo hi")

    assert there.all(Tampering) == []
    assert there.asked == ["echo hi"]


@pytest.mark.parametrize("kind", [b"L", b"B", b"D", b"K", b"T", b"S", b"R", b"V", b"X", b"zz"])
def test_a_mark_with_a_nonce_that_is_nobodys_changes_nothing_but_an_event(kind: bytes) -> None:
    there = world(held=True)
    forged = mark(FORGED, kind, b" $'t=touch HIT'")
    there.types(b"echo hi\r")
    there.waits(10)
    there.arrives(forged)
    there.answer(True)
    there.waits(500)

    (tampering,) = there.all(Tampering)
    assert not tampering.lost
    assert there.asked == ["echo hi"]
    assert there.shell.ran == ["echo hi"]


def test_a_flood_of_forged_marks_is_one_event_at_a_time() -> None:
    there = world()
    there.arrives(mark(FORGED, b"B") * 10_000)

    assert len(there.all(Tampering)) == 1

    there.waits(120_000)
    there.arrives(mark(FORGED, b"B") * 10_000)

    assert len(there.all(Tampering)) == 2


def test_a_mark_that_breaks_off_is_tampering() -> None:
    there = world()
    there.arrives(mark(there.shell.nonces[0], b"L", b" t=ls")[:-1] + b"\r\n")

    assert [(one.what, one.lost) for one in there.all(Tampering)] == [("a mark broke off", True)]


# --- lines read off the screen -------------------------------------------------------------------


def test_enter_waits_until_the_line_is_read_and_then_for_its_verdict() -> None:
    there = dash(held=True)
    there.keys(b"echo hi\r")
    there.waits(300)
    held = bytes(there.sent)
    there.answer(True)
    there.waits(200)

    assert held == b"echo hi"
    assert there.sent == b"echo hi\r"
    assert there.shell.ran == ["echo hi"]


def test_a_line_that_is_blocked_is_cleared_at_its_prompt() -> None:
    there = dash()
    there.line("touch HIT")

    assert there.shell.ran == []
    assert there.shell.line == b""
    assert there.seen.endswith(
        b"touch HIT\r\n" + BLOCKED + PASTE_OFF + b"\r\r\n\x1b[?2004h" + PROMPT
    )


@pytest.mark.parametrize("quote", [b"\x16", b"\x11"])
def test_an_enter_that_a_key_quotes_is_looked_at_where_the_quote_may_not_be_known(
    quote: bytes,
) -> None:
    there = dash()
    there.keys(b"touch HIT" + quote + b"\r")
    there.waits(1000)
    there.keys(b"echo hi" + quote + b"\r")
    there.waits(1000)

    assert ToTarget(UNQUOTE + b"\x03", typed=False) in there.acts
    assert [ask.line.text for ask in there.asks if not ask.line.late] == ["touch HIT"]
    assert there.sent.endswith(b"echo hi" + quote + b"\r")
    assert "touch HIT" not in there.shell.ran
    assert there.gate.idle


def test_an_enter_that_a_key_quotes_passes_at_once_where_the_shell_tells() -> None:
    there = world()
    there.types(b"echo hi\x16\r")

    assert there.sent == b"echo hi\x16\r"


def test_a_line_that_is_typed_before_the_prompt_behind_control_c_is_back_is_read() -> None:
    there = dash()
    there.types(b"abc\x03touch HIT")
    there.waits(1)
    there.types(b"\r")
    there.waits(2000)

    assert there.asked == ["touch HIT"]
    assert there.shell.ran == []


def test_two_enters_are_two_lines() -> None:
    there = dash()
    there.types(b"echo one\recho two\r")
    there.waits(2000)

    assert there.shell.ran == ["echo one", "echo two"]
    assert there.asked == ["echo one", "echo two"]


def test_a_device_that_cannot_clear_a_line_is_sent_nothing() -> None:
    there = World(kind=Kind.OTHER, integrate=False, shell=PretendedShell(hooks=False))
    there.prints(b"\r\nbox> ")
    there.waits(500)
    there.keys(b"touch HIT\r")
    there.waits(1000)

    assert there.shell.ran == []
    assert [act.octets for act in there.all(ToTarget) if not act.typed] == []


def test_a_line_that_was_seen_late_is_interrupted() -> None:
    there = world(integrate=False, held=True)
    there.shell.silent = True
    there.types(b"\x1b[A")
    there.prints(b"touch HIT")
    there.waits(100)
    # A key that nobody takes for Enter runs what stands there.
    there.types(b"\x1b[25~")
    there.waits(20)
    there.arrives(b"\r\n" + PASTE_OFF + b"\r")
    there.waits(100)

    late = [ask for ask in there.asks if ask.line.late]
    assert [ask.line.text for ask in late] == ["touch HIT"]

    there.answer(False)

    assert there.acts[-1] == ToTarget(b"\x03", typed=False)
    assert BLOCKED in there.seen


def test_asks_are_numbered_and_none_is_answered_twice() -> None:
    there = world()
    for number in range(5):
        there.line(f"echo {number}")

    assert [ask.number for ask in there.all(Ask)] == [1, 2, 3, 4, 5]
    assert [done.number for done in there.all(Finished)] == [1, 2, 3, 4, 5]
