"""The line that is being typed, told from the keys alone.

Exact as long as every key does what it does in any line editor: printing, backspace, the arrows and Home and
End, ^A ^E ^B ^F ^D, ^K, ^U at the end, and putting back what was cut. A key whose effect is decided elsewhere (Tab, history, search,
words, macros) makes the line opaque: what it holds then, only the screen tells.

Usable on its own, by whoever must know a line before its Enter is passed on.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from watchgate.terminal.findings import LONGEST_COMMAND
from watchgate.terminal.keys import Key, KeyKind, Keys


class Ending(Enum):
    """How a line ended."""

    ACCEPTED = auto()
    """Enter, or ^J."""
    PASTED = auto()
    """The end of a line inside a bracketed paste: a new line within the same command."""
    ESCAPED = auto()
    """Enter right behind an ESC: a new line within the same command in some editors, Enter in vi's mode."""
    PERHAPS = auto()
    """A key that accepts the line in some shells and shows what is next: ^O, and M-a of zsh."""
    DROPPED = auto()
    """^C: whatever stood there is not run."""


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A line as far as the keys tell it."""

    t_us: int
    """When the key that ended it came."""
    text: str
    """The whole line when it is exact; otherwise what stood there before the first key that hides it."""
    exact: bool
    ending: Ending = Ending.ACCEPTED
    redacted: bool = False
    """A part of it was not echoed, and is not known."""
    completed: bool = False
    """Tab was pressed in it."""


_MOVES = {
    b"\x01": "home",
    b"\x1b[H": "home",
    b"\x1bOH": "home",
    b"\x1b[1~": "home",
    b"\x1b[7~": "home",
    b"\x05": "end",
    b"\x1b[F": "end",
    b"\x1bOF": "end",
    b"\x1b[4~": "end",
    b"\x1b[8~": "end",
    b"\x02": "left",
    b"\x1b[D": "left",
    b"\x1bOD": "left",
    b"\x06": "right",
    b"\x1b[C": "right",
    b"\x1bOC": "right",
    b"\x1b[3~": "delete",
    b"\x0b": "cut",
    b"\x19": "put back",
    b"\x0c": "redraw",
    b"\x17": "cut word",
    b"\x07": "",
    b"\x1b[I": "redraw",
    b"\x1b[O": "redraw",
}
_WORD = re.compile(r"(?:(?<=\s)|^)\w+\s*$")


class KeyLine:
    """The model of one line editor, fed with keys."""

    def __init__(self) -> None:
        self._before: list[str] = []
        self._after: list[str] = []  # right of the cursor, the last character first
        self._cut = ""
        self._exact = True
        self._touched = self._redacted = self._completed = False
        self._pasting = self._escaped = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def text(self) -> str:
        """What the line holds, or held before it became opaque."""
        return "".join(self._before) + "".join(reversed(self._after))

    @property
    def exact(self) -> bool:
        """Whether the keys tell the line."""
        return self._exact

    @property
    def completed(self) -> bool:
        """Whether Tab was pressed in it."""
        return self._completed

    @property
    def touched(self) -> bool:
        """Whether a key was typed in it."""
        return self._touched

    def key(self, t_us: int, key: Key) -> Iterator[TypedLine]:
        """Take *key*; the lines that it ends."""
        kind, octets = key
        if kind is KeyKind.REPORT:
            return
        if kind is not KeyKind.TEXT:
            self._decoder.reset()
        if kind is KeyKind.END:
            for octet in octets:
                ended = self._end(t_us, octet)
                if ended is not None:
                    yield ended
            return
        self._touched = True
        if kind is KeyKind.TEXT:
            self._insert(self._decoder.decode(octets))
        elif kind is KeyKind.ERASE:
            if self._exact:
                del self._before[max(0, len(self._before) - len(octets)) :]
        elif kind is KeyKind.PASTE:
            self._pasting = octets == b"\x1b[200~"
        else:
            yield from self._control(t_us, octets)
        self._escaped = octets == b"\x1b"

    def hide(self) -> None:
        """Something was typed that is not known."""
        self._touched = self._redacted = True
        self._exact = False

    def lose(self) -> None:
        """A key did what only the other side knows: the screen alone tells the line."""
        self._touched = True
        self._exact = False

    def _begin(self) -> None:
        self._before, self._after = [], []
        self._exact = True
        self._touched = self._redacted = self._completed = False
        self._pasting = self._escaped = False
        self._decoder.reset()

    def _insert(self, text: str) -> None:
        if not self._exact:
            return
        if len(self._before) + len(self._after) + len(text) > LONGEST_COMMAND:
            self._exact = False
            return
        self._before.extend(text)

    def _end(self, t_us: int, octet: int) -> TypedLine | None:
        escaped, self._escaped = self._escaped, False
        if octet in b"\r\n":
            if self._pasting:
                return self._take(t_us, Ending.PASTED)
            return self._take(t_us, Ending.ESCAPED if escaped else Ending.ACCEPTED)
        if octet == 0x03:
            return self._take(t_us, Ending.DROPPED)
        self._touched = True
        if octet == 0x15:
            self._cut_to_start()
        elif octet == 0x04 and self._exact and self._after:
            self._after.pop()
        elif octet != 0x04:
            self._exact = False
        return None

    def _take(self, t_us: int, ending: Ending) -> TypedLine:
        text = self.text
        line = TypedLine(t_us, text, self._exact, ending, self._redacted, self._completed)
        pasting = self._pasting
        self._begin()
        self._pasting = pasting and ending is Ending.PASTED
        return line

    def _control(self, t_us: int, octets: bytes) -> Iterator[TypedLine]:
        single = (
            [octets]
            if octets[:1] == b"\x1b"
            else [octets[at : at + 1] for at in range(len(octets))]
        )
        for control in single:
            if control in (b"\x0f", b"\x1ba"):
                yield self._take(t_us, Ending.PERHAPS)
                self._exact = False
            elif control == b"\x1b":
                self._exact = False if not self._escaped else self._exact
            else:
                self._move(control)

    def _move(self, control: bytes) -> None:
        self._completed = self._completed or control == b"\t"
        if not self._exact:
            return
        match _MOVES.get(control):
            case "home":
                while self._before:
                    self._after.append(self._before.pop())
            case "end" if self._after:
                while self._after:
                    self._before.append(self._after.pop())
            case "left":
                if self._before:
                    self._after.append(self._before.pop())
            case "right" if self._after:
                self._before.append(self._after.pop())
            case "delete":
                if self._after:
                    self._after.pop()
            case "cut":
                self._cut = "".join(reversed(self._after)) or self._cut
                self._after.clear()
            case "put back" if self._cut:
                self._insert(self._cut)
            case "cut word":
                self._cut_word()
            case "redraw":
                pass
            case _:
                # At the end of a line, going further right takes a suggestion where there is one.
                self._exact = False

    def _cut_word(self) -> None:
        """^W, as far as editors agree: a word of letters and digits with a blank, or nothing, before it."""
        word = _WORD.search("".join(self._before[-256:]))
        if word is None or (word.start() == 0 and len(self._before) > 256):
            self._exact = False
            return
        self._cut = word[0]
        del self._before[len(self._before) - len(word[0]) :]

    def _cut_to_start(self) -> None:
        if self._after:  # bash keeps what is right of the cursor, zsh does not
            self._exact = False
        elif self._exact:
            self._cut = self.text or self._cut
            self._before.clear()
        else:
            self._before.clear()  # and what is typed after it nobody counts: the line stays opaque


class KeyLines:
    """Cuts what was typed into lines."""

    def __init__(self) -> None:
        self._keys = Keys()
        self._line = KeyLine()

    @property
    def line(self) -> KeyLine:
        """The line that is not ended."""
        return self._line

    def feed(self, t_us: int, octets: bytes) -> Iterator[TypedLine]:
        """The lines that *octets* end."""
        for key in self._keys.feed(t_us, octets):
            yield from self._line.key(t_us, key)

    def hide(self, t_us: int) -> None:
        """Something was typed that was not echoed."""
        for key in self._keys.flush():
            for _ in self._line.key(t_us, key):
                pass
        self._line.hide()
