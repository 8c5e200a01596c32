"""Shell lines that are given to a program, which passes them on: `:!rm x` in an editor, `!rm x` in a pager.

What is found is decided like a shell's own line. What is not found is recorded as the program's line: a language of
its own can always build a command that nobody sees in its text.
"""

from __future__ import annotations

import re

_VI = frozenset(("vi", "vim", "nvim", "view", "vimdiff", "ex", "gvim", "rvim"))
_PAGERS = frozenset(
    ("less", "more", "most", "man", "pager", "git", "journalctl", "systemctl", "bat")
)
_LANGUAGES = frozenset(
    [
        "python",
        "python2",
        "python3",
        "ipython",
        "ipdb",
        "pdb",
        "node",
        "nodejs",
        "irb",
        "ruby",
        "pry",
        "lua",
        "luajit",
        "php",
        "R",
        "Rscript",
        "ghci",
        "perl",
        "scala",
        "jshell",
        "julia",
    ]
)

_VI_LINE = re.compile(
    r"^[:\s]*(?:(?:sil(?:ent)?|verb(?:ose)?|noa(?:utocmd)?|keepa\w*|lockm\w*|tab|vert(?:ical)?|bel\w*|bot\w*|to\w*|\d*)!?\s+)*"
    r"(?:'[<>a-z]|[\d.$%,;+\-\\/?&\s]|/[^/]*/|\?[^?]*\?)*"
    r"(?:g/[^/]*/|v/[^/]*/|bufdo |windo |tabdo |argdo )?"
    r"(?:(?:r(?:e(?:ad?)?)?|w(?:r(?:ite?)?)?)\s*(?:\+\+\w+\s*)*)?"
    r"!\s*(?P<command>.+)$"
)
_VI_OTHER = re.compile(
    r"^[:\s]*(?:ter(?:m(?:inal)?)?|te)\s+(?:\+\+\S+\s+)*(?P<terminal>.+)$"
    r"|^[:\s]*(?P<shell>sh(?:e(?:ll?)?)?|ter(?:m(?:inal)?)?)\s*$"
    r"|^[:\s]*(?:set?|setl\w*|let)\s+(?:&g?l?:?)?(?P<program>(?:makeprg|mp|shell|sh|grepprg|gp|equalprg|formatprg|keywordprg)\s*=.+)$"
)
_PAGER_LINE = re.compile(r"^(?::?!|\|[\w^$.' ])\s*(?P<command>.+)$")
_COMMAND_FIELD = re.compile(
    r"^Command to execute(?: in new buffer)?(?: \[[^\]]*\])?:\s*\|?\s*(?P<command>.+)$"
)
_BANG = re.compile(r"^\s*!+\s*(?P<command>.+)$")
_SQL = re.compile(
    r"(?:^|\s)\\(?:!|system\s)\s*(?P<bang>.+)$"
    r"|(?:^|\s)\\(?:g|gx|o|w|copy\s.*?(?:from|to)\s+program\s+'?)\s*\|?\s*(?P<pipe>(?<=\|).+|(?<=').+)$"
    r"|\bprogram\s+'(?P<program>(?:[^']|'')+)'"
    r"|^\s*(?:system|pager|tee\s+\|)\s+(?P<system>.+?);?\s*$",
    re.IGNORECASE,
)
_SQLITE = re.compile(
    r"^\s*\.(?:shell|sh|she|shel|system|sys\w*)\s+(?P<command>.+)$"
    r"|^\s*\.(?:once|output|out\w*|o\w*|read|import|excel)\s+[^|]*\|\s*(?P<pipe>.+)$"
)
_GDB = re.compile(r"^\s*(?:shell|!|make|pipe|\|)\s*(?P<command>.+)$")
_IPYTHON = re.compile(
    r"^\s*(?:.*=\s*)?(?:!!?|%(?:sx|system|sc)\s|%%(?:bash|sh|script\s+\S+)\s)\s*(?P<command>.+)$",
    re.DOTALL,
)
_CALLS = re.compile(
    r"\b(?:system|popen\d?|spawn\w*|exec\w*|call|check_call|check_output|run|getoutput|getstatusoutput|Popen|"
    r"shell_exec|passthru|proc_open|pcntl_exec|backtick|shell|startfile|readProcess|callCommand|sh|bash|pty)\b"
)
_STRING = re.compile(r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)")
_VI_CALL = re.compile(
    r"\b(?:system(?:list)?|job_start|jobstart|term_start|termopen|execute|exe|norm(?:al)?|feedkeys|py\w*|lua|ruby|perl)\b"
)
_MOST = 16


def passed_on(program: str | None, line: str) -> tuple[str, ...]:
    """The shell lines in *line*, which *program* takes; empty when none is seen."""
    found = _passed_on(program or "", line.strip())
    return tuple(dict.fromkeys(text for text in found if text.strip()))[:_MOST]


def _passed_on(program: str, line: str) -> list[str]:
    if program in _VI:
        return _of_editor(line)
    if program in _PAGERS:
        return _groups(_PAGER_LINE.match(line))
    if program == "ipython" and _IPYTHON.match(line):
        return _groups(_IPYTHON.match(line))
    if program in _LANGUAGES:
        return _strings(line) if _CALLS.search(line) or "`" in line else []
    if program in ("psql", "mysql", "mariadb"):
        return [_unquoted(text) for text in _groups(_SQL.search(line))]
    if program == "sqlite3":
        return _groups(_SQLITE.match(line))
    if program in ("gdb", "lldb"):
        text = line.removeprefix("platform ").removeprefix("pl ")
        return _groups(_GDB.match(text)) or (_strings(line) if _CALLS.search(line) else [])
    if program in ("nano", "pico"):
        return _groups(_COMMAND_FIELD.match(line))
    if program in ("emacs", "mutt", "mc", "tig", "ranger", "nnn"):
        return _groups(_PAGER_LINE.match(line))
    return _groups(_BANG.match(line))


def _of_editor(line: str) -> list[str]:
    found = _groups(_VI_LINE.match(line)) or _groups(_VI_OTHER.match(line))
    if not found and _VI_CALL.search(line):
        found = _strings(line)
    return found


def _groups(found: re.Match[str] | None) -> list[str]:
    return [text for text in found.groups() if text] if found is not None else []


def _strings(line: str) -> list[str]:
    """The texts in quotes, one by one, and all of them as the words of one command."""
    texts = [_plain(found[1]) for found in _STRING.finditer(line)]
    return [*texts, " ".join(texts)] if len(texts) > 1 else texts


def _plain(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted[1:-1], flags=re.DOTALL)


def _unquoted(text: str) -> str:
    return text.replace("''", "'")
