"""Lines that wait for their verdict, out of what told them: the screen, or the shell itself."""

from __future__ import annotations

from watchgate.policy.commands import Source
from watchgate.terminal.gate.acts import AskedLine
from watchgate.terminal.integration.mark_kinds import Line
from watchgate.terminal.live.lineread import LineRead

LONGEST = 64 * 1024
"""Characters of a line that are decided."""


def read_off(read: LineRead, depth: int) -> AskedLine:
    """A line that was read before its Enter was passed on."""
    return AskedLine(
        read.text[:LONGEST],
        read.source,
        exact=read.exact,
        place=read.place,
        program=read.program,
        others=read.others,
        unreadable=read.unreadable,
        certain=read.certain,
        hidden=read.secret,
        depth=depth,
    )


def seen_late(read: LineRead) -> AskedLine:
    """A line that a shell took though no key was held for it."""
    return AskedLine(
        read.text[:LONGEST],
        read.source,
        exact=False,
        place=read.place,
        program=read.program,
        others=read.others,
        unreadable=read.unreadable,
        hidden=read.secret,
        late=True,
    )


def unsaid(text: str, shell: str, depth: int) -> AskedLine:
    """A line of which a shell said nothing, as the keys tell it."""
    return AskedLine(text[:LONGEST], Source.KEYS, exact=False, depth=depth, shell=shell, late=True)


def told(mark: Line, shell: str, depth: int) -> AskedLine:
    """A line that a shell is about to run."""
    return AskedLine(
        mark.text,
        Source.INTEGRATION,
        exact=True,
        others=mark.texts[1:],
        unreadable=mark.unreadable,
        depth=depth,
        shell=shell,
        cwd=mark.cwd,
        variables=mark.variables,
        aliases=mark.aliases,
        functions=mark.functions,
        resolved=mark.resolved,
    )
