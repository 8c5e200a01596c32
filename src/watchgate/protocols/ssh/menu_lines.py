"""The menu without a screen: a numbered list, and a line to answer with.

For dumb terminals, and for clients without one, whose own side echoes and sends whole lines.
"""

from __future__ import annotations

import codecs

from watchgate.protocols.ssh.menu_choices import LEFT, Listing, Outcome, Row
from watchgate.protocols.ssh.menu_text import clean, fit, width

SHOWN = 40
"""Rows that are listed at once; the rest is found by typing."""

LINE_LIMIT = 128
CELLS = 40
"""The widest that a name is shown."""

LEAVING = frozenset({"q", "quit", "exit"})


class Lines:
    """The menu of *listing*; see `menu.Menu` for the protocol. *echoes*: what is typed must be shown by us."""

    waiting = False

    def __init__(self, listing: Listing, title: str, *, echoes: bool) -> None:
        self._listing = listing
        self._title = clean(title)
        self._echoes = echoes
        self._found = listing.rows
        self._line = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._after_return = False

    def start(self) -> bytes:
        if not self._listing.rows:
            return self._said(self._title, "There is no target that you may reach now.")
        return self._said(self._title) + self._offer()

    def feed(self, data: bytes) -> tuple[bytes, Outcome | None]:
        shown = bytearray()
        for character in self._decoder.decode(data):
            more, outcome = self._act(character)
            shown += more
            if outcome is not None:
                return bytes(shown), outcome
        return bytes(shown), None

    def expire(self) -> tuple[bytes, Outcome | None]:
        return b"", None

    def resize(self, columns: int, rows: int) -> bytes:
        return b""

    def _act(self, character: str) -> tuple[bytes, Outcome | None]:
        after_return, self._after_return = self._after_return, character == "\r"
        match character:
            case "\n" if after_return:
                return b"", None
            case "\r" | "\n":
                return self._answer()
            case "\x03" | "\x04":
                return self._echo("\n"), LEFT
            case "\x08" | "\x7f":
                return self._erase(), None
            case "\x15":
                erased = b"".join(self._erase() for _ in range(len(self._line)))
                return erased, None
            case _ if len(self._line) < LINE_LIMIT and clean(character) == character:
                self._line += character
                return self._echo(character), None
            case _:
                return b"", None

    def _erase(self) -> bytes:
        if not self._line:
            return b""
        last, self._line = self._line[-1], self._line[:-1]
        cells = width(last)
        return self._echo("\b" * cells + " " * cells + "\b" * cells)

    def _answer(self) -> tuple[bytes, Outcome | None]:
        """Act on the line: a number of the list, or part of a name."""
        line, self._line = self._line.strip(), ""
        shown = self._echo("\n")
        if line in LEAVING:
            return shown, LEFT
        # A target may be called by a number too: a name that is exactly the line comes first.
        exact = [row for row in self._listing.rows if line in (row.target, _address(row))]
        if len(exact) == 1:
            return shown, Outcome(exact[0].choice)
        if not exact and line.isascii() and line.isdigit():
            return self._numbered(shown, line)
        return self._narrowed(shown, line, exact or self._listing.matching(line))

    def _numbered(self, shown: bytes, line: str) -> tuple[bytes, Outcome | None]:
        number = int(line)
        if 1 <= number <= min(len(self._found), SHOWN):
            return shown, Outcome(self._found[number - 1].choice)
        return shown + self._said(f"There is no number {number} in the list.") + self._ask(), None

    def _narrowed(self, shown: bytes, line: str, found: list[Row]) -> tuple[bytes, Outcome | None]:
        if len(found) == 1 and line:
            return shown, Outcome(found[0].choice)
        if not found:
            return shown + self._said(f"Nothing matches {line}.") + self._ask(), None
        self._found = found
        return shown + self._offer(), None

    def _offer(self) -> bytes:
        rows = self._found[:SHOWN]
        target = min(max(width(row.target) for row in rows), CELLS)
        account = min(max(width(row.account) for row in rows), CELLS)
        lines = [
            f"{number:>4}  {fit(row.target, target)}  {fit(row.account, account)}  {row.labels}"
            for number, row in enumerate(rows, 1)
        ]
        if len(self._found) > SHOWN:
            lines.append(f"      and {len(self._found) - SHOWN} more: type a part of the name")
        return self._said(*(line.rstrip(" ") for line in lines)) + self._ask()

    def _ask(self) -> bytes:
        return b"Number or name (q leaves): "

    def _said(self, *lines: str) -> bytes:
        end = "\r\n" if self._echoes else "\n"
        return "".join(line + end for line in lines).encode()

    def _echo(self, text: str) -> bytes:
        return text.replace("\n", "\r\n").encode() if self._echoes else b""


def _address(row: Row) -> str:
    """The name of a choice as it is used elsewhere: `root@web1`."""
    return f"{row.account}@{row.target}"
