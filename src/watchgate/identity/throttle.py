"""How often somebody may guess: token buckets with back-off, by network and by operator.

Only secrets that can be guessed are counted (passwords, one-time codes); a key cannot be guessed, so an
operator with a key comes in while somebody tries passwords in his name. Four buckets:

    connections of a network     floods; generous, because an office or an Ansible run is one network
    guesses of a network         one attacker, many names
    guesses at an operator       strict, per network: an attacker locks the name for his own network
      from a network
    guesses at an operator       soft: when an attack from everywhere empties it, networks from which the
      from anywhere              operator has logged in lately still get through, so nobody is locked out
                                 of his own office by strangers

A network is an IPv4 address or an IPv6 /64, what one subscriber gets. Every guess takes its token before
it is looked at, so that a thousand at once are not all first; a right one gives it back. An empty bucket
closes for a while, each time twice as long. Tables are bounded: buckets that are full again are forgotten
first, then the one not used for longest.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from watchgate.catalog.hosts import address_of
from watchgate.clock import Clock

K = TypeVar("K", bound=Hashable)

TABLE_SIZE = 20_000
_LOOK_BACK = 8
"""How many of the oldest buckets are looked at for one that may be forgotten without loss."""

_WHOLE = 1 - 1e-6
"""A token; thirty thirtieths of one are a little less in floating point."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket: so many at once, so many a second in the long run, closed for so long when empty."""

    burst: int
    per_second: float
    closed_seconds: float = 0.0
    """The first time that it is found empty; 0 only waits for the next token."""
    closed_most: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The four buckets' measures."""

    connections: Limit = Limit(burst=200, per_second=20.0)
    network: Limit = Limit(burst=30, per_second=1 / 6, closed_seconds=30, closed_most=900)
    operator_here: Limit = Limit(burst=6, per_second=1 / 30, closed_seconds=30, closed_most=900)
    operator: Limit = Limit(burst=60, per_second=1 / 60, closed_seconds=60, closed_most=900)


@dataclass(slots=True)
class Bucket:
    """The state of one bucket; times are monotonic seconds."""

    tokens: float
    at: float
    closed_until: float = 0.0
    closures: int = 0

    def refill(self, limit: Limit, now: float) -> None:
        """Add what time has given; after a long rest it forgets that it was ever empty."""
        self.tokens = min(limit.burst, self.tokens + (now - self.at) * limit.per_second)
        self.at = now
        if self._rested(limit, now):
            self.closures = 0

    def _rested(self, limit: Limit, now: float) -> bool:
        """Full again, and not found empty for as long as it could be closed at most."""
        return self.tokens >= limit.burst and now >= self.closed_until + limit.closed_most

    def ready(self, limit: Limit, now: float) -> bool:
        """Whether a token may be taken; an empty bucket closes for a while, each time longer."""
        self.refill(limit, now)
        if now < self.closed_until:
            return False
        if self.tokens >= _WHOLE:
            return True
        # The exponent has a ceiling: what closed a thousand times must not overflow a float.
        longer = limit.closed_seconds * 2 ** min(self.closures, 32)
        self.closed_until = now + min(longer, limit.closed_most)
        self.closures += 1
        return False

    def fresh(self, limit: Limit, now: float) -> bool:
        """Whether it is as good as a new one."""
        self.refill(limit, now)
        return self._rested(limit, now)


class Buckets(Generic[K]):
    """Buckets of one limit by key, of bounded number."""

    def __init__(self, limit: Limit, size: int = TABLE_SIZE) -> None:
        self._limit = limit
        self._size = size
        self._buckets: OrderedDict[K, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def ready(self, key: K, now: float) -> bool:
        """Whether the bucket has a token; asking an empty one counts against it."""
        return self._of(key, now).ready(self._limit, now)

    def take(self, key: K, now: float) -> None:
        """Take a token from a bucket that was ready."""
        self._of(key, now).tokens -= 1

    def give_back(self, key: K) -> None:
        """Undo one `take`."""
        bucket = self._buckets.get(key)
        if bucket is not None:
            bucket.tokens = min(self._limit.burst, bucket.tokens + 1)

    def forget(self, key: K) -> None:
        """Begin anew with this key."""
        self._buckets.pop(key, None)

    def _of(self, key: K, now: float) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            self._make_room(now)
            bucket = self._buckets[key] = Bucket(float(self._limit.burst), now)
        self._buckets.move_to_end(key)
        return bucket

    def _make_room(self, now: float) -> None:
        if len(self._buckets) < self._size:
            return
        oldest = [key for key, _ in zip(self._buckets, range(_LOOK_BACK), strict=False)]
        done = [key for key in oldest if self._buckets[key].fresh(self._limit, now)]
        for key in done or oldest[:1]:
            del self._buckets[key]


class Throttle:
    """Decides whether a guess is looked at; belongs to one process and one event loop."""

    def __init__(
        self, clock: Clock, limits: Limits | None = None, *, size: int = TABLE_SIZE
    ) -> None:
        chosen = limits or Limits()
        self._clock = clock
        self._size = size
        self._connections: Buckets[str] = Buckets(chosen.connections, size)
        self._network: Buckets[str] = Buckets(chosen.network, size)
        self._here: Buckets[tuple[str, str]] = Buckets(chosen.operator_here, size)
        self._operator: Buckets[str] = Buckets(chosen.operator, size)
        self._familiar: OrderedDict[tuple[str, str], None] = OrderedDict()

    def source_may_connect(self, host: str) -> bool:
        """Count a connection from *host*; False when there are too many of its network."""
        network, now = network_of(host), self._now()
        if not self._connections.ready(network, now):
            return False
        self._connections.take(network, now)
        return True

    def admits(self, operator: str, host: str) -> bool:
        """Take a token for a guess at *operator* from *host*; False when it must not be looked at."""
        network, now = network_of(host), self._now()
        pair = (operator, network)
        if not self._network.ready(network, now) or not self._here.ready(pair, now):
            return False
        if not self._operator.ready(operator, now):
            if pair not in self._familiar:
                return False
        else:
            self._operator.take(operator, now)
        self._network.take(network, now)
        self._here.take(pair, now)
        return True

    def right(self, operator: str, host: str) -> None:
        """Give back the token of a guess that was right."""
        network = network_of(host)
        self._network.give_back(network)
        self._here.give_back((operator, network))
        self._operator.give_back(operator)

    def logged_in(self, operator: str, host: str) -> None:
        """Remember a complete login: earlier mistakes from there count no more."""
        pair = (operator, network_of(host))
        self._here.forget(pair)
        self._familiar[pair] = None
        self._familiar.move_to_end(pair)
        if len(self._familiar) > self._size:
            self._familiar.popitem(last=False)

    def _now(self) -> float:
        return self._clock.monotonic_us() / 1e6


def network_of(host: str) -> str:
    """What one subscriber has: an IPv4 address, or the /64 of an IPv6 address."""
    address = address_of(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host if address is None else str(address)
