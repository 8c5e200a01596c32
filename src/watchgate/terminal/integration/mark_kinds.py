"""What a mark says: one dataclass for each kind, and how its words are read.

| kind | says | words |
|---|---|---|
| `V` | which shell answers | versions of bash, zsh, fish, a `v` before each |
| `G` | the shell waits for its hooks | |
| `N` | the hooks cannot be set | why |
| `R` | the hooks are set | shell, version |
| `D` | a line has ended, the prompt follows | `s=` status, `d=` directory |
| `B`, `C` | the prompt, the continuation prompt, stands | |
| `L` | a line is about to run and waits | `t=` text, `x=` expanded, `d=` directory, `v=`, `a=`, `f=`, `r=` facts, `c=` cut, `o=` again, `h=` no comments |
| `T` | octets typed ahead that the hook read | the octets |
| `K` | the hook has its verdict | |
| `S` | sudo asks | the token |
| `X` | a hook was tampered with | what |

The *form* before the words tells how they are quoted: `q` by bash or zsh, `u` by fish.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from watchgate.terminal.integration.shell_words import UnquotableError, percent_words, shell_words

LONGEST_TEXT = 64 * 1024
MOST_FACTS = 64

CUT = "the line is longer than is read"
NO_TEXT = "the line holds octets that are no text"
UNKNOWN_TEXT = "the shell does not tell the line"

_HASH = re.compile(r"(^|[\s;&|(){}])#")


@dataclass(frozen=True, slots=True)
class Introduced:
    """Some shell reads the terminal; all three are empty in a shell that has no hooks."""

    bash: str = ""
    zsh: str = ""
    fish: str = ""


@dataclass(frozen=True, slots=True)
class Listening:
    """The shell waits for its hooks."""


@dataclass(frozen=True, slots=True)
class Unwilling:
    """The hooks cannot be set in this shell."""

    why: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The hooks are set."""

    shell: str
    """`bash`, `zsh` or `fish`."""
    version: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A line has ended; the prompt is about to be shown. `MarkFilter` makes one `Prompt` of it and of the prompt's end."""

    status: int | None
    cwd: str | None


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt stands.

    *status* and *cwd* come with the first prompt after a line; a prompt that is only drawn anew, and one
    whose hooks were taken away, has neither.
    """

    status: int | None = None
    cwd: str | None = None
    continuation: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A complete line is about to run, and waits for its verdict.

    What the shell knows of the words in it is for the decision alone: values of variables may be secrets,
    so they are not shown in the representation and belong into no event and no log.
    """

    text: str
    expanded: str | None = None
    """It with aliases expanded, where the shell tells (zsh)."""
    cwd: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Values of variables that it names, as they are before it runs."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()
    resolved: Mapping[str, str] = field(default_factory=dict)
    """Which file a name is that gains rights (`sudo`, `su`, `doas`); one that is an alias or a function is not in it."""
    unreadable: str | None = None
    """Why *text* is not all of it, or not what runs."""
    again: bool = False
    """The shell showed no prompt since the last line: this one was accepted together with it."""
    comments: bool = True
    """`#` begins a comment. In an interactive zsh it does not, so that what stands behind it runs."""

    @property
    def texts(self) -> tuple[str, ...]:
        """All that the line may mean to one who reads it as bash does, *text* first: each is to be permitted."""
        texts = [self.text] if self.expanded is None else [self.text, self.expanded]
        if not self.comments:
            texts += [_HASH.sub(r"\1\\#", text) for text in texts]
        return tuple(dict.fromkeys(texts))


@dataclass(frozen=True, slots=True)
class Taken:
    """The hook has its verdict."""


@dataclass(frozen=True, slots=True)
class TypedAhead:
    """What the hook read before its verdict; it is to be typed again, before anything newer."""

    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """sudo shows its own prompt: it runs as part of the line whose verdict had this token."""

    token: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tampered:
    """Hooks were changed, or a mark is not as hooks write it."""

    what: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """A mark with a nonce that is nobody's: a forgery, or the hooks of another gateway. It stays in the output."""

    said: bytes


Mark = (
    Introduced
    | Listening
    | Unwilling
    | Ready
    | Prompt
    | Line
    | Taken
    | TypedAhead
    | Asked
    | Tampered
    | Foreign
)


def read_mark(said: bytes, returned: Returned | None) -> Mark | Returned:
    """The mark in *said*, all behind the nonce; *returned* came before it."""
    kind, _, rest = said.partition(b";")
    form, _, quoted = rest.partition(b";")
    try:
        words = list(percent_words(quoted) if form == b"u" else shell_words(quoted))
    except UnquotableError:
        return Tampered(f"a mark {_text(kind[:8])} cannot be read")
    match kind:
        case b"L":
            return _line(words)
        case b"D":
            return _returned(words)
        case b"B":
            return Prompt() if returned is None else Prompt(returned.status, returned.cwd)
        case b"C":
            return Prompt(continuation=True)
        case b"K":
            return Taken()
        case b"T":
            return TypedAhead(b" ".join(words))
        case b"S":
            return Asked(b" ".join(words))
        case b"V":
            return Introduced(*(_text(word[1:]) for word in _padded(words, 3)))
        case b"G":
            return Listening()
        case b"N":
            return Unwilling(_text(b" ".join(words)[:200]))
        case b"R":
            return Ready(*map(_text, _padded(words, 2)))
        case b"X":
            return Tampered(_text(b" ".join(words)[:200]))
        case _:
            return Tampered(f"there is no mark {_text(kind[:8])}")


def _padded(words: list[bytes], size: int) -> list[bytes]:
    return (words + [b""] * size)[:size]


def _keyed(words: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    for word in words:
        key, _, value = word.partition(b"=")
        yield key, value


def _returned(words: list[bytes]) -> Returned:
    given = dict(_keyed(words))
    status = given.get(b"s", b"")
    known = int(status) if status.isdigit() and len(status) <= 4 else None
    return Returned(known, _path(given.get(b"d")))


def _line(words: list[bytes]) -> Line:
    """The line; facts that are no text are left out, a text that is none makes the line unreadable."""
    given: dict[bytes, bytes] = {}
    facts: dict[bytes, dict[str, str]] = {kind: {} for kind in (b"v", b"a", b"f", b"r")}
    for key, value in _keyed(words):
        if key in facts:
            _note(facts[key], value)
        else:
            given.setdefault(key, value)
    text = given.get(b"t", b"")[:LONGEST_TEXT]
    return Line(
        text=_text(text),
        expanded=_text(given[b"x"][:LONGEST_TEXT]) if b"x" in given else None,
        cwd=_path(given.get(b"d")),
        variables=facts[b"v"],
        aliases=facts[b"a"],
        functions=frozenset(facts[b"f"]),
        resolved=facts[b"r"],
        unreadable=_unreadable(given),
        again=b"o" in given,
        comments=b"h" not in given,
    )


def _unreadable(given: Mapping[bytes, bytes]) -> str | None:
    if b"t" not in given:
        return UNKNOWN_TEXT
    if b"c" in given:
        return CUT
    whole = _decoded(given[b"t"]) is not None and _decoded(given.get(b"x", b"")) is not None
    return None if whole else NO_TEXT


def _note(facts: dict[str, str], value: bytes) -> None:
    name, _, content = value.partition(b"=")
    known, said = _decoded(name), _decoded(content)
    if known and said is not None and len(facts) < MOST_FACTS:
        facts[known] = said


def _path(octets: bytes | None) -> str | None:
    """A directory; None when it is no absolute one that can be written down."""
    path = None if octets is None else _decoded(octets)
    return path if path is not None and path.startswith("/") else None


def _decoded(octets: bytes) -> str | None:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return None


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "backslashreplace")
