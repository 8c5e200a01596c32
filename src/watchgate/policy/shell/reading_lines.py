"""One line in, its reading out."""

from __future__ import annotations

import re

from watchgate.policy.reading import NOTHING_KNOWN, Reading, Reason, ShellContext
from watchgate.policy.shell.calls import Around
from watchgate.policy.shell.reader import Reader
from watchgate.policy.shell.running import run, simple
from watchgate.policy.shell.scope import Scope

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_LONE = re.compile("[\ud800-\udfff]")


def read(line: str, context: ShellContext = NOTHING_KNOWN) -> Reading:
    """All that *line* would run in a shell of which *context* is known. It raises nothing, whatever it is given."""
    reader = Reader(context, simple, run)
    text = line
    if _NO_TEXT.search(line):
        reader.opaque(Reason.BINARY, _LONE.sub("\ufffd", line)[:120].replace("\0", "\\0"))
        # Shells leave a NUL out, so what stands around it is one word.
        text = _LONE.sub("\ufffd", line.replace("\0", ""))
    try:
        reader.text(text, Scope.of(context), Around())
    except RecursionError:
        reader.deep(text)
    found = reader.reading(line)
    if not found.raw and any(one.reason in _WHOLE for one in found.opaque):
        return Reading(line, found.commands, found.opaque, (line,))
    return found


_WHOLE = frozenset({Reason.UNPARSED, Reason.DEEP, Reason.BINARY})
