"""A shell that is only pretended: a line editor, and the hooks' side of what a gate and a shell say to each other.

It does what the hooks in terminal/integration/hooks do, in the same order, and remembers every line that it ran.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto

from watchgate.terminal.integration.verdicts import accept_prefix

PROMPT = b"root@h:~# "
MORE = b"> "
PASTE_ON, PASTE_OFF = b"\x1b[?2004h", b"\x1b[?2004l"

_PROBE = re.compile(rb';V;q;.* ([0-9a-f]+) "\$\{BASH_VERSION')
_KEY = re.compile(rb"\x1b\[[0-9;?]*[@-~]|\x1b\[7717~|\x1b.|[\s\S]")


def mark(nonce: bytes, kind: bytes, words: bytes = b"") -> bytes:
    """A mark as the hooks print it."""
    return b"\x1b]7717;" + nonce + b";" + kind + b";q;" + words + b"\a"


def quoted(octets: bytes) -> bytes:
    """A word as bash's `printf %q` writes it."""
    if re.fullmatch(rb"[A-Za-z0-9_./=-]+", octets):
        return octets
    return b"$'" + b"".join(b"\\x%02x" % octet for octet in octets) + b"'"


class _At(Enum):
    EDITING = auto()
    HOOKS = auto()
    """It reads its hooks."""
    ASKING = auto()
    RUNNING = auto()
    """A program has the terminal."""


@dataclass
class PretendedShell:
    """One terminal with a shell; with *hooks*, it takes hooks that it is given, and otherwise it is a dash."""

    hooks: bool = True
    echoes_verdict: bool = False
    """The verdict comes before echo was turned off."""
    marks: bool = True
    """Taken away: it says nothing of the lines that it runs, nor of its prompt."""
    silent: bool = False
    """Enter has no answer at all."""
    refuses: bytes = b""
    """A line that it cannot parse."""
    prompt: bytes = PROMPT
    nonces: list[bytes] = field(default_factory=list)
    """Of this shell and of those in it that have hooks."""
    ran: list[str] = field(default_factory=list)
    """Every line that was carried out."""
    fed: bytearray = field(default_factory=bytearray)
    """Everything that came in, as it came."""
    _at: _At = _At.EDITING
    _line: bytearray = field(default_factory=bytearray)
    _before: list[bytes] = field(default_factory=list)
    _input: bytearray = field(default_factory=bytearray)
    _inner: list[bool] = field(default_factory=list)
    """Whether each shell inside can take hooks."""
    _status: int = 0
    _pasting: bool = False
    _program: str = ""
    _nonce: bytes = b""
    _whole: bytes = b""

    # --- what a test does ------------------------------------------------------------------

    def begins(self) -> bytes:
        """What it prints at its start."""
        return b"Last login: today\r\n" + self._prompt()

    def ends(self, output: bytes = b"") -> bytes:
        """The program that has the terminal ends."""
        self._at, self._program = _At.EDITING, ""
        waiting, self._input = bytes(self._input), bytearray()
        return output + self._ended(0) + self.takes(waiting, keep=False)

    @property
    def running(self) -> bool:
        """A program has the terminal."""
        return self._at is _At.RUNNING

    @property
    def line(self) -> bytes:
        """What stands at its prompt."""
        return bytes(self._line)

    def takes(self, octets: bytes, *, keep: bool = True) -> bytes:
        """Octets arrive; what is printed."""
        if keep:
            self.fed += octets
        shown = bytearray()
        self._input += octets
        while self._input:
            match self._at:
                case _At.EDITING:
                    shown += self._edit()
                case _At.HOOKS:
                    if not self._take_hooks(shown):
                        break
                case _At.ASKING:
                    if not self._take_verdict(shown):
                        break
                case _At.RUNNING:
                    if not self._take_program(shown):
                        break
        return bytes(shown)

    # --- the line editor -------------------------------------------------------------------

    @property
    def _told(self) -> bytes:
        """The nonce of the shell in front, when it has hooks."""
        return self.nonces[-1] if self.marks and len(self.nonces) == len(self._inner) + 1 else b""

    def _prompt(self, *, more: bool = False) -> bytes:
        nonce = self._told
        text = MORE if more else self.prompt
        behind = mark(nonce, b"C" if more else b"B") if nonce else b""
        return PASTE_ON + text + behind

    def _ended(self, status: int) -> bytes:
        self._status = status
        before = mark(self._told, b"D", b" s=%d d=/root" % status) if self._told else b""
        return before + self._prompt()

    def _edit(self) -> bytes:
        found = _KEY.match(self._input)
        assert found is not None
        key = found[0]
        del self._input[: len(key)]
        if key == accept_prefix("fish"):
            return b""
        if key in (b"\x1b[200~", b"\x1b[201~"):
            self._pasting = key == b"\x1b[200~"
            return b""
        if self._pasting and key in (b"\r", b"\n"):
            self._line += b"\n"
            return b"\r\n"
        if key in (b"\r", b"\n"):
            return self._accept()
        if key == b"\x03":
            self._line.clear()
            self._before.clear()
            return b"^C" + PASTE_OFF + b"\r\r\n" + self._ended(130)
        if key == b"\x7f":
            gone = bool(self._line)
            del self._line[-1:]
            return b"\b \b" if gone else b""
        if key[0] < 0x20 or key[0] == 0x7F:
            return b""
        self._line += key
        return key

    def _accept(self) -> bytes:
        if self.silent:
            return b""
        line = bytes(self._line)
        self._line.clear()
        shown = PASTE_OFF + b"\r\r\n"
        probe = _PROBE.search(line)
        if probe is not None:
            return shown + self._introduce(probe[1])
        if line.endswith(b"\\"):
            self._before.append(line)
            return shown + self._prompt(more=True)
        whole = b"\n".join([*self._before, line])
        self._before.clear()
        if whole == self.refuses:
            return shown + b"syntax error\r\n" + self._ended(2)
        if not whole.strip():
            return shown + self._ended(self._status)
        self._whole = whole
        if not self._told:
            return shown + self._run(whole)
        self._at, self._nonce = _At.ASKING, self._told
        return shown + mark(self._nonce, b"L", b" " + quoted(b"t=" + whole) + b" d=/root")

    # --- hooks -----------------------------------------------------------------------------

    def _introduce(self, nonce: bytes) -> bytes:
        takes = self._inner[-1] if self._inner else self.hooks
        if not takes:
            return mark(nonce, b"V", b" v v v") + self._prompt()
        self._at, self._nonce = _At.HOOKS, nonce
        return mark(nonce, b"V", b" v5.2.15 v v")

    def _take_hooks(self, shown: bytearray) -> bool:
        end = b"\nwg." + self._nonce + b"\n"
        at = self._input.find(end)
        if at < 0:
            return False
        del self._input[: at + len(end)]
        self.nonces.append(self._nonce)
        self._at = _At.EDITING
        shown += mark(self._nonce, b"R", b" bash 5.2.15") + self._ended(0)
        return True

    def _take_verdict(self, shown: bytearray) -> bool:
        wanted = b" : 7717." + self._nonce + b"."
        at = self._input.find(wanted)
        end = self._input.find(b"\n", at) if at >= 0 else -1
        if end < 0:
            return False
        said = bytes(self._input[at : end + 1])
        if said[len(wanted) : len(wanted) + 1] == b"W":  # it is to go on waiting
            del self._input[at : end + 1]
            return True
        ahead = bytes(self._input[:at])
        del self._input[: end + 1]
        if self.echoes_verdict:
            shown += said.replace(b"\n", b"\r\n")
        if ahead:
            shown += mark(self._nonce, b"T", b" " + quoted(ahead))
        shown += mark(self._nonce, b"K")
        self._at = _At.EDITING
        permitted = said[len(wanted) : len(wanted) + 1] == b"A"
        shown += self._run(self._whole) if permitted else self._ended(130)
        return True

    # --- what runs ---------------------------------------------------------------------------

    def _run(self, whole: bytes) -> bytes:
        text = whole.decode("utf-8", "backslashreplace")
        self.ran.append(text)
        word = text.split()[0]
        match word:
            case "cat" | "sleep" | "vim":
                self._at, self._program = _At.RUNNING, word
                return b""
            case "bash" | "dash":
                self._inner.append(word == "bash")
                return self._prompt()
            case "exit" if self._inner:
                self._inner.pop()
                del self.nonces[len(self._inner) + 1 :]
                return b"exit\r\n" + self._ended(0)
            case "unhook":
                self.marks = False
            case "PS0=":
                self.marks, self.prompt = False, b"$ "
            case _:
                pass
        return f"did {text}\r\n".encode() + self._ended(0)

    def _take_program(self, shown: bytearray) -> bool:
        """`cat` takes lines until ^C; others leave what is typed for the shell, and end by themselves."""
        data = bytes(self._input)
        if b"\x03" in data:
            del self._input[: data.index(b"\x03") + 1]
            self._at, self._program = _At.EDITING, ""
            shown += b"^C\r\n" + self._ended(130)
            return True
        if self._program != "cat":
            return False
        self._input.clear()
        shown += data.replace(b"\r", b"\r\n")
        return True
