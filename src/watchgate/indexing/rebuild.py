"""Reading recordings into the index again, in the same worker as the gateway's: for `watchgate reindex`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from watchgate.clock import Clock
from watchgate.errors import ConfigurationError
from watchgate.indexing.child import COMMAND
from watchgate.indexing.supervisor import IndexSupervisor, Patience
from watchgate.indexing.wire import Done, Order
from watchgate.session.events import IndexStopped

_TOGETHER = 8


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was done."""

    recordings: int
    documents: int
    """Commands and screens that are new in the index or changed."""
    problems: tuple[str, ...]
    """A sentence for each recording that could not be read to its end."""


class Rebuild:
    """A context manager: give it recordings with `add`, then call `finish`."""

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        *,
        patience: Patience | None = None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._recordings = self._documents = 0
        self._problems: list[str] = []
        self._fatal = ""
        self._supervisor = IndexSupervisor(
            directory,
            None,
            clock,
            on_stopped=self._stopped,
            on_done=self._done,
            patience=patience or Patience(first=0.1),
            command=command,
        )

    def __enter__(self) -> Rebuild:
        self._supervisor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._supervisor.stop(0.0 if error is not None else 10.0)

    def add(self, order: Order) -> None:
        """Read a recording, in its turn; waits while several others are. Raises ConfigurationError."""
        if not self._supervisor.submit(order, _TOGETHER):
            raise self._failed()

    def finish(self) -> Rebuilt:
        """Wait until all are read. Raises ConfigurationError."""
        if not self._supervisor.drain():
            raise self._failed()
        return Rebuilt(self._recordings, self._documents, tuple(self._problems))

    def _done(self, order: Order, done: Done) -> None:
        self._recordings += 1
        self._documents += done.documents
        if done.problem:
            self._problems.append(f"{order.path} is not completely indexed: {done.problem}")

    def _stopped(self, event: IndexStopped, _: str) -> None:
        if event.recording is None:
            self._fatal = event.reason
            self._supervisor.give_up()

    def _failed(self) -> ConfigurationError:
        return ConfigurationError(
            f"the index is not built again: {self._fatal or 'it was stopped'}; "
            "set that right and run `watchgate reindex --only index`",
            code="index.stopped",
        )
