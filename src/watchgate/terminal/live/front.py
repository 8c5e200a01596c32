"""What has the terminal: a shell, or a program that a shell started.

A line that a program takes is not a shell's command, and rules for commands do not hold for it. So a program is
believed to be in front only when a line that was read for certain started it; in doubt it is the shell.
"""

from __future__ import annotations

import re

from watchgate.terminal.live.continuing import goes_on
from watchgate.terminal.programs import multiplexes, started_by, starts_shell, takes_keys
from watchgate.terminal.prompts import Prompts, looks_like_one, program_of

_CUT = re.compile(r"\|\||&&|[;|&\n]")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_HARMLESS = frozenset(
    ["cd", "pushd", "mkdir", "ls", "true", "sudo", "sleep", "git", "date", "pwd", "which"]
)
_FULL_SCREEN = frozenset(
    [
        "vi",
        "vim",
        "nvim",
        "view",
        "vimdiff",
        "ex",
        "nano",
        "pico",
        "emacs",
        "joe",
        "micro",
        "ed",
        "mcedit",
        "less",
        "more",
        "most",
        "man",
        "pager",
        "top",
        "htop",
        "atop",
        "btop",
        "mc",
        "nmtui",
        "watch",
        "tig",
        "lazygit",
        "k9s",
        "ranger",
        "nnn",
        "ncdu",
        "mutt",
        "git",
        "journalctl",
        "systemctl",
    ]
)
# These read the terminal when nothing else is given to them, until the end of the input.
_DATA = frozenset(
    [
        "cat",
        "tee",
        "sort",
        "wc",
        "tac",
        "rev",
        "nl",
        "od",
        "xxd",
        "bc",
        "dc",
        "at",
        "batch",
        "mail",
        "crontab",
        "tr",
        "grep",
        "sed",
        "awk",
        "xargs",
        "dd",
        "ed",
        "head",
        "tail",
    ]
)
_READERS = frozenset(("read", "passwd", "ssh-keygen", "vared", "select"))
_PROMPT_SETTING = frozenset(
    [
        ".",
        "source",
        "alias",
        "eval",
        "unset",
        "declare",
        "typeset",
        "export",
        "local",
        "readonly",
        "set",
        "setopt",
        "shopt",
        "prompt",
        "bind",
        "trap",
        "enable",
        "precmd",
        "conda",
        "workon",
        "deactivate",
        "activate",
        "printf",
        "echo",
        "tput",
        "reset",
        "stty",
    ]
)
_PROMPT = re.compile(r"\b(?:R?PS[0-4]|PROMPT\w*|precmd|fish_prompt|prompt)\b")
_SIGIL = re.compile(r"[$#%>❯➜»λ⟩▶]\s?$")
_INNER = re.compile(
    r"\b(?:docker|podman|kubectl|oc|nerdctl|crictl|ssh|lxc|incus)\b.*?\s(?:--\s+)?(?:\S*/)?"
    r"(psql|mysql|mariadb|sqlite3|redis-cli|mongosh|python3?|node|irb|rails|less|vim?|top)\b"
)


class Front:
    """Follows what a shell starts."""

    def __init__(self) -> None:
        self._program: str | None = None
        self._trusted = False
        self._reads_data = False
        self._is_shell = False
        self._told = False
        self._was_alternate = False
        self._by_path = False
        self._sets_prompt = False

    @property
    def program(self) -> str | None:
        """What was started last and has not given the terminal back, as far as is known."""
        return self._program

    @property
    def multiplexes(self) -> bool:
        """Whether it shows shells on a screen of its own."""
        return multiplexes(self._program)

    def ran(self, command: str, *, certain: bool) -> None:
        """A shell took *command*."""
        self._told = False
        inner = _INNER.search(command)
        self._program = inner[1] if inner is not None else started_by(command)
        self._was_alternate = False
        self._is_shell = inner is None and starts_shell(self._program, command)
        self._by_path = "/" in (command.split() or [""])[0]
        self._reads_data = _reads_data(self._program, command)
        self._sets_prompt = _sets_prompt(command)
        self._trusted = (
            certain and not self._sets_prompt and goes_on(command) is None and _is_plain(command)
        )

    def told(self, command: str | None) -> None:
        """The shell itself says what runs now; None: it is back at its prompt."""
        if command is None:
            self.returned()
            return
        self.ran(command, certain=True)
        self._told = True

    def returned(self) -> None:
        """A shell's prompt was shown."""
        self._program = None
        self._trusted = self._reads_data = self._is_shell = self._told = self._by_path = False
        self._was_alternate = self._sets_prompt = False

    def ended(self) -> None:
        """A key was typed that ends what reads lines: ^D at the start of one, ^C, ^Z, ^\\."""
        if self._reads_data or self._program in _READERS:
            self.returned()

    def takes(
        self, prompt: str, *, known: bool, looks: bool, alternate: bool, edits: bool | None
    ) -> str | None:
        """The program that takes a line behind *prompt*; None: a shell does.

        *known*: it is a shell's prompt of this session; *looks*: it has the form of one. *edits*: bracketed paste is on, as a line editor
        switches it; None when this session's shells do not say.
        """
        name = self._program
        if known and prompt.strip() and not self._own_prompt(prompt):
            return None
        if name is None or self._is_shell or multiplexes(name):
            return None
        believed = self._trusted or self._told
        if looks and not (believed and not known and program_of(prompt, name) is not None):
            return None
        self._was_alternate = self._was_alternate or alternate
        if believed:
            whose = self._takes_trusted(name, prompt, known=known, alternate=alternate, edits=edits)
            if whose is not None:
                return whose
        if known or self._sets_prompt:
            return None
        whose_prompt = program_of(prompt, name)
        if whose_prompt is not None and self._by_path:
            return whose_prompt[0]
        return self._asks(name, prompt, edits)

    def _own_prompt(self, prompt: str) -> bool:
        return self._told and program_of(prompt, self._program) is not None

    def _takes_trusted(
        self, name: str, prompt: str, *, known: bool, alternate: bool, edits: bool | None
    ) -> str | None:
        if known and not self._told:
            return None
        if name in _FULL_SCREEN:
            return name if alternate or not self._was_alternate or self._told else None
        if name in _DATA:
            return name if self._reads_data and (edits is not True or self._told) else None
        if takes_keys(name):
            return name
        return name if self._told else None

    def _asks(self, name: str, prompt: str, edits: bool | None) -> str | None:
        """Whether an unknown program asks something: it has no line editor, and no shell's prompt."""
        if not self._trusted and name not in _READERS:
            return None
        if name in _READERS:
            return name
        if not prompt.strip() or _SIGIL.search(prompt) or looks_like_one(prompt):
            return None
        return name if edits is False else None


def is_shells(prompt: str, prompts: Prompts) -> bool:
    """Whether *prompt* is one that the session's shells have shown, or has the form of one."""
    return bool(prompt.strip()) and (prompts.knows(prompt) or looks_like_one(prompt))


def _names(command: str) -> list[str]:
    bare = _QUOTED.sub("_", command[:4096])
    pieces = [piece.split() for piece in _CUT.split(bare) if piece.strip()]
    return [words[0].rpartition("/")[2] for words in pieces if words]


def _sets_prompt(command: str) -> bool:
    return _PROMPT.search(command) is not None or any(
        name in _PROMPT_SETTING for name in _names(command)
    )


def _is_plain(command: str) -> bool:
    """Whether nothing stands beside the last program that may draw, or name, something else."""
    head = re.split(r"\|(?!\|)", _QUOTED.sub("_", command))
    names = _names(head[0])
    return all(name in _HARMLESS for name in names[:-1]) and not re.search(
        r"[`]|\$\(|\(\)|&\s*$", command
    )


def _reads_data(program: str | None, command: str) -> bool:
    """Whether *program* reads the terminal: nothing else is given to it."""
    if (
        program not in _DATA
        or "|" in _QUOTED.sub("_", command)
        or re.search(r"(?<!<)<(?!<)", command)
    ):
        return False
    if "<<" in command:
        return False
    words = re.sub(r"\d?>{1,2}\s*\S+", " ", _CUT.split(command)[-1]).split()
    at = next((at for at, word in enumerate(words) if word.rpartition("/")[2] == program), 0)
    operands = [word for word in words[at + 1 :] if word == "-" or not word.startswith("-")]
    if program in (
        "cat",
        "tac",
        "rev",
        "nl",
        "od",
        "xxd",
        "sort",
        "wc",
        "bc",
        "head",
        "tail",
        "dc",
    ):
        return not [word for word in operands if word != "-"]
    if program in ("grep", "sed", "awk"):
        return len(operands) <= 1
    return True
