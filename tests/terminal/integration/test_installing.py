"""The installer, step by step, against a shell that is made up."""

from __future__ import annotations

import pytest

from watchgate.terminal.integration.installing import (
    GONE_WITHIN_US,
    INTRODUCED_WITHIN_US,
    PROMPT_WITHIN_US,
    QUIET_US,
    READY_WITHIN_US,
    SETTLED_US,
    Installer,
    Step,
    looks_ready,
)
from watchgate.terminal.integration.mark_kinds import (
    UNKNOWN_TEXT,
    Introduced,
    Line,
    Listening,
    Prompt,
    Ready,
    Tampered,
    Unwilling,
)
from watchgate.terminal.integration.marks import Marked
from watchgate.terminal.integration.scripts import probe, typed
from watchgate.terminal.integration.verdicts import answer

NONCE = b"ab12"
RTT = 10_000


def installer(**more: bool) -> Installer:
    return Installer(NONCE, nested=False, rtt_us=RTT, old=more.get("old", False))


def probed() -> Installer:
    """One that has shown the prompt and typed its question at 1 s."""
    one = installer()
    one.printed(0, [b"$ "])
    assert one.begin(1_000_000) == probe(NONCE)
    return one


def test_what_comes_before_is_shown_and_the_quiet_is_waited_for() -> None:
    one = installer()

    shown = one.printed(5, [b"motd\r\n"]).show + one.printed(1000, [b"root# "]).show
    early = one.expire(1000 + QUIET_US - 1)
    late = one.expire(1000 + QUIET_US)

    assert shown == b"motd\r\nroot# "
    assert early == Step()
    assert late == Step(type=probe(NONCE))
    assert one.typing


def test_output_that_goes_on_puts_the_question_off() -> None:
    one = installer()
    one.printed(0, [b"$ "])
    one.printed(QUIET_US - 1, [b"\r\nlate notice\r\n$ "])

    assert one.due == 2 * QUIET_US - 1


def test_without_a_prompt_nothing_is_typed() -> None:
    one = installer()
    one.printed(0, [b"Press any key to continue\r\n"])
    due = one.due

    step = one.expire(PROMPT_WITHIN_US + 4 * RTT)

    assert due == PROMPT_WITHIN_US + 4 * RTT
    assert step == Step(failed="no prompt was seen")
    assert one.due is None
    assert one.printed(1, [b"more"]).show == b"more"


def test_before_the_first_output_nothing_is_due() -> None:
    assert installer().due is None


def test_hooks_are_typed_and_all_that_is_printed_is_swallowed() -> None:
    one = probed()

    first = one.printed(1_001_000, [b"echo", Marked(0, Introduced(bash="5.2"))])
    second = one.printed(1_002_000, [b"noise", Marked(0, Ready("bash", "5.2")), b"$ "])
    third = one.printed(1_003_000, [Marked(0, Prompt(0, "/")), b"\x1b[K"])
    wait = one.due
    done = one.expire(1_003_000 + SETTLED_US)

    assert first == Step(type=typed("bash.sh", NONCE)[0])
    assert second == Step()
    assert third == Step()
    assert wait == 1_003_000 + SETTLED_US
    assert done == Step(installed=Ready("bash", "5.2"))
    assert not one.typing
    assert one.printed(2_000_000, [b"x"]).show == b"x"


def test_fish_is_given_its_hooks_when_it_listens() -> None:
    one = probed()
    take, rest = typed("fish.fish", NONCE)

    first = one.printed(1_001_000, [Marked(0, Introduced(fish="3.6.0"))])
    second = one.printed(1_002_000, [Marked(0, Listening())])
    third = one.printed(1_003_000, [Marked(0, Listening())])

    assert first.type == take
    assert second.type == rest
    assert third.type == b""


def test_early_hooks_are_given_when_they_are_wanted() -> None:
    one = installer(old=True)
    one.begin(0)

    step = one.printed(1, [Marked(0, Introduced(bash="5.2"))])

    assert step.type == typed("bash_old.sh", NONCE)[0]


def test_a_shell_without_hooks_is_left() -> None:
    one = probed()

    step = one.printed(1_001_000, [Marked(0, Introduced())])
    one.printed(1_002_000, [b"sh: not found\r\n$ "])
    done = one.expire(1_002_000 + QUIET_US + 2 * RTT)

    assert step == Step(type=b"\r")
    assert done == Step(failed="there are no hooks for this shell")
    assert one.due is None


def test_a_shell_that_is_restricted_is_left() -> None:
    one = probed()
    one.printed(1_001_000, [Marked(0, Introduced(bash="5.2"))])

    one.printed(1_002_000, [Marked(0, Unwilling("it is restricted"))])
    done = one.expire(1_002_000 + GONE_WITHIN_US + 4 * RTT)

    assert done.failed == "the shell cannot take the hooks: it is restricted"


def test_what_does_not_answer_is_left_within_a_bound() -> None:
    one = probed()
    due = one.due

    step = one.expire(1_000_000 + INTRODUCED_WITHIN_US + 4 * RTT)
    done = one.expire(1_000_000 + INTRODUCED_WITHIN_US + GONE_WITHIN_US + 8 * RTT)

    assert due == 1_000_000 + INTRODUCED_WITHIN_US + 4 * RTT
    assert step == Step(type=b"\r")
    assert done == Step(failed="what reads the terminal does not answer")


def test_hooks_that_never_say_so_are_left_within_a_bound() -> None:
    one = probed()
    one.printed(1_001_000, [Marked(0, Introduced(bash="5.2"))])

    step = one.expire(1_001_000 + READY_WITHIN_US + 4 * RTT)
    done = one.expire(1_001_000 + READY_WITHIN_US + GONE_WITHIN_US + 8 * RTT)

    assert step.type == b"\r"
    assert done.failed == "the shell did not take the hooks"


def test_a_target_that_never_falls_quiet_does_not_hold_it_up() -> None:
    one = probed()
    one.printed(1_001_000, [Marked(0, Introduced(bash="5.2"))])
    one.printed(1_002_000, [Marked(0, Ready("bash", "5.2")), Marked(0, Prompt(0, "/"))])
    t_us = 1_002_000
    done = Step()
    while done == Step() and t_us < 10_000_000:
        t_us += 10_000
        one.printed(t_us, [b"noise"])
        done = one.expire(t_us)

    assert done.installed is not None
    assert t_us <= 1_002_000 + GONE_WITHIN_US + 4 * RTT + 10_000


def test_marks_of_other_shells_are_handed_on() -> None:
    one = Installer(NONCE, nested=True, rtt_us=RTT, level=1)
    one.begin(0)
    outer = Marked(0, Prompt(0, "/"))

    step = one.printed(1, [outer, Marked(-1, Tampered("x"))])

    assert step.others == (outer, Marked(-1, Tampered("x")))


def test_a_shell_that_has_hooks_may_run_what_is_typed_here_and_nothing_else() -> None:
    one = probed()

    own = one.printed(1, [Marked(0, Line(f"eval … {NONCE.decode()} …"))])
    untold = one.printed(2, [Marked(0, Line("", unreadable=UNKNOWN_TEXT))])
    other = one.printed(3, [Marked(0, Line("rm -rf /"))])

    assert own.type == answer(NONCE, permitted=True)
    assert untold.type == answer(NONCE, permitted=True)
    assert other.type == b""


@pytest.mark.parametrize(
    "tail",
    [
        b"root@h:~# ",
        b"motd\r\n$ ",
        b"\x1b[1mroot\x1b[0m@h > \x1b[K",
        b"\x1b[?2004hanything at all",
        b"\xe2\x9d\xaf ",
        b"\x1b]0;title\a[user@h ~]$ ",
        b"root@vm ~# \x1b[K\r\x1b[11C",
        b"h%",
    ],
)
def test_it_looks_like_a_prompt(tail: bytes) -> None:
    assert looks_ready(tail)


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        b"Password: ",
        b"# comment\r\n",
        b"\x1b[?2004hx\x1b[?2004l",
        b"[y/N]",
        b"\x1b[?2004h$ ls\r\nfile\r\n",
        b"login: ",
    ],
)
def test_it_does_not_look_like_a_prompt(tail: bytes) -> None:
    assert not looks_ready(tail)
