"""What a way costs this machine: memory and processor time of its process tree, octets on its disk."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bench.real_sshd import descendants

OWN = ("Pss_Anon:", "Pss_Shmem:")
REST = 0.6
"""Seconds without a change that count as rest: a recorder writes at least twice in one."""
TICKS = os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> int:
    """Octets of memory that the process and its descendants made; pages that they share are shared out.

    What is mapped from files is left out: it is there once for the whole machine, and its share would
    change with every other program that maps it.
    """
    return sum(_made(each) for each in (pid, *descendants(pid)))


def processor(pid: int) -> float:
    """Seconds of processor time that the process and its living descendants have used."""
    return sum(_seconds(each) for each in (pid, *descendants(pid)))


def on_disk(directory: Path | None) -> int:
    """Octets in the files below *directory*; 0 without one."""
    if directory is None:
        return 0
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def on_disk_at_rest(directory: Path | None) -> int:
    """The same, once it has stopped changing: a recording that is being closed gives room back."""
    now, before = on_disk(directory), -1
    while directory is not None and now != before:
        time.sleep(REST)
        now, before = on_disk(directory), now
    return now


def _made(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(OWN))


def _seconds(pid: int) -> float:
    try:
        # The program's name, in parentheses, may hold blanks: what follows the last one does not.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS
