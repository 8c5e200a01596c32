"""The menu on a terminal whose cursor can be moved: a list, filtered by what is typed.

It uses the alternate screen and leaves the operator's own as it was. Only lines that changed are sent.
"""

from __future__ import annotations

import codecs

from watchgate.protocols.ssh.menu_choices import LEFT, Listing, Outcome, Row
from watchgate.protocols.ssh.menu_text import clean, fit
from watchgate.terminal.keys import Key, KeyKind, Keys

ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"
LEAVE = "\x1b[m\x1b[?25h\x1b[?1049l"
CLEAR = "\x1b[m\x1b[2J"
HINT = "Type to filter, arrows choose, Enter connects, Esc leaves"
TITLES = ("Target", "Account", "Labels")
FILTER_LIMIT = 128
LARGEST = 500
"""Columns and rows beyond which a window is treated as this large: a client may claim any number."""

BEYOND = 1 << 30
MOVES = {
    b"\x1b[A": -1,
    b"\x1bOA": -1,
    b"\x10": -1,  # ^P
    b"\x1b[B": 1,
    b"\x1bOB": 1,
    b"\x0e": 1,  # ^N
    b"\t": 1,
    b"\x1b[Z": -1,
    b"\x1b[H": -BEYOND,
    b"\x1bOH": -BEYOND,
    b"\x1b[1~": -BEYOND,
    b"\x1b[7~": -BEYOND,
    b"\x1b[F": BEYOND,
    b"\x1bOF": BEYOND,
    b"\x1b[4~": BEYOND,
    b"\x1b[8~": BEYOND,
}
PAGES = {b"\x1b[5~": -1, b"\x1b[6~": 1}


class Screen:
    """The menu of *listing* in a window of *columns* × *rows*; see `menu.Menu` for the protocol."""

    def __init__(self, listing: Listing, title: str, columns: int, rows: int) -> None:
        self._listing = listing
        self._title = clean(title)
        self._keys = Keys()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._filter = ""
        self._found = listing.rows
        self._chosen = 0
        self._top = 0
        self._painted: list[str] = []
        self._measure(columns, rows)

    @property
    def waiting(self) -> bool:
        return self._keys.due() is not None

    def start(self) -> bytes:
        return ENTER.encode() + self._paint()

    def feed(self, data: bytes) -> tuple[bytes, Outcome | None]:
        return self._press(list(self._keys.feed(0, data)))

    def expire(self) -> tuple[bytes, Outcome | None]:
        return self._press(list(self._keys.flush()))

    def resize(self, columns: int, rows: int) -> bytes:
        self._measure(columns, rows)
        self._painted = []
        return CLEAR.encode() + self._paint()

    # --- keys ----------------------------------------------------------------------------------

    def _press(self, keys: list[Key]) -> tuple[bytes, Outcome | None]:
        for key in keys:
            outcome = self._act(key)
            if outcome is not None:
                return LEAVE.encode(), outcome
        return self._paint(), None

    def _act(self, key: Key) -> Outcome | None:
        match key.kind:
            case KeyKind.TEXT:
                return self._type(key.octets)
            case KeyKind.END:
                return self._end(key.octets)
            case KeyKind.ERASE:
                self._narrow(self._filter[: -len(key.octets)])
            case KeyKind.CONTROL:
                return self._control(key.octets)
            case KeyKind.CODED | KeyKind.PASTE | KeyKind.REPORT:
                pass  # nothing here; a report is the terminal's word, not the operator's
        return None

    def _type(self, octets: bytes) -> Outcome | None:
        if octets == b"q" and not self._filter:
            return LEFT
        typed = clean(self._decoder.decode(octets))
        self._narrow((self._filter + typed)[:FILTER_LIMIT])
        return None

    def _end(self, octets: bytes) -> Outcome | None:
        for octet in octets:
            if octet in b"\r\n" and self._found:
                return Outcome(self._found[self._chosen].choice)
            if octet in b"\x03\x04":  # ^C ^D
                return LEFT
            if octet == 0x15:  # ^U
                self._narrow("")
        return None

    def _control(self, octets: bytes) -> Outcome | None:
        if octets == b"\x1b":
            if not self._filter:
                return LEFT
            self._narrow("")
        elif octets in MOVES:
            self._move(MOVES[octets])
        elif octets in PAGES:
            self._move(PAGES[octets] * max(self._body - 1, 1))
        elif octets == b"\x0c":  # ^L: what is on the screen is not ours
            self._painted = []
        elif octets == b"\x17":  # ^W
            self._narrow(self._filter.rstrip().rpartition(" ")[0])
        else:
            for octet in octets:  # a run of controls, such as ^N held down
                self._move(MOVES.get(bytes([octet]), 0))
        return None

    def _narrow(self, text: str) -> None:
        text = text.lstrip()
        if text == self._filter:
            return
        before = self._found[self._chosen] if self._found else None
        self._filter = text
        self._found = self._listing.matching(text)
        # The row stays chosen as long as it is in the list.
        self._chosen = next((i for i, row in enumerate(self._found) if row is before), 0)
        self._move(0)

    def _move(self, by: int) -> None:
        self._chosen = max(0, min(self._chosen + by, len(self._found) - 1))
        self._top = max(self._chosen - self._body + 1, min(self._top, self._chosen))
        self._top = max(0, min(self._top, len(self._found) - self._body))

    # --- the picture ---------------------------------------------------------------------------

    def _measure(self, columns: int, rows: int) -> None:
        # 0 is what a client says that does not know.
        self._columns = min(columns or 80, LARGEST)
        self._rows = min(rows or 24, LARGEST)
        self._head = 2 if self._rows >= 6 else 0
        self._foot = 2 if self._rows >= 8 else 1 if self._rows >= 3 else 0
        self._body = self._rows - self._head - self._foot
        space = self._columns - 2
        target, account, _ = map(len, TITLES)
        self._target = max(target, min(self._listing.target_width, space * 2 // 5))
        self._account = max(account, min(self._listing.account_width, space // 4))
        self._move(0)

    def _paint(self) -> bytes:
        lines = self._picture()
        before = self._painted or [""] * len(lines)
        self._painted = lines
        # The line is cleared before it is written: after its last column the cursor is in no column.
        return "".join(
            f"\x1b[{number};1H\x1b[K{line}"
            for number, (line, old) in enumerate(zip(lines, before, strict=True), 1)
            if line != old
        ).encode()

    def _picture(self) -> list[str]:
        lines = []
        if self._head:
            lines += [self._heading(), self._line("", *TITLES, style="2")]
        for index in range(self._top, self._top + self._body):
            lines.append(self._row(index) if index < len(self._found) else self._nothing(index))
        if self._foot:
            lines += [""] * (self._foot - 1) + [self._bottom()]
        return lines

    def _heading(self) -> str:
        count = f" {len(self._found)} of {len(self._listing.rows)}"
        space = self._columns - len(count)
        text = fit(self._title, space) + count if space > 4 else fit(self._title, self._columns)
        return f"\x1b[1m{text}\x1b[m"

    def _row(self, index: int) -> str:
        row: Row = self._found[index]
        chosen = index == self._chosen
        mark, style = (">", "7") if chosen else ("", "")
        return self._line(mark, row.target, row.account, row.labels, style=style)

    def _line(self, mark: str, target: str, account: str, labels: str, *, style: str) -> str:
        text = f"{mark:<2}{fit(target, self._target)}  {fit(account, self._account)}  {labels}"
        text = fit(text, self._columns)
        return f"\x1b[{style}m{text}\x1b[m" if style else text.rstrip(" ")

    def _nothing(self, index: int) -> str:
        return fit("  Nothing matches.", self._columns) if not self._found and not index else ""

    def _bottom(self) -> str:
        if not self._filter:
            return f"\x1b[2m{fit(HINT, self._columns)}\x1b[m"
        return fit(f"Filter: {self._filter}_", self._columns).rstrip(" ")
