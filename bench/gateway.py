"""Watchgate itself, started as an administrator starts it: `watchgate init`, some `add`, `watchgate serve`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.real_sshd import Sshd


@dataclass(frozen=True, slots=True)
class Gateway:
    pid: int
    port: int
    records: Path


@contextmanager
def gateway(directory: Path, *, key: Path, target: Sshd, recording: bool) -> Iterator[Gateway]:
    raise RuntimeError("not yet")
    yield
