"""The files of a configuration: which of a directory they are, and what is in them.

Read is every `*.yaml` and `*.yml` below the directory whose path has no part that begins with a dot
(`.git`, `.github`). Nothing outside of the directory is read, whatever links say.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from watchgate.configuration.places import Place, Problems
from watchgate.errors import ConfigurationError, NotFound

LARGEST_FILE = 1 << 20
LARGEST_TOTAL = 16 << 20
MOST_FILES = 1_000
_MOST_SEEN = 100_000
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class File:
    """One file by its name inside the directory."""

    name: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class Folder:
    """A directory as it was read."""

    path: str
    files: tuple[File, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over what `sha256sum` prints of the files in the order of their names."""
        lines = (
            hashlib.sha256(file.octets).hexdigest().encode()
            + b"  "
            + os.fsencode(file.name)
            + b"\n"
            for file in self.files
        )
        return hashlib.sha256(b"".join(lines)).hexdigest()


def read(directory: Path, problems: Problems) -> Folder:
    """The files of *directory*; what cannot be read is added to *problems*.

    Raises NotFound and ConfigurationError when there is no such directory or nothing in it: an empty
    configuration is far more often a wrong path than the wish to remove everything.
    """
    root = _resolved(directory)
    found, total = [], 0
    for name in sorted(_names(root, problems), key=os.fsencode):
        octets = _octets(root, name, problems)
        if octets is not None:
            found.append(File(name, octets))
            total += len(octets)
        if total > LARGEST_TOTAL:
            raise ConfigurationError(
                f"the files in {directory} hold more than {LARGEST_TOTAL >> 20} MiB; "
                "name the directory that holds the configuration alone",
                code="configuration.too-large",
            )
    if not found and not problems.count:
        raise ConfigurationError(
            f"there is no .yaml file in {directory}; name another directory, or begin with "
            f"`watchgate export-config --to {directory}`",
            code="configuration.empty",
        )
    return Folder(str(root), tuple(found))


def _resolved(directory: Path) -> Path:
    try:
        root = directory.resolve(strict=True)
    except FileNotFoundError as error:
        raise NotFound(
            f"there is no directory {directory}", code="configuration.not-found"
        ) from error
    except (OSError, RuntimeError) as error:
        raise _unreadable(directory, error) from error
    if not root.is_dir():
        raise ConfigurationError(
            f"{directory} is not a directory; name the one that holds the files",
            code="configuration.no-directory",
        )
    return root


def _unreadable(directory: Path, error: Exception) -> ConfigurationError:
    reason = getattr(error, "strerror", None) or str(error)
    return ConfigurationError(
        f"the directory {directory} cannot be read: {reason}", code="configuration.unreadable"
    )


def _names(root: Path, problems: Problems) -> list[str]:
    names: list[str] = []
    for seen, entry in enumerate(_walk(root, problems)):
        name = os.path.relpath(entry.path, root)
        if entry.name.endswith(SUFFIXES):
            names.append(name)
        if len(names) > MOST_FILES or seen > _MOST_SEEN:
            raise ConfigurationError(
                f"{root} holds more than {MOST_FILES} .yaml files or {_MOST_SEEN} files of any kind; "
                "name the directory that holds the configuration alone",
                code="configuration.too-many-files",
            )
    return names


def _walk(root: Path, problems: Problems) -> Iterator[os.DirEntry[str]]:
    """What is no directory below *root*; a directory is entered where it lies, not through links."""
    waiting = [str(root)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                listed = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            where = os.path.relpath(str(error.filename), root)
            problems.add(Place(where), "", f"the directory cannot be read: {error.strerror}")
            continue
        for entry in listed:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif entry.is_symlink() and os.path.isdir(entry.path):
                if not _inside(Path(entry.path), root):
                    _refuse_link(os.path.relpath(entry.path, root), problems)
            else:
                yield entry


def _inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):
        return False


def _refuse_link(name: str, problems: Problems) -> None:
    problems.add(
        Place(name),
        "",
        "this is a link to outside of the directory, or to nothing; put the file here",
    )


def _octets(root: Path, name: str, problems: Problems) -> bytes | None:
    path = root / name
    if path.is_symlink() and not _inside(path, root):
        _refuse_link(name, problems)
        return None
    try:
        octets = _read(path.resolve(strict=True))
    except OSError as error:
        problems.add(Place(name), "", f"the file cannot be read: {error.strerror}")
        return None
    if octets is None:
        problems.add(Place(name), "", "this is not an ordinary file")
    elif len(octets) > LARGEST_FILE:
        problems.add(
            Place(name),
            "",
            f"the file is larger than {LARGEST_FILE >> 20} MiB; split it into several",
        )
        return None
    return octets


def _read(path: Path) -> bytes | None:
    """At most one octet more than a file may have; None for a pipe, a device and the like."""
    # Without O_NONBLOCK a pipe that nobody writes would be waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(LARGEST_FILE + 1)
