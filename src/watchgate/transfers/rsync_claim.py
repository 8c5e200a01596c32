"""What an exec command claims when it starts `rsync --server`, read off its arguments.

The arguments decide how the file list is written, so they are needed to read the stream; they are
only a claim, and the stream shows whether it holds. With `--secluded-args` (`-s`) most of them come
over the stream itself: `RsyncClaim.secluded` says so, and `complete` reads them.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Direction = Literal["upload", "download"]

_PREFIXES = frozenset({"sudo", "doas"})
_PREFIX_FLAGS = frozenset({"-n", "-E", "-H", "-nE", "-nH", "--"})
_SHELL_MARKS = frozenset(";|&<>()$`\n\r\0")
_MARKS_IN_QUOTES = frozenset("$`\0")
# Options whose value is the next word.
_VALUED = frozenset(
    {
        "--backup-dir",
        "--partial-dir",
        "--temp-dir",
        "--compare-dest",
        "--copy-dest",
        "--link-dest",
        "--files-from",
    }
)
_LETTERS = frozenset("vqnmlLKkOJWHugtpUNoDAXrRcCSzyIdxbsEEf0iPax")
_NUMBERED = frozenset("B@")
_KNOWN = frozenset(
    """--append --backup-dir --bwlimit --checksum-choice --checksum-seed --compare-dest
    --compress-choice --compress-level --copy-dest --copy-devices --copy-unsafe-links --debug
    --delay-updates --delete --delete-after --delete-before --delete-delay --delete-during
    --delete-excluded --delete-missing-args --devices --dirs --existing --fake-super --files-from
    --force --from0 --fsync --fuzzy --groupmap --iconv --ignore-errors --ignore-existing
    --ignore-missing-args --info --inplace --link-dest --list-only --log-format --max-alloc
    --max-delete --max-size --min-size --mkpath --modify-window --munge-links --new-compress
    --no-D --no-devices --no-implied-dirs --no-r --no-W --no-specials --no-whole-file
    --numeric-ids --old-compress --open-noatime --out-format --partial --partial-dir --preallocate
    --protect-args --remove-sent-files --remove-source-files --safe-links --secluded-args --sender
    --server --size-only --skip-compress --specials --stop-after --stop-at --suffix --super
    --temp-dir --timeout --usermap --use-qsort --whole-file --write-devices --trust-sender
    --no-inc-recursive --no-i-r""".split()  # noqa: SIM905 - eighty lines otherwise
)


@dataclass(frozen=True, slots=True)
class RsyncClaim:
    """The arguments of an `rsync --server`, as far as they shape the stream."""

    direction: Direction
    words: tuple[str, ...]
    """Everything after the program's name, for `complete`."""
    letters: str = ""
    capabilities: str = ""
    paths: tuple[str, ...] = ()
    secluded: bool = False
    devices: bool = False
    specials: bool = False
    delete: bool = False
    dry_run: bool = False
    numeric_ids: bool = False
    append: bool = False
    removes_sources: bool = False
    compression: str | None = None
    """The method when the arguments name it, `auto` when the two sides agree on one, None for none."""
    checksum: str | None = None
    files_from: str | None = None
    iconv: bool = False
    unknown: tuple[str, ...] = ()
    """Options that may shape the stream in a way that is not known."""

    def has(self, letter: str) -> bool:
        """Whether the single-letter option was given."""
        return letter in self.letters

    @property
    def filters(self) -> bool:
        """Whether the client sends its filter rules before anything else."""
        return self.direction == "download" or self.delete or self.has("m")


def claims(command: str) -> RsyncClaim | None:
    """The claim of *command* when it is one plain `rsync --server`, else None.

    `sudo` and `doas` may stand before it. Anything that a shell would make more of than words (`;`,
    `|`, `$`, redirections, …) is no plain command; wildcards in paths are.
    """
    words = _words(command)
    if words and words[0] in _PREFIXES:
        words = _without_prefix(words[1:])
    if len(words) < 2 or words[0].rsplit("/", 1)[-1] != "rsync" or words[1] != "--server":
        return None
    if "--daemon" in words:
        # `host::module` over ssh: the daemon's own protocol, which is another.
        return None
    return _claim(tuple(words[1:]))


def complete(claim: RsyncClaim, arguments: Sequence[str]) -> RsyncClaim:
    """The whole claim, once the secluded *arguments* (with the program's name first) have come."""
    return _claim(claim.words + tuple(arguments[1:]))


def _without_prefix(words: list[str]) -> list[str]:
    while words and words[0] in _PREFIX_FLAGS:
        words = words[1:]
    return words


def _words(command: str) -> list[str]:
    """The words of a plain simple command; none when a shell would do more than split it."""
    if not _plain(command):
        return []
    try:
        return shlex.split(command)
    except ValueError:
        return []


def _plain(command: str) -> bool:
    quote = before = ""
    characters = iter(command)
    for character in characters:
        if character == "#" and not quote and not before.strip():
            return False
        before = character
        if quote == "'":
            quote = "" if character == "'" else quote
        elif character == "\\":
            if next(characters, "\n") == "\n":
                return False
        elif quote:
            if character in _MARKS_IN_QUOTES:
                return False
            quote = "" if character == '"' else quote
        elif character in _SHELL_MARKS:
            return False
        elif character in "'\"":
            quote = character
    return not quote


def _claim(words: tuple[str, ...]) -> RsyncClaim:
    options, paths = _divide(words)
    letters, capabilities, unknown = _bundles([o for o in options if o[0][:2] != "--"])
    values = {name: value for name, value in options if name.startswith("--")}
    unknown += [name for name in values if name not in _KNOWN]
    devices = "D" in letters or "--devices" in values
    specials = "D" in letters or "--specials" in values
    return RsyncClaim(
        direction="download" if "--sender" in values else "upload",
        words=words,
        letters=letters,
        capabilities=capabilities,
        paths=tuple(paths),
        secluded="s" in letters or "--secluded-args" in values or "--protect-args" in values,
        devices=devices and "--no-devices" not in values,
        specials=specials and "--no-specials" not in values,
        delete=any(n.startswith("--delete") and n != "--delete-missing-args" for n in values),
        dry_run="n" in letters or "--list-only" in values,
        numeric_ids="--numeric-ids" in values,
        append="--append" in values,
        removes_sources="--remove-source-files" in values or "--remove-sent-files" in values,
        compression=_compression(letters, values),
        checksum=values.get("--checksum-choice"),
        files_from=values.get("--files-from"),
        iconv="--iconv" in values,
        unknown=tuple(unknown),
    )


def _divide(words: tuple[str, ...]) -> tuple[list[tuple[str, str]], list[str]]:
    """Options as (name, value) and, after the lone `.`, paths."""
    options: list[tuple[str, str]] = []
    rest = iter(words)
    for word in rest:
        if word == ".":
            break
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if name in _VALUED and not equals:
            value = next(rest, "")
        options.append((name, value))
    return options, list(rest)


def _bundles(options: list[tuple[str, str]]) -> tuple[str, str, list[str]]:
    """The letters of all bundles, the capabilities after `e`, and what is neither."""
    letters, capabilities, unknown = "", "", []
    for word, _ in options:
        if word[:1] != "-" or word[1:2] in _NUMBERED:
            if word[:1] != "-":
                unknown.append(word)
            continue
        bundle, mark, after = word[1:].partition("e")
        letters += bundle
        capabilities = after.lstrip(".0123456789") if mark else capabilities
    unknown += [f"-{letter}" for letter in letters if letter not in _LETTERS]
    return letters, capabilities, unknown


def _compression(letters: str, values: dict[str, str]) -> str | None:
    chosen = values.get("--compress-choice")
    if chosen is not None:
        return None if chosen == "none" else chosen
    if "--new-compress" in values:
        return "zlibx"
    if "--old-compress" in values:
        return "zlib"
    return "auto" if "z" in letters else None
