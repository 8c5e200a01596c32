"""What words become: braces, tildes, variables and substitutions whose values are known, splitting.

What is not known stays as it was written and is marked so. A word is expanded in the order of bash(1),
EXPANSION.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from watchgate.policy.shell.braces import TooManyError, expanded, may_expand
from watchgate.policy.shell.fields import ANYTHING, Building, Field, literal, unknown
from watchgate.policy.shell.limits import LONGEST_VALUE
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
from watchgate.policy.shell.parameters import changed
from watchgate.policy.shell.scope import Scope, Value

_DEFAULTS = (":-", "-", ":=", "=")
_NO_EVENT = ("", "=", "(", " ")
_EVENTS = ("bash", "zsh")
_DIRECTORIES = {"HOME": "~", "PWD": "."}
_LIVE = frozenset("*?[{~!(=%")

Printed = Callable[[Script, Scope], str | None]
"""Reads the commands of a substitution, and says what they print where that is known."""


class Expansion:
    """Expands words in one scope."""

    __slots__ = ("_printed", "_scope", "_spend", "deep")

    def __init__(self, scope: Scope, printed: Printed, spend: Callable[[int], bool]) -> None:
        self._scope = scope
        self._printed = printed
        self._spend = spend
        self.deep = False
        """A word expanded to more than is read."""

    def words(self, words: Iterable[Word]) -> list[Field]:
        """The fields of several words."""
        fields: list[Field] = []
        for word in words:
            if len(word.parts) == 1 and isinstance(part := word.parts[0], Literal):
                if part.quoted:
                    fields.append(literal(part.text, word.raw))
                    continue
                if _LIVE.isdisjoint(part.text):
                    fields.append(Field(part.text, word.raw, part.text))
                    continue
            fields += self._word(word)
        return fields

    def one(self, word: Word) -> Field:
        """A word where nothing is split: an assignment's value, a redirection's target."""
        fields = self._parts(word.parts, word.raw, splits=False)
        return fields[0] if fields else literal("", word.raw)

    def _word(self, word: Word) -> list[Field]:
        if word.raw[0] == "!" and word.raw[1:2] not in _NO_EVENT and self._scope.dialect in _EVENTS:
            return [unknown(word.raw)]
        if not may_expand(word.parts):
            return self._parts(word.parts, word.raw, splits=True)
        try:
            choices = expanded(word.parts)
        except TooManyError:
            self.deep = True
            return [unknown(word.raw)]
        return [f for parts in choices for f in self._parts(parts, word.raw, splits=True)]

    def _parts(self, parts: tuple[Part, ...], raw: str, *, splits: bool) -> list[Field]:
        done: list[Field] = []
        building = Building()
        for number, part in enumerate(parts):
            match part:
                case Literal(text, quoted):
                    if number == 0 and not quoted and text:
                        text = self._front(text, building)
                    building.add(text, quoted=quoted)
                case Parameter(_, quoted, source):
                    value = self._parameter(part)
                    if value is None or not self._spend(sum(len(f.text) for f in value)):
                        where = _DIRECTORIES.get(part.name, ANYTHING)
                        building.unknown(source, self._guess(part), where)
                        building.quoted |= quoted
                    else:
                        building = self._valued(value, part, building, done, raw, splits)
                case Substitution(body, quoted, source):
                    printed = self._printed(body, self._scope.subshell())
                    if printed is None or len(printed) > LONGEST_VALUE:
                        building.unknown(source)
                        building.quoted |= quoted
                    else:
                        value = (literal(printed.rstrip("\n")),)
                        quiet = Parameter("", quoted, source)
                        building = self._valued(value, quiet, building, done, raw, splits)
                case Process(body, source, written):
                    feed = self._printed(body, self._scope.subshell())
                    building.process(source, None if written else feed)
                case Arithmetic(inner, source):
                    self._parts(inner, source, splits=False)
                    building.unknown(source)
        if building.started:
            self._end(building, done, raw)
        return done

    def _front(self, text: str, building: Building) -> str:
        """The front of a word: a tilde, zsh's `=name`."""
        scope = self._scope
        if text[0] == "~" and scope.home is not None and (text == "~" or text[1] == "/"):
            building.add(scope.home, quoted=True)
            return text[1:]
        if text[0] == "=" and scope.dialect == "zsh" and len(text) > 1:
            return text[1:]
        return text

    def _valued(
        self,
        value: tuple[Field, ...],
        part: Parameter,
        building: Building,
        done: list[Field],
        raw: str,
        splits: bool,
    ) -> Building:
        """Put a value into the word, which may end fields and begin others."""
        every = part.name == "@" or part.index == "@" or self._scope.dialect == "fish"
        if part.quoted and not (every and splits):
            building.add("", quoted=True)
        apart = splits and (every or not part.quoted)
        pieces = [
            piece
            for field in value
            for piece in (self._split(field) if apart and not part.quoted else [field])
        ]
        if apart and pieces and not part.quoted and self._edge(value[0], 0) and building.started:
            self._end(building, done, raw)
            building = Building()
        for number, piece in enumerate(pieces):
            if number and apart:
                self._end(building, done, raw)
                building = Building()
            elif number:
                building.add(" ", quoted=True)
            building.join(piece, quoted=part.quoted)
        if apart and not part.quoted and value and self._edge(value[-1], -1):
            self._end(building, done, raw)
            building = Building()
        return building

    def _edge(self, field: Field, place: int) -> bool:
        """Whether a value begins, or ends, with what splits words."""
        return field.plain and bool(field.text) and field.text[place] in self._scope.separators

    def _split(self, field: Field) -> list[Field]:
        separators = self._scope.separators
        if not field.plain or not any(c in field.text for c in separators):
            return [field] if field.text else []
        text = field.text
        for separator in separators[1:]:
            text = text.replace(separator, separators[0])
        return [literal(piece) for piece in text.split(separators[0]) if piece]

    def _end(self, building: Building, done: list[Field], raw: str) -> None:
        field = building.field(raw)
        if building.quoted or field.text or field.fed:
            done.append(field)

    def _parameter(self, part: Parameter) -> Value:
        """The value of a parameter, all operators done; None where it is not known."""
        value = self._scope.value(part.name) if part.name else None
        if part.index is not None and part.index not in ("@", "*"):
            value = self._element(value, part.index)
        elif value is not None and part.index is None and part.name not in ("@", "*"):
            value = value if self._scope.dialect == "fish" else value[:1]
        if not part.operator:
            return value
        operands = self._operands(part)
        if part.operator in _DEFAULTS:
            return self._default(part, value, operands)
        if part.operator in (":+", "+"):
            return None if value is None else operands if value and value[0].text else ()
        if part.operator in (":?", "?"):
            return value
        if part.operator == "indirect":
            known = value is not None and len(value) == 1 and value[0].plain
            return self._scope.value(value[0].text) if known and value is not None else None
        return self._changed(part, value, operands)

    def _element(self, value: Value, index: str) -> Value:
        if value is None or not index.lstrip("-").isdigit() or len(index) > 6:
            return None
        # bash counts from nought, zsh and fish from one.
        number = int(index) - (self._scope.dialect in ("zsh", "fish") and int(index) > 0)
        return (value[number],) if -len(value) <= number < len(value) else ()

    def _operands(self, part: Parameter) -> tuple[Field, ...]:
        return tuple(self.one(word) for word in part.operands)

    def _default(self, part: Parameter, value: Value, operands: tuple[Field, ...]) -> Value:
        if value is None or (value and value[0].text):
            return value
        if part.operator.endswith("="):
            self._scope.assign(part.name, operands)
        return operands

    def _changed(self, part: Parameter, value: Value, operands: tuple[Field, ...]) -> Value:
        if value is None or not all(f.plain for f in value) or not all(f.known for f in operands):
            return None
        if not value:
            value = (literal(""),)
        texts = tuple(field.text for field in operands)
        pattern = bool(operands) and operands[0].pattern
        found = [changed(f.text, part.operator, texts, pattern=pattern) for f in value]
        if any(text is None for text in found):
            return None
        return tuple(literal(text) for text in found if text is not None)

    def _guess(self, part: Parameter) -> str | None:
        """What stands there when the variable is not set: its default, else nothing."""
        if part.operator in _DEFAULTS and part.operands:
            field = self.one(part.operands[0])
            return field.text if field.plain else field.rest
        return None
