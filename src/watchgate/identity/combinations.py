"""Which methods, in which order, make a login: `publickey`, `password+totp`.

A list of combinations is a choice; inside one, methods come in their order. A method that is right but
not the last is partial success (RFC 4252 §5.1).
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from watchgate.errors import ConfigurationError


class Method(StrEnum):
    """One way to prove who one is; `publickey` may also be a certificate of a trusted CA."""

    PUBLICKEY = "publickey"
    PASSWORD = "password"  # noqa: S105 - the method's name
    TOTP = "totp"


@dataclass(frozen=True, slots=True)
class Combinations:
    """The ways to log in; any one of them is enough."""

    ways: tuple[tuple[Method, ...], ...]

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Self:
        """`["publickey", "password+totp"]`; raises ConfigurationError for what makes no sense."""
        if not texts:
            raise ConfigurationError(
                "no combination of methods is allowed, so nobody could log in; allow publickey",
                code="authentication.no-combination",
            )
        return cls(tuple(_way(text) for text in dict.fromkeys(texts)))

    def describe(self) -> tuple[str, ...]:
        """The inverse of `parse`."""
        return tuple("+".join(way) for way in self.ways)

    def next(self, done: tuple[Method, ...]) -> frozenset[Method]:
        """What may follow the methods that were *done*."""
        length = len(done)
        return frozenset(
            way[length] for way in self.ways if len(way) > length and way[:length] == done
        )

    def complete(self, done: tuple[Method, ...]) -> bool:
        """Whether *done* is one whole way."""
        return done in self.ways


def _way(text: str) -> tuple[Method, ...]:
    words = [word.strip() for word in text.split("+")]
    for word in words:
        if word not in set(Method):
            near = difflib.get_close_matches(word, list(Method), n=1)
            advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(Method)}"
            raise ConfigurationError(
                f"{text!r}: there is no method {word!r}; {advice}",
                code="authentication.unknown-method",
            )
    if len(set(words)) != len(words):
        raise ConfigurationError(
            f"{text!r} asks for one method twice", code="authentication.illegal-combination"
        )
    if words == [Method.TOTP]:
        raise ConfigurationError(
            "a one-time code alone is six digits and no login; write password+totp or publickey+totp",
            code="authentication.illegal-combination",
        )
    return tuple(Method(word) for word in words)
