"""A terminal behind its gate: what is recorded, what is seen, what goes on, and what ends it."""

from __future__ import annotations

import pytest
from gated_seat import OFF, PROMPT, GatedSeat, answer, mark
from judged import policy

from watchgate.policy.commands import Source
from watchgate.protocols.ssh.effects import Commit, EndSession, NoteCommand, Send, Side, Withdraw
from watchgate.session.events import (
    ApprovalAsked,
    CommandFinished,
    InputDropped,
    IntegrationMissing,
    IntegrationSet,
    IntegrationTampered,
)
from watchgate.session.model import (
    Device,
    IntegrationPolicy,
    Policy,
    Tampering,
    TargetSettings,
    Unreadable,
)
from watchgate.session.ports import ApprovalAnswer, RecordKind

BLOCKED = b"watchgate: blocked by rule no-rm: Ask the storage team.\r\n"


def under(**settings: object) -> Policy:
    """The rules, with these settings of the target."""
    return policy(settings=TargetSettings(**settings))  # type: ignore[arg-type]


# --- evidence ------------------------------------------------------------------------------------


def test_what_the_operator_sees_is_what_is_recorded_and_neither_has_a_mark() -> None:
    seat = GatedSeat().hooked()
    seat.tells(b"ls")
    seat.prints(mark(b"K"), b"file\r\n", mark(b"D", b" s=0 d=/home/ops"), PROMPT, mark(b"B"))
    seat.waits(1)

    assert seat.recorded[RecordKind.OUTPUT] == seat.seen
    assert b"7717" not in seat.seen
    assert seat.seen == b"Welcome\r\n" + PROMPT + b"ls" + OFF + b"file\r\n" + PROMPT


def test_the_input_track_has_what_was_typed_and_not_what_the_gateway_says_to_a_shell() -> None:
    seat = GatedSeat().hooked()
    seat.tells(b"ls")
    seat.prints(mark(b"K"), b"file\r\n", mark(b"D", b" s=0 d=/"), PROMPT, mark(b"B"))
    seat.waits(2)
    seat.perform(seat.capture.closed())

    assert seat.recorded[RecordKind.INPUT] == b"ls\r"
    assert answer(True) in seat.sent


def test_the_verdict_is_in_the_file_before_the_shell_has_it() -> None:
    seat = GatedSeat().hooked()
    seat.tells(b"ls")

    kinds = [
        effect if isinstance(effect, Commit | NoteCommand) else effect.data
        for effect in seat.done
        if isinstance(effect, Commit | NoteCommand | Send)
    ]
    (noted,) = [at for at, effect in enumerate(kinds) if isinstance(effect, NoteCommand)]
    assert isinstance(kinds[noted + 1], Commit)
    assert kinds.index(answer(True)) > noted + 1


def test_a_command_is_known_with_its_place_its_end_and_how_long_it_took() -> None:
    seat = GatedSeat().hooked()
    seat.tells(b"make", b" v=CC=gcc")
    seat.prints(mark(b"K"))
    seat.waits(2)
    seat.prints(mark(b"D", b" s=2 d=/srv"), PROMPT, mark(b"B"))

    (noted,) = seat.commands
    command = noted.decision.command
    assert (command.text, command.source, command.exact) == ("make", Source.INTEGRATION, True)
    assert command.context.cwd == "/home/ops"
    assert command.context.variables == {"CC": "gcc"}
    (finished,) = seat.all(CommandFinished)
    assert (finished.command_seq, finished.exit_status, finished.cwd) == (1, 2, "/srv")
    assert finished.duration_us == 2_000_000


def test_a_blocked_line_says_why_and_gives_no_command_an_end() -> None:
    seat = GatedSeat().hooked()
    seat.tells(b"rm -rf /srv")
    seat.prints(mark(b"K"), mark(b"D", b" s=130 d=/home/ops"), PROMPT, mark(b"B"))

    assert answer(False) in seat.sent
    assert BLOCKED + PROMPT in seat.seen
    assert BLOCKED in seat.recorded[RecordKind.OUTPUT]
    assert seat.all(CommandFinished) == []


def test_the_rest_of_a_paste_behind_a_blocked_line_is_said_to_be_gone() -> None:
    seat = GatedSeat().hooked()
    seat.types(b"rm -rf /srv\rls\rid\r")
    seat.prints(b"rm -rf /srv" + OFF, mark(b"L", b" $'t=rm -rf /srv'"))
    seat.prints(mark(b"K"), mark(b"D", b" s=130 d=/"), PROMPT, mark(b"B"))
    seat.waits(1)

    (dropped,) = seat.all(InputDropped)
    assert (dropped.lines, dropped.octets) == (2, len(b"ls\rid\r"))
    assert b"2 more lines of what was pasted behind it did not run either\r\n" in seat.seen
    assert b"id" not in seat.sent


def test_the_session_ends_after_the_last_try_and_after_the_operator_was_told() -> None:
    seat = GatedSeat().hooked()
    for _ in range(2):
        seat.tells(b"reboot")
        seat.prints(mark(b"K"), mark(b"D", b" s=130 d=/"), PROMPT, mark(b"B"))

    ends = [at for at, effect in enumerate(seat.done) if isinstance(effect, EndSession)]
    told = [
        at
        for at, effect in enumerate(seat.done)
        if isinstance(effect, Send) and effect.side is Side.CLIENT and b"no-reboot" in effect.data
    ]
    assert len(ends) == 1
    assert len(told) == 2
    assert told[-1] < ends[0]


# --- approvals -----------------------------------------------------------------------------------


def waiting() -> GatedSeat:
    """A line waits for somebody's approval."""
    seat = GatedSeat().hooked()
    seat.tells(b"systemctl stop nginx")
    seat.perform(seat.ground.judge.asked(seat.sought[0].ticket, "a1", "bob"))
    return seat


def test_who_waits_for_an_approval_is_told_of_whom() -> None:
    seat = waiting()

    assert seat.seen.endswith(
        b"watchgate: waiting for the approval of bob; Ctrl-C withdraws it\r\n"
    )
    assert len(seat.all(ApprovalAsked)) == 1
    assert answer(True) not in seat.sent


def test_an_approved_line_runs() -> None:
    seat = waiting()
    ticket = seat.sought[0].ticket
    seat.perform(seat.ground.judge.approved(ticket, ApprovalAnswer("a1", True, "bob", "fine")))

    assert answer(True) in seat.sent


def test_a_withdrawn_line_does_not_run_and_the_terminal_goes_on() -> None:
    seat = waiting()
    seat.types(b"\x03")
    seat.prints(mark(b"K"), mark(b"D", b" s=130 d=/"), PROMPT, mark(b"B"))
    seat.types(b"l")

    assert [type(effect) for effect in seat.done].count(Withdraw) == 1
    assert answer(False) in seat.sent
    assert b"not approved: withdrawn" in seat.seen
    assert seat.sent.endswith(b"l")


def test_a_shell_that_gave_up_withdraws_what_it_asked() -> None:
    seat = waiting()
    seat.prints(mark(b"K"), mark(b"D", b" s=130 d=/"), PROMPT, mark(b"B"))
    seat.types(b"l")

    assert [type(effect) for effect in seat.done].count(Withdraw) == 1
    assert b"7717" not in seat.seen
    assert seat.sent.endswith(b"systemctl stop nginx\rl")


# --- what is asked of a shell --------------------------------------------------------------------


def test_a_shell_with_hooks_is_noted() -> None:
    (hooked,) = GatedSeat().hooked().all(IntegrationSet)

    assert (hooked.channel, hooked.shell, hooked.version, hooked.depth) == (3, "bash", "5.2", 0)


@pytest.mark.parametrize("integration", list(IntegrationPolicy))
def test_a_shell_without_hooks_ends_the_channel_only_where_they_are_required(
    integration: IntegrationPolicy,
) -> None:
    seat = GatedSeat(under(integration=integration))
    seat.prints(b"\r\n$ ")
    seat.waits(1)
    seat.prints(mark(b"V", b" v v v"), b"\r\n$ ")
    seat.waits(2)

    required = integration is IntegrationPolicy.REQUIRED
    assert (seat.capture.broken is not None) is required
    assert [missing.refused for missing in seat.all(IntegrationMissing)] == (
        [] if integration is IntegrationPolicy.OFF else [required]
    )
    if integration is IntegrationPolicy.OFF:
        assert seat.sent == b""
    if required:
        assert seat.capture.broken is not None
        assert "there are no hooks for this shell" in seat.capture.broken


def test_a_network_device_is_asked_nothing() -> None:
    seat = GatedSeat(under(device=Device.CISCO, integration=IntegrationPolicy.AUTO))
    seat.prints(b"\r\nrouter1>")
    seat.waits(5)

    assert seat.sent == b""


@pytest.mark.parametrize(
    ("integration", "tampering", "ends"),
    [
        (IntegrationPolicy.AUTO, Tampering.RECORD, False),
        (IntegrationPolicy.AUTO, Tampering.END, True),
        (IntegrationPolicy.REQUIRED, Tampering.RECORD, True),
    ],
)
def test_hooks_that_were_taken_away_end_the_channel_where_that_is_said(
    integration: IntegrationPolicy, tampering: Tampering, ends: bool
) -> None:
    seat = GatedSeat(under(integration=integration, on_tampering=tampering)).hooked()
    seat.prints(mark(b"X", b"PS0\\ was\\ changed"))

    (event,) = seat.all(IntegrationTampered)
    assert (event.what, event.severity, event.ended) == ("PS0 was changed", "high", ends)
    assert (seat.capture.broken is not None) is ends


def test_a_forged_mark_is_an_event_and_ends_nothing() -> None:
    seat = GatedSeat(under(on_tampering=Tampering.END)).hooked()
    seat.prints(mark(b"L", b" t=ls", nonce=b"f" * 16))

    (event,) = seat.all(IntegrationTampered)
    assert (event.severity, event.ended) == ("medium", False)
    assert seat.capture.broken is None
    assert seat.commands == []


# --- without hooks -------------------------------------------------------------------------------


def test_a_line_is_read_off_the_screen_and_its_enter_waits_for_the_verdict() -> None:
    seat = GatedSeat(under(integration=IntegrationPolicy.OFF))
    seat.prints(b"ops@web1:~$ ")
    seat.waits(1)
    seat.types(b"rm -rf /srv")
    seat.prints(b"rm -rf /srv")
    seat.types(b"\r")
    seat.waits(1)

    (noted,) = seat.commands
    assert noted.decision.command.source is Source.SCREEN
    assert seat.sent == b"rm -rf /srv\x03"
    assert b"\r\n" + BLOCKED in seat.seen


@pytest.mark.parametrize("unreadable", list(Unreadable))
def test_what_becomes_of_a_line_that_cannot_be_read_is_the_targets_to_say(
    unreadable: Unreadable,
) -> None:
    told = GatedSeat(under(on_unreadable=unreadable)).hooked()
    told.types(b"x\r")
    told.prints(mark(b"L", b" d=/home/ops"))
    read = GatedSeat(under(on_unreadable=unreadable, integration=IntegrationPolicy.OFF))
    read.prints(b"ops@web1:~$ ")
    read.waits(1)
    # Something is recalled and never shown.
    read.types(b"\x1b[A\r")
    read.waits(3)

    runs = unreadable is Unreadable.ALLOW
    assert answer(runs) in told.sent
    assert all(one.decision.runs is runs for one in read.commands)
    assert bytes(read.sent) in (b"\x1b[A\r", b"\x1b[A\x03")


def test_a_shell_that_is_opened_by_a_command_is_gated_from_its_first_prompt() -> None:
    seat = GatedSeat(command="bash -l")
    seat.prints(b"Welcome\r\n" + PROMPT)
    seat.waits(0.2)

    assert b";V;q;" in seat.sent


def test_a_program_that_is_no_shell_is_asked_nothing() -> None:
    seat = GatedSeat(command="top")
    seat.prints(b"\x1b[H\x1b[2Jtop - 11:00:00\r\n")
    seat.types(b"q")
    seat.waits(5)

    assert seat.sent == b"q"


def test_it_is_idle_again_when_nothing_waits() -> None:
    seat = GatedSeat().hooked()
    before = seat.capture.idle
    seat.types(b"x" * 100 + b"\r")
    during = seat.capture.idle
    seat.prints(mark(b"D", b" s=0 d=/"), PROMPT, mark(b"B"))

    assert (before, during, seat.capture.idle) == (True, False, True)
    assert not seat.capture.full
