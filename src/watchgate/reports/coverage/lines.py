"""The lines of a log as a stream: bounded in length, compressed or not, cut off or not."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from watchgate.errors import ConfigurationError

LONGEST_LINE = 8192
"""sshd cuts a message at 1,024 octets, and syslog daemons a line at 8 KiB."""

_BLOCK = 256 * 1024
_GZIP = b"\x1f\x8b"
_OTHERS = {b"\x28\xb5\x2f\xfd": "zstdcat", b"\xfd7zXZ": "xzcat", b"BZh": "bzcat"}


class Lines:
    """Iterates over the lines of *file*; None stands for one that is too long to be looked at."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._name = name
        self.problem = ""
        """Why the log ended before its end."""
        self._file: BinaryIO = self._opened(io.BufferedReader(cast(io.RawIOBase, file), _BLOCK))

    def _opened(self, file: io.BufferedReader) -> BinaryIO:
        begin = file.peek(8)
        for magic, program in _OTHERS.items():
            if begin.startswith(magic):
                raise ConfigurationError(
                    f"{self._name} is compressed in a way that is not read here; "
                    f"write `{program} FILE | watchgate coverage import - …`",
                    code="coverage.compressed",
                )
        if begin.startswith(_GZIP):
            return io.BufferedReader(gzip.GzipFile(fileobj=file, mode="rb"), _BLOCK)
        return file

    def __iter__(self) -> Iterator[bytes | None]:
        rest, skipping = b"", False
        for block in self._blocks():
            pieces = block.split(b"\n")
            if len(pieces) > 1:
                yield None if skipping else _bounded(rest + pieces[0])
                rest, skipping = b"", False
                for piece in pieces[1:-1]:
                    yield _bounded(piece)
            if not skipping:
                rest += pieces[-1]
                if skipping := len(rest) > LONGEST_LINE:
                    rest = b""
        if rest or skipping:
            yield None if skipping else _bounded(rest)

    def _blocks(self) -> Iterator[bytes]:
        try:
            while block := self._file.read(_BLOCK):
                yield block
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            self.problem = f"{self._name} is damaged or cut off, and was read up to there ({error})"
        except OSError as error:
            self.problem = f"{self._name} could not be read on: {error.strerror or error}"


def _bounded(line: bytes) -> bytes | None:
    return None if len(line) > LONGEST_LINE else line.removesuffix(b"\r")
