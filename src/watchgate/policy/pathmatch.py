"""How surely a path is one that a pattern means.

Whether it may be is worked out by the shell's reader (`watchgate.policy.shell.paths`); here it is told
whether it must be. A path with a glob stands for several, of which a permitting rule wants every one.
"""

from __future__ import annotations

import re
from functools import lru_cache

from watchgate.policy.globs import is_pattern
from watchgate.policy.truth import MAY, NO, YES, Truth

DEPTH = 2
"""So many directories of a path tell rules apart."""

_BELOW = "/**"
_WILD = re.compile(r"[*?\[{\\]")


@lru_cache(maxsize=16_384)
def beginning(path: str) -> tuple[str, ...]:
    """The first directories of a path or of a pattern, as far as they are plain names."""
    found: list[str] = []
    if not path.startswith("/"):
        return ()
    for part in path[1:].split("/", DEPTH)[:DEPTH]:
        if not part or _WILD.search(part):
            break
        found.append(part)
    return tuple(found)


def _apart(path: str, pattern: str) -> bool:
    """Whether they begin in different directories, so that there is nothing to work out."""
    return any(
        one != other for one, other in zip(beginning(path), beginning(pattern), strict=False)
    )


@lru_cache(maxsize=16_384)
def path_truth(path: str, pattern: str) -> Truth:
    """How surely *path*, as a reading has it, is one that *pattern* means."""
    # Loaded only here: who reads and lists rules needs no reader of shells.
    from watchgate.policy.shell.paths import path_may_match

    if _apart(path, pattern) or not path_may_match(path, pattern):
        return NO
    return YES if _certain(path, pattern) else MAY


def _certain(path: str, pattern: str) -> bool:
    # One that counts from an unknown directory (`?/x`) only matches where any directory is meant.
    known = path[2:] if path.startswith("?/") else path
    if not is_pattern(known):
        return True
    directory = pattern.removesuffix(_BELOW)
    if directory == pattern or is_pattern(directory) or "{" in directory:
        return False
    # A glob stays below the directory that stands before it, unless it may mean `..` (`/tmp/.*`) or is
    # a value that is not known (`**`).
    parts = path.split("/")
    first = next(at for at, part in enumerate(parts) if is_pattern(part))
    fixed = "/".join(parts[:first]) + "/"
    return fixed.startswith(directory + "/") and not any(
        part.startswith((".", "[", "**")) for part in parts[first:]
    )
