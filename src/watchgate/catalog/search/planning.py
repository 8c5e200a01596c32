"""What a query asks of the index, and whether it may be asked.

The index is asked for documents that hold every trigram of the longest literals, which must then be looked
at. A text too short for a trigram asks it for nothing, so such a query needs a filter that bounds how much
is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from watchgate.catalog.search import regex
from watchgate.catalog.search.matching import Matcher, matcher, pattern_of
from watchgate.catalog.search.model import Mode, Query
from watchgate.catalog.search.text import TRIGRAM, asked, trigrams
from watchgate.errors import Refused

LONGEST_TEXT = 1_000
"""Characters of a query: it is evidence of a search, and kept whole in the journal."""

_MOST_CLAUSES = 4
_MOST_TRIGRAMS = 64
"""Of a literal, that are considered."""
_ENOUGH = 1e-7
"""The share of documents to which a text is narrowed, were its trigrams independent; they are not."""
_ENOUGH_OF_NEIGHBORS = 1e-3
_RAREST = 1 / 128
"""The share of a trigram that no sample has."""

FACETS = ("operator", "target", "account", "protocol", "verdict", "severity")
"""The filters whose values are marked in the index."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A query, ready to be asked of each file."""

    query: Query
    matcher: Matcher
    clauses: tuple[regex.Clause, ...]
    """What must be in the text; none: the text narrows nothing."""

    @property
    def facets(self) -> dict[str, str]:
        """The filters by their names, as far as they are set."""
        values = {name: getattr(self.query, name) for name in FACETS}
        return {name: asked(value) for name, value in values.items() if value}


def plan(query: Query) -> Plan:
    """How *query* is answered; raises Refused when it cannot be."""
    if len(query.text) > LONGEST_TEXT:
        raise Refused(
            f"the text to search for has {len(query.text)} characters; {LONGEST_TEXT} are possible, "
            "and a distinct part of it finds the same",
            code="search.too-long",
        )
    matching = matcher(query)
    clauses = _clauses(query)
    if not clauses and not _is_bounded(query):
        raise _too_short(query)
    return Plan(query, matching, tuple(clauses))


def _clauses(query: Query) -> list[regex.Clause]:
    if query.mode is Mode.REGEX:
        found = regex.required(pattern_of(query.text))
    else:
        found = regex.literal(asked(query.text))
    return sorted(found, key=regex.weight, reverse=True)[:_MOST_CLAUSES]


def _is_bounded(query: Query) -> bool:
    named = (query.operator, query.target, query.account, query.session)
    return any(named) or query.since_us is not None


def _too_short(query: Query) -> Refused:
    if query.mode is Mode.REGEX:
        problem = f"no text of {TRIGRAM} characters is in every match of this regular expression"
    else:
        problem = f"{query.text!r} has fewer than {TRIGRAM} characters"
    return Refused(
        f"{problem}, so all that was ever done would have to be read; search for more, "
        "or say where to look: an operator, a target, an account, a session or a time since when",
        code="search.too-short",
    )


Share = Callable[[str], float]
"""Of all documents, how many have a trigram: about, from 0 to 1."""


def expressions(clauses: Sequence[regex.Clause], share: Share) -> list[str]:
    """*clauses* as FTS5 writes them, of as few trigrams as narrow enough.

    What the full-text index has to go through are the lists of the trigrams, so a common one costs much
    and narrows little; and what they let pass is looked at anyway.
    """
    return [_expression(clause, share) for clause in clauses]


def _expression(clause: regex.Clause, share: Share) -> str:
    alternatives = (
        " AND ".join(map(quoted, _rarest(trigrams(text, _MOST_TRIGRAMS), share)))
        for text in sorted(clause)
    )
    return "(" + " OR ".join(f"({one})" for one in alternatives) + ")"


def _rarest(found: Sequence[str], share: Share) -> list[str]:
    """The rarest of *found*; of neighbors one will do, unless all are common."""
    apart: list[int] = []
    neighbors: list[int] = []
    for place in sorted(range(len(found)), key=lambda place: share(found[place])):
        near = any(abs(place - other) == 1 for other in apart)
        (neighbors if near else apart).append(place)
    chosen: list[str] = []
    passing = 1.0
    for places, enough in ((apart, _ENOUGH), (neighbors, _ENOUGH_OF_NEIGHBORS)):
        for place in places:
            if passing > enough:
                chosen.append(found[place])
                passing *= max(share(found[place]), _RAREST)
    return chosen


def quoted(trigram: str) -> str:
    """*trigram* as a string of FTS5: nothing in it is an operator."""
    return '"' + trigram.replace('"', '""') + '"'
