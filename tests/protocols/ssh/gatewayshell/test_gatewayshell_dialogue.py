"""The gateway's shell: only what is listed and readable runs, each line in a channel of its own."""

from __future__ import annotations

import pytest
from shell_stage import DUMB, LISTED, TERMINAL, WINDOW, Stage

from watchgate.policy.loading import load_text
from watchgate.policy.ruleset import NO_RULES, RuleSet
from watchgate.protocols.ssh import wire
from watchgate.protocols.ssh.gatewayshell import strict
from watchgate.session.events import (
    ChannelClosed,
    ChannelOpened,
    ChannelRefused,
    CommandFinished,
    CommandRequested,
    InputDropped,
    InputRedacted,
)
from watchgate.session.model import Capability
from watchgate.session.ports import RecordKind

BLOCKING = RuleSet(
    load_text(
        "version: 1\nrules:\n  a:\n    description: d\n    action: block\n    match: {program: rm}"
    )
)
PROMPT = "root@web1:~% "


def test_it_begins_with_where_it_is_and_a_prompt() -> None:
    stage = Stage().start()

    assert [launch.command for launch in stage.launched] == [b"pwd -P"]
    assert not stage.launched[0].input
    assert (
        stage.screen() == f"watchgate: only listed commands run here; `help` shows them\r\n{PROMPT}"
    )
    assert isinstance(stage.events[0], ChannelOpened)
    assert stage.events[0].told


@pytest.mark.parametrize("rules", [NO_RULES, BLOCKING])
def test_without_a_list_it_is_refused_at_its_start(rules: RuleSet) -> None:
    stage = Stage(rules=rules).start()

    assert stage.said == [strict.NO_LIST]
    assert stage.exit_status == 255
    assert stage.launched == []
    assert any(isinstance(event, ChannelRefused) for event in stage.events)


def test_without_the_capability_it_is_refused() -> None:
    stage = Stage(capabilities=frozenset({Capability.EXEC})).start()

    assert stage.said == ["your grant does not permit a shell"]


def test_a_listed_line_runs_on_the_target_with_the_operators_terminal() -> None:
    stage = Stage()
    stage.request("env", wire.string(b"LANG") + wire.string(b"C.UTF-8"))
    stage.request("env", wire.string(b"LD_PRELOAD") + wire.string(b"/tmp/x"))
    stage.start().type(b"ls -l\r")

    assert stage.answers == [True, True, False, True]
    assert stage.launched[-1].command == b"ls -l"
    assert [kind for kind, _ in stage.launched[-1].requests] == ["pty-req", "env"]
    assert stage.launched[-1].requests[0][1] == TERMINAL
    assert stage.trail[-3:] == ["verdict", "commit", "launch"]


def test_its_output_and_its_end_are_shown_and_recorded() -> None:
    stage = Stage().start().type(b"ls\r")
    stage.screen()
    stage.clock.advance(2)
    stage.run(b"a b", 3)

    assert stage.screen() == f"a b\r\n{PROMPT}"
    assert stage.recorded[RecordKind.OUTPUT].endswith(b"a b\r\n\x1b[?2004h" + PROMPT.encode())
    finished = next(event for event in stage.events if isinstance(event, CommandFinished))
    assert (finished.command_seq, finished.exit_status, finished.duration_us) == (1, 3, 2_000_000)


@pytest.mark.parametrize(
    "line",
    [b"rm x", b"ls; rm x", b"ls | tee f", b"$X", b"ls $(id)", b"vim f", b"echo a > $HOME/x; id"],
)
def test_what_is_not_listed_or_not_readable_never_reaches_the_target(line: bytes) -> None:
    stage = Stage().start().type(line + b"\r")

    assert len(stage.launched) == 1
    assert len(stage.decisions) == 1
    assert not stage.decisions[0].runs
    assert stage.decisions[0].message in stage.screen()


def test_a_rule_that_permits_what_cannot_be_read_does_not_do_so_here() -> None:
    stage = Stage().start().type(b"vim notes\r")

    assert stage.decisions[0].message.startswith("the gateway's shell runs only what can be read")


def test_who_may_leave_leaves_with_a_status() -> None:
    first = Stage().start().type(b"ls\r").run(status=4).type(b"exit\r")
    second = Stage().start().type(b"logout 300\r")
    third = Stage().start().type(b"\x04")

    assert [stage.exit_status for stage in (first, second, third)] == [4, 44, 0]
    assert "Shut CLIENT" in first.trail


def test_after_a_refused_line_what_was_pasted_behind_it_is_dropped() -> None:
    stage = Stage().start().type(b"rm x\recho a\recho b\r")

    assert stage.commands() == []
    dropped = next(event for event in stage.events if isinstance(event, InputDropped))
    assert (dropped.lines, dropped.octets) == (2, 14)
    assert "2 more lines were not run" in stage.screen()


def test_pasted_lines_run_one_after_the_other() -> None:
    stage = Stage().start().type(b"\x1b[200~echo a\recho b\r\x1b[201~")
    first = stage.commands()
    stage.run(b"a\n")

    assert first == ["echo a"]
    assert stage.commands() == ["echo a", "echo b"]
    assert stage.given == b""


def test_what_is_typed_while_a_program_runs_is_for_the_program() -> None:
    stage = Stage().start().type(b"cat\r")
    stage.perform(stage.dialogue.started())
    stage.type(b"hello\r\x03")

    assert stage.given == b"hello\r\x03"


def test_an_interrupt_before_the_program_is_there_reaches_it_when_it_is() -> None:
    stage = Stage().start().type(b"cat\r").type(b"echo a\r\x03")
    stage.run(b"")

    assert stage.given == b"\x03"
    assert stage.commands() == ["cat"]


def test_the_directory_is_kept_and_every_line_runs_in_it() -> None:
    stage = Stage().start().type(b"cd /var/log\r")
    asked = stage.launched[-1].command
    stage.run(b"/var/log\n").type(b"ls\r")
    inside = stage.launched[-1].command
    stage.run().type(b"cd ..\r")

    assert asked == b"cd -- '/var/log' && pwd -P"
    assert inside == b"cd -- '/var/log' || exit\nls"
    assert stage.launched[-1].command == b"cd -- '/var/log' || exit\ncd -- './..' && pwd -P"
    assert "root@web1:/var/log% " in stage.screen()
    assert stage.decisions[0].command.context.cwd == "/var/log"
    requested = [event for event in stage.events if isinstance(event, CommandRequested)]
    assert [event.command for event in requested] == ["cd /var/log", "cd .."]


def test_a_directory_that_is_not_there_changes_nothing() -> None:
    stage = Stage().start().type(b"cd nowhere\r")
    stage.run(b"", 1, b"sh: 1: cd: can't cd to ./nowhere\n").type(b"ls\r")

    assert "can't cd to ./nowhere" in stage.screen()
    assert stage.launched[-1].command == b"ls"


@pytest.mark.parametrize("name", ["it's", "a b", "$(id)", "-x", "`id`", "a\\b", '"'])
def test_a_directory_is_quoted_whatever_its_name(name: str) -> None:
    stage = Stage().start().type(b"cd x\r").run(f"/srv/{name}\n".encode()).type(b"ls\r")

    quoted = f"/srv/{name}".replace("'", "'\\''")
    assert stage.launched[-1].command.decode() == f"cd -- '{quoted}' || exit\nls"


def test_a_rule_can_forbid_a_directory() -> None:
    stage = Stage().start().type(b"cd /secret\r")

    assert len(stage.launched) == 1
    assert "blocked by rule no-shadow" in stage.screen()


def test_a_line_waits_for_an_approval_and_runs() -> None:
    stage = Stage().start().type(b"systemctl stop x\r")
    before = stage.commands()
    waiting = stage.screen()
    stage.answer(approved=True)

    assert before == []
    assert "waiting for the approval of carol; Ctrl-C withdraws it" in waiting
    assert stage.commands() == ["systemctl stop x"]


def test_an_approval_is_withdrawn_by_an_interrupt() -> None:
    stage = Stage().start().type(b"systemctl stop x\r")
    stage.type(b"\x03")

    assert stage.commands() == []
    assert "not approved: withdrawn" in stage.screen()
    assert "Withdraw" in stage.trail


def test_a_rule_that_interrupts_ends_the_session() -> None:
    stage = Stage().start().type(b"mkfs /dev/sda\r")

    assert "EndSession" in stage.trail
    assert stage.commands() == []


def test_a_command_of_several_lines_is_one() -> None:
    stage = Stage().start().type(b"for i in a b\rdo echo hi\rdone\r")

    assert stage.decisions[0].command.text == "for i in a b\ndo echo hi\ndone"
    assert "> " in stage.screen()


def test_an_interrupt_forgets_a_command_that_is_not_complete() -> None:
    stage = Stage().start().type(b"echo 'a\r\x03echo b\r")

    assert stage.commands() == ["echo b"]


def test_help_names_what_is_listed() -> None:
    stage = Stage().start()
    stage.screen()
    stage.type(b"help\r")
    shown = stage.screen()

    assert "looking: Looking around. (cat, echo, ls, systemctl, vim)" in shown
    assert "no-shadow" not in shown


def test_history_and_pwd_are_its_own() -> None:
    stage = Stage().start().type(b"ls\r").run().type(b"pwd\r")
    stage.type(b"history\r")
    shown = stage.screen()

    assert "/root\r\n" in shown
    assert "    1  ls\r\n    2  pwd\r\n    3  history\r\n" in shown
    assert len(stage.commands()) == 1


def test_a_comment_and_an_empty_line_are_nothing() -> None:
    stage = Stage().start().type(b"\r   \r# rm -rf /\r")

    assert stage.decisions == []
    assert len(stage.launched) == 1


def test_what_is_typed_is_recorded_when_it_is_shown() -> None:
    stage = Stage().start().type(b"ls\r").run(b"a\n")
    stage.type(b"cat\r")
    stage.perform(stage.dialogue.started())
    stage.type(b"hunter2\r")
    stage.clock.advance(1)
    stage.perform(stage.dialogue.expire())

    assert b"ls\r" in stage.recorded[RecordKind.INPUT]
    assert b"hunter2" not in stage.recorded[RecordKind.INPUT]
    assert any(isinstance(event, InputRedacted) for event in stage.events)


def test_a_new_size_is_recorded_told_and_kept() -> None:
    stage = Stage().start().type(b"cat\r")
    stage.perform(stage.dialogue.started())
    larger = (120).to_bytes(4, "big") + (40).to_bytes(4, "big") + b"\0" * 8
    stage.request("window-change", larger)
    stage.finish().type(b"ls\r")

    assert stage.recorded[RecordKind.RESIZE].endswith(b"120x40")
    assert "Tell" in stage.trail
    assert stage.launched[-1].requests[0][1] == TERMINAL.replace(WINDOW, larger)


def test_without_a_terminal_it_reads_lines_and_its_programs_read_nothing() -> None:
    stage = Stage(None).start().type(b"echo a\necho b\nls")
    first = stage.launched[-1]
    stage.run(b"a\n").run(b"b\n")
    stage.perform(stage.dialogue.client_ended())
    stage.run(b"c\n", 7)

    assert not first.input
    assert [launch.command for launch in stage.launched[1:]] == [b"echo a", b"echo b", b"ls"]
    assert stage.shown == b"a\nb\nc\n"
    assert stage.exit_status == 7


def test_without_a_terminal_a_refused_line_drops_the_rest() -> None:
    stage = Stage(None).start().type(b"rm x\necho b\n")
    stage.perform(stage.dialogue.client_ended())

    assert stage.said[0].startswith("not on the list of")
    assert len(stage.launched) == 1
    assert stage.exit_status == 126


def test_an_end_of_input_inside_of_a_command_runs_nothing() -> None:
    stage = Stage(None).start().type(b"echo 'a\n")
    stage.perform(stage.dialogue.client_ended())

    assert stage.exit_status == 2
    assert len(stage.launched) == 1


def test_a_line_that_is_too_long_is_not_cut_and_run() -> None:
    typed = Stage().start().type(b"echo " + b"a" * 20_000 + b"\r")
    sent = Stage(None).start().type(b"echo " + b"a" * 100_000 + b"\nls\n")

    assert typed.commands() == []
    assert "this line is too long to be run" in typed.screen()
    assert len(sent.launched) == 1


def test_what_is_typed_ahead_is_bounded_by_not_reading_on() -> None:
    stage = Stage().start().type(b"cat\r")
    stage.type(b"x" * 70_000)

    assert stage.dialogue.full


def test_on_a_dumb_terminal_nothing_moves_the_cursor() -> None:
    stage = Stage(DUMB).start().type(b"lx\x7fs\x01\x1b[A\x12\r")

    assert "\x1b" not in stage.screen()
    assert stage.commands() == ["ls"]


def test_a_target_that_does_not_run_it_leaves_a_prompt() -> None:
    stage = Stage().start().type(b"ls\r")
    stage.screen()
    stage.perform(stage.dialogue.failed("the target refuses to run it"))

    assert stage.screen() == f"watchgate: the target refuses to run it\r\n{PROMPT}"


def test_a_target_that_does_not_say_where_it_is_leaves_it_unknown() -> None:
    stage = Stage().start("nonsense").type(b"ls\r")

    assert stage.launched[-1].command == b"ls"


def test_its_end_is_recorded_once() -> None:
    stage = Stage().start().type(b"cat\r")
    stage.perform(stage.dialogue.closed())
    stage.perform(stage.dialogue.closed())

    assert sum(isinstance(event, ChannelClosed) for event in stage.events) == 1
    assert any(isinstance(event, CommandFinished) for event in stage.events)


@pytest.mark.parametrize("kind", ["x11-req", "auth-agent-req@openssh.com", "odd@example.org"])
def test_other_requests_are_refused_and_noted(kind: str) -> None:
    stage = Stage()
    stage.request(kind)

    assert stage.answers == [True, False]
    assert any(isinstance(event, ChannelRefused) for event in stage.events)


def test_octets_that_are_no_request_are_refused() -> None:
    stage = Stage(None)
    stage.request("pty-req", b"\xff\xff\xff\xff")

    assert stage.answers == [False]


def test_random_octets_raise_nothing_and_run_only_what_is_listed() -> None:
    stage = Stage(rules=LISTED).start()
    state = 7
    for _ in range(2000):
        state = (state * 1103515245 + 12345) % 2**31
        stage.type(bytes([state >> 16 & 0xFF, state >> 8 & 0xFF]))
        if stage.dialogue._program is not None:
            stage.run()

    assert all(decision.command.text for decision in stage.decisions)
