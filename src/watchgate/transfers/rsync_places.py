"""Where on the target an entry of the file list lies, by what the command claims.

The list has names relative to the destination of an upload or to the sources of a download. Two
things are not in the protocol, and the note says so: whether the destination of a single file is a
directory or the file's new name, and which of several sources a name came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from posixpath import basename, dirname, join

from watchgate.session.events import text
from watchgate.transfers.rsync_claim import RsyncClaim

_WILD = frozenset("*?[{")
_HERE = ("", ".", "./")


@dataclass(frozen=True, slots=True)
class Place:
    """A path on the target, and what is not certain of it."""

    path: str
    note: str = ""


class Places:
    """Turns names of the list into paths on the target."""

    def __init__(self, claim: RsyncClaim) -> None:
        self._claim = claim
        self._paths = claim.paths or (".",)

    def of(self, name: bytes, alone: bool) -> Place:
        """The place of *name*; *alone* when it is the only entry and no directory."""
        relative = text(name)
        if self._claim.direction == "upload":
            return self._uploaded(relative, alone)
        if self._claim.has("R") or self._claim.files_from is not None:
            return self._named_in_full(relative)
        return self._downloaded(relative)

    def _uploaded(self, name: str, alone: bool) -> Place:
        destination = self._paths[-1]
        if not alone or destination in _HERE or destination.endswith(("/", "/.", "/..")):
            return Place(_under(destination, name))
        if basename(destination) == name:
            return Place(destination)
        return Place(
            _under(destination, name),
            "the file itself when the destination is no directory: " + destination,
        )

    def _named_in_full(self, name: str) -> Place:
        base, marked, _ = self._paths[0].partition("/./")
        if self._claim.files_from is not None or marked:
            return Place(_under(base, name))
        return Place("/" + name.lstrip("/") if base.startswith("/") else name)

    def _downloaded(self, name: str) -> Place:
        first = name.split("/", 1)[0]
        contents = [path for path in self._paths if _means_contents(path)]
        for path in self._paths:
            if path not in contents and _matches(first, basename(path)):
                return self._beside(path, name)
        if len(contents) == 1:
            return Place(_under(contents[0], name))
        return Place(name, "below one of: " + ", ".join(self._paths))

    @staticmethod
    def _beside(path: str, name: str) -> Place:
        parent = dirname(path)
        if _WILD & set(parent):
            return Place(name, "below one of: " + parent)
        return Place(_under(parent, name))


def _means_contents(path: str) -> bool:
    """Whether a source stands for what is in it, not for itself."""
    return path in _HERE or path.endswith(("/", "/.", "/..")) or path == ".."


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or ("{" in pattern) or fnmatchcase(name, pattern)


def _under(directory: str, name: str) -> str:
    name = name.lstrip("/")
    directory = directory[:-1] if directory.endswith("/.") else directory
    if name in ("", "."):
        return directory or "."
    name = name.removeprefix("./")
    return name if directory in _HERE else join(directory, name)
