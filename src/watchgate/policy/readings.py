"""All that a command may mean: each text that it may be, read as what takes it would.

A line of a shell is read by `policy.shell`; a line of a network device by its words; what is typed into a
program is not read, and rules see it as it was typed; but what it hands to a shell is read as a line of shell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from watchgate.policy.commands import KnownCommand, Place
from watchgate.policy.embedded import shell_calls
from watchgate.policy.reading import Opaque, Reading, Reason, SimpleCommand, Word
from watchgate.policy.shell import read
from watchgate.policy.shell.quoting import quoted

_DEVICE_WORD = re.compile(r'"[^"]*"|[^\s|]+')
_MOST_DEVICE_WORDS = 1_000
_LONGEST_DEVICE_LINE = 8_192


def readings(command: KnownCommand) -> tuple[Reading, ...]:
    """Every reading of *command*, each once; it raises nothing."""
    found: list[Reading] = []
    for text in dict.fromkeys((command.text, *command.others)):
        for reading in (_read(text, command), *_embedded(text, command)):
            if reading not in found:
                found.append(reading)
    return tuple(found)


def _embedded(text: str, command: KnownCommand) -> Iterator[Reading]:
    """What a line that is typed into a program hands to a shell."""
    if command.place is not Place.PROGRAM:
        return
    for handed in shell_calls(text, command.program):
        if handed is None:
            yield Reading(
                text, opaque=(Opaque(Reason.COMPUTED, text[:120], command.program or ""),)
            )
        else:
            yield read(handed)


def _read(text: str, command: KnownCommand) -> Reading:
    match command.place:
        case Place.SHELL | Place.ESCAPE:
            return read(text, command.context)
        case Place.TRANSFER:
            return _of_transfer(read(text, command.context))
        case Place.PROGRAM:
            return Reading(text, raw=(text,))
        case Place.DEVICE:
            return of_device(text)


def _of_transfer(reading: Reading) -> Reading:
    """A transfer's own command: what the client `sftp` could be made to start is not there."""
    opaque = tuple(one for one in reading.opaque if one.reason is not Reason.ESCAPE)
    return replace(reading, opaque=opaque)


def of_device(line: str) -> Reading:
    """A line for a network device: one simple command, and one for each filter behind a `|`.

    Abbreviations stay as they are typed (`sh run`), for what they stand for differs from device to device.
    """
    opaque: tuple[Opaque, ...] = ()
    text = line
    if len(line) > _LONGEST_DEVICE_LINE:
        opaque = (Opaque(Reason.DEEP, line[:120]),)
        text = line[:_LONGEST_DEVICE_LINE]
    commands: list[SimpleCommand] = []
    for one in text.replace("\r", "\n").split("\n"):
        for piece in _pieces(one):
            words = [match[0] for match in _DEVICE_WORD.finditer(piece)]
            if words and len(commands) < _MOST_DEVICE_WORDS:
                commands.append(_of_words(words, piece.strip()))
    return Reading(line, tuple(commands), opaque, (line,))


def _pieces(line: str) -> list[str]:
    """The parts between bars that stand in no quotes."""
    return re.findall(r'(?:"[^"]*"?|[^|"])+', line)


def _of_words(words: list[str], raw: str) -> SimpleCommand:
    values = [word.strip('"') for word in words]
    operands = tuple(Word(value, word) for value, word in zip(values[1:], words[1:], strict=True))
    return SimpleCommand(
        program=values[0],
        path=None,
        words=operands,
        flags=frozenset(),
        operands=operands,
        values={},
        paths=(),
        redirects=(),
        wrappers=(),
        user=None,
        text=" ".join([values[0], *map(quoted, values[1:])]),
        raw=raw,
    )
