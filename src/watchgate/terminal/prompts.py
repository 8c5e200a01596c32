"""Prompts: what they look like, which of them a session has shown, and whose they are.

A prompt is known when a line was typed behind it. Another one is the same prompt when it differs only as
prompts do from line to line: a clock, a counter, a directory, a branch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 512
"""Characters of a prompt's last row."""

_REMEMBERED = 16
_SIGILS = "$#%>❯➜»λ⟩▶"
_ENDING = re.compile(rf"[{_SIGILS}]\s?$")
_SHELL = re.compile(
    rf"^(?:\([\w.@-]{{1,40}}\) |\[[^\]]{{1,80}}\] ?|\d\d:\d\d(?::\d\d)? )?"
    rf"(?:[\w.-]{{1,40}}@[\w.-]{{1,80}}[ :~/\w.\-\])]{{0,200}}|(?:ba|z|c|tc|k|mk|da)?sh-[\d.]{{1,10}}|~?/?[\w./-]{{0,120}} ?)"
    rf"[{_SIGILS}]\s?$"
)
_USUAL = re.compile(
    r"(?:\([\w.@-]{1,40}\) )?\[?[\w.-]{1,40}@[\w.-]{1,80}[ :][~/\w.\- ]{0,200}?\]?[$#%>❯➜] "
    r"|(?:ba|z|k|mk|da)?sh-[\d.]{1,10}[$#%] "
)
_CONTINUED = re.compile(
    r"^(?:(?:[a-z]{1,12} )*(?:[a-z]{1,12})?> ?|\s{1,200}|∙ ?|… ?|\.\.\. ?|-> ?)$"
)
_SEARCHING = re.compile(
    r"(?:.{0,200}?\((?:failed |failing )?(?:reverse-|forward-)?i-search\)|(?:failing )?(?:bck|fwd)-i-search[:_])"
)
_CHANGING = re.compile(r"\d+")

_IPYTHON = (r"In \[\d+\]: ?", r" *\.\.\.: ?")
_PSQL = (r"[\w.-]{1,64}[=@^!?][#>] ?", r"[\w.-]{1,64}[-'\"$(*][#>] ?")
_MYSQL = (r"(?:mysql|MariaDB \[[^\]]{0,64}\])> ?", r" +[-'\"`/*]+> ?")
_PROGRAMS: dict[str, tuple[str, str]] = {
    "python": (r">>> ?", r"\.\.\. ?"),
    "ipython": _IPYTHON,
    "pdb": (r"\(Pdb\) ?|ipdb> ?", r"\.\.\. ?"),
    "psql": _PSQL,
    "mysql": _MYSQL,
    "sqlite3": (r"sqlite> ?", r" +\.\.\.> ?"),
    "redis-cli": (
        r"(?:[\w.-]+:\d+|redis [^>\s]{1,80})(?:\[\d+\])?(?:\(TX\))?> ?|not connected> ?",
        r"$.",
    ),
    "mongosh": (
        r"(?:[\w. -]{1,64} )?test> ?|[\w-]{1,64} \[[^\]]{1,64}\] [\w-]{1,64}> ?",
        r"\.\.\. ?",
    ),
    "gdb": (r"\(gdb\) ?", r" ?>+"),
    "lldb": (r"\(lldb\) ?", r"$."),
    "sftp": (r"sftp> ?", r"$."),
    "ftp": (r"l?ftp(?: [^>]{1,80})?> ?", r"$."),
    "irb": (r"irb\([^)]{1,40}\)(?::\d+)*[>*] ?", r"irb\([^)]{1,40}\)(?::\d+)*[\"'\]*] ?"),
    "ghci": (r"ghci> ?|Prelude(?: [\w.]+)*> ?", r"Prelude(?: [\w.]+)*\| ?"),
    "lua": (r"> ", r">> "),
    "node": (r"> ", r"(?:\.\.\.|\|) ?"),
    "php": (r"php > ?", r"php [{('\"/*] ?"),
    "R": (r"> ", r"\+ "),
    "openssl": (r"OpenSSL> ?", r"$."),
    "virsh": (r"virsh # ?", r"$."),
    "bc": (r"$.", r"$."),
}
_ALIASES = {
    "mariadb": "mysql",
    "python2": "python",
    "python3": "python",
    "nodejs": "node",
    "luajit": "lua",
}
# Prompts that say by themselves whose they are, whatever was started before.
_UNMISTAKABLE = (
    "python", "ipython", "pdb", "mysql", "sqlite3", "redis-cli", "gdb", "lldb", "sftp", "irb", "ghci", "php", "virsh",
)  # fmt: skip
_COMPILED = {
    name: (re.compile(f"(?:{first})$"), re.compile(f"(?:{more})$"))
    for name, (first, more) in _PROGRAMS.items()
}


def looks_like_one(text: str) -> bool:
    """Whether *text*, with nothing behind it, has the form of a shell's prompt."""
    return len(text) <= LONGEST and _SHELL.match(text) is not None


def end_of_prompt(line: str) -> int | None:
    """Where the prompt ends in a *line* that begins with one of a usual form (`user@host:~/dir$ `)."""
    match = _USUAL.match(line)
    return match.end() if match is not None else None


def continues(text: str) -> bool:
    """Whether *text* is what a shell shows where a command goes on in a second line (PS2), or an indent."""
    return len(text) <= LONGEST and _CONTINUED.match(text) is not None


def searches(line: str) -> bool:
    """Whether *line* is a search in the history."""
    return _SEARCHING.match(line[:LONGEST]) is not None


def alike(one: str, other: str) -> bool:
    """Whether two prompts are the same but for what changes from line to line."""
    if one == other:
        return True
    left, right = (_CHANGING.sub("0", text.rstrip()) for text in (one, other))
    if left == right:
        return True
    if not left or not right or left[-1] not in _SIGILS:
        return False
    if left[-1] != right[-1] and {left[-1], right[-1]} != {"$", "#"}:
        return False
    common = _common_start(left, right)
    return common >= 3 or (len(left) > 3 and left in right) or (len(right) > 3 and right in left)


def program_of(prompt: str, started: str | None) -> tuple[str, bool] | None:
    """Whose *prompt* is, when it is that of a program with an own command line, and whether it continues a command.

    *started* is the program that the last command started.
    """
    usual = _ALIASES.get(started or "", started or "")
    for name in (usual, *_UNMISTAKABLE):
        patterns = _COMPILED.get(name)
        if patterns is None or len(prompt) > LONGEST:
            continue
        for continued, pattern in enumerate(patterns):
            if (continued == 0 or name == usual) and pattern.match(prompt):
                return (started if name == usual and started else name), bool(continued)
    return None


class Prompts:
    """The prompts that a session has shown with something typed behind them, the newest first."""

    def __init__(self) -> None:
        self._known: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._known)

    def learn(self, prompt: str) -> None:
        """*prompt* is one."""
        if len(prompt) > LONGEST:
            return
        if prompt in self._known:
            self._known.remove(prompt)
        self._known.insert(0, prompt)
        del self._known[_REMEMBERED:]

    def knows(self, prompt: str) -> bool:
        """Whether *prompt* is one of them, or like one of them."""
        return any(alike(known, prompt) for known in self._known)

    def ending(self, text: str) -> str | None:
        """The longest of them with which *text* ends."""
        ends = [known for known in self._known if known.strip() and text.endswith(known)]
        return max(ends, key=len, default=None)

    def behind(self, line: str, stops: Iterable[int]) -> int | None:
        """Where in *line* a known prompt ends; *stops* are the places where the cursor rested."""
        for known in self._known:
            if known and line.startswith(known):
                return len(known)
        for stop in stops:
            prompt = line[:stop]
            if stop <= LONGEST and _ENDING.search(prompt) and self.knows(prompt):
                return stop
        return None


def _common_start(one: str, other: str) -> int:
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        length += 1
    return length
