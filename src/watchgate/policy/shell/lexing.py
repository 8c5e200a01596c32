"""Words of shell: where one ends, and what its quotes, `$…` and substitutions are.

It reads as bash does (bash(1): QUOTING, EXPANSION), and as zsh and fish do where these differ in what
runs. An end that is missing (a quote, a bracket) is taken to be the end of the text, and `damaged` says
so: what stands behind it is read all the same.
"""

from __future__ import annotations

import re

from watchgate.policy.shell.limits import DEEPEST, MOST_WORDS
from watchgate.policy.shell.nodes import (
    Arithmetic,
    Literal,
    Parameter,
    Part,
    Process,
    Script,
    Substitution,
    Word,
)
from watchgate.policy.shell.quoting import ansi

_PLAIN = re.compile(r"[^ \t\n\\'\"`$;&|<>()]+")
_PLAIN_TEXT = re.compile(r"[^\\\"`$]+")
_PLAIN_OPERAND = re.compile(r"[^\\'\"`$}/:]+")
_NAME = re.compile(r"[A-Za-z_]\w*|[0-9]|[@*#?$!-]", re.ASCII)
_BRACED_NAME = re.compile(r"[A-Za-z_]\w*|[0-9]+|[@*#?$!-]", re.ASCII)
_OPERATOR = re.compile(r":[-=+?]|[-=+?]|##?|%%?|//?[#%]?|\^\^?|,,?|@|:")
_FISH_QUOTED = re.compile(r"(?:[^'\\]|\\.)*", re.DOTALL)
_FISH_ESCAPE = re.compile(r"\\([\\'])")
_BACKTICKS = re.compile(r"(?:[^`\\]|\\.)*", re.DOTALL)
_BACKTICK_ESCAPE = re.compile(r"\\([\\`$])")
_QUALIFIER = re.compile(r"\([^()\s;&|<>'\"`$]*\)")
_EXTENDED = "@?*+!"


class Lexer:
    """A place in a text."""

    def __init__(self, text: str, dialect: str, depth: int = 0) -> None:
        self.text = text
        self.end = len(text)
        self.at = 0
        self.dialect = dialect
        self.fish = dialect == "fish"
        self.zsh = dialect == "zsh"
        self.depth = depth
        self.words = 0
        self._open_end = False
        self.damaged = False
        """It does not parse."""
        self.deep = False
        """It is nested, or goes on, beyond what is read."""

    def commands(self, closing: str) -> Script:
        """The commands up to *closing*, which is taken; the grammar reads them."""
        raise NotImplementedError

    def inside(self, text: str) -> Script:
        """The commands of a text of its own."""
        raise NotImplementedError

    def give_up(self) -> None:
        """No more is read."""
        self.deep = True
        self.at = self.end

    def word(self) -> Word:
        """The word that begins here; it may be empty where none does."""
        start = self.at
        self._count()
        if self.at != start:
            return Word((), "")
        found = _PLAIN.match(self.text, start)
        if found is not None:
            self.at = found.end()
            if self.at == self.end or self.text[self.at] in " \t\n;|":
                plain = found[0]
                return Word((Literal(plain, False),), plain)
            parts: list[Part] = [Literal(found[0], False)]
        else:
            parts = []
        while self.at < self.end and self._part(parts):
            self._count()
        return Word(tuple(parts), self.text[start : self.at])

    def _count(self) -> None:
        """One part more of a word."""
        self.words += 1
        if self.words > MOST_WORDS:
            self.give_up()

    def _part(self, parts: list[Part]) -> bool:
        """The next part of a word; False where the word has ended."""
        text, at = self.text, self.at
        match text[at]:
            case "\\":
                self._escaped(parts)
            case "'":
                parts.append(Literal(self._single(), True))
            case '"':
                self.at = at + 1
                self._double(parts)
            case "$":
                self._dollar(parts, quoted=False)
            case "`" if not self.fish:
                parts.append(self._backticks(quoted=False))
            case "<" | ">" if text.startswith("(", at + 1) and not self.fish:
                self.at = at + 2
                body = self._nested(")")
                parts.append(Process(body, text[at : self.at], text[at] == ">"))
            case "(":
                return self._bracket(parts)
            case "<" | ">" | ";" | "&" | "|" | ")" | " " | "\t" | "\n":
                return False
            case _:
                found = _PLAIN.match(text, at)
                end = found.end() if found else at + 1
                parts.append(Literal(text[at:end], False))
                self.at = end
        return True

    def _escaped(self, parts: list[Part]) -> None:
        after = self.text[self.at + 1 : self.at + 2]
        if after == "":
            self.damaged = True
        elif after != "\n":
            plain = {"n": "\n", "t": "\t", "e": "\x1b", "r": "\r"} if self.fish else {}
            parts.append(Literal(plain.get(after, after), True))
        self.at += 2

    def _single(self) -> str:
        """What stands between single quotes."""
        start = self.at + 1
        if self.fish:
            found = _FISH_QUOTED.match(self.text, start)
            close = found.end() if found else self.end
            value = _FISH_ESCAPE.sub(r"\1", self.text[start:close])
        else:
            close = self.text.find("'", start)
            close = self.end if close < 0 else close
            value = self.text[start:close]
        self._take(close)
        return value

    def _take(self, close: int) -> None:
        """Go behind a closing character, which may be missing."""
        if close >= self.end:
            self.damaged = True
        self.at = min(close + 1, self.end)

    def _double(self, parts: list[Part]) -> None:
        """Behind `"`, up to its end."""
        before = len(parts)
        while self.at < self.end and self.text[self.at] != '"':
            self._double_part(parts)
            self._count()
        self._take(self.at)
        if len(parts) == before:
            parts.append(Literal("", True))

    def _double_part(self, parts: list[Part]) -> None:
        text, at = self.text, self.at
        found = _PLAIN_TEXT.match(text, at)
        if found is not None:
            parts.append(Literal(found[0], True))
            self.at = found.end()
        elif text[at] == "\\":
            after = text[at + 1 : at + 2]
            if after != "\n":
                alive = '$"\\' if self.fish else '$`"\\'
                parts.append(Literal(after if after and after in alive else "\\" + after, True))
            self.at = at + 2
        elif text[at] == "$":
            self._dollar(parts, quoted=True)
        elif self.fish:
            parts.append(Literal("`", True))
            self.at = at + 1
        else:
            parts.append(self._backticks(quoted=True))

    def body(self) -> Word:
        """All of the text as the body of a here-document: `$` and backticks are alive, quotes are not."""
        parts: list[Part] = []
        while self.at < self.end:
            if self.text[self.at] == '"':
                parts.append(Literal('"', True))
                self.at += 1
            else:
                self._double_part(parts)
            self._count()
        return Word(tuple(parts), self.text)

    def _backticks(self, *, quoted: bool) -> Substitution:
        start = self.at
        found = _BACKTICKS.match(self.text, start + 1)
        close = found.end() if found else self.end
        inner = _BACKTICK_ESCAPE.sub(r"\1", self.text[start + 1 : close])
        self._take(close)
        return Substitution(self._apart(inner), quoted, self.text[start : self.at])

    def _bracket(self, parts: list[Part]) -> bool:
        """An open bracket inside of a word, or before one."""
        text, at = self.text, self.at
        before = parts[-1] if parts else None
        if self.fish:
            self.at = at + 1
            body = self._nested(")")
            parts.append(Substitution(body, False, text[at : self.at]))
            return True
        if not isinstance(before, Literal) or before.quoted:
            return False
        found = _QUALIFIER.match(text, at) if self.zsh else None
        if found is None and before.text[-1:] in _EXTENDED and before.text:
            # One of several patterns: any name may fit.
            self.at = self._balanced(at + 1)
            parts[-1] = Literal(before.text[:-1] + "*", False)
            return True
        if found is None or found[0] == "()":
            return False
        # What zsh's glob qualifiers choose is still within the glob; `e` and `+` run code.
        if "e" in found[0] or "+" in found[0]:
            parts.append(Arithmetic((), found[0]))
        elif not any(c in before.text for c in "*?["):
            parts.append(Literal("*", False))
        self.at = found.end()
        return True

    def _balanced(self, at: int) -> int:
        """The place behind the bracket that closes one opened before *at*."""
        depth = 1
        while at < self.end and depth:
            character = self.text[at]
            depth += (character == "(") - (character == ")")
            at += 2 if character == "\\" else 1
        self.damaged |= depth > 0
        return min(at, self.end)

    def _dollar(self, parts: list[Part], *, quoted: bool) -> None:
        text, at = self.text, self.at
        match text[at + 1 : at + 2]:
            case "(":
                parts.append(self._substituted(quoted))
            case "{" if not self.fish:
                parts.append(self._braced(quoted))
            case "'" if not quoted and not self.fish:
                found = _FISH_QUOTED.match(text, at + 2)
                close = found.end() if found else self.end
                self._take(close)
                parts.append(Literal(ansi(text[at + 2 : close]), True))
            case '"' if not quoted and not self.fish:
                self.at = at + 2
                self._double(parts)
            case "[" if not self.fish:
                close = text.find("]", at)
                close = self.end if close < 0 else close
                self._take(close)
                parts.append(self._arithmetic(text[at + 2 : close], at))
            case _:
                self._named(parts, quoted)

    def _named(self, parts: list[Part], quoted: bool) -> None:
        found = _NAME.match(self.text, self.at + 1)
        if found is None:
            parts.append(Literal("$", quoted))
            self.at += 1
            return
        raw = self.text[self.at : found.end()]
        self.at = found.end()
        index = None
        if (self.fish or self.zsh) and self.text.startswith("[", self.at):
            close = self.text.find("]", self.at)
            if close > 0:
                index = self.text[self.at + 1 : close]
                self.at = close + 1
        parts.append(Parameter(found[0], quoted, raw, index))

    def _substituted(self, quoted: bool) -> Part:
        """`$(…)` or `$((…))`."""
        start = self.at
        if self.text.startswith("((", start + 1) and not self.fish:
            close = self._arithmetic_end(start + 3)
            if close is not None:
                self.at = close + 2
                return self._arithmetic(self.text[start + 3 : close], start)
        self.at = start + 2
        body = self._nested(")")
        return Substitution(body, quoted, self.text[start : self.at])

    def _arithmetic_end(self, at: int) -> int | None:
        """Where `))` ends an arithmetic that begins at *at*; None where it is a subshell in a substitution."""
        if self._open_end:
            return None
        depth = 0
        for found in re.finditer(r"[()]", self.text[at:]):
            if found[0] == "(":
                depth += 1
            elif depth:
                depth -= 1
            else:
                place = at + found.start()
                return place if self.text.startswith("))", place) else None
        self._open_end = True
        return None

    def _arithmetic(self, inner: str, start: int) -> Arithmetic:
        parts: tuple[Part, ...] = ()
        if "$(" in inner or "`" in inner:
            apart = self._another(inner)
            parts = tuple(p for p in apart.body().parts if not isinstance(p, Literal))
            self._joined(apart)
        return Arithmetic(parts, self.text[start : self.at])

    def _braced(self, quoted: bool) -> Part:
        """`${…}`."""
        start = self.at
        self.at = start + 2
        first = self.text[self.at : self.at + 1]
        if first and first in " \t\n|":
            # What `${ command; }` of bash 5.3 prints.
            self.at += first == "|"
            return Substitution(self._nested("}"), quoted, self._raw(start))
        prefix = ""
        if first in ("!", "#") and self.text[self.at + 1 : self.at + 2] not in ("}", "", ":"):
            prefix = first
            self.at += 1
        found = _BRACED_NAME.match(self.text, self.at)
        name = found[0] if found else ""
        self.at = found.end() if found else self.at
        index = self._index()
        operator = _OPERATOR.match(self.text, self.at)
        operands: tuple[Word, ...] = ()
        if operator is not None:
            self.at = operator.end()
            operands = self._operands(operator[0])
        elif not self.text.startswith("}", self.at):
            operands = self._operands("?")
            name = ""  # zsh's flags, and what no shell knows
        self._take(self.at)
        kind = {"!": "indirect", "#": "length"}.get(prefix) or (operator[0] if operator else "")
        return Parameter(name, quoted, self._raw(start), index, kind, operands)

    def _index(self) -> str | None:
        if not self.text.startswith("[", self.at):
            return None
        close = self.text.find("]", self.at)
        if close < 0:
            return None
        index = self.text[self.at + 1 : close]
        self.at = close + 1
        return index

    def _operands(self, operator: str) -> tuple[Word, ...]:
        """What stands behind an operator of `${…}`, up to the bracket that ends it."""
        splits = "/" if operator.startswith("/") else ":" if operator == ":" else ""
        words: list[Word] = []
        parts: list[Part] = []
        start = self.at
        while self.at < self.end and self.text[self.at] != "}":
            character = self.text[self.at]
            if character == splits and not words:
                words.append(Word(tuple(parts), self._raw(start)))
                self.at += 1
                start, parts = self.at, []
            elif (found := _PLAIN_OPERAND.match(self.text, self.at)) is not None:
                parts.append(Literal(found[0], False))
                self.at = found.end()
            elif character in "/:":
                parts.append(Literal(character, False))
                self.at += 1
            else:
                self._part(parts)
        words.append(Word(tuple(parts), self._raw(start)))
        return tuple(words)

    def _raw(self, start: int) -> str:
        return self.text[start : self.at]

    def _nested(self, closing: str) -> Script:
        """The commands up to *closing*, one level deeper."""
        if self.depth >= DEEPEST:
            self.give_up()
            return Script(())
        self.depth += 1
        body = self.commands(closing)
        self.depth -= 1
        return body

    def _apart(self, inner: str) -> Script:
        if self.depth >= DEEPEST:
            self.give_up()
            return Script(())
        return self.inside(inner)

    def _another(self, inner: str) -> Lexer:
        if self.depth >= DEEPEST:
            self.give_up()
            inner = ""
        return type(self)(inner, self.dialect, self.depth + 1)

    def _joined(self, other: Lexer) -> None:
        """What happened to another text inside of this one happened to this one."""
        self.damaged |= other.damaged
        self.deep |= other.deep
        self.words += other.words
