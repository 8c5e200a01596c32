"""What a command may mean, by the place where it was given."""

from __future__ import annotations

import pytest

from watchgate.policy.commands import KnownCommand, Place, Source
from watchgate.policy.reading import Reason, ShellContext
from watchgate.policy.readings import of_device, readings


def given(text: str, place: Place = Place.SHELL, *others: str) -> KnownCommand:
    context = ShellContext(cwd="/etc")
    return KnownCommand(0, text, Source.EXEC, True, place, others=others, context=context)


@pytest.mark.parametrize("place", [Place.SHELL, Place.ESCAPE, Place.TRANSFER])
def test_a_line_for_a_shell_is_read_with_what_is_known(place: Place) -> None:
    (reading,) = readings(given("rm x", place))

    assert reading.normalized == ("rm x",)
    assert reading.commands[0].paths == ("/etc/x",)


def test_all_that_a_command_may_be_is_read_once() -> None:
    found = readings(given("rm x", Place.SHELL, "rm y", "rm x"))

    assert [reading.line for reading in found] == ["rm x", "rm y"]


def test_what_is_typed_into_a_program_is_not_read() -> None:
    (reading,) = readings(given("DROP TABLE x; \\! rm y", Place.PROGRAM))

    assert reading.commands == ()
    assert reading.opaque == ()
    assert reading.raw == ("DROP TABLE x; \\! rm y",)


def test_a_line_for_a_device_is_words_and_filters() -> None:
    (reading,) = readings(given('sh run | inc "a | b" | count', Place.DEVICE))

    assert reading.normalized == ("sh run", "inc 'a | b'", "count")
    assert reading.raw == (reading.line,)
    assert [word.text for word in reading.commands[1].operands] == ["a | b"]


def test_each_line_for_a_device_is_one() -> None:
    assert of_device("conf t\r\nint gi0/1\n\n").normalized == ("conf t", "int gi0/1")


@pytest.mark.parametrize("text", ["", "|", '"', "|||", "\0", "a" * 100_000, "a\n" * 5_000])
def test_any_line_for_a_device_is_read(text: str) -> None:
    reading = of_device(text)

    assert len(reading.commands) <= 1_000
    assert len(text) <= 8_192 or [one.reason for one in reading.opaque] == [Reason.DEEP]
