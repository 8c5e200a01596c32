"""The text of a line that is edited, and its cursor."""

from __future__ import annotations

import re

LONGEST = 16 * 1024
"""Characters of one line; more are not taken."""

_WORD_BEFORE = re.compile(r"\S+\s*$")
_LETTERS_BEFORE = re.compile(r"\w+\W*$")
_LETTERS_AFTER = re.compile(r"\W*\w+")


class Buffer:
    """What stands before and after the cursor, and what was cut last."""

    def __init__(self) -> None:
        self.before = ""
        self.after = ""
        self.overfull = False
        """More was typed than there is room for."""
        self._cut = ""

    @property
    def text(self) -> str:
        """The whole line."""
        return self.before + self.after

    def set(self, text: str) -> None:
        """Another line, the cursor behind it."""
        self.before, self.after, self.overfull = text, "", False

    def insert(self, text: str) -> None:
        """At the cursor, as far as there is room."""
        room = max(0, LONGEST - len(self.before) - len(self.after))
        self.overfull = self.overfull or len(text) > room
        self.before += text[:room]

    def move(self, by: int) -> None:
        """Move the cursor by so many characters."""
        at = max(0, min(len(self.before) + by, len(self.text)))
        text = self.text
        self.before, self.after = text[:at], text[at:]

    def left(self) -> None:
        """One character to the left."""
        self.move(-1)

    def right(self) -> None:
        """One character to the right."""
        self.move(1)

    def home(self) -> None:
        """To the beginning."""
        self.before, self.after = "", self.text

    def end(self) -> None:
        """To the end."""
        self.before, self.after = self.text, ""

    def word_left(self) -> None:
        """To the beginning of the word."""
        found = _LETTERS_BEFORE.search(self.before)
        self.move(-len(found[0] if found else self.before))

    def word_right(self) -> None:
        """To the end of the word."""
        found = _LETTERS_AFTER.match(self.after)
        self.move(len(found[0] if found else self.after))

    def erase(self, count: int = 1) -> None:
        """Take away what is before the cursor."""
        self.before = self.before[: max(0, len(self.before) - count)]

    def delete(self) -> None:
        """Take away the character at the cursor."""
        self.after = self.after[1:]

    def cut_to_start(self) -> None:
        """^U."""
        self._cut, self.before = self.before or self._cut, ""

    def cut_to_end(self) -> None:
        """^K."""
        self._cut, self.after = self.after or self._cut, ""

    def cut_word(self) -> None:
        """^W: back to the blank before the word."""
        self._cut_before(_WORD_BEFORE)

    def cut_letters(self) -> None:
        """Alt with Backspace: back to the beginning of the letters."""
        self._cut_before(_LETTERS_BEFORE)

    def cut_letters_after(self) -> None:
        """Alt-D: to the end of the letters."""
        found = _LETTERS_AFTER.match(self.after)
        cut = found[0] if found else self.after
        self._cut, self.after = cut or self._cut, self.after[len(cut) :]

    def put_back(self) -> None:
        """^Y."""
        self.insert(self._cut)

    def swap(self) -> None:
        """^T: the characters around the cursor change places."""
        if not self.after and len(self.before) > 1:
            self.move(-1)
        if self.before and self.after:
            self.before, self.after = (
                self.before[:-1] + self.after[0] + self.before[-1],
                self.after[1:],
            )

    def _cut_before(self, pattern: re.Pattern[str]) -> None:
        found = pattern.search(self.before)
        cut = found[0] if found else self.before
        self._cut = cut or self._cut
        self.before = self.before[: len(self.before) - len(cut)]
