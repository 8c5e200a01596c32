"""A stand-in for the command line of a network device: one row that scrolls sideways, help at `?`."""

from __future__ import annotations

import os
import sys
import termios
import tty
from pathlib import Path

PROMPT = "Router#"
WIDTH = 79
_COMMANDS = ("show", "touch", "exit")


class Line:
    """The row that is edited."""

    def __init__(self) -> None:
        self.text = ""
        self.cursor = 0
        self.history: list[str] = []
        self.back = 0

    def draw(self) -> str:
        """The row drawn again; a `$` where it goes on to the left or the right."""
        room = WIDTH - len(PROMPT)
        start = max(0, self.cursor - room + 10) if len(self.text) > room else 0
        shown = self.text[start : start + room]
        if start:
            shown = "$" + shown[1:]
        if start + room < len(self.text):
            shown = shown[:-1] + "$"
        place = len(PROMPT) + self.cursor - start
        return f"\r{PROMPT}{shown}\x1b[K\r\x1b[{place}C"

    def insert(self, text: str) -> str:
        at_end = self.cursor == len(self.text)
        self.text = self.text[: self.cursor] + text + self.text[self.cursor :]
        self.cursor += len(text)
        fits = len(PROMPT) + len(self.text) < WIDTH
        return text if at_end and fits else self.draw()

    def erase(self) -> str:
        if not self.cursor:
            return ""
        self.text = self.text[: self.cursor - 1] + self.text[self.cursor :]
        self.cursor -= 1
        if self.cursor == len(self.text) and len(PROMPT) + len(self.text) < WIDTH - 1:
            return "\b \b"
        return self.draw()

    def recall(self, step: int) -> str:
        self.back = min(max(0, self.back + step), len(self.history))
        self.text = self.history[-self.back] if self.back else ""
        self.cursor = len(self.text)
        return self.draw()

    def take(self) -> str:
        taken, self.text, self.cursor, self.back = self.text, "", 0, 0
        if taken.strip():
            self.history.append(taken)
        return taken


def main() -> None:
    """Serve the terminal until `exit`."""
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        _serve(Line())
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def _serve(line: Line) -> None:
    _say(PROMPT)
    while key := os.read(0, 1):
        if key == b"\x1b":
            key = {b"[A": b"\x10", b"[B": b"\x0e"}.get(os.read(0, 2), b"")
        if key in (b"\r", b"\n"):
            _say("\r\n")
            words = line.take().split()
            if words[:1] == ["exit"]:
                return
            if words[:1] == ["touch"]:
                for name in words[1:]:
                    Path(os.path.normpath(name)).touch()
            _say(PROMPT)
        else:
            _say(_edit(line, key))


def _edit(line: Line, key: bytes) -> str:
    match key:
        case b"?":
            return f"?\r\n  {'  '.join(_COMMANDS)}\r\n" + line.draw()
        case b"\t":
            fitting = [word for word in _COMMANDS if word.startswith(line.text)]
            return line.insert(fitting[0][len(line.text) :] + " ") if len(fitting) == 1 else "\a"
        case b"\x7f" | b"\b":
            return line.erase()
        case b"\x15":
            line.text, line.cursor = "", 0
            return line.draw()
        case b"\x10":
            return line.recall(1)
        case b"\x0e":
            return line.recall(-1)
        case _ if key >= b" ":
            return line.insert(key.decode("latin-1"))
        case _:
            return ""


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
