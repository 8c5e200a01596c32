"""Which events a sink is sent: by kind, by gravity, by operator and by target."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from fnmatch import translate

from watchgate.siem.fact import Fact
from watchgate.siem.severity import severity_of

_KIND = re.compile(r"!?(?:\*|(?:\*|[a-z_]+)\.(?:\*|[a-z_]+))")


@dataclass(frozen=True, slots=True)
class Filter:
    """What a sink wants; an empty tuple wants everything."""

    kinds: tuple[str, ...] = ()
    """Kinds or patterns such as `session.*`; one behind `!` is not wanted, whatever the others say."""
    minimum_severity: int = 0
    operators: tuple[str, ...] = ()
    """Names or patterns with `*` and `?`; events without an operator are not wanted then."""
    targets: tuple[str, ...] = ()

    def wants(self, fact: Fact) -> bool:
        """Whether *fact* is sent."""
        return (
            self.wants_kind(fact.kind)
            and _named(self.operators, _said(fact, "operator"))
            and _named(self.targets, _said(fact, "target"))
            and (not self.minimum_severity or severity_of(fact) >= self.minimum_severity)
        )

    def wants_kind(self, kind: str) -> bool:
        """Whether events of that kind may be sent at all."""
        unwanted = [pattern[1:] for pattern in self.kinds if pattern.startswith("!")]
        wanted = [pattern for pattern in self.kinds if not pattern.startswith("!")]
        if any(_matches(pattern, kind) for pattern in unwanted):
            return False
        return not wanted or any(_matches(pattern, kind) for pattern in wanted)


def is_kind_pattern(text: str) -> bool:
    """Whether *text* can stand among `kinds`."""
    return _KIND.fullmatch(text) is not None


def _said(fact: Fact, name: str) -> str:
    """The operator or the target, of the session or of an event outside of sessions."""
    value = fact.context.get(name) or fact.data.get(name)
    return value if isinstance(value, str) else ""


def _named(patterns: tuple[str, ...], name: str) -> bool:
    return not patterns or (bool(name) and any(_matches(one, name) for one in patterns))


def _matches(pattern: str, text: str) -> bool:
    return _compiled(pattern.casefold()).match(text.casefold()) is not None


@functools.lru_cache(maxsize=1000)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))
