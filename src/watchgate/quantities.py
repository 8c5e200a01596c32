"""What a setting's value may look like, and how it is read and shown.

A `Quantity` reads a TOML value or the text of an environment variable or a flag; it raises
`ValueError`, which `settings.py` turns into a sentence with the key and what was expected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Generic, TypeVar

from watchgate.session.model import Address

T = TypeVar("T")

_MILLISECONDS = {"ms": 1, "s": 1000, "min": 60_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
SECONDS = {unit: Fraction(length, 1000) for unit, length in _MILLISECONDS.items()}
_BINARY = {unit: 1 << 10 * power for power, unit in enumerate(("B", "KiB", "MiB", "GiB", "TiB"))}
_DECIMAL = {unit: 1000**power for power, unit in enumerate(("kB", "MB", "GB", "TB"), 1)}
OCTETS = {unit: Fraction(octets) for unit, octets in (_BINARY | _DECIMAL).items()}
# Sizes pass 2^53, up to which alone a float is exact, so numbers in text are read as fractions.
_NUMBER_WITH_UNIT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")


@dataclass(frozen=True, slots=True)
class Quantity(Generic[T]):
    """One kind of value: *expected* completes the sentence "it must be …"."""

    name: str
    expected: str
    read: Callable[[object], T]
    show: Callable[[T], str] = str


def _text(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("not text")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a number")
    return value


def _scaled(value: object, units: Mapping[str, Fraction], unit: str) -> Fraction:
    """A number in *unit*, or text of a number and one of *units*."""
    if not isinstance(value, str):
        return Fraction(_number(value))
    match = _NUMBER_WITH_UNIT.fullmatch(value)
    scale = units.get(match[2] or unit) if match else None
    if match is None or scale is None:
        raise ValueError("not a number with a unit")
    return Fraction(match[1]) * scale


def parse_duration(value: object) -> float:
    """Seconds, from a number of seconds or text such as `30s`, `5min`, `1.5h`, `2d`."""
    return float(_scaled(value, SECONDS, "s"))


def parse_size(value: object) -> int:
    """Octets, from a number of octets or text such as `64MiB` or `1.5GB`."""
    return round(_scaled(value, OCTETS, "B"))


def show_duration(seconds: float) -> str:
    """The shortest exact text that `parse_duration` reads back."""
    for unit in ("d", "h", "min"):
        if seconds and seconds % float(SECONDS[unit]) == 0:
            return f"{seconds / float(SECONDS[unit]):g}{unit}"
    return f"{seconds:g}s"


def show_size(octets: int) -> str:
    """The shortest exact text that `parse_size` reads back."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if octets and octets % _BINARY[unit] == 0:
            return f"{octets // _BINARY[unit]}{unit}"
    return str(octets)


def parse_address(value: object) -> Address:
    """`host:port` with a numeric port; IPv6 in brackets: `[::1]:2222`."""
    host, colon, port = _text(value).strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if not colon or not host or (":" in host) != bracketed or not re.fullmatch(r"\d{1,5}", port):
        raise ValueError("not host:port")
    if int(port) > 65535:
        raise ValueError("a port is at most 65535")
    return Address(host, int(port))


def parse_flag(value: object) -> bool:
    """True or false; as text also yes, no, on, off, 1, 0."""
    if isinstance(value, bool):
        return value
    words = {"true": True, "yes": True, "on": True, "1": True}
    words |= {"false": False, "no": False, "off": False, "0": False}
    try:
        return words[_text(value).strip().lower()]
    except KeyError as error:
        raise ValueError("neither true nor false") from error


def _bounded(value: T, least: float, most: float = math.inf) -> T:
    if value < least or value > most:  # type: ignore[operator]  # T is int or float here
        raise ValueError("not within its bounds")
    return value


def duration(least: float = 0.0, most: float = math.inf) -> Quantity[float]:
    """Seconds, within bounds."""
    bounds = f", at least {show_duration(least)}" if least else ""
    bounds += f", at most {show_duration(most)}" if math.isfinite(most) else ""
    return Quantity(
        "duration",
        f'a number of seconds or text such as "30s", "5min", "12h"{bounds}',
        lambda value: _bounded(parse_duration(value), least, most),
        show_duration,
    )


def size(minimum: int = 0) -> Quantity[int]:
    """Octets, at least *minimum*."""
    least = f", at least {show_size(minimum)}" if minimum else ""
    return Quantity(
        "size",
        f'a number of octets or text such as "64MiB"{least}',
        lambda value: _bounded(parse_size(value), minimum),
        show_size,
    )


def _whole(value: object) -> int:
    if isinstance(value, str):
        return int(value)
    number = Fraction(_number(value))
    if number.denominator != 1:
        raise ValueError("not whole")
    return int(number)


def integer(minimum: int = 0) -> Quantity[int]:
    """A whole number, at least *minimum*."""
    return Quantity(
        "number",
        f"a whole number, at least {minimum}",
        lambda value: _bounded(_whole(value), minimum),
    )


def choice(*words: str) -> Quantity[str]:
    """One of *words*."""

    def read(value: object) -> str:
        word = _text(value).strip()
        if word not in words:
            raise ValueError("not one of the choices")
        return word

    return Quantity("choice", "one of " + ", ".join(words), read)


def listing(item: Quantity[T], *, empty: bool = False) -> Quantity[tuple[T, ...]]:
    """A TOML array of *item*; in the environment and in flags, separated by commas."""

    def read(value: object) -> tuple[T, ...]:
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, list) or not (value or empty):
            raise ValueError("not a list")
        return tuple(item.read(part) for part in value)

    def show(values: Sequence[T]) -> str:
        return ", ".join(item.show(value) for value in values)

    few = "a list" if empty else "a list with at least one entry"
    return Quantity(f"list of {item.name}", f"{few}, each {item.expected}", read, show)


def optional(item: Quantity[T]) -> Quantity[T | None]:
    """*item*, or the empty text for none."""

    def read(value: object) -> T | None:
        return None if value == "" else item.read(value)

    def show(value: T | None) -> str:
        return "" if value is None else item.show(value)

    return Quantity(item.name, f'{item.expected}, or "" for none', read, show)


def _path(value: object) -> Path:
    if not _text(value):
        raise ValueError("an empty path")
    return Path(_text(value)).expanduser()


TEXT = Quantity("text", "text in quotes", _text)
FLAG = Quantity("flag", "true or false", parse_flag, lambda value: str(value).lower())
PATH = Quantity("path", "a path; a relative one counts from the data directory", _path)
ADDRESS = Quantity("address", '"host:port", with an IPv6 host in brackets', parse_address)
