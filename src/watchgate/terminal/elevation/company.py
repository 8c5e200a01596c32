"""Programs beside an elevation and behind it: which of them could imitate a prompt or read an answer.

Lists of names are no proof of anything; a shell can call anything `grep`. They keep the secret out of lines in
which something else obviously asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from posixpath import basename, dirname

from watchgate.terminal.elevation.plain import Plain, Word

TRUSTED = frozenset(
    (
        *("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"),
        *(
            "/run/wrappers/bin",
            "/usr/pkg/bin",
            "/opt/local/bin",
            "/opt/freeware/bin",
            "/opt/csw/bin",
        ),
    )
)
"""Where programs are that only root can put there."""

BEFORE = frozenset({"cd", "true", ":", "echo", "printf", "cat"})
"""What may stand before an elevation, and feed it: it prints, and is done."""

BEHIND = frozenset((
    "cat", "column", "cut", "egrep", "fgrep", "grep", "head", "jq", "nl", "rev", "sort", "tail", "tee", "tr",
    "true", "uniq", "wc",
))  # fmt: skip
"""What may stand behind it: filters, which read what they are given and nothing else."""

_INTERPRETERS = frozenset((
    "awk", "bash", "busybox", "chroot", "csh", "dash", "docker", "env", "expect", "find", "fish", "gawk",
    "ionice", "ksh", "lua", "make", "mawk", "mksh", "nc", "ncat", "nice", "node", "nohup", "nsenter", "perl",
    "php", "podman", "ruby", "screen", "script", "setpriv", "setsid", "sh", "socat", "ssh", "stdbuf", "tclsh",
    "telnet", "time", "timeout", "tmux", "unbuffer", "unshare", "watch", "xargs", "zsh",
))  # fmt: skip
"""They run something else, or code that they are given."""

_PRINTERS = frozenset((
    "base64", "bat", "cat", "cut", "dd", "echo", "ed", "fold", "grep", "head", "less", "more", "nl", "paste",
    "printf", "sed", "tac", "tail", "tee",
))  # fmt: skip
"""They show what stands in a file, or in their arguments."""

_ALONE = frozenset({"-", "-l", "--login", "-i"})
_SYSTEM = ("/etc/", "/var/log/", "/var/lib/", "/usr/", "/proc/", "/sys/", "/boot/", "/dev/null")
_DISCARD = "/dev/null"


def trusted(name: str, resolved: Mapping[str, str] | None) -> bool:
    """Whether *name* is a program in a place of root's; None: no shell told, so a bare name may be.

    What a shell that tells does not resolve is an alias or a function.
    """
    if resolved is None and "/" not in name:
        return True
    return dirname((resolved or {}).get(name, name if "/" in name else "")) in TRUSTED


def harmless(command: Plain, allowed: frozenset[str], resolved: Mapping[str, str] | None) -> bool:
    """Whether a command beside an elevation can neither ask for something nor write to the terminal.

    Shells tell of programs that elevate, and need not tell of others.
    """
    head = command.words[0]
    if not head.known or head.text not in allowed:
        return False
    if any(not one.known or one.text != _DISCARD for one in command.writes):
        return False
    where = (resolved or {}).get(head.text, "")
    return "/" not in where or dirname(where) in TRUSTED


def settled(words: Sequence[Word]) -> bool:
    """Whether what an elevation runs is not the operator's own, and shows no text of his.

    Where the elevation asks for nothing (it remembers an answer), such a program could ask in its words.
    """
    if not words:
        return True
    head, operands = words[0], words[1:]
    if not head.known or ("/" in head.text and dirname(head.text) not in TRUSTED):
        return False
    name = basename(head.text)
    if name in _INTERPRETERS or name.startswith("python"):
        return all(word.text in _ALONE for word in operands)
    if name in _PRINTERS:
        return all(_of_the_system(word.text) for word in operands if word.text[:1] != "-")
    return True


def _of_the_system(path: str) -> bool:
    return path.startswith(_SYSTEM) and "/../" not in path
