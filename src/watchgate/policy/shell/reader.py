"""Goes through the commands of a line in the order in which a shell would run them.

What is known at each place (variables, the directory, files that the line wrote) goes along; where ways
meet again, only what holds on each of them stays known. What each command prints is kept where it is
known, for the next one may be a shell that reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from watchgate.policy.reading import Opaque, Reading, Reason, Redirect, ShellContext, SimpleCommand
from watchgate.policy.shell.calls import TERMINAL, UNKNOWN, Around, Call, Input
from watchgate.policy.shell.describing import described, told_apart
from watchgate.policy.shell.expansion import Expansion
from watchgate.policy.shell.fields import Field, literal
from watchgate.policy.shell.fish import Fish
from watchgate.policy.shell.flags import Split
from watchgate.policy.shell.grammar import Grammar
from watchgate.policy.shell.known import names
from watchgate.policy.shell.limits import (
    DEEPEST,
    LONGEST_TEXT,
    LONGEST_VALUE,
    MOST_COMMANDS,
    MOST_ROUNDS,
    MOST_TEXT,
    MOST_WORDS,
)
from watchgate.policy.shell.nodes import (
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
    Script,
    Simple,
    While,
)
from watchgate.policy.shell.redirections import redirected
from watchgate.policy.shell.scope import Scope

Handler = Callable[["Reader", Call], str | None]
"""Reads one simple command, and says what it prints where that is known."""

Simpler = Callable[["Reader", Simple, Scope, Around], str | None]
"""Reads a simple command that is not expanded yet."""


class Reader:
    """The reading of one line."""

    def __init__(self, context: ShellContext, simple: Simpler, run: Handler) -> None:
        self.context = context
        self._simple = simple
        self._run = run
        self._commands: list[SimpleCommand] = []
        self._seen: set[Any] = set()
        self._opaque: dict[Opaque, None] = {}
        self._characters = 0
        self._ran = 0
        self._words = 0
        self.full = False
        """A bound was met: no more is read."""

    def reading(self, line: str) -> Reading:
        """What has been found."""
        raw = (line,) if any(o.reason is Reason.UNPARSED for o in self._opaque) else ()
        return Reading(line, tuple(self._commands), tuple(self._opaque), raw)

    # What is found.

    def opaque(self, reason: Reason, text: str, program: str = "") -> None:
        """A part of the line cannot be read."""
        self._opaque[Opaque(reason, text[:1024], program)] = None

    def deep(self, text: str) -> None:
        """The line is beyond a bound."""
        self.full = True
        self.opaque(Reason.DEEP, text[:120])

    def record(self, call: Call, done: Split | None = None, *, carried: bool = False) -> Split:
        """A simple command; its arguments told apart."""
        done = told_apart(call.name, call.arguments) if done is None else done
        found = described(call, done, carried=carried)
        self.add(found)
        return done

    def add(self, found: SimpleCommand) -> None:
        """A simple command whose facts are made."""
        key = (found.text, found.raw, found.paths, found.wrappers, found.user, found.redirects)
        if key not in self._seen:
            self._seen.add(key)
            self._commands.append(found)

    # Texts.

    def text(self, text: str, scope: Scope, around: Around) -> str | None:
        """Read *text* as commands for a shell of the scope's dialect."""
        if not self.spend(len(text)) or around.depth >= DEEPEST:
            self.deep(text)
            return None
        if len(text) > LONGEST_TEXT:
            self.opaque(Reason.DEEP, text[:120])
            text = text[:LONGEST_TEXT]
        kind = Fish if scope.dialect == "fish" else Grammar
        grammar = kind(text, scope.dialect, around.depth)
        script = grammar.whole()
        if grammar.damaged and not grammar.deep:
            self.opaque(Reason.UNPARSED, text)
        if grammar.deep:
            self.opaque(Reason.DEEP, text[:120])
        return self.script(script, scope, around._replace(depth=around.depth + 1))

    def script(self, script: Script, scope: Scope, around: Around) -> str | None:
        """Commands in their order."""
        printed: list[str] | None = []
        for command, background in script.items:
            found = self.command(command, scope.subshell() if background else scope, around)
            if found is None or printed is None or len(found) > LONGEST_VALUE:
                printed = None
            else:
                printed.append(found)
        return None if printed is None else "".join(printed)

    def substituted(self, around: Around) -> Callable[[Script, Scope], str | None]:
        """Reads the commands of a substitution."""
        inner = around._replace(depth=around.depth + 1, input=TERMINAL)

        def printed(script: Script, scope: Scope) -> str | None:
            if inner.depth > 2 * DEEPEST:
                self.deep("$(")
                return None
            return self.script(script, scope, inner)

        return printed

    def expansion(self, scope: Scope, around: Around) -> Expansion:
        """Expands words."""
        return Expansion(scope, self.substituted(around), self.spend)

    def spend(self, characters: int) -> bool:
        """Count characters that the line expands to, or prints; False where there are too many."""
        self._characters += characters
        if self._characters > MOST_TEXT:
            self.deep("too much to read")
        return not self.full

    def counted(self, words: int) -> bool:
        """Count a command with its words; False where there are too many."""
        self._ran += 1
        self._words += words
        if self._ran > MOST_COMMANDS or self._words > MOST_WORDS:
            self.deep("too much to read")
        return not self.full

    def run(self, call: Call) -> str | None:
        """A simple command whose words are expanded."""
        return self._run(self, call)

    # Commands.

    def command(self, command: Command, scope: Scope, around: Around) -> str | None:
        """One command."""
        if self.full:
            return None
        match command:
            case Simple():
                return self._simple(self, command, scope, around)
            case Pipeline(stages):
                return self._pipeline(stages, scope, around)
            case Chain(first, rest):
                return self._chain(first, rest, scope, around)
            case Group(body, subshell):
                return self.script(body, scope.subshell() if subshell else scope, around)
            case If(branches):
                self._if(branches, scope, around)
                return None
            case While(condition, body):
                self._while(condition, body, scope, around)
                return None
            case For():
                return self._for(command, scope, around)
            case Case(subject, items):
                self.expansion(scope, around).one(subject)
                self._ways([body for _, body in items], scope, around)
                return None
            case Function(name, body):
                self._define(name, body, scope, around)
                return ""
            case Condition(words):
                self.expansion(scope, around).words(words)
                return ""
            case Redirected(body, redirections):
                found = redirected(self, redirections, scope, around)
                self.written(found.redirects, scope, around)
                printed = self.command(body, scope, around._replace(input=found.input))
                return found.caught(printed, scope)

    def written(self, redirects: tuple[Redirect, ...], scope: Scope, around: Around) -> None:
        """Redirections that no simple command has: what they write is written all the same."""
        found = tuple(r for r in redirects if r.operator not in ("<", "<<", "<<-", "<<<", "<&"))
        if found:
            raw = " ".join(r.raw for r in found)
            call = Call(literal(""), "", [], found, scope, scope, around, raw)
            self.add(replace(described(call, Split()), text=raw))

    def _pipeline(self, stages: tuple[Command, ...], scope: Scope, around: Around) -> str | None:
        printed: str | None = None
        for number, stage in enumerate(stages):
            if number:
                feed = UNKNOWN if printed is None else Input(given=True, text=printed)
                around = around._replace(input=feed)
            last = number == len(stages) - 1 and scope.dialect in ("zsh", "fish")
            printed = self.command(stage, scope if last else scope.subshell(), around)
        return printed

    def _chain(
        self,
        first: Command,
        rest: tuple[tuple[str, Command], ...],
        scope: Scope,
        around: Around,
    ) -> str | None:
        # What comes behind `&&` runs where all before it went well; behind `||`, where something failed.
        failed = [scope.copy()]
        printed = self.command(first, scope, around)
        for operator, command in rest:
            if operator == "&&":
                failed.append(scope.copy())
                found = self.command(command, scope, around)
            else:
                for one in failed:
                    scope.merge(one)
                way = scope.copy()
                found = self.command(command, way, around)
                scope.merge(way)
                failed = []
            known = printed is not None and found is not None and operator == "&&"
            printed = f"{printed}{found}" if known else None
        for one in failed[1:]:
            scope.merge(one)
        return printed

    def _ways(self, bodies: list[Script], scope: Scope, around: Around) -> None:
        """Bodies of which at most one runs."""
        ends = []
        for body in bodies:
            way = scope.copy()
            self.script(body, way, around)
            ends.append(way)
        for end in ends:
            scope.merge(end)

    def _if(
        self,
        branches: tuple[tuple[Script | None, Script], ...],
        scope: Scope,
        around: Around,
    ) -> None:
        bodies = []
        for number, (condition, body) in enumerate(branches):
            if condition is not None:
                way = scope.copy() if number else scope
                self.script(condition, way, around)
                if number:
                    scope.merge(way)
            bodies.append(body)
        self._ways(bodies, scope, around)

    def _while(self, condition: Script, body: Script, scope: Scope, around: Around) -> None:
        # What a round changes is what the next one sees: read until nothing changes, twice is enough.
        for _ in range(2):
            way = scope.copy()
            self.script(condition, way, around)
            self.script(body, way, around)
            if scope.same(way):
                break
            scope.merge(way)

    def _for(self, loop: For, scope: Scope, around: Around) -> str | None:
        values: list[Field] | None
        if loop.words is None:
            values = None if scope.positional is None else list(scope.positional)
        else:
            values = self.expansion(scope, around).words(loop.words)
        if values is None or len(values) > MOST_ROUNDS:
            scope.assign(loop.name, None)
            self._while(Script(()), loop.body, scope, around)
            return None
        way = scope.copy()
        printed: list[str | None] = []
        for value in values:
            way.assign(loop.name, (value,))
            printed.append(self.script(loop.body, way, around))
        scope.merge(way)
        known = [text for text in printed if text is not None]
        return "".join(known) if len(known) == len(printed) else None

    def _define(self, name: str, body: Command, scope: Scope, around: Around) -> None:
        """A function: its body is read where it is defined, and again with its arguments where it is called."""
        if name in HOOKS:
            self.opaque(Reason.ENVIRONMENT, name)
        scope.functions[name] = body
        scope.strange -= {name}
        way = scope.copy()
        way.positional = None
        way.functions.pop(name)
        self.command(body, way, around._replace(input=TERMINAL))


HOOKS = names(
    "precmd preexec chpwd periodic zshexit zshaddhistory command_not_found_handle "
    "command_not_found_handler fish_prompt fish_preexec fish_postexec fish_command_not_found "
    "PROMPT_COMMAND TRAPDEBUG TRAPEXIT TRAPINT TRAPZERR"
)
"""Functions that a shell calls by itself."""
