"""The hooks, as they are typed to a shell."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from watchgate.terminal.integration.mark_kinds import Introduced
from watchgate.terminal.integration.verdicts import WAIT_S

LONGEST_LINE = 900
"""Octets of a line that is typed to a terminal that edits lines itself; POSIX's own bound is lower, every system's higher."""

_VERSION = re.compile(r"(\d+)\.(\d+)")


def probe(nonce: bytes) -> bytes:
    """What asks whoever reads the terminal which shell he is, and then takes the hooks.

    bash and zsh tell and wait for a line to carry out; fish tells; other shells tell that they are neither,
    or do not understand.
    """
    # In quotes what fish does not parse, so that it goes on behind them; `-` for shells with `set -u`; a
    # backslash where an alias might be.
    posix = (
        rb""" eval 'case x in *) \printf "\033]7717;%s;V;q; v%s v%s v\007" """
        + nonce
        + rb""" "${BASH_VERSION-}" "${ZSH_VERSION-}"; IFS= builtin read -rs __wg_c; eval "$__wg_c";; esac'"""
    )
    fish = rb""" || printf '\033]7717;%s;V;q; v v v%s\007' """ + nonce + rb' "$FISH_VERSION"'
    return posix + fish + b"\r"


def hooks_for(introduced: Introduced, *, old: bool = False) -> str | None:
    """The name of the hooks for that shell; None when there are none. *old* takes bash for an early one."""
    if introduced.bash:
        version = _number(introduced.bash)
        if version >= (4, 4) and not old:
            return "bash.sh"
        return "bash_old.sh" if version >= (4, 0) else None
    if introduced.zsh:
        return "zsh.sh" if _number(introduced.zsh) >= (5, 0) else None
    if introduced.fish:
        return "fish.fish" if _number(introduced.fish) >= (3, 1) else None
    return None


def typed(name: str, nonce: bytes, wait_s: int = WAIT_S) -> tuple[bytes, bytes]:
    """The hooks *name* as they are typed: at once, and when the shell says `Listening`.

    bash and zsh read lines behind the probe already; fish has to be told first.
    """
    body = _lines(name).replace("@NONCE@", nonce.decode("ascii")).replace("@WAIT@", str(wait_s))
    if name.endswith(".fish"):
        count = body.count("\n")
        listen = rb" printf '\033]7717;%s;G;q;\007' " + nonce + b"; head -n %d | source\r" % count
        return listen, body.encode("ascii")
    end = "wg." + nonce.decode("ascii")
    take = (
        f'__wg_c=; while IFS= builtin read -rs __wg_l; do [ "$__wg_l" = {end} ] && break;'
        " __wg_c=$__wg_c$__wg_l$'\\n'; done; \\eval \"$__wg_c\"; \\unset __wg_c __wg_l"
    )
    return f"{take}\n{body}{end}\n".encode("ascii"), b""


@cache
def _lines(name: str) -> str:
    """A script without comments and indentation, behind what it shares with another."""
    hooks = resources.files(__package__).joinpath("hooks")
    files = ("bash_shared.sh", name) if name.startswith("bash") else (name,)
    text = "".join(hooks.joinpath(file).read_text("ascii") for file in files)
    kept = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in kept if line and not line.startswith("#"))


def _number(version: str) -> tuple[int, int]:
    found = _VERSION.match(version)
    return (int(found[1]), int(found[2])) if found else (0, 0)
