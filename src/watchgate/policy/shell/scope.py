"""What is known of a shell at one place of a line: variables, directory, aliases, functions, files written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from watchgate.policy.reading import ShellContext
from watchgate.policy.shell.fields import Field, literal
from watchgate.policy.shell.limits import LONGEST_VALUE
from watchgate.policy.shell.nodes import Command

Value: TypeAlias = tuple[Field, ...] | None
"""The elements of a variable, one for a plain one; None where nothing is known."""

BLANKS = " \t\n"
_MOST_DIRECTORIES = 4


class Scope:
    """Values at one place; a subshell works on a copy, and places that meet again are merged."""

    __slots__ = (
        *("aliases", "cwds", "dialect", "files", "functions", "home", "maybe_aliases"),
        *("positional", "strange", "variables"),
    )

    def __init__(self, dialect: str, home: str | None) -> None:
        self.dialect = dialect
        self.home = home
        self.cwds: tuple[str | None, ...] = (None,)
        """Where the shell may be; with None, anywhere."""
        self.variables: dict[str, Value] = {}
        self.positional: Value = None
        self.aliases: Mapping[str, str] = {}
        self.maybe_aliases: dict[str, str] = {}
        """Aliases that the line itself makes: they hold from its next line on, or never."""
        self.functions: dict[str, Command] = {}
        """Those that the line defines."""
        self.strange: frozenset[str] = frozenset()
        """Names of functions whose bodies are not known."""
        self.files: dict[str, str] = {}
        """What the line has written, by path."""

    def subshell(self) -> Scope:
        """The same for a subshell, which writes the same files."""
        other = self.copy()
        other.files = self.files
        return other

    @classmethod
    def of(cls, context: ShellContext) -> Scope:
        """What *context* knows."""
        scope = cls(context.dialect, context.home)
        scope.cwds = (context.cwd,)
        scope.aliases = context.aliases
        scope.strange = context.functions
        scope.variables = {name: (literal(v),) for name, v in context.variables.items()}
        return scope

    def copy(self) -> Scope:
        """The same, to be changed apart."""
        other = Scope(self.dialect, self.home)
        other.cwds = self.cwds
        other.variables = self.variables.copy()
        other.positional = self.positional
        other.aliases = self.aliases
        other.maybe_aliases = self.maybe_aliases.copy()
        other.functions = self.functions.copy()
        other.strange = self.strange
        other.files = self.files.copy()
        return other

    def elsewhere(self, dialect: str = "sh") -> Scope:
        """A shell on another machine, or of another account there: nothing is known of it."""
        return Scope(dialect, None)

    def child(self, dialect: str) -> Scope:
        """A shell that this one starts: aliases stay behind."""
        other = self.copy()
        other.dialect = dialect
        other.aliases = {}
        other.maybe_aliases = {}
        other.positional = ()
        return other

    def merge(self, other: Scope) -> None:
        """What holds whether it came here, or the way that *other* went."""
        for name in self.variables.keys() | other.variables.keys():
            if self.variables.get(name) != other.variables.get(name):
                self.variables[name] = None
        if self.positional != other.positional:
            self.positional = None
        if self.cwds != other.cwds:
            both = tuple(dict.fromkeys((*self.cwds, *other.cwds)))
            self.cwds = both if len(both) <= _MOST_DIRECTORIES else (None,)
        self.maybe_aliases = {**other.maybe_aliases, **self.maybe_aliases}
        self.functions = {**other.functions, **self.functions}
        self.strange |= other.strange
        self.files = {p: t for p, t in self.files.items() if other.files.get(p) == t}

    def same(self, other: Scope) -> bool:
        """Whether nothing differs that a loop's next round would see."""
        return (
            self.variables == other.variables
            and self.cwds == other.cwds
            and self.positional == other.positional
        )

    def value(self, name: str) -> Value:
        """What a variable holds."""
        if name in self.variables:
            return self.variables[name]
        match name:
            case "IFS":
                return (literal(BLANKS),)
            case "HOME" if self.home is not None:
                return (literal(self.home),)
            case "PWD" if len(self.cwds) == 1 and self.cwds[0] is not None:
                return (literal(self.cwds[0]),)
            case "@" | "*":
                return self.positional
            case "#":
                return None if self.positional is None else (literal(str(len(self.positional))),)
            case _ if name.isdigit() and name != "0" and self.positional is not None:
                return self.positional[int(name) - 1 : int(name)]
            case _:
                return None

    def assign(self, name: str, value: Value) -> None:
        """Give a variable a value; one that is too long is not kept."""
        if value is not None and sum(len(field.text) for field in value) > LONGEST_VALUE:
            value = None
        self.variables[name] = value

    def forget(self, names: Iterable[str]) -> None:
        """Their values are not known any more."""
        for name in names:
            self.variables[name] = None

    @property
    def separators(self) -> str:
        """What splits the value of a variable that is not quoted; empty where nothing does."""
        if self.dialect == "fish":
            return ""
        value = self.value("IFS")
        return value[0].text if value and value[0].known else BLANKS
