"""What operators, groups, targets and accounts may be called, and how a wrong name is answered.

A user name on the wire is `operator+account@target`, scp and rsync cut at `:` and `/`, and programs take
what begins with `-` for an option: none of these may be part of a name. Accounts are named by their
targets' systems, so they may also begin with `_` and hold `$` (machine accounts) and `\\` (`CORP\\admin`).

Operators, groups and targets are found whatever the case; accounts exactly, as Unix does.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from watchgate.errors import ConfigurationError, NotFound

LONGEST = 64

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._$\\-]*")


def checked(noun: str, name: str) -> str:
    """*name* when an operator, group or target may bear it; else ConfigurationError."""
    return _checked(noun, name, _NAME, "letters, digits, '.', '_' and '-'")


def checked_account(name: str) -> str:
    """*name* when an account may bear it; else ConfigurationError."""
    return _checked("account", name, _ACCOUNT, r"letters, digits, '.', '_', '-', '$' and '\'")


def _checked(noun: str, name: str, pattern: re.Pattern[str], may_hold: str) -> str:
    if len(name) > LONGEST:
        raise ConfigurationError(
            f"the name of the {noun} has {len(name)} characters; {LONGEST} are allowed",
            code=f"{noun}.illegal-name",
        )
    if not pattern.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot name the {noun}: a name holds {may_hold}, "
            "and begins with a letter or a digit",
            code=f"{noun}.illegal-name",
        )
    return name


def fold(name: str) -> str:
    """The form under which a name is found whatever its case."""
    return name.lower()


def unknown(noun: str, name: str, known: Iterable[str], command: str = "") -> NotFound:
    """The error for a *name* that nothing has, with the nearest of the *known* names."""
    folded = {fold(candidate): candidate for candidate in known}
    near = difflib.get_close_matches(fold(name), folded, n=1, cutoff=0.6)
    if near:
        advice = f"; did you mean {folded[near[0]]}?"
    else:
        advice = f"; see `watchgate {command or noun} list`"
    return NotFound(f"there is no {noun} {name!r}{advice}", code=f"{noun}.not-found")


def taken(noun: str, name: str) -> ConfigurationError:
    """The error for a *name* that is already in use."""
    return ConfigurationError(
        f"there is already an {noun} {name!r}"
        if noun[0] in "aeiou"
        else f"there is already a {noun} {name!r}",
        code=f"{noun}.exists",
    )
