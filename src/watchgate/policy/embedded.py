"""Shell lines inside the lines that are typed into interpreters and database clients.

`os.system('rm -rf /')` in a Python prompt, `system("reboot")` in Perl's or Lua's, `COPY … TO PROGRAM 'sh …'` in
psql: what the call hands to a shell is read as a line of shell. A call whose text is computed is opaque. It is no
parser of any of these languages: whoever writes code can hide a call from it, and the rules can say so
(`opaque: [interpreter]` for the program as a whole).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchgate.policy.shell.quoting import quoted

LONGEST = 8_192
"""Characters of a line that are looked at."""

MOST_CALLS = 32

_CALLS = (
    r"system|popen\d?|getoutput|getstatusoutput|shell_exec|passthru|proc_open|execSync|spawnSync|"
    r"spawn[lv]?[pe]{0,2}|exec(?:ute|File|FileSync|l|le|lp|lpe|v|ve|vp|vpe)?|Popen|check_call|check_output|"
    r"run|call|create_subprocess_(?:shell|exec)|subprocess_?|qx|open"
)
_CALL = re.compile(rf"(?<![\w$])({_CALLS})\s*(\(|(?=[\"']))\s*")
_PROGRAM = re.compile(r"\b(?:TO|FROM)\s+PROGRAM\s+", re.IGNORECASE)
_BACKTICKS = re.compile(r"`([^`\n]{1,2000})`|%x[\[({]([^\])}]{1,2000})[\])}]")
_STRING = re.compile(
    r"(?:[rbufRBUF]{0,2})(?:'''((?:[^\\]|\\.)*?)'''|\"\"\"((?:[^\\]|\\.)*?)\"\"\"|'((?:[^'\\\n]|\\.|'')*)'"
    r"|\"((?:[^\"\\\n]|\\.)*)\")"
)
_NEXT = re.compile(r"\s*,\s*")
_ESCAPED = re.compile(r"\\(.)|''", re.DOTALL)
# Names that stand for many things, and for a call of a shell only with a text or a list behind them.
_COMMON = frozenset(
    ("run", "call", "open", "exec", "execute", "subprocess", "subprocess_", "spawn")
)
_BACKTICKED = frozenset(("perl", "ruby", "irb", "php", "julia", "bc"))


def shell_calls(line: str, program: str | None) -> Iterator[str | None]:
    """The shell lines that *line* hands to a shell; None for one that is computed."""
    text = line[:LONGEST]
    found = 0
    for call in _CALL.finditer(text):
        for handed in _handed(text, call.end(), call[1] in _COMMON):
            yield handed
            found += 1
            if found >= MOST_CALLS:
                return
    for copied in _PROGRAM.finditer(text):
        string = _STRING.match(text, copied.end())
        yield _value(string) if string is not None else None
    if program in _BACKTICKED:
        for ticks in _BACKTICKS.finditer(text):
            yield ticks[1] or ticks[2]


def _handed(text: str, at: int, common: bool) -> Iterator[str | None]:
    """What stands at the beginning of a call's arguments."""
    if text[at : at + 1] in ("[", "("):
        words = _words(text, at + 1)
        if words:
            yield " ".join(map(quoted, words))
        elif not common:
            yield None
        return
    string = _STRING.match(text, at)
    if string is None:
        if not common and text[at : at + 1] not in ("", ")"):
            yield None
        return
    first = _value(string)
    words = _words(text, at)
    # `execlp("rm", "rm", "-rf", "/")`, `system("rm", "-rf", "/")`: a program and its arguments.
    if len(words) > 1 and " " not in first:
        yield " ".join(map(quoted, words[1:] if words[1] == words[0].rpartition("/")[2] else words))
    else:
        yield first


def _words(text: str, at: int) -> list[str]:
    """The texts that stand there one after the other, with commas between."""
    words: list[str] = []
    while (string := _STRING.match(text, at)) is not None and len(words) < 256:
        words.append(_value(string))
        comma = _NEXT.match(text, string.end())
        if comma is None:
            break
        at = comma.end()
    return words


def _value(string: re.Match[str]) -> str:
    body = next((group for group in string.groups() if group is not None), "")
    return _ESCAPED.sub(lambda escaped: escaped[1] or "'", body)
