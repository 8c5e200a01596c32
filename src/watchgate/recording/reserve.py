"""Two system calls that Python does not have: `fallocate` that keeps the size, and `syncfs`.

The reserve is room beyond the end of a recording that a full disk cannot take: the frames that close
the recording fit into it. `man 2 fallocate`, FALLOC_FL_KEEP_SIZE.
"""

from __future__ import annotations

import ctypes
import errno
import os

_KEEP_SIZE = 1
_UNSUPPORTED = frozenset({errno.EOPNOTSUPP, errno.ENOSYS})

_libc = ctypes.CDLL(None, use_errno=True)
_fallocate = _libc.fallocate
_fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
_syncfs = _libc.syncfs
_syncfs.argtypes = [ctypes.c_int]


class Reserve:
    """Room kept beyond the end of one open file."""

    SIZE = 64 * 1024
    _STEP = 64 * 1024
    _BULK_STEP = 1024 * 1024

    __slots__ = ("_descriptor", "_supported", "_until")

    def __init__(self, descriptor: int, end: int = 0) -> None:
        self._descriptor = descriptor
        self._until = end
        self._supported = True

    def cover(self, end: int) -> None:
        """Have room up to *end* and the reserve behind it; raises OSError when there is none.

        Room that was had before is kept when this fails.
        """
        need = end + self.SIZE
        if need <= self._until or not self._supported:
            return
        step = self._BULK_STEP if end > 4 * self._BULK_STEP else self._STEP
        try:
            self._allocate(need + step)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            self._allocate(need)

    def forget(self, end: int) -> None:
        """The file was cut at *end*, and with it what was kept beyond."""
        self._until = min(self._until, end)

    def _allocate(self, until: int) -> None:
        begin = self._until
        if _fallocate(self._descriptor, _KEEP_SIZE, begin, until - begin) == 0:
            self._until = until
            return
        code = ctypes.get_errno()
        if code in _UNSUPPORTED:
            # The file system cannot reserve: the recording is as durable, only its seal may not fit.
            self._supported = False
            return
        raise OSError(code, os.strerror(code))


def sync_file_system(descriptor: int) -> None:
    """Make everything on the file system of *descriptor* durable; raises OSError."""
    if _syncfs(descriptor) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
