"""Asks for approvals and knows those that were given: implements `session.ports.Approvals`.

A request waits as a row of the catalog and as a future of this process; an answer is durable before the future
hears of it. An approval covers one exact command of one operator, as one account on one target: for once, or
for a time. What is for once goes to the line that waits for it; it stands only when that line is gone by then,
and no longer than the request would have waited.

**For once is once, whatever crashes.** `take` must answer at once, so it uses an approval up in memory and the
catalog hears of it a moment later. A crash between the two leaves a row that looks unused. Therefore what is
for once ends with its process: at the next start all such rows are void. The price is an approval that is
asked for again after a restart; the other way round a command would have run twice on one word. What is for a
time may be repeated anyway, and survives.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec

from sqlalchemy import Connection

from watchgate.catalog import approvals
from watchgate.catalog.approvals import ApprovalRecord, Asked, State
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import Clock
from watchgate.errors import ConfigurationError, Refused
from watchgate.identifiers import uuid7
from watchgate.identity import approvers
from watchgate.quantities import show_duration
from watchgate.session.model import Route
from watchgate.session.ports import ApprovalAnswer, ApprovalRequest

P = ParamSpec("P")

log = logging.getLogger(__name__)

MOST_WAITING = 1_000
"""Requests that wait at one time; a further one is answered with no at once."""

MOST_STANDING = 10_000
"""Approvals that stand at one time; with so many none is given until some are over."""

LONGEST_COMMAND = 16_384
"""Characters; what an approver would not read to its end is not put before him."""

LONGEST_REASON = 1_000
LONGEST_TIME_US = 30 * 86_400 * 1_000_000
"""A standing need of more than that is a rule, not an approval."""

NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Covered:
    """What an approval is bound to."""

    operator: str
    account: str
    target: str
    key_digest: str


@dataclass(slots=True)
class _Waiting:
    """A line that waits, for as long as it does."""

    answer: asyncio.Future[ApprovalRecord]
    revoked: bool = False


class Approving:
    """The approvals of one process, on its event loop; an async context manager."""

    def __init__(
        self,
        catalog: CatalogThread,
        clock: Clock,
        *,
        wait: float,
        most_waiting: int = MOST_WAITING,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """*wait* is how many seconds a request waits for its answer."""
        self._catalog = catalog
        self._clock = clock
        self._wait = wait
        self._most = most_waiting
        self._random = random
        self._waiting: dict[str, _Waiting] = {}
        self._places: set[tuple[str, int]] = set()
        """The channels, by session, on which a line waits."""
        self._standing: dict[Covered, list[ApprovalRecord]] = {}
        self._later = _Later(catalog)
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Approving:
        left = await self._catalog.write(approvals.close_abandoned, self._clock)
        if left:
            log.info("closed %d approvals that the last gateway left open", left)
        now_us = self._clock.wall_us()
        for record in await self._catalog.read(approvals.standing, now_us, limit=MOST_STANDING):
            self._stand(record)
        await self._group.__aenter__()
        self._group.create_task(self._later.run())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._later.finish()
        await self._group.__aexit__(None, None, None)

    @property
    def wait_us(self) -> int:
        """How long a request waits."""
        return round(self._wait * 1e6)

    # --- for sessions ----------------------------------------------------------------------------

    async def seek(
        self, request: ApprovalRequest, asked: Callable[[str, tuple[str, ...]], None]
    ) -> ApprovalAnswer:
        """Ask, and wait until somebody answers or the time is over; cancelling it withdraws the request.

        *asked* is told the approval's id and who may answer, once it is asked.
        """
        place = (request.session, request.channel)
        if (obstacle := self._obstacle(request, place)) is not None:
            return ApprovalAnswer("", approved=False, by=NOBODY, reason=obstacle)
        row = self._row(request)
        waiting = self._waiting[row.id] = _Waiting(asyncio.get_running_loop().create_future())
        self._places.add(place)
        try:
            who = await self._catalog.write(approvers.ask, self._clock, row)
            if not who:
                return ApprovalAnswer(
                    row.id, approved=False, by=NOBODY, reason=approvers.NO_APPROVER
                )
            asked(row.id, who)
            return await self._answered(row.id, waiting)
        except BaseException:
            self._withdraw(row.id, waiting)
            raise
        finally:
            del self._waiting[row.id]
            self._places.discard(place)

    def of(self, route: Route) -> OnRoute:
        """The approvals that cover commands on *route*."""
        return OnRoute(self, route.account.name, route.target.name)

    def take(self, covered: Covered, at_us: int) -> str | None:
        """The id of an approval that covers this at that wall time, used up when it is for once."""
        standing = [one for one in self._standing.get(covered, ()) if one.stands(at_us)]
        if not standing:
            self._standing.pop(covered, None)
            return None
        # One that is for a time is not worn out by use, so it goes first.
        chosen = min(standing, key=lambda one: one.once)
        if chosen.once:
            standing.remove(chosen)
            self._later.put(approvals.use, chosen.id)
        self._standing[covered] = standing
        return chosen.id

    # --- for approvers ---------------------------------------------------------------------------

    async def answer(
        self, name: str, by: str, *, approved: bool, reason: str, for_us: int | None = None
    ) -> ApprovalRecord:
        """Answer the request with this id, or unique beginning of it, in the name of *by*.

        *for_us* makes it an approval for that long; without it, it is for once. *by* must have been proven by
        the caller; that he may is looked up here, in the transaction of the answer. Raises NotFound, Refused
        and ConfigurationError.
        """
        reason = _checked_reason(reason)
        until_us = None if for_us is None else self._clock.wall_us() + _checked_time(for_us)
        if approved and self._full():
            raise Refused(
                f"{MOST_STANDING:,} approvals stand; revoke some, or wait until they are over",
                code="approval.too-many",
            )
        record = await self._catalog.write(
            approvers.answer,
            self._clock,
            name,
            by,
            approved=approved,
            reason=reason,
            until_us=until_us,
        )
        self._heard(record)
        return record

    async def revoke(self, name: str, *, by: str, reason: str) -> ApprovalRecord:
        """Take back an approval that stands; raises NotFound and Refused."""
        record = await self._catalog.write(
            approvers.revoke, self._clock, name, by=by, reason=_checked_reason(reason)
        )
        if (waiting := self._waiting.get(record.id)) is not None:
            waiting.revoked = True
        covered = _covered(record)
        left = [one for one in self._standing.pop(covered, ()) if one.id != record.id]
        if left:
            self._standing[covered] = left
        return record

    # --- inside ----------------------------------------------------------------------------------

    def _obstacle(self, request: ApprovalRequest, place: tuple[str, int]) -> str | None:
        """Why the request is not even put before anybody."""
        if place in self._places:
            return "another line of this channel waits for an approval"
        if len(self._waiting) >= self._most:
            return f"{self._most:,} commands wait for an approval already; try again later"
        shown = max(len(request.command), sum(map(len, request.normalized)))
        if shown > LONGEST_COMMAND:
            return f"with {shown:,} characters the command is too long for anybody to approve"
        return None

    def _row(self, request: ApprovalRequest) -> Asked:
        route = request.route
        return Asked(
            id=uuid7(self._clock, self._random),
            session=request.session,
            operator=route.operator.name,
            account=route.account.name,
            target=route.target.name,
            channel=request.channel,
            command=request.command,
            normalized=request.normalized,
            key_digest=key_digest(request.key),
            rules=request.rules,
            expires_at_us=self._clock.wall_us() + self.wait_us,
        )

    async def _answered(self, identifier: str, waiting: _Waiting) -> ApprovalAnswer:
        """The answer, or that there was none in time."""
        # Not `timeout`, which would cancel the future and so lose an answer that comes in the same moment.
        await asyncio.wait([waiting.answer], timeout=self._wait)
        if waiting.answer.done():
            return await self._consumed(waiting.answer.result())
        why = f"nobody answered within {show_duration(self._wait)}"
        if await self._catalog.write(approvals.close, self._clock, identifier, State.EXPIRED, why):
            return ApprovalAnswer(identifier, approved=False, by=NOBODY, reason=why)
        # Somebody was first. One thread writes, in order, so whoever it was has heard of it and told us by
        # now; unless he was cancelled in between, and then only the catalog knows.
        if waiting.answer.done():
            return await self._consumed(waiting.answer.result())
        return await self._consumed(await self._catalog.read(approvals.find, identifier))

    async def _consumed(self, record: ApprovalRecord) -> ApprovalAnswer:
        """What the waiting line hears; it uses up what is for once before it runs."""
        approved = record.state is State.APPROVED
        if approved and record.once:
            approved = await self._catalog.write(approvals.use, record.id)
        return ApprovalAnswer(
            record.id,
            approved=approved,
            by=record.answered_by or NOBODY,
            reason=record.reason or "",
        )

    def _withdraw(self, identifier: str, waiting: _Waiting) -> None:
        """The line waits no more. What was approved for it alone by now stands, until its time is over."""
        if not waiting.answer.done():
            self._later.put(
                approvals.close,
                self._clock,
                identifier,
                State.WITHDRAWN,
                "the operator withdrew it",
            )
        elif waiting.answer.result().once and not waiting.revoked:
            self._stand(waiting.answer.result())

    def _heard(self, record: ApprovalRecord) -> None:
        """Tell the line that waits, and keep what stands."""
        waiting = self._waiting.get(record.id)
        told = waiting is not None and not waiting.answer.done()
        if waiting is not None and told:
            waiting.answer.set_result(record)
        if not (told and record.once):
            self._stand(record)

    def _stand(self, record: ApprovalRecord) -> None:
        if record.stands(self._clock.wall_us()):
            self._standing.setdefault(_covered(record), []).append(record)

    def _full(self) -> bool:
        if sum(map(len, self._standing.values())) < MOST_STANDING:
            return False
        now_us = self._clock.wall_us()
        kept = {
            covered: [one for one in records if one.stands(now_us)]
            for covered, records in self._standing.items()
        }
        self._standing = {covered: records for covered, records in kept.items() if records}
        return sum(map(len, self._standing.values())) >= MOST_STANDING


@dataclass(frozen=True, slots=True)
class OnRoute:
    """The approvals on one route: implements `session.deciding.Approved`."""

    approving: Approving
    account: str
    target: str

    def take(self, operator: str, key: tuple[str, ...], at_us: int) -> str | None:
        """The id of an approval under which the operator may run this command now."""
        covered = Covered(operator, self.account, self.target, key_digest(key))
        return self.approving.take(covered, at_us)


@dataclass(slots=True)
class _Later:
    """Writes that nobody waits for, in their order; what is not written is set right at the next start.

    There are never more than requests and approvals, which are bounded.
    """

    catalog: CatalogThread
    works: deque[Callable[[Connection], object]] = field(default_factory=deque)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    finishing: bool = False

    def put(
        self,
        work: Callable[Concatenate[Connection, P], object],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """Write *work* soon."""
        self.works.append(lambda connection: work(connection, *args, **kwargs))
        self.ready.set()

    def finish(self) -> None:
        """Let `run` return once it has written what is left."""
        self.finishing = True
        self.ready.set()

    async def run(self) -> None:
        """Write until told to finish."""
        while self.works or not self.finishing:
            await self.ready.wait()
            self.ready.clear()
            while self.works:
                work = self.works.popleft()
                try:
                    await self.catalog.write(work)
                except Exception:
                    log.exception("what became of an approval could not be written")


def key_digest(key: Sequence[str]) -> str:
    """SHA-256 of a command's exact parsed form; JSON keeps its parts apart and takes any text."""
    return hashlib.sha256(json.dumps(list(key)).encode()).hexdigest()


def _covered(record: ApprovalRecord) -> Covered:
    return Covered(record.operator, record.account, record.target, record.key_digest)


def _checked_reason(reason: str) -> str:
    stripped = " ".join(reason.split())
    if not stripped or len(stripped) > LONGEST_REASON:
        raise ConfigurationError(
            f"an answer has a reason, of at most {LONGEST_REASON:,} characters",
            code="approval.no-reason",
        )
    return stripped


def _checked_time(for_us: int) -> int:
    if not 0 < for_us <= LONGEST_TIME_US:
        raise ConfigurationError(
            f"an approval lasts at most {show_duration(LONGEST_TIME_US / 1e6)}; "
            "what is needed for longer is a rule",
            code="approval.illegal-time",
        )
    return for_us
