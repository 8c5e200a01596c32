"""The parts of the gateway's shell: what it asks of the target, what is its own, what it refuses."""

from __future__ import annotations

import pytest
from shell_stage import LISTED, TERMINAL

from watchgate.clock import ManualClock
from watchgate.errors import PeerProtocolError
from watchgate.policy.commands import KnownCommand, Source
from watchgate.policy.readings import readings
from watchgate.protocols.ssh import wire
from watchgate.protocols.ssh.effects import Answer, Note, Record, Say, Send, Side, Tell
from watchgate.protocols.ssh.gatewayshell.composing import Composing, Wants, is_empty
from watchgate.protocols.ssh.gatewayshell.evidence import Evidence
from watchgate.protocols.ssh.gatewayshell.given import Did, Given
from watchgate.protocols.ssh.gatewayshell.own_commands import Change, Leave, Show, own_command
from watchgate.protocols.ssh.gatewayshell.programs import MOST_COLLECTED, Program, Purpose
from watchgate.protocols.ssh.gatewayshell.requests import Requests
from watchgate.protocols.ssh.gatewayshell.strict import help_lines, listing, objection
from watchgate.protocols.ssh.gatewayshell.whereabouts import Whereabouts, directory_of, within
from watchgate.protocols.ssh.gatewayshell.window import Window
from watchgate.protocols.ssh.script_cutter import LONGEST
from watchgate.session.events import EnvironmentPassed
from watchgate.session.model import Policy, TargetSettings
from watchgate.session.ports import RecordKind

POLICY = Policy(frozenset(), TargetSettings(), rules=LISTED)


def own(line: str) -> object:
    return own_command(line, readings(KnownCommand(1, line, Source.GATEWAY, exact=True)))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("exit", Leave(None)),
        (" logout 3 ", Leave(3)),
        ("exit 999", Leave(231)),
        ("help", Show("help")),
        ("cd", Change(None)),
        ("cd ~", Change(None)),
        ("cd -", Change("-")),
        ("cd -- /a", Change("/a")),
        ("cd 'a b'", Change("a b")),
        ("exit; ls", None),
        ("cd /a; ls", None),
        ("cd /a /b", None),
        ("cd $X", None),
        ("cd /a*", None),
        ("cd $(id)", None),
        ("cd /a > f", None),
        ("cdrom", None),
        ("help me", None),
        ("ls", None),
    ],
)
def test_only_a_plain_line_is_the_shells_own(line: str, expected: object) -> None:
    assert own(line) == expected


@pytest.mark.parametrize("line", ["ls", "ls | cat", "for i in a b; do ls; done", "ls > f"])
def test_what_can_be_read_meets_no_objection(line: str) -> None:
    assert objection(readings(KnownCommand(1, line, Source.GATEWAY, exact=True))) is None


@pytest.mark.parametrize(
    "line",
    ["$X", "vim f", "bash", "./x", "ls | sh", "ls 'a", "python3 -c 'x'", "PATH=/tmp ls", "x=1"],
)
def test_what_cannot_be_read_to_its_end_does(line: str) -> None:
    assert objection(readings(KnownCommand(1, line, Source.GATEWAY, exact=True)))


def test_the_list_and_its_help_are_those_of_the_force_rules() -> None:
    assert [rule.name for rule in listing(POLICY)] == ["editors", "looking"]
    assert (
        list(help_lines(POLICY))[1]
        == "  editors: Editors, though a shell can be started from them."
    )


def test_where_it_is_decides_how_a_line_is_run() -> None:
    where = Whereabouts()
    unknown = where.run("ls"), where.question(None), where.question("x")
    where.begin(b"/home/a\n")
    where.go(b"/srv/it's\n")

    assert unknown == ("ls", "cd && pwd -P", "cd -- './x' && pwd -P")
    assert where.run("ls") == "cd -- '/srv/it'\\''s' || exit\nls"
    assert where.question(None).endswith("cd -- '/home/a' && pwd -P")
    assert where.question("-").endswith("cd -- '/home/a' && pwd -P")
    assert where.context().cwd == "/srv/it's"
    assert not where.go(b"/a\n/b\n")
    assert where.directory == "/srv/it's"


@pytest.mark.parametrize(
    ("directory", "shown"),
    [
        ("/home/a", "~"),
        ("/home/a/x", "~/x"),
        ("/home/ab", "/home/ab"),
        ("/" + "x" * 60, "..." + "x" * 45),
        ("/a\x1b[2J", "/a\ufffd[2J"),
    ],
)
def test_the_prompt_shows_where_it_is_and_nothing_a_terminal_acts_on(
    directory: str, shown: str
) -> None:
    where = Whereabouts()
    where.begin(b"/home/a\n")
    where.go(directory.encode() + b"\n")

    assert where.prompt("root", "web1") == f"root@web1:{shown}% "


@pytest.mark.parametrize("answer", [b"", b"x\n", b"/a\0\n", b"/a\nb\n"])
def test_what_is_no_directory_is_none(answer: bytes) -> None:
    assert directory_of(answer) is None


def test_octets_of_a_directory_are_kept() -> None:
    assert within(directory_of(b"/\xff\n"), "ls").encode("utf-8", "surrogateescape") == (
        b"cd -- '/\xff' || exit\nls"
    )


def test_lines_are_composed_until_they_are_a_command() -> None:
    composing = Composing()
    first = composing.add(Given(Did.ENTERED, "if ls"))
    begun = composing.begun
    second = composing.add(Given(Did.ENTERED, "then ls; fi"))

    assert (first, begun, second) == (Wants.MORE, True, "if ls\nthen ls; fi")
    assert not composing.begun


def test_a_command_that_is_too_long_is_forgotten() -> None:
    composing = Composing()
    composing.add(Given(Did.ENTERED, "echo '"))

    assert composing.add(Given(Did.ENTERED, "x" * LONGEST)) is Wants.LESS
    assert composing.add(Given(Did.ENTERED, "ls")) == "ls"
    assert is_empty(" # x")
    assert not is_empty("# x\nls")


def test_a_program_ends_with_a_status_or_a_signal() -> None:
    program = Program(Purpose.OPERATOR, 1, 0)
    silent = program.status
    program.told("exit-signal", wire.string(b"TERM") + b"\0" + wire.string(b"") + wire.string(b""))
    killed = program.status
    program.told("exit-status", b"\0")
    program.told("exit-status", b"\0\0\0\x03")

    assert (silent, killed, program.status) == (255, 143, 3)


def test_what_is_collected_of_a_program_is_bounded() -> None:
    program = Program(Purpose.HOME, None, 0)
    program.collect(b"x" * 100_000, None)
    program.collect(b"y" * 100_000, 1)

    assert (len(program.collected), len(program.complaint)) == (MOST_COLLECTED, MOST_COLLECTED)


def test_a_window_is_asked_for_as_it_is_now() -> None:
    window = Window.read(TERMINAL)
    size = (100).to_bytes(4, "big") + (30).to_bytes(4, "big") + bytes(8)

    assert window.payload() == TERMINAL
    assert (window.columns, window.rows, window.term, window.plain) == (80, 24, "xterm", False)
    assert Window.read(window.resized(size).payload()).columns == 100
    with pytest.raises(PeerProtocolError):
        window.resized(b"\0")


def test_variables_are_held_back_by_the_targets_list() -> None:
    requests = Requests(1, POLICY)
    language = wire.string(b"LC_ALL") + wire.string(b"C")
    taken = requests.take("env", language, running=False)
    held = requests.take("env", wire.string(b"BASH_ENV") + wire.string(b"/tmp/x"), running=False)

    assert (taken, held) == ([Answer(True)], [Answer(False)])
    assert requests.for_program(terminal=True) == (("env", language),)
    passed = next(event for event in requests.opened() if isinstance(event, EnvironmentPassed))
    assert (passed.passed, passed.withheld) == ({"LC_ALL": "C"}, ["BASH_ENV"])


def test_a_signal_is_for_a_program_that_runs() -> None:
    requests = Requests(1, POLICY)
    running = requests.take("signal", wire.string(b"TERM"), running=True)
    idle = requests.take("signal", wire.string(b"TERM"), running=False)

    assert [type(effect) for effect in running] == [Note, Tell, Answer]
    assert idle[-1] == Answer(False)


def test_a_terminal_is_asked_for_once() -> None:
    requests = Requests(1, POLICY)
    requests.take("pty-req", TERMINAL, running=False)

    assert requests.take("pty-req", TERMINAL, running=False)[-1] == Answer(False)


def test_what_the_gateway_says_is_recorded_where_there_is_a_terminal() -> None:
    seen = Evidence(1, ManualClock(), record_input=True, terminal=True)
    blind = Evidence(1, ManualClock(), record_input=True, terminal=False)

    assert seen.tell("no") == [
        Record(RecordKind.OUTPUT, b"watchgate: no\r\n"),
        Send(Side.CLIENT, b"watchgate: no\r\n"),
    ]
    assert blind.tell("no") == [Say("no")]
    assert blind.lines(["a"])[0] == Record(RecordKind.OUTPUT, b"a\n")


def test_a_prompt_begins_at_the_margin() -> None:
    evidence = Evidence(1, ManualClock(), record_input=True, terminal=True)
    fresh = evidence.margin()
    evidence.shown(b"no end")

    assert fresh == []
    assert Send(Side.CLIENT, b"\r\n") in evidence.margin()
    assert evidence.margin() == []
