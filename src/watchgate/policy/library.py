"""The ready rules that come with Watchgate: files in the package `watchgate.rules`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from watchgate.policy.loading import SUFFIXES, load, load_text
from watchgate.policy.rules import Rule

PACKAGE = "watchgate.rules"


@dataclass(frozen=True, slots=True)
class Ready:
    """One ready rule, and the file that it stands in, by which they are grouped."""

    rule: Rule
    group: str


def library() -> tuple[Ready, ...]:
    """All of them by group and name; their examples were checked when they were made."""
    files = _files()
    # Together first: no two may have one name.
    load(files, examples=False)
    found = [
        Ready(rule, name.rpartition(".")[0])
        for name, octets in files.items()
        for rule in load_text(octets, name, examples=False)
    ]
    return tuple(sorted(found, key=lambda one: (one.group, one.rule.name)))


def _files() -> Mapping[str, bytes]:
    folder = resources.files(PACKAGE)
    return {
        file.name: file.read_bytes()
        for file in sorted(folder.iterdir(), key=lambda one: one.name)
        if file.name.endswith(SUFFIXES)
    }
