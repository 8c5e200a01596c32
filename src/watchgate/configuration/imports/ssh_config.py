"""Targets from `~/.ssh/config` (ssh_config(5)).

Each name on a `Host` line without wildcards is a machine, and what ssh would use for it is found as ssh
does: of all blocks that match the name, in their order, the first value counts. `Match` asks about the
moment of a login, so it cannot be read and is said. `Include` is followed inside of the file's own
directory.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from watchgate.configuration.imports.proposals import LARGEST, Gathered, text_of
from watchgate.configuration.places import Place
from watchgate.errors import ConfigurationError

DEEPEST_INCLUDE = 16
MOST_FILES = 100
MOST_COMPARISONS = 2_000_000
_COMPILING = 100
"""As many comparisons as it costs to read a pattern for the first time."""
LONGEST_PATTERN = 255

_WANTED = {"hostname", "port", "user", "proxyjump", "proxycommand"}
_KEYWORD = re.compile(r"\s*([A-Za-z][A-Za-z0-9]*)(?:\s*=\s*|\s+)(.*)")
_WILD = re.compile(r"[*?]")


@dataclass(slots=True)
class _Block:
    """The lines under one `Host`."""

    patterns: tuple[str, ...]
    place: Place
    values: dict[str, str] = field(default_factory=dict)


def read(octets: bytes, file: str, directory: Path | None, gathered: Gathered) -> None:
    """Add the machines of the file; *directory* is where its includes lie, None where it has no place."""
    reader = _Reader(gathered, None if directory is None else directory.resolve())
    if directory is not None:
        reader.opened(directory / Path(file).name)
    reader.read(text_of(octets, file), file, 0)
    _Resolver(reader.blocks, gathered).resolve()


class _Reader:
    """Reads lines into blocks."""

    def __init__(self, gathered: Gathered, directory: Path | None) -> None:
        self._gathered = gathered
        self._directory = directory
        self._files = 1
        self._open: list[Path] = []
        self.blocks: list[_Block] = []

    def opened(self, path: Path) -> None:
        """The file that is read first lies there, and need not be included again."""
        self._open.append(path.resolve())

    def read(self, text: str, file: str, depth: int, block: _Block | None = None) -> None:
        """One file; what stands before its first `Host` belongs to *block*, else to every host."""
        if block is None:
            block = self._begin(("*",), Place(file, 1, 1))
        skipping = False
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            place = Place(file, number, 1)
            words = self._words(line, place)
            if words is None:
                continue
            keyword, arguments = words
            if keyword == "host":
                block, skipping = self._begin(tuple(arguments), place), False
            elif keyword == "match":
                skipping = [word.lower() for word in arguments] != ["all"]
                if skipping:
                    self._gathered.remark(
                        place, line.strip(), "Match is not read, nor what is below"
                    )
                else:
                    block = self._begin(("*",), place)
            elif skipping:
                continue
            elif keyword == "include":
                for pattern in filter(None, arguments):
                    self._include(pattern, place, depth, block)
                # What follows the include is again of the block around it, after what was included.
                block = self._begin(block.patterns, place, again=True)
            elif keyword in _WANTED and arguments:
                said = (
                    line.strip().split(None, 1)[-1] if keyword == "proxycommand" else arguments[0]
                )
                block.values.setdefault(keyword, said)

    def _begin(self, patterns: tuple[str, ...], place: Place, *, again: bool = False) -> _Block:
        if not again:
            for pattern in patterns:
                if len(pattern) > LONGEST_PATTERN:
                    self._gathered.remark(place, pattern, "left out: no host has so long a name")
        kept = tuple(pattern for pattern in patterns if len(pattern) <= LONGEST_PATTERN)
        block = _Block(kept, place)
        self.blocks.append(block)
        return block

    def _words(self, line: str, place: Place) -> tuple[str, list[str]] | None:
        match = _KEYWORD.fullmatch(line.rstrip())
        arguments = None if match is None else _arguments(match[2])
        if match is None or arguments is None:
            self._gathered.remark(place, line.strip(), "left out: this is not a line of ssh_config")
            return None
        return match[1].lower(), arguments

    def _include(self, pattern: str, place: Place, depth: int, block: _Block) -> None:
        if self._directory is None:
            self._gathered.remark(place, f"Include {pattern}", "not followed from standard input")
            return
        if depth >= DEEPEST_INCLUDE:
            self._gathered.remark(place, f"Include {pattern}", f"more than {DEEPEST_INCLUDE} deep")
            return
        for path in self._included(pattern, place, self._directory):
            self._files += 1
            if self._files > MOST_FILES:
                raise ConfigurationError(
                    f"{place}: more than {MOST_FILES} files are included; import them one by one",
                    code="import.too-many-files",
                )
            self._read_included(path, place, depth, block)

    def _read_included(self, path: Path, place: Place, depth: int, block: _Block) -> None:
        if path.resolve() in self._open:
            self._gathered.remark(place, str(path), "left out: it includes itself")
            return
        try:
            with open(path, "rb") as file:
                octets = file.read(LARGEST + 1)
        except OSError as error:
            self._gathered.remark(place, str(path), f"cannot be read: {error.strerror}")
            return
        self._open.append(path.resolve())
        self.read(text_of(octets, str(path)), str(path), depth + 1, block)
        self._open.pop()

    def _included(self, pattern: str, place: Place, directory: Path) -> list[Path]:
        """The files that a pattern names, as far as they lie in *directory*."""
        relative = self._relative(pattern, directory)
        if relative is None or {"..", "**"} & set(Path(relative).parts):
            self._gathered.remark(
                place, f"Include {pattern}", f"lies outside of {directory}; import it by itself"
            )
            return []
        found = []
        for path in sorted(directory.glob(relative)):
            if not path.resolve().is_relative_to(directory):
                self._gathered.remark(place, str(path), f"leads out of {directory}")
            elif path.is_file():
                found.append(path)
            if len(found) > MOST_FILES:
                break
        return found

    def _relative(self, pattern: str, directory: Path) -> str | None:
        if pattern.startswith("~/"):
            pattern = str(Path.home() / pattern[2:])
        path = Path(pattern)
        if not path.is_absolute():
            return pattern
        try:
            return str(path.relative_to(directory))
        except ValueError:
            return None


def _arguments(text: str) -> list[str] | None:
    """The words of a line, with quotes; None when a quote is not closed."""
    words, position = [], 0
    while position < len(text):
        if text[position].isspace():
            position += 1
        elif text[position] == "#":
            break
        elif text[position] == '"':
            end = position + 1
            while end < len(text) and text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            if end >= len(text):
                return None
            words.append(re.sub(r"\\(.)", r"\1", text[position + 1 : end]))
            position = end + 1
        else:
            end = position
            while end < len(text) and not text[end].isspace():
                end += 1
            words.append(text[position:end])
            position = end
    return words


class _Resolver:
    """Finds for each name what ssh would use."""

    def __init__(self, blocks: list[_Block], gathered: Gathered) -> None:
        self._blocks = blocks
        self._gathered = gathered
        self._by_name: dict[str, list[int]] = {}
        self._by_pattern: list[int] = []
        self._comparisons = 0
        self._patterns: dict[str, re.Pattern[str]] = {}
        for index, block in enumerate(blocks):
            if not block.values:
                continue
            if any(_WILD.search(pattern) for pattern in block.patterns):
                self._by_pattern.append(index)
                continue
            for pattern in block.patterns:
                self._by_name.setdefault(pattern, []).append(index)

    def resolve(self) -> None:
        """Add a machine for each name."""
        seen: set[str] = set()
        for block in self._blocks:
            for pattern in block.patterns:
                if pattern.startswith("!") or pattern == "*" or pattern in seen:
                    continue
                seen.add(pattern)
                if _WILD.search(pattern):
                    self._gathered.remark(block.place, pattern, "left out: a pattern is no machine")
                else:
                    self._machine(pattern, block.place)

    def _machine(self, name: str, place: Place) -> None:
        values = self._values(name)
        host = _expanded(values.get("hostname", name), name)
        if host is None:
            why = f"left out: HostName {values['hostname']} is only known at a login"
            self._gathered.remark(place, name, why)
            return
        for way in ("proxyjump", "proxycommand"):
            if values.get(way, "none").lower() != "none":
                why = f"is reached through {values[way]}; the gateway must reach it by itself"
                self._gathered.remark(place, name, why)
        self._gathered.add(name, host, values.get("port"), place, account=values.get("user"))

    def _values(self, name: str) -> dict[str, str]:
        indexes = {*self._by_name.get(name, ()), *self._by_pattern}
        values: dict[str, str] = {}
        for index in sorted(indexes):
            if self._matches(self._blocks[index].patterns, name):
                values = self._blocks[index].values | values
        return values

    def _matches(self, patterns: tuple[str, ...], name: str) -> bool:
        """As ssh has it: one must match, and none of those with `!`."""
        self._comparisons += len(patterns)
        if self._comparisons > MOST_COMPARISONS:
            raise ConfigurationError(
                "this file has too many hosts and patterns to compare all with all; import a part",
                code="import.too-many",
            )
        matched = [p for p in patterns if self._compiled(p.removeprefix("!")).match(name)]
        return bool(matched) and not any(pattern.startswith("!") for pattern in matched)

    def _compiled(self, pattern: str) -> re.Pattern[str]:
        found = self._patterns.get(pattern)
        if found is None:
            self._comparisons += _COMPILING
            # ssh knows no brackets in patterns; Python does.
            found = re.compile(fnmatch.translate(pattern.replace("[", "[[]")))
            self._patterns[pattern] = found
        return found


def _expanded(host: str, name: str) -> str | None:
    """HostName with %h; None for a token that only a login knows."""
    parts: Iterator[str] = iter(re.split(r"(%.?)", host))
    known = {"%h": name, "%%": "%"}
    made = ""
    for part in parts:
        if part.startswith("%") and part not in known:
            return None
        made += known.get(part, part)
    return made
