"""What an elevation prints before it asks, and what its prompt is, out of the octets behind its line."""

from __future__ import annotations

import re

_QUIET = re.compile(
    r"\x1b\][^\x07\x1b]{0,1024}(?:\x07|\x1b\\)"  # titles and marks of shells
    r"|\x1b\[[?><=]?[0-9;:]*[hlmKJu]"  # modes, colors, erasing; nothing that moves
    r"|\x1b[()][A-Z0-9]|\x1b[=>]|\x07"
)
_BEFORE = re.compile(rf"\A(?:{_QUIET.pattern}|\r)+")
_RULE = re.compile(r"[#№]?(\d)[.)]{1,2} ")
_RULES = ["1", "2", "3"]
_LECTURE = 2500
_NOTES = 3
_LINE = 300


def split(text: str) -> tuple[str, str]:
    """What stands before the last line, and that line, without what nobody sees."""
    body, _, last = text.replace("\r\n", "\n").rpartition("\n")
    # Within a prompt nothing is taken out: colors and erasing hide what it is.
    return _QUIET.sub("", body), _BEFORE.sub("", last, count=1)


def comes_before(body: str, program: str) -> bool:
    """Whether *body* is nothing, or what *program* says of itself before it asks.

    That is sudo's lecture, which in every language counts three rules, and its notes (`sudo: unable to
    resolve host web1`).
    """
    if not body.strip():
        return True
    if program != "sudo" or len(body) > _LECTURE or "\x1b" in body:
        return False
    lines = [line.strip() for line in body.split("\n") if line.strip()]
    notes = [line for line in lines if line.startswith("sudo: ")]
    others = lines[len(notes) :]
    if lines[: len(notes)] != notes or len(notes) > _NOTES or max(map(len, lines)) > _LINE:
        return False
    return not others or _is_lecture(others)


def _is_lecture(lines: list[str]) -> bool:
    found = [(at, rule[1]) for at, line in enumerate(lines) if (rule := _RULE.match(line))]
    places = [at for at, _ in found]
    return (
        [number for _, number in found] == _RULES
        and 1 <= places[0] <= 6
        and places[-1] - places[0] <= 6
    )


def is_denial(text: str, program: str) -> bool:
    """Whether *text*, all that came between an answer and the end, says that the answer was wrong."""
    lines = [line.strip() for line in split(text)[0].split("\n") if line.strip()]
    if not lines or len(lines) > 3:
        return False
    match program:
        case "sudo":
            return re.fullmatch(r"sudo: \d{1,3} [^:]+", lines[-1]) is not None
        case "su":
            return len(lines) == 1 and re.match(r"su: (?!warning:)", lines[0]) is not None
        case "doas":
            return lines[0] in ("doas: Authentication failed", "doas: Authorization failed")
        case _:
            return re.match(r"% ?(?:Access denied|Bad |Error in auth)|Error:", lines[0]) is not None
