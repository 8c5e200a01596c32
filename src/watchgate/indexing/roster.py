"""Which recordings wait for the index worker, which it has, and which it must not get again."""

from __future__ import annotations

from collections import Counter, deque

from watchgate.indexing.wire import Order

TWICE = 2


class Roster:
    """Orders on their way; not safe for threads by itself."""

    def __init__(self, *, waiting: int, together: int) -> None:
        """*waiting* is how many may wait, *together* how many the worker has at once."""
        self._room = waiting
        self._together = together
        self._waiting: deque[Order] = deque()
        self._given: dict[str, Order] = {}
        self._names: set[str] = set()
        """Of all that are not done."""
        self._blamed: Counter[str] = Counter()
        self._reading: str | None = None

    def __len__(self) -> int:
        """How many are not done."""
        return len(self._waiting) + len(self._given)

    @property
    def nothing_waits(self) -> bool:
        """The worker was given all that there is."""
        return not self._waiting

    @property
    def reading(self) -> str | None:
        """What the worker reads at present, by its own word."""
        return self._reading

    def add(self, order: Order) -> bool:
        """Let it wait, unless it does or the worker has it; false when more than the bound would."""
        if len(self._waiting) >= self._room:
            return False
        if order.recording not in self._names:
            self._names.add(order.recording)
            self._waiting.append(order)
        return True

    def give(self) -> Order | None:
        """The next order for the worker, unless it has as many as it may."""
        if not self._waiting or len(self._given) >= self._together:
            return None
        order = self._waiting.popleft()
        self._given[order.recording] = order
        return order

    def turned_to(self, recording: str | None) -> None:
        """The worker says what it reads now; None: nothing."""
        self._reading = recording if recording in self._given else None

    def done(self, recording: str) -> Order | None:
        """The order that is done; None when the worker says so of one that it does not have."""
        self._blamed.pop(recording, None)
        if self._reading == recording:
            self._reading = None
        order = self._given.pop(recording, None)
        if order is not None:
            self._names.discard(recording)
        return order

    def died(self) -> Order | None:
        """The worker died: all that it had waits again, but for one that killed it twice."""
        guilty, self._reading = self._reading, None
        aside: Order | None = None
        if guilty is not None:
            self._blamed[guilty] += 1
            if self._blamed[guilty] >= TWICE:
                del self._blamed[guilty]
                aside = self._given.pop(guilty)
                self._names.discard(guilty)
        self._waiting.extendleft(reversed(self._given.values()))
        self._given.clear()
        return aside

    def clear(self) -> int:
        """Forget all, keys included; how many were not done."""
        left = len(self)
        self._waiting.clear()
        self._given.clear()
        self._names.clear()
        return left
