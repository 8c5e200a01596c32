"""An index worker that dies of what it reads: a program for the tests of the supervisor.

Its index is a file of lines. What a command says, it does: `poison` kills it, `stumble` kills it once,
`hang` stops it for ever, `babble` makes it say what no worker says, `lose` loses what the index has, once.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from watchgate.catalog.search.model import About, Answer, Document, Kind, Progress, Query
from watchgate.clock import SystemClock
from watchgate.confinement import confine
from watchgate.errors import ConfigurationError
from watchgate.indexing.service import Service
from watchgate.terminal.screens import open_screen


class FrailIndex:
    """Implements SearchBackend with a file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, about: About, documents: Iterable[Document]) -> int:
        found = list(documents)
        for document in found:
            self._obey(document.text)
        with (self._directory / "texts").open("a") as file:
            file.writelines(f"{document.text}\n" for document in found)
        return len(found)

    def _obey(self, text: str) -> None:
        stumbled = self._directory / "stumbled"
        if text == "poison" or (text == "stumble" and not stumbled.exists()):
            stumbled.touch()
            os.kill(os.getpid(), signal.SIGSEGV)
        elif text == "hang":
            threading.Event().wait()
        elif text == "babble":
            os.write(1, b"\xff not JSON\n")
        elif text == "lose" and not stumbled.exists():
            stumbled.touch()
            raise ConfigurationError("a file was damaged", code="index.damaged")

    def search(self, query: Query) -> Answer:
        return Answer(())

    def documents(self, session: str, kind: Kind) -> Sequence[tuple[About, Document]]:
        return []

    def forget(self, session: str) -> int:
        return 0

    def progress(self, recording: str) -> Progress | None:
        return None

    def advance(self, progress: Progress) -> None:
        with (self._directory / "progress").open("a") as file:
            file.write(f"{progress.recording} {progress.problem or progress.complete}\n")

    def close(self) -> None:
        (self._directory / "closed").touch()


if __name__ == "__main__":
    confine()
    Service(0, 1, FrailIndex, open_screen, SystemClock()).serve()
