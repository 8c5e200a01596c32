"""The line editor: octets from a terminal in, what to show and lines out. No IO and no clock.

What was typed behind a line waits until the line is done with: `feed` takes, `step` goes on to the next
line. A bracketed paste is lines like any others: each is a command of its own.
"""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Iterable

from watchgate.protocols.ssh.gatewayshell.buffer import Buffer
from watchgate.protocols.ssh.gatewayshell.given import Did, Given, count_lines
from watchgate.protocols.ssh.gatewayshell.history import History
from watchgate.protocols.ssh.gatewayshell.painting import Painting
from watchgate.protocols.ssh.menu_text import clean
from watchgate.terminal.keys import Key, KeyKind, Keys

PASTE_ON = "\x1b[?2004h"
PASTE_OFF = "\x1b[?2004l"
CLEAR = "\x1b[H\x1b[2J"

_EDITS = {
    b"\x01": Buffer.home,
    b"\x1b[H": Buffer.home,
    b"\x1bOH": Buffer.home,
    b"\x1b[1~": Buffer.home,
    b"\x1b[7~": Buffer.home,
    b"\x05": Buffer.end,
    b"\x1b[F": Buffer.end,
    b"\x1bOF": Buffer.end,
    b"\x1b[4~": Buffer.end,
    b"\x1b[8~": Buffer.end,
    b"\x02": Buffer.left,
    b"\x1b[D": Buffer.left,
    b"\x1bOD": Buffer.left,
    b"\x06": Buffer.right,
    b"\x1b[C": Buffer.right,
    b"\x1bOC": Buffer.right,
    b"\x1b[3~": Buffer.delete,
    b"\x0b": Buffer.cut_to_end,
    b"\x15": Buffer.cut_to_start,
    b"\x17": Buffer.cut_word,
    b"\x19": Buffer.put_back,
    b"\x14": Buffer.swap,
    b"\x1b[1;5D": Buffer.word_left,
    b"\x1b[1;3D": Buffer.word_left,
    b"\x1b[5D": Buffer.word_left,
    b"\x1bb": Buffer.word_left,
    b"\x1b[1;5C": Buffer.word_right,
    b"\x1b[1;3C": Buffer.word_right,
    b"\x1b[5C": Buffer.word_right,
    b"\x1bf": Buffer.word_right,
    b"\x1bd": Buffer.cut_letters_after,
    b"\x1b[3;5~": Buffer.cut_letters_after,
}
_STEPS = {
    b"\x10": 1,
    b"\x1b[A": 1,
    b"\x1bOA": 1,
    b"\x0e": -1,
    b"\x1b[B": -1,
    b"\x1bOB": -1,
}
_ENTERS = re.compile(rb"\x1bOM|\x1b\[13(?:;[0-9:]{1,8})?u")


class Editor:
    """Edits lines on one terminal."""

    def __init__(self, columns: int, *, plain: bool) -> None:
        """On a *plain* terminal the cursor cannot be moved."""
        self.history = History()
        self._keys = Keys()
        self._queue: deque[Key] = deque()
        self._octets = 0
        self._buffer = Buffer()
        self._painting = Painting(columns, plain=plain)
        self._plain = plain
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._prompt = ""
        self._after_return = self._pasting = self._escaped = False
        self._sought: str | None = None  # what is searched for, while there is a search
        self._skipped = 0
        self._out: list[str] = []

    @property
    def waiting(self) -> int:
        """Octets that were typed and are not looked at yet."""
        return self._octets

    def due(self) -> int | None:
        """When an ESC that was heard is a key, unless more follows."""
        return self._keys.due()

    def feed(self, t_us: int, data: bytes) -> None:
        """Octets that were typed."""
        self._add(self._keys.feed(t_us, data))

    def expire(self) -> None:
        """Nothing followed the ESC."""
        self._add(self._keys.flush())

    def finish(self) -> None:
        """No more comes: what stands in the line is not entered."""

    def resize(self, columns: int) -> None:
        """The window's width changed."""
        self._painting.resize(columns)

    def begin(self, prompt: str) -> bytes:
        """A fresh line behind *prompt*."""
        self._prompt = clean(prompt)
        self._buffer.set("")
        start = "" if self._plain else PASTE_ON
        return (start + self._painting.begin(self._prompt)).encode()

    def step(self) -> tuple[bytes, Given | None]:
        """Take what was typed up to the end of a line: what to show, and the line when there is one."""
        given: Given | None = None
        while self._queue and given is None:
            key = self._queue.popleft()
            self._octets -= len(key.octets)
            given = self._press(key)
            if given is None and self._sought is None:
                self._out.append(self._painting.show(self._buffer.before, self._buffer.after))
        shown = "".join(self._out)
        self._out.clear()
        return shown.encode(), given

    def drop(self) -> tuple[int, int]:
        """Forget what was typed ahead: how many lines and octets."""
        data = b"".join(key.octets for key in self._queue)
        self._queue.clear()
        self._octets = 0
        return count_lines(data), len(data)

    def _add(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._octets += len(key.octets)
            if key.kind is KeyKind.END or (
                key.kind is KeyKind.CONTROL and key.octets[:1] != b"\x1b"
            ):
                # A run of controls: each is a key of its own.
                self._queue.extend(Key(key.kind, bytes([octet])) for octet in key.octets)
            else:
                self._queue.append(key)

    # --- keys ----------------------------------------------------------------------------------

    def _press(self, key: Key) -> Given | None:
        escaped, self._escaped = self._escaped, key.octets == b"\x1b"
        after_return, self._after_return = self._after_return, key.octets == b"\r"
        if key.octets == b"\n" and after_return:
            return None
        if self._sought is not None and self._searches(key):
            return None
        match key.kind:
            case KeyKind.TEXT:
                self._insert(self._decoder.decode(key.octets))
            case KeyKind.END:
                return self._end(key.octets)
            case KeyKind.ERASE if escaped:
                self._buffer.cut_letters()
            case KeyKind.ERASE:
                self._buffer.erase(len(key.octets))
            case KeyKind.PASTE:
                self._pasting = key.octets == b"\x1b[200~"
            case KeyKind.CONTROL | KeyKind.CODED:
                return self._control(key.octets)
            case KeyKind.REPORT:
                pass  # the terminal's word, not the operator's
        return None

    def _insert(self, text: str) -> None:
        # What a terminal would act on can be typed into no line.
        self._buffer.insert("".join(c for c in text if clean(c) == c))

    def _end(self, octets: bytes) -> Given | None:
        if octets in (b"\r", b"\n"):
            return self._enter()
        if octets == b"\x03":
            self._out.append("^C")
            return self._leave(Given(Did.INTERRUPTED))
        if octets == b"\x04":
            if not self._buffer.text:
                return self._leave(Given(Did.ENDED))
            self._buffer.delete()
        elif octets == b"\x15":
            self._buffer.cut_to_start()
        return None

    def _enter(self) -> Given:
        return self._leave(Given(Did.ENTERED, self._buffer.text, whole=not self._buffer.overfull))

    def _leave(self, given: Given) -> Given:
        self._out.append(self._painting.end() + ("" if self._plain else PASTE_OFF))
        self._decoder.reset()
        self._buffer.set("")
        self.history.leave()
        return given

    def _control(self, octets: bytes) -> Given | None:
        if _ENTERS.fullmatch(octets):
            return self._enter()
        if octets == b"\t":
            self._insert(" " if self._pasting else "")
        elif octets in _STEPS:
            self._buffer.set(self.history.step(_STEPS[octets], self._buffer.text))
        elif octets == b"\x0c" and not self._plain:
            self._out.append(CLEAR + self._painting.begin(self._prompt))
        elif octets == b"\x12" and not self._plain:
            self._sought, self._skipped = "", 0
            self._show_search()
        elif octets in _EDITS and not (self._plain and octets != b"\x17"):
            _EDITS[octets](self._buffer)
        return None

    # --- searching -----------------------------------------------------------------------------

    def _searches(self, key: Key) -> bool:
        """Whether *key* goes on with the search; if not, the search is over and the line stays."""
        assert self._sought is not None
        if key.kind is KeyKind.TEXT:
            self._sought, self._skipped = (
                self._sought + clean(key.octets.decode("utf-8", "replace")),
                0,
            )
        elif key.kind is KeyKind.ERASE:
            self._sought, self._skipped = self._sought[: -len(key.octets)], 0
        elif key.octets == b"\x12":
            more = self.history.containing(self._sought, self._skipped + 1)
            self._skipped += more is not None
        else:
            self._sought = None
            if key.octets == b"\x07":  # ^G
                self._buffer.set("")
            self._out.append(
                self._painting.again(self._prompt, self._buffer.before, self._buffer.after)
            )
            return key.octets in (b"\x07", b"\x1b")
        self._show_search()
        return True

    def _show_search(self) -> None:
        assert self._sought is not None
        found = self.history.containing(self._sought, self._skipped)
        if found is not None:
            self._buffer.set(found)
        prompt = f"(search) {self._sought}: "
        self._out.append(self._painting.again(prompt, self._buffer.before, self._buffer.after))
