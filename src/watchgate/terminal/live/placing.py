"""Where on the screen a line begins: the end of its prompt, and what stands behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from watchgate.terminal.live.entry import Entry
from watchgate.terminal.live.profiles import Device
from watchgate.terminal.live.sight import Sight
from watchgate.terminal.prompts import LONGEST, Prompts, end_of_prompt, looks_like_one

_SEARCH = re.compile(r"^.{0,200}?\((?:failed |failing )?(?:reverse-|forward-)?i-search\)`")
_FOUND = "': "
_MAY_END = re.compile(r"[$#%>❯➜»λ⟩▶]\s+")
_MOST = 3
_SEARCH_FIELD = re.compile(r"^(?:search: |(?:failing )?(?:bck|fwd)-i-search[:_])")
"""Of fish and zsh: the line that was found stands above it."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A line on the screen, cut into prompt and text."""

    prompt: str
    text: str
    known: bool
    """The prompt is one that was seen before anything was typed on this line, or one of the session's."""
    others: tuple[str, ...] = ()
    """What the text may be as well."""


def placed(
    sight: Sight, entry: Entry, prompts: Prompts, device: Device, began: str
) -> Placed | None:
    """Where the line in *sight* begins; *began* is what stood before the cursor when its first key came.

    None when nothing tells.
    """
    if _SEARCH_FIELD.match(sight.text) and sight.above:
        found = "\n".join(sight.above).strip()
        return Placed(began, found, known=True, others=(sight.text.strip(),))
    searched = _searched(sight)
    if searched:
        return Placed("", searched[0], known=True, others=searched[1:])
    place, known = _place(sight, entry, prompts, device, began)
    if place is None:
        return None
    above = sight.above if not known and sight.above else ()
    text = sight.behind(place)
    others = []
    if sight.suggests(place) and entry.moved:
        others.append(sight.whole(place))
    if above:
        others.append(text.strip())
        text = "\n".join((*above, sight.behind(0)))
    first = sight.first_stop
    if first is not None and first != place and first < place:
        others.append(sight.behind(first))
    if not known:
        # Keys came before their prompt: all that may be one is left out once.
        ends = [found.end() for found in _MAY_END.finditer(sight.text, place, place + LONGEST)]
        others += [sight.whole(end) for end in ends[:_MOST]]
    return Placed(sight.text[:place], text, known, tuple(o for o in others if o.strip()))


def _place(
    sight: Sight, entry: Entry, prompts: Prompts, device: Device, began: str
) -> tuple[int | None, bool]:
    typed = entry.current
    if entry.exact and typed.strip() and not entry.dropped:
        shown = sight.shows(typed)
        if shown is not None:
            return shown, prompts.knows(sight.text[:shown]) or sight.text[:shown] == began
    text = sight.text
    behind = prompts.behind(text, sight.stops)
    if behind is not None and text[:behind].strip():
        return behind, True
    if began.strip() and text.startswith(began):
        return len(began), True
    for stop in sight.stops:
        if device.prompt.match(text[:stop]) or looks_like_one(text[:stop]):
            return stop, True
    if behind is not None:
        return behind, True
    shifted = prompts.ending(began)
    if shifted is not None and len(shifted) < len(began):
        # Output without a line feed stood before the prompt; readline draws as if nothing did.
        return len(shifted), True
    usual = end_of_prompt(text)
    if usual is not None:
        return usual, True
    first = sight.first_stop
    if first is not None and first <= LONGEST:
        return first, False
    return (0, False) if sight.above else (None, False)


def _searched(sight: Sight) -> tuple[str, ...]:
    """The line that a search in the history has found; several when the searched text makes it ambiguous."""
    begins = _SEARCH.match(sight.text)
    if begins is None:
        return ()
    rest = sight.text[begins.end() :]
    found: list[str] = []
    at = rest.find(_FOUND)
    while at >= 0 and len(found) < 4:
        found.append(rest[at + len(_FOUND) :].strip())
        at = rest.find(_FOUND, at + 1)
    return tuple(found)
