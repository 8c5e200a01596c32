"""The driver that types into programs."""

from __future__ import annotations

import re
import sys

import pytest

from watchgate.demo.terminal import KEPT, NotShownError, Terminal


def test_what_is_expected_is_consumed_and_the_rest_is_kept() -> None:
    with Terminal(["printf", "one two three"]) as person:
        first = person.expect("two")
        second = person.expect(re.compile(rb"t\w+"))

    assert (first, second) == (b"one two", b" three")


def test_the_program_has_a_terminal_of_that_size_and_sees_a_resize() -> None:
    script = (
        "import os, signal; print(os.get_terminal_size()); "
        "signal.signal(signal.SIGWINCH, lambda *_: os.write(1, repr(os.get_terminal_size()).encode())); "
        "print(os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp(), flush=True); signal.pause()"
    )
    with Terminal([sys.executable, "-c", script], columns=91, rows=7) as person:
        person.expect("columns=91, lines=7")
        person.expect("True")
        person.resize(100, 9)
        shown = person.expect("columns=100, lines=9")

    assert shown


def test_much_typed_at_once_arrives_whole() -> None:
    line = b"x" * 500 + b"\n"
    counting = ["sh", "-c", "stty -echo; echo ready; head -n 400 | wc -c"]
    with Terminal(counting) as person:
        person.expect("ready")
        person.send(line * 400)
        shown = person.expect(re.compile(rb"\d+"), 20)

    assert int(shown) == 400 * len(line)


def test_the_end_and_a_signal_are_told() -> None:
    with Terminal(["sh", "-c", "exit 4"]) as ended, Terminal(["sh", "-c", "kill -9 $$"]) as killed:
        statuses = (ended.wait(), killed.wait())

    assert statuses == (4, -9)


def test_waiting_in_vain_ends_and_says_what_was_seen() -> None:
    with (
        Terminal(["sh", "-c", "echo other; sleep 60"]) as person,
        pytest.raises(NotShownError, match=r"0\.3 s passed.*other"),
    ):
        person.expect("never", 0.3)


def test_what_is_kept_to_search_in_is_bounded() -> None:
    with Terminal(["sh", "-c", f"head -c {3 * KEPT} /dev/zero | tr '\\0' y"]) as person:
        person.wait(20)

    assert len(person.shown) == KEPT


def test_a_program_that_ignores_the_hangup_is_killed() -> None:
    with Terminal(["sh", "-c", "trap '' HUP; echo ready; while :; do sleep 9; done"]) as person:
        person.expect("ready")

    assert person.process.returncode == -9


def test_a_program_that_goes_on_is_said_when_its_end_is_waited_for() -> None:
    with (
        Terminal(["sh", "-c", "echo busy; exec sleep 60"]) as person,
        pytest.raises(NotShownError, match=r"did not end in 0\.3 s; shown: b'busy"),
    ):
        person.wait(0.3)


def test_a_program_that_takes_nothing_is_said() -> None:
    with Terminal(["sh", "-c", "stty raw -echo; echo ready; exec sleep 60"]) as person:
        person.expect("ready")
        with pytest.raises(NotShownError, match=r"octets were not taken in 0\.3 s"):
            person.send(b"x" * (1 << 20), 0.3)
