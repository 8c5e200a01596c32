"""Scripts on standard input: decided command by command, sent in order, stopped at what is not permitted."""

from __future__ import annotations

import pytest
from judged import judge
from script_stage import Script

from watchgate.policy.commands import KnownCommand, Source
from watchgate.policy.loading import load_text
from watchgate.policy.reading import Reason
from watchgate.policy.readings import readings
from watchgate.policy.ruleset import RuleSet
from watchgate.protocols.ssh import wire
from watchgate.protocols.ssh.capture import StreamCapture
from watchgate.protocols.ssh.script import scripted
from watchgate.protocols.ssh.script_cutter import LONGEST
from watchgate.protocols.ssh.script_words import DEVICE
from watchgate.protocols.ssh.stdin_claim import Reads, StdinClaim
from watchgate.session.events import InputDropped
from watchgate.session.model import Device, TargetSettings

CODE = StdinClaim(Reads.CODE, "python3")
BEHIND_SUDO = StdinClaim(Reads.COMMANDS, "bash", secret=True)
ONLY_LS = RuleSet(
    load_text(
        """
version: 1
rules:
  looking:
    description: Looking around.
    action: force
    match: {program: ls}
"""
    )
)
NO_LANGUAGE = RuleSet(
    load_text(
        """
version: 1
rules:
  no-code:
    description: Nothing that cannot be read.
    action: block
    match: {opaque: [language, binary, deep]}
"""
    )
)


def test_what_may_run_reaches_the_target_unchanged_and_is_recorded() -> None:
    script = Script().send(b"ls -l\r\n# a comment\n\nid\n").end()

    assert script.target == b"ls -l\r\n# a comment\n\nid\n"
    assert script.recorded == script.target
    assert script.texts() == ["ls -l\r", "id"]
    assert script.is_over


def test_nothing_is_sent_before_its_verdict_is_in_the_file() -> None:
    script = Script(hold=True).send(b"ls\nid\n").end()
    before = script.target
    script.write()

    assert before == b""
    assert script.trail == ["decided ls", "decided id", "sent b'ls\\nid\\n'"]


def test_a_command_that_is_not_complete_waits_for_its_end() -> None:
    script = Script().send(b"for i in 1 2\ndo ls\n")
    before = script.target, script.texts()
    script.send(b"done\n")

    assert before == (b"", [])
    assert script.texts() == ["for i in 1 2\ndo ls\ndone"]
    assert script.target == b"for i in 1 2\ndo ls\ndone\n"


def test_octet_by_octet_it_comes_to_the_same() -> None:
    source = b"cat <<E\nrm -r /\nE\nls \\\n -l\necho 'a\nb'\n"
    whole, single = Script().send(source).end(), Script()
    for octet in source:
        single.send(bytes([octet]))
    single.end()

    assert single.texts() == whole.texts() == ["cat <<E\nrm -r /\nE", "ls \\\n -l", "echo 'a\nb'"]
    assert single.target == whole.target == source


def test_the_end_of_the_input_decides_what_was_left() -> None:
    script = Script().send(b"ls\nrm -r /tmp/x").end()

    assert script.texts() == ["ls", "rm -r /tmp/x"]
    assert script.target == b"ls\n"
    assert script.exit_status == wire.NOT_RUN


def test_after_what_is_not_permitted_nothing_more_is_sent_and_it_is_said() -> None:
    script = Script().send(b"ls\nrm -rf /\nid\nwho\n").send(b"date\n").end().close()

    assert script.target == b"ls\n"
    assert script.is_over
    assert script.said == [
        "blocked by rule no-rm: Ask the storage team.",
        "2 more lines (7 octets) were not run",
    ]
    assert script.texts() == ["ls", "rm -rf /"]
    dropped = [event for event in script.events if isinstance(event, InputDropped)]
    assert [(event.lines, event.octets) for event in dropped] == [(2, 7), (1, 5)]


def test_what_is_cut_off_by_the_end_of_the_channel_is_told() -> None:
    script = Script(hold=True).send(b"ls\nid\necho 'x").close()

    assert [event.octets for event in script.events if isinstance(event, InputDropped)] == [13]
    assert script.target == b""


def test_one_of_many_waits_for_an_approval_and_holds_those_behind() -> None:
    script = Script().send(b"ls\nsystemctl stop web\nid\n").end()
    before = script.target
    script.answer(approved=True)

    assert before == b"ls\n"
    assert script.said == ["waiting for the approval of carol; Ctrl-C withdraws it"]
    assert script.target == b"ls\nsystemctl stop web\nid\n"
    assert script.is_over


def test_a_refused_approval_ends_the_script() -> None:
    script = Script().send(b"systemctl stop web\nid\n").answer(approved=False)

    assert script.target == b""
    assert script.said[1] == "not approved by carol: well"


def test_who_interrupts_himself_too_often_is_out() -> None:
    script = Script().send(b"reboot\n")
    again = Script()
    again.judge.decider._tries["no-reboot"] = 1
    again.send(b"reboot\n")

    assert "EndSession" not in script.trail
    assert "EndSession" in again.trail


def test_nothing_behind_a_command_that_locks_the_account_is_decided() -> None:
    script = Script().send(b"shred x\nls\n")

    assert script.texts() == ["shred x"]
    assert "LockOperator" in script.trail


def test_a_variable_of_an_earlier_line_is_known_in_a_later_one() -> None:
    script = Script().send(b"x=rm\n$x -r /tmp/y\n").end()

    assert script.target == b"x=rm\n"


def test_an_octet_that_shells_skip_hides_no_command() -> None:
    script = Script().send(b"ls\nr\0m -r /\n").end()

    assert script.decisions[1].readings[0].opaque[0].reason is Reason.BINARY
    assert script.target == b"ls\n"


def test_what_is_no_text_is_said_to_be_none_and_passes() -> None:
    script = Script().send(b"cat \xff\xfe\n").end()

    assert script.decisions[0].readings[0].opaque[0].reason is Reason.BINARY
    assert script.target == b"cat \xff\xfe\n"


def test_a_quote_that_never_ends_is_decided_in_parts_that_say_so() -> None:
    script = Script().send(b"echo '")
    for _ in range(400):
        script.send(b"x" * 1000 + b"\n")

    assert len(script.texts()) >= 5
    assert {d.readings[0].opaque[0].reason for d in script.decisions} == {Reason.DEEP}
    assert max(map(len, script.texts())) <= LONGEST + 1


def test_a_line_of_a_megabyte_is_bounded_and_what_follows_is_never_innocent() -> None:
    script = Script().send(b"echo " + b"a" * 1_000_000 + b"\nls\n").end()

    assert len(script.target) == 1_000_009
    assert script.texts()[-1] == "ls"
    assert script.decisions[-1].readings[0].opaque[0].reason is Reason.DEEP


def test_what_waits_is_bounded_by_not_reading_on() -> None:
    source = (b"ls " + b"x" * 200 + b"\n") * 400
    script = Script(hold=True).send(source)
    held = script.capture.full
    script.hold = False
    script.write()

    assert held
    assert not script.capture.full
    assert script.target == source


def test_what_is_refused_is_read_to_its_end_and_not_kept() -> None:
    script = Script().send(b"rm -r /\n")
    for _ in range(100):
        script.send(b"y" * 10_000)

    assert not script.capture.full
    assert script.capture._octets == 0
    assert script.target == b""


def test_many_lines_are_decided_in_order_and_written_in_groups() -> None:
    source = b"".join(b"echo %d\n" % n for n in range(5_000))
    script = Script()
    for at in range(0, len(source), 32_768):
        script.send(source[at : at + 32_768])
    script.end()

    assert script.target == source
    assert script.texts() == source.decode().splitlines()
    assert script.commits < 200


def test_another_language_is_one_command_and_passes_unread() -> None:
    script = Script(CODE).send(b"import os\n").send(b"\0\xff os.system('rm -r /')").end()

    assert script.texts() == ["python3 < standard input"]
    assert script.decisions[0].readings[0].opaque[0].program == "python3"
    assert script.target == b"import os\n\0\xff os.system('rm -r /')"


def test_a_rule_can_refuse_another_language() -> None:
    script = Script(CODE, NO_LANGUAGE).send(b"import os\n").end()

    assert script.target == b""
    assert script.exit_status == wire.NOT_RUN


def test_a_list_holds_for_scripts_too() -> None:
    script = Script(rules=ONLY_LS).send(b"ls\nexit\nid\n").end()

    assert script.target == b"ls\nexit\n"
    assert script.said[0].startswith("not on the list of looking (id)")


def test_what_may_be_the_password_of_sudo_is_in_no_event_and_not_in_the_recording() -> None:
    script = Script(BEHIND_SUDO).send(b"hunter2\nls\n").end()

    assert script.texts() == ["ls"]
    assert script.redacted() == 1
    assert script.recorded == b"ls\n"
    assert script.target == b"hunter2\nls\n"


def test_a_command_where_a_password_may_be_is_decided_all_the_same() -> None:
    script = Script(BEHIND_SUDO).send(b"rm -r /\nls\n").end()

    assert script.target == b""
    assert script.texts() == ["rm -r /"]


def test_a_password_is_not_named_where_only_listed_commands_may_run() -> None:
    script = Script(BEHIND_SUDO, ONLY_LS).send(b"hunter2\nls\n").end()

    assert script.target == b""
    assert "hunter2" not in repr(script.decisions)


def test_a_password_with_a_quote_leaves_no_later_line_innocent() -> None:
    script = Script(BEHIND_SUDO).send(b"pa'ss\n'; ls; : '\nid\n").end()

    assert script.texts() == ["'; ls; : '", "id"]
    assert {d.readings[0].opaque[0].reason for d in script.decisions} == {Reason.DEEP}


def test_the_password_before_code_is_not_recorded() -> None:
    claim = StdinClaim(Reads.CODE, "python3", secret=True)
    script = Script(claim).send(b"hun").send(b"ter2\nprint(1)\n").end()

    assert script.recorded == b"print(1)\n"
    assert script.target == b"hunter2\nprint(1)\n"


@pytest.mark.parametrize("line", [b"show run\r\n", b"# show\r\n", b"if '\r\n"])
def test_each_line_of_a_device_is_a_command(line: bytes) -> None:
    script = Script(StdinClaim(Reads.COMMANDS, "shell", DEVICE)).send(line)

    assert script.texts() == [line.decode().strip()]
    assert script.target == line


def test_input_is_not_recorded_where_it_is_not_wanted() -> None:
    script = Script(settings=TargetSettings(record_input=False)).send(b"ls\n").end()

    assert script.recorded == b""
    assert script.target == b"ls\n"


def test_a_line_that_another_program_may_have_read_is_inferred() -> None:
    script = Script().send(b"read -N 1 x\nls\n").end()

    assert [decision.command.exact for decision in script.decisions] == [True, False]


@pytest.mark.parametrize(
    ("line", "reads"),
    [(None, True), ("bash -s", True), ("python3 -", True), ("cat > f", False)],
)
def test_only_what_reads_commands_or_code_is_a_script(line: str | None, reads: bool) -> None:
    known = readings(KnownCommand(1, line or "", Source.EXEC, exact=True))
    capture = scripted(1, judge(), known if line else None, Device.UNIX, StreamCapture(True))

    assert (capture is not None) is reads
