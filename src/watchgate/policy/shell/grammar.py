"""Commands of shell: bash's grammar (bash(1), SHELL GRAMMAR), and what zsh has besides.

It never fails. What does not parse makes it `damaged`, and reading goes on behind it, so that the
commands that stand there are found. It is a parser of its own because a reader that decides must see what
the shell sees: general grammars that repair errors lose commands without saying so (a pipe behind a
here-document's `2>&1` is one such case), and none of them reads fish.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from watchgate.policy.shell.limits import DEEPEST, MOST_COMMANDS
from watchgate.policy.shell.nodes import (
    NOTHING,
    Case,
    Chain,
    Command,
    Condition,
    For,
    Function,
    Group,
    If,
    Pipeline,
    Redirected,
    Redirection,
    Script,
    Simple,
    While,
    Word,
)
from watchgate.policy.shell.simple_commands import SimpleCommands

_DEFINITION = re.compile(r"[ \t]*\([ \t]*\)")
_CLOSERS = frozenset({"then", "fi", "do", "done", "esac", "elif", "else", "}"})
_OPENERS = frozenset({"if", "while", "until", "for", "select", "case", "function", "{", "[["})
_PREFIXES = frozenset({"!", "time", "coproc"})


class Grammar(SimpleCommands):
    """The reader of one text."""

    reserved_closers = _CLOSERS
    reserved_openers = _OPENERS

    def __init__(self, text: str, dialect: str, depth: int = 0) -> None:
        super().__init__(text, dialect, depth)
        self._commands = 0

    def whole(self) -> Script:
        """All of the text."""
        script = self._script(frozenset())
        self.damaged |= bool(self._pending)
        return script

    def commands(self, closing: str) -> Script:
        """The commands up to *closing*, which is taken."""
        script = self._script(frozenset({closing}))
        self._take(self.at)
        return script

    def inside(self, text: str) -> Script:
        """The commands of a text of its own, one level deeper."""
        other = type(self)(text, self.dialect, self.depth + 1)
        script = other.whole()
        self._joined(other)
        return script

    # Between commands.

    def _script(self, stops: frozenset[str]) -> Script:
        """Commands up to one of *stops*, which is left, or the end."""
        items: list[tuple[Command, bool]] = []
        while True:
            self._lines()
            if self.at >= self.end or self._stopped(stops):
                break
            before = self.at
            if not self._misplaced(stops):
                command = self._chain(items)
                items.append((command, self._ended()))
            if self.at == before:
                self.damaged = True
                self.at += 1
        return Script(tuple(items)) if items else NOTHING

    def _stopped(self, stops: frozenset[str]) -> bool:
        character = self.text[self.at]
        if character == ")":
            return ")" in stops
        if character == ";":
            return ";;" in stops and self.text.startswith((";;", ";&"), self.at)
        return bool(stops) and self._next() in stops

    def _misplaced(self, stops: frozenset[str]) -> bool:
        """Take what cannot stand where a command begins."""
        character = self.text[self.at]
        if character in ");&|" and not self.text.startswith("&>", self.at):
            self.damaged |= character != ";" or not self.fish
            self.at += 1
            return True
        word = self._next()
        if word in self.reserved_closers:
            self.damaged = True
            self.at += len(word)
            return True
        return False

    def _ended(self) -> bool:
        """Take what ends a command; True where it sends it to the background."""
        self._blanks()
        if self.at >= self.end:
            return False
        character = self.text[self.at]
        if character == "&" and not self.text.startswith("&&", self.at):
            self.at += 1
            if self.zsh and self.text[self.at : self.at + 1] in ("!", "|"):
                self.at += 1
            return True
        if character == ";" and not self.text.startswith((";;", ";&"), self.at):
            self.at += 1
        return False

    # Commands joined to others.

    def _chain(self, before: list[tuple[Command, bool]]) -> Command:
        first = self._pipeline()
        rest: list[tuple[str, Command]] = []
        while True:
            self._blanks()
            operator = self.text[self.at : self.at + 2]
            if operator not in ("&&", "||"):
                break
            self.at += 2
            self._lines()
            rest.append((operator, self._behind(self._pipeline)))
        return Chain(first, tuple(rest)) if rest else first

    def _pipeline(self) -> Command:
        stages = [self._stage()]
        while True:
            self._blanks()
            text, at = self.text, self.at
            if not text.startswith("|", at) or text.startswith("||", at):
                break
            self.at += 2 if text.startswith("|&", at) else 1
            self._lines()
            stages.append(self._behind(self._stage))
        return Pipeline(tuple(stages)) if len(stages) > 1 else stages[0]

    def _behind(self, read: Callable[[], Command]) -> Command:
        """The command that has to stand behind an operator."""
        before = self.at
        command = read()
        self.damaged |= self.at == before
        return command

    def _stage(self) -> Command:
        """A command, behind `!` and the words before compound commands."""
        self._blanks()
        while (word := self._next()) in _PREFIXES and self._prefix(word):
            self._count()
            self._blanks()
        return self._command()

    def _prefix(self, word: str) -> bool:
        """Take a reserved word that only says how a command runs; `time rm` is left, to be a wrapper."""
        start = self.at
        self.at += len(word)
        self._blanks()
        if word == "!":
            return True
        if word == "time" and self.text.startswith("-p", self.at):
            self.at += 2
            self._blanks()
        compound = self._next() in self.reserved_openers | {"!"} or self.text.startswith(
            "(", self.at
        )
        if not compound and word == "coproc":
            name = re.compile(r"\w+[ \t]+(?=[{(])").match(self.text, self.at)
            compound = name is not None
            self.at = name.end() if name else self.at
        if not compound:
            self.at = start
        return compound

    def _command(self) -> Command:
        self._commands += 1
        if self._commands > MOST_COMMANDS or self.depth >= DEEPEST:
            self.give_up()
            return NOTHING_AT_ALL
        if self.text.startswith("(", self.at):
            command = self._bracketed()
        elif (word := self._next()) in self.reserved_openers and word:
            self.depth += 1
            self.at += len(word)
            command = self._compound(word)
            self.depth -= 1
        else:
            return self._simple()
        return self._redirected(command)

    def _redirected(self, command: Command) -> Command:
        """The redirections behind a compound command."""
        found: list[Redirection] = []
        while True:
            self._blanks()
            redirection = self._redirection()
            if redirection is None:
                break
            found.append(redirection)
        return Redirected(command, tuple(found)) if found else command

    # Compound commands.

    def _bracketed(self) -> Command:
        if self.text.startswith("((", self.at):
            close = self._arithmetic_end(self.at + 2)
            if close is not None:
                start = self.at
                self.at = close + 2
                part = self._arithmetic(self.text[start + 2 : close], start)
                return Condition((Word((part,), part.raw),))
        self.at += 1
        return Group(self._nested(")"), subshell=True)

    def _compound(self, word: str) -> Command:
        match word:
            case "{":
                return Group(self.commands("}"), subshell=False)
            case "[[":
                return self._condition()
            case "if":
                return self._if()
            case "while" | "until":
                condition = self._script(frozenset({"do", "{"} if self.zsh else {"do"}))
                return While(condition, self._do())
            case "case":
                return self._case()
            case "function":
                return self._function()
            case _:
                return self._for()

    def _expect(self, word: str) -> None:
        """Take a reserved word; without it the text is damaged."""
        if self._next() == word:
            self.at += len(word)
        else:
            self.damaged = True

    def _if(self) -> Command:
        branches: list[tuple[Script | None, Script]] = []
        ends = frozenset({"elif", "else", "fi"})
        while True:
            condition = self._script(frozenset({"then"}))
            self._expect("then")
            branches.append((condition, self._script(ends)))
            word = self._next()
            self.at += len(word)
            if word == "else":
                branches.append((None, self._script(frozenset({"fi"}))))
                self._expect("fi")
            elif word != "elif":
                self.damaged |= word != "fi"
            if word != "elif":
                return If(tuple(branches))

    def _do(self) -> Script:
        """The body of a loop."""
        self._lines()
        if self.text.startswith(";", self.at):
            self.at += 1
            self._lines()
        word = self._next()
        if word == "do":
            self.at += 2
            body = self._script(frozenset({"done"}))
            self._expect("done")
            return body
        if word == "{":
            self.at += 1
            return self.commands("}")
        self.damaged |= not self.zsh
        return Script(((self._pipeline(), False),)) if self.at < self.end else NOTHING

    def _for(self) -> Command:
        self._blanks()
        if self.text.startswith("((", self.at):
            head = self._bracketed()
            self._blanks()
            return While(Script(((head, False),)), self._do())
        name = self.word().raw
        self._lines()
        words: tuple[Word, ...] | None = None
        if self._next() == "in":
            self.at += 2
            words = self._words()
        elif self.zsh and self.text.startswith("(", self.at):
            self.at += 1
            words = self._words()
            self._take(self.at)
        return For(name, words, self._do())

    def _case(self) -> Command:
        self._blanks()
        subject = self.word()
        self._lines()
        self._expect("in")
        items: list[tuple[tuple[Word, ...], Script]] = []
        while True:
            self._lines()
            if self.at >= self.end or self._next() == "esac":
                break
            before = self.at
            patterns = self._patterns()
            body = self._script(frozenset({";;", "esac"}))
            items.append((patterns, body))
            if self.text.startswith(";", self.at):
                self.at += 3 if self.text.startswith(";;&", self.at) else 2
            if self.at == before:
                break
        self._expect("esac")
        return Case(subject, tuple(items))

    def _patterns(self) -> tuple[Word, ...]:
        if self.text.startswith("(", self.at):
            self.at += 1
        found: list[Word] = []
        while True:
            self._blanks()
            found.append(self.word())
            self._blanks()
            if not self.text.startswith("|", self.at):
                break
            self.at += 1
        self.damaged |= not self.text.startswith(")", self.at)
        self.at = min(self.at + 1, self.end)
        return tuple(found)

    def _function(self) -> Command:
        self._blanks()
        name = self.word().raw
        found = _DEFINITION.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        self._lines()
        return Function(name, self._command())

    def _condition(self) -> Command:
        """What stands between `[[` and `]]`."""
        words: list[Word] = []
        while True:
            self._lines()
            if self.at >= self.end:
                self.damaged = True
                break
            if self._next() == "]]":
                self.at += 2
                break
            word = self.word()
            if word.raw:
                words.append(word)
            else:
                self.at += 1
        return Condition(tuple(words))


NOTHING_AT_ALL = Simple((), (), (), "")
