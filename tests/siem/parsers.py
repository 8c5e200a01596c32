"""Readers of the formats, written from their specifications and not from our writers."""

from __future__ import annotations

import re

_CEF_KEY = re.compile(r"(?:^| )([A-Za-z][A-Za-z0-9_.]*)=")


def cef(line: str) -> tuple[list[str], dict[str, str]]:
    """The seven fields of a CEF header, and its extension."""
    assert line.startswith("CEF:0|")
    fields, rest = _header(line.removeprefix("CEF:"), 7)
    return fields, _extension(rest)


def _header(text: str, count: int) -> tuple[list[str], str]:
    """Fields up to the unescaped pipe behind each; a backslash takes the next character."""
    fields: list[str] = []
    field = ""
    position = 0
    while len(fields) < count:
        character = text[position]
        position += 1
        if character == "\\":
            assert text[position] in "\\|", "only a backslash and a pipe are escaped in a header"
            field += text[position]
            position += 1
        elif character == "|":
            fields.append(field)
            field = ""
        else:
            field += character
    return fields, text[position:]


def _extension(text: str) -> dict[str, str]:
    """Keys are words before an unescaped `=`; the value goes on until the space before the next."""
    masked = re.sub(r"\\.", lambda match: "\0" * len(match[0]), text)
    assert "\\" not in masked, "a lone backslash at the end"
    starts = list(_CEF_KEY.finditer(masked))
    assert starts
    assert starts[0].start() == 0, "no value before the first key"
    found: dict[str, str] = {}
    for number, match in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(text)
        assert match[1] not in found, f"{match[1]} twice"
        assert masked[match.end() : end].count("=") == 0, "an unescaped equals sign"
        found[match[1]] = _unescaped(text[match.end() : end])
    return found


def _unescaped(value: str) -> str:
    letters = {"n": "\n", "r": "\r", "\\": "\\", "=": "="}
    return re.sub(r"\\(.)", lambda match: letters[match[1]], value)


def leef(line: str) -> tuple[list[str], dict[str, str]]:
    """The fields of a LEEF 2.0 header without its delimiter, and its attributes."""
    parts = line.split("|", 6)
    assert parts[0] == "LEEF:2.0"
    delimiter, rest = parts[5], parts[6]
    assert len(delimiter) == 1
    pairs = [pair.partition("=") for pair in rest.split(delimiter)]
    assert all(equals for _, equals, _ in pairs)
    assert len({key for key, _, _ in pairs}) == len(pairs)
    return parts[1:5], {key: value for key, _, value in pairs}


def syslog(octets: bytes) -> dict[str, str]:
    """A message of RFC 5424 as the grammar of its §6 has it, structured data with one element."""
    match = re.fullmatch(
        rb"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z) ([\x21-\x7e]{1,255}) "
        rb"([\x21-\x7e]{1,48}) ([\x21-\x7e]{1,128}) ([\x21-\x7e]{1,32}) "
        rb'(\[[^ =\]"]{1,32}(?: [^ =\]"]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*\]) (.*)',
        octets,
        re.DOTALL,
    )
    assert match is not None, octets
    names = ("priority", "at", "host", "app", "process", "message_id", "structured", "text")
    return {name: part.decode() for name, part in zip(names, match.groups(), strict=True)}
