"""Paths without a file system: resolved by their letters alone, and compared as far as that goes.

A path is a glob as the shell's (`*`, `?`, `[…]`, a special character behind `\\` stands for itself), in
which `**` is anything, slashes included; a variable whose value is not known is such a `**`. `?/` in front
stands for a directory that is not known. Symbolic links are not seen: `/tmp/link/x` is below `/tmp`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from watchgate.policy.shell.globs import Automaton, automaton, meet

_UNTIDY = re.compile(r"//|/\.|/$|^\./|^\.\.|^\.$|^\?")
_USER = re.compile(r"~([\w.-]*)")
_HOMES = {"root": "/root"}
_SOMEWHERE = "/\0"
"""The unknown directory of a relative path, while it is compared: no pattern but `**` reaches it."""
_LONGEST = 4096


def resolved(where: str, cwd: str | None, home: str | None) -> str:
    """The path *where* seen from *cwd*, absolute and without `.` and `..`."""
    if where.startswith("~"):
        where = _from_home(where, home)
    where = where.removeprefix("\\") if where.startswith("\\~") else where
    if where.startswith("**"):
        where = "/" + where
    if not where.startswith(("/", "?/")):
        where = f"{'?' if cwd is None else cwd}/{where}"
    return _tidy(where[:_LONGEST]) if _UNTIDY.search(where) else where[:_LONGEST]


def _from_home(where: str, home: str | None) -> str:
    found = _USER.match(where)
    name = found[1] if found else ""
    rest = where[1 + len(name) :]
    if name:
        home = _HOMES.get(name)
    return (home or "?") + rest


def _tidy(path: str) -> str:
    anchor, _, rest = path.partition("/")
    kept: list[str] = []
    for segment in rest.split("/"):
        if segment in ("", "."):
            continue
        if segment != "..":
            kept.append(segment)
        elif kept and kept[-1] not in ("**", ".."):
            kept.pop()
        elif anchor == "?" or kept:
            # Above a directory that is not known: anywhere.
            anchor, kept = "", ["**"]
    return f"{anchor}/{'/'.join(kept)}"


@lru_cache(maxsize=16384)
def path_may_match(path: str, pattern: str) -> bool:
    """Whether *path*, as a reading has it, may be one that *pattern* means.

    *pattern* is a rule's: `/etc/shadow`, `/etc/*` (one level), `/etc/**` (`/etc` itself and all below it),
    `/{bin,sbin}/**`; `~/x` is one in anybody's home; one without a slash in front, `id_rsa` or `*.key`, is
    one of that name in any directory. `/*`, all that is in the root, counts as `/`. A relative path whose directory is not known (`?/x`) matches only
    where the pattern leaves the directory open.
    """
    if "{" in pattern:
        return any(path_may_match(path, one) for one in alternatives(pattern))
    return path == pattern or meet(_of_path(path), _of_pattern(pattern))


@lru_cache(maxsize=4096)
def _of_path(path: str) -> Automaton:
    return automaton(_SOMEWHERE + path[1:] if path.startswith("?/") else path)


@lru_cache(maxsize=16384)
def _of_pattern(pattern: str) -> Automaton:
    if pattern.startswith("~/"):
        pattern = "/**" + pattern[1:]
    elif not pattern.startswith("/"):
        pattern = "/**/" + pattern
    if len(pattern) > 1:
        pattern = pattern.rstrip("/")
    return automaton(pattern)


_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
_MOST_ALTERNATIVES = 256


@lru_cache(maxsize=4096)
def alternatives(pattern: str) -> tuple[str, ...]:
    """The patterns that one with `{a,b}` stands for; at most 256."""
    found = [pattern]
    done: list[str] = []
    while found and len(found) + len(done) < _MOST_ALTERNATIVES:
        one = found.pop()
        braces = _BRACES.search(one)
        if braces is None:
            done.append(one.replace("{", "\\{") if "{" in one else one)
            continue
        found += [one[: braces.start()] + v + one[braces.end() :] for v in braces[1].split(",")]
    return tuple(sorted({*done, *(one.replace("{", "\\{") for one in found)}))
