"""Keys that wait for the verdict on a line before them, in order and within a bound."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from watchgate.terminal.keys import Key, KeyKind, Keys

FULL_OCTETS = 64 * 1024
"""So much waits before the client is no longer read."""

PAUSE_US = 300_000
"""What is typed after a pause of this length does not belong to the paste before it."""

OPEN_PASTE_US = 5_000_000
"""The same for a paste that says where it ends, and has not: it never will."""

_SINGLE = (KeyKind.END, KeyKind.CONTROL)
_PASTE_BEGIN, _PASTE_END = b"\x1b[200~", b"\x1b[201~"


class WaitingKeys:
    """What was typed and not yet passed on."""

    def __init__(self) -> None:
        self._cut = Keys()
        self._keys: deque[Key] = deque()
        self._octets = 0
        self._dropping = False
        self._typed_us = 0
        self._in_paste = False
        self._open_at_target = (
            False  # the target was told that a paste began, and not that it ended
        )
        self._lost_lines = 0
        self._lost_octets = 0

    def __bool__(self) -> bool:
        return bool(self._keys)

    @property
    def full(self) -> bool:
        """No more is to be read."""
        return self._octets >= FULL_OCTETS

    @property
    def due(self) -> int | None:
        """When `expire` has something to do."""
        dues = [self._cut.due()]
        if self._dropping:
            dues.append(self._typed_us + self._pause_us)
        elif self._lost_octets:
            dues.append(self._typed_us)
        return min((due for due in dues if due is not None), default=None)

    def typed(self, t_us: int, octets: bytes) -> None:
        """The operator typed; what still belongs to a paste that is being dropped goes with it."""
        if t_us - self._typed_us > self._pause_us:
            self._dropping = self._in_paste = False
        self._typed_us = t_us
        self._take(self._cut.feed(t_us, octets))

    def again(self, octets: bytes) -> None:
        """What a target had and gave back comes before all that waits."""
        cut = Keys()
        keys = [*cut.feed(0, octets), *cut.flush()]
        singles = [single for key in keys for single in _singles(key)]
        self._keys.extendleft(reversed(singles))
        self._octets += len(octets)

    def next(self) -> Key:
        """The next key."""
        key = self._keys.popleft()
        self._octets -= len(key.octets)
        if key.kind is KeyKind.PASTE:
            self._open_at_target = key.octets == _PASTE_BEGIN
        return key

    def interrupted(self) -> bool:
        """Whether ^C waits; it and all before it are then taken out."""
        places = [at for at, key in enumerate(self._keys) if key.octets == b"\x03"]
        for _ in range(places[-1] + 1 if places else 0):
            self._octets -= len(self._keys.popleft().octets)
        return bool(places)

    def drop(self) -> None:
        """What waits is dropped; where anything did, so is the rest of that paste."""
        if not self._keys and not self._in_paste:
            return
        self._dropping = True
        waiting, self._keys = self._keys, deque()
        self._octets = 0
        for key in waiting:
            self._lose(key)
            self._close_paste(key)

    def lose(self, octets: bytes) -> None:
        """What a target gave back does not go there again."""
        self._dropping = True
        self._lose(Key(KeyKind.TEXT, octets))

    def dropped(self, t_us: int) -> tuple[int, int] | None:
        """How many lines and octets went, when no more of that paste can come."""
        ended = t_us - self._typed_us >= self._pause_us
        if self._dropping and not ended:
            return None
        self._dropping = self._in_paste = False
        if not self._lost_octets:
            return None
        lost = (self._lost_lines, self._lost_octets)
        self._lost_lines = self._lost_octets = 0
        return lost

    def expire(self, t_us: int) -> None:
        """The moment of `due` has come: an ESC that was held was the key."""
        due = self._cut.due()
        if due is not None and t_us >= due:
            self._take(self._cut.flush())

    @property
    def _pause_us(self) -> int:
        return OPEN_PASTE_US if self._in_paste else PAUSE_US

    def _take(self, keys: Iterable[Key]) -> None:
        for key in keys:
            if key.octets in (_PASTE_BEGIN, _PASTE_END):
                self._in_paste = key.octets == _PASTE_BEGIN
            if self._dropping:
                self._lose(key)
                self._close_paste(key)
                if key.octets == _PASTE_END:
                    self._typed_us -= PAUSE_US  # the paste says itself that it is over
                continue
            self._keys.extend(_singles(key))
            self._octets += len(key.octets)

    def _close_paste(self, key: Key) -> None:
        """The end of a paste whose beginning went to the target goes there too."""
        if self._open_at_target and key.octets == _PASTE_END:
            self._keys.append(key)
            self._octets += len(key.octets)

    def _lose(self, key: Key) -> None:
        self._lost_octets += len(key.octets)
        self._lost_lines += key.octets.count(b"\r") + key.octets.count(b"\n")


def _singles(key: Key) -> Iterator[Key]:
    if key.kind not in _SINGLE or len(key.octets) == 1 or key.octets[:1] == b"\x1b":
        yield key
    else:
        yield from (Key(key.kind, key.octets[at : at + 1]) for at in range(len(key.octets)))
