"""What a crash left unindexed, or a damaged index lost: found by comparing the two, and handed in again.

The gateway holds no key that opens old recordings. With an escrow identity they are opened by it; without
one they stay until an auditor runs `watchgate reindex`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from watchgate.catalog.search.model import Progress, SearchBackend
from watchgate.errors import RecordingUnreadable, WatchgateError
from watchgate.indexing.supervisor import IndexSupervisor
from watchgate.indexing.wire import Order
from watchgate.recording.auditors import Identity, unwrap
from watchgate.recording.format import KEY_SUFFIX, SUFFIX
from watchgate.recording.scan import LogicalFile, read_preamble
from watchgate.recording.spool import tails

log = logging.getLogger(__name__)

_TRIES = 5
_AGAIN = 2.0
"""Seconds until it is tried again to read an index that cannot be read."""
_DAY = "[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]"


def key_file(path: Path, spool: Path | None) -> Path | None:
    """Where the key of a recording lies; None when it was erased."""
    beside = path.with_suffix(KEY_SUFFIX)
    if beside.exists():
        return beside
    away = (tail.key_file for tail in tails(spool, path.stem) if tail.offset == 0)
    # Looked for twice: it may just have come home.
    return next((file for file in (*away, beside) if file.exists()), None)


def order(path: Path, spool: Path | None, identities: Sequence[Identity]) -> Order:
    """The order to read all of the recording at *path*; raises RecordingUnreadable."""
    with LogicalFile(path, spool) as file:
        request = read_preamble(file).header.request()
    file_of_key = key_file(path, spool) or path.with_suffix(KEY_SUFFIX)
    keys = unwrap(file_of_key, identities, request.recording)
    return Order.of(request, path, spool, keys, whole=True)


def unfinished(
    root: Path, spool: Path | None, index: SearchBackend, *, since_us: int = 0
) -> Iterator[tuple[Path, Progress | None]]:
    """Recordings that nobody writes, that are not erased and not completely indexed; newest days first.

    Those that began before the UTC day of *since_us* are not looked at.
    """
    first = datetime.fromtimestamp(since_us // 1_000_000, UTC).strftime("%Y/%m/%d")
    for day in sorted(root.glob(_DAY), reverse=True):
        if day.relative_to(root).as_posix() < first:
            return
        for path in sorted(day.glob(f"*{SUFFIX}"), reverse=True):
            progress = index.progress(path.stem)
            done = progress is not None and progress.complete
            if not done and key_file(path, spool) is not None and not _live(path, spool):
                yield path, progress


def _live(path: Path, spool: Path | None) -> bool:
    try:
        with LogicalFile(path, spool) as file:
            return file.live
    except RecordingUnreadable:
        return False


class CatchUp:
    """Hands what is unfinished to a supervisor, a few at a time, in a thread of its own."""

    def __init__(
        self,
        supervisor: IndexSupervisor,
        index: SearchBackend,
        root: Path,
        spool: Path | None,
        identities: Sequence[Identity],
    ) -> None:
        """Without *identities* it only counts, and says in the log what to do."""
        self._supervisor = supervisor
        self._index = index
        self._root = root
        self._spool = spool
        self._identities = identities
        self._stopping = threading.Event()
        self._wanted = threading.Event()
        self._thread = threading.Thread(target=self._run, name="index-catch-up", daemon=True)

    def start(self) -> None:
        """Begin, after the sweep: what nobody writes now has its seal."""
        self._wanted.set()
        self._thread.start()

    def again(self) -> None:
        """Look once more, as soon as the present look is over; from any thread."""
        self._wanted.set()

    def stop(self) -> None:
        """Hand in no more; to be called before the supervisor is stopped."""
        self._stopping.set()
        self._wanted.set()
        if self._thread.ident is not None:
            self._thread.join(1.0)

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            # Cleared before: what is lost while it looks deserves another look.
            self._wanted.clear()
            if self._stopping.is_set():
                return
            self._look()

    def _look(self) -> None:
        problem = ""
        for _ in range(_TRIES):
            try:
                count, problems = self._hand_in()
                break
            except WatchgateError as error:
                # The worker may just be making the file, or mending it.
                problem = str(error)
            if self._stopping.wait(_AGAIN):
                return
        else:
            log.warning("what is not indexed could not be found out: %s", problem)
            return
        if not self._identities and count:
            log.warning(
                "%d recordings are not completely indexed; run `watchgate reindex --only index`"
                " with an auditor's key, or set index.escrow_identity",
                count,
            )
        elif count or problems:
            log.info("%d recordings were left to index, %d cannot be opened", count, problems)

    def _hand_in(self) -> tuple[int, int]:
        count = problems = 0
        for path, progress in unfinished(self._root, self._spool, self._index):
            if self._stopping.is_set():
                break
            # Those that could not be read once are for `reindex`, when somebody has looked at them.
            if progress is not None and progress.problem:
                continue
            count += 1
            if not self._identities:
                continue
            try:
                wanted = order(path, self._spool, self._identities)
            except RecordingUnreadable as error:
                problems += 1
                log.warning("a recording is not indexed: %s", error)
                continue
            if not self._supervisor.submit(wanted):
                break
        return count, problems
