"""A secret that does not show itself by accident."""

from __future__ import annotations

import hmac
from typing import final


@final
class Secret:
    """Octets that never appear in `repr`, `str`, a log line, an event or a traceback.

    `reveal()` is the one way out, so that every place where a secret leaves can be found by its name.
    """

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes | str) -> None:
        self._octets = octets.encode() if isinstance(octets, str) else bytes(octets)

    def reveal(self) -> bytes:
        """The octets themselves."""
        return self._octets

    def reveal_text(self) -> str:
        """The octets as UTF-8 text; raises `UnicodeDecodeError` when they are not."""
        return self._octets.decode()

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._octets, other._octets)

    def __hash__(self) -> int:
        return hash(Secret)

    def __bool__(self) -> bool:
        return bool(self._octets)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")
