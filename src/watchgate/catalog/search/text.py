"""The forms of a text: as it is kept, as it is compared, and as it is indexed.

*Kept* is Unicode NFC, so that an `é` is found however the keyboard composed it; NUL and octets that were
not UTF-8 are written with backslashes, as everywhere in the catalog. *Compared* in any case is `fold`, which
replaces characters one by one: positions stay, so what was found can be shown. It knows no languages: `ß` is
no `ss`, and all four letters i of Turkish are one. *Indexed* is the folded form; the recording alone
has the exact octets.
"""

from __future__ import annotations

import unicodedata

from watchgate.catalog.schema import storable

LONGEST = 65_536
"""Characters of one document that are kept and indexed."""

TRIGRAM = 3

RESERVED = 0x100000
"""From here on (the last private-use plane, which no font has) characters stand for filters."""

_REPLACEMENT = 0xFFFD
# Letters that are one to whoever searches, though Unicode folds them only in some languages or texts.
_SAME = {0x0130: 0x69, 0xFB05: 0xFB06}


class _Folding(dict[int, int]):
    """Code points to what stands for all cases of each, computed once when first met."""

    def __missing__(self, point: int) -> int:
        found = self[point] = self._fold(point)
        return found

    def _fold(self, point: int) -> int:
        if point in _SAME:
            return _SAME[point]
        # By way of the capital: ſ and s, final and other sigma, µ and μ have only that in common.
        character = chr(point)
        for upper in (character.upper(), character):
            lower = upper.lower()
            if len(upper) == 1 and len(lower) == 1:
                return ord(lower)
        return point


class _Indexing(_Folding):
    """The same, without the characters that filters are made of."""

    def _fold(self, point: int) -> int:
        return _REPLACEMENT if point >= RESERVED else super()._fold(point)


_FOLDING = _Folding()
_INDEXING = _Indexing()


def kept(text: str) -> str:
    """*text* as the index keeps it; what is longer than `LONGEST` ends with a mark that says so."""
    over = len(text) - LONGEST
    if over > 0:
        text = f"{text[:LONGEST]} …[{over} more characters are only in the recording]"
    return asked(text)


def asked(text: str) -> str:
    """*text* in the form of what is kept, however long it is."""
    return text if text.isascii() and "\0" not in text else _normal(storable(text))


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """*text* with one form for all cases of a letter; character by character, so it stays as long."""
    return text.lower() if text.isascii() else text.translate(_FOLDING)


def indexed(text: str) -> str:
    """*text*, which is kept, as its trigrams are made of it."""
    return text.lower() if text.isascii() else text.translate(_INDEXING)


def trigrams(text: str, most: int) -> list[str]:
    """Trigrams that a document with *text* in it has; of a long text *most* that are spread over it."""
    folded = indexed(text)
    count = len(folded) - TRIGRAM + 1
    if count > most:
        starts = [index * (count - 1) // (most - 1) for index in range(most)]
    else:
        starts = list(range(count))
    return list(dict.fromkeys(folded[start : start + TRIGRAM] for start in starts))
