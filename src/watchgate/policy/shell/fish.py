"""fish's grammar, where it is not bash's: blocks that end with `end`, and `and`, `or`, `not` (fish(1))."""

from __future__ import annotations

from watchgate.policy.shell.grammar import Grammar
from watchgate.policy.shell.nodes import (
    Case,
    Chain,
    Command,
    For,
    Function,
    Group,
    If,
    Script,
    While,
    Word,
)

_JOINING = {"and": "&&", "or": "||"}
_END = frozenset({"end"})


class Fish(Grammar):
    """The reader of one text for fish."""

    reserved_closers = frozenset({"end", "else", "case"})
    reserved_openers = frozenset({"if", "while", "for", "switch", "function", "begin", "not", "!"})

    def _chain(self, before: list[tuple[Command, bool]]) -> Command:
        """A command, joined to the one before it by `and` or `or`."""
        word = self._next()
        if word not in _JOINING:
            return super()._chain(before)
        self.at += len(word)
        self._blanks()
        command = super()._chain(before)
        if not before:
            return command
        first, _ = before.pop()
        return Chain(first, ((_JOINING[word], command),))

    def _compound(self, word: str) -> Command:
        match word:
            case "begin":
                return Group(self._block(), subshell=False)
            case "if":
                return self._if()
            case "while":
                return While(self._head(), self._block())
            case "for":
                return self._for()
            case "switch":
                return self._switch()
            case "function":
                name, *_ = (*self._line(), Word((), ""))
                return Function(name.raw, Group(self._block(), subshell=False))
            case _:
                self._blanks()
                return self._stage()

    def _block(self) -> Script:
        body = self._script(_END)
        self._expect("end")
        return body

    def _head(self) -> Script:
        """The condition of a block: one command, with what `and` and `or` join to it."""
        self._blanks()
        items: list[tuple[Command, bool]] = [(self._chain([]), self._ended())]
        self._lines()
        while self._next() in _JOINING:
            command = self._chain(items)
            items.append((command, self._ended()))
            self._lines()
        return Script(tuple(items))

    def _line(self) -> tuple[Word, ...]:
        """The words up to the end of the command."""
        words = self._words()
        self._ended()
        return words

    def _if(self) -> Command:
        branches: list[tuple[Script | None, Script]] = []
        ends = frozenset({"else", "end"})
        while True:
            branches.append((self._head(), self._script(ends)))
            word = self._next()
            self.at += len(word)
            if word != "else":
                self.damaged |= word != "end"
                return If(tuple(branches))
            self._blanks()
            if self._next() == "if":
                self.at += 2
                continue
            branches.append((None, self._block()))
            return If(tuple(branches))

    def _for(self) -> Command:
        self._blanks()
        name = self.word().raw
        self._blanks()
        self._expect("in")
        return For(name, self._line(), self._block())

    def _switch(self) -> Command:
        subject, *_ = (*self._line(), Word((), ""))
        items: list[tuple[tuple[Word, ...], Script]] = []
        self._lines()
        while self._next() == "case":
            self.at += len("case")
            items.append((self._line(), self._script(frozenset({"case", "end"}))))
        self._expect("end")
        return Case(subject, tuple(items))
