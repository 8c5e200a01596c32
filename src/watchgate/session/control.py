"""Sessions that are open now, and what an admin can do to them at once.

Everything here happens on the event loop of the process that holds the sessions; other processes come
through api/control.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from watchgate.errors import NotFound, WatchgateError
from watchgate.secret import Secret
from watchgate.session.deciding import Decider, Lock
from watchgate.session.events import ControlTerminated
from watchgate.session.model import Ending, EndReason, Route
from watchgate.session.ports import ApprovalAnswer, ApprovalRequest, Recorder, Services

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Session:
    """An open session: its route, its evidence, and the one way to end it from outside."""

    id: str
    route: Route
    client: str
    started_at_us: int
    recorder: Recorder
    decider: Decider
    services: Services
    _ended: asyncio.Future[Ending] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def terminate(self, by: str, reason: str) -> None:
        """End the session in the name of an admin; later calls change nothing."""
        if self._ended.done():
            return
        self.recorder.event(ControlTerminated(by=by, reason=reason))
        self.end(Ending(EndReason.TERMINATED, reason, by))

    def end(self, ending: Ending) -> None:
        """End the session from inside: its grant ran out, the gateway stops."""
        if not self._ended.done():
            self._ended.set_result(ending)

    async def ended(self) -> Ending:
        """Wait until somebody ends the session."""
        return await asyncio.shield(self._ended)

    # --- what deciding commands asks of the rest of the gateway ---

    async def seek(
        self, request: ApprovalRequest, asked: Callable[[str, tuple[str, ...]], None]
    ) -> ApprovalAnswer:
        """Ask for an approval and wait for the answer; what fails is a refusal."""
        try:
            return await self.services.approvals.seek(request, asked)
        except WatchgateError as error:
            log.error("an approval could not be asked for in session %s: %s", self.id, error)
            return ApprovalAnswer("", approved=False, by="", reason="it could not be asked for")

    async def password(self, account: str) -> Secret | None:
        """The password of an account on the session's target, None when the vault has none."""
        try:
            return await self.services.vault.password(self.route, account)
        except WatchgateError as error:
            log.error("no password to elevate with in session %s: %s", self.id, error)
            return None

    async def lock(self, lock: Lock) -> None:
        """Lock the operator's account, which ends his sessions; ends this one in any case."""
        try:
            await self.services.locks.lock(lock.operator, lock.rule, lock.reason, self.id)
        except WatchgateError as error:
            log.error("%s could not be locked: %s", lock.operator, error)
        finally:
            self.end(Ending(EndReason.LOCKED, lock.reason))


class Sessions:
    """The register of open sessions of this process."""

    def __init__(self) -> None:
        self._open: dict[str, Session] = {}
        self._none = asyncio.Event()
        self._none.set()

    def add(self, session: Session) -> None:
        """Take *session* into the register; `remove` when it is over."""
        self._open[session.id] = session
        self._none.clear()

    def remove(self, session: Session) -> None:
        """Forget *session*."""
        self._open.pop(session.id, None)
        if not self._open:
            self._none.set()

    async def over(self) -> None:
        """Wait until no session is open."""
        await self._none.wait()

    def __len__(self) -> int:
        return len(self._open)

    def all(self) -> list[Session]:
        """The open sessions, oldest first."""
        return sorted(self._open.values(), key=lambda session: session.started_at_us)

    def find(self, prefix: str) -> Session:
        """The session whose id is or uniquely begins with *prefix*; raises NotFound."""
        found = [session for key, session in self._open.items() if key.startswith(prefix)]
        if len(found) != 1:
            what = "no open session has" if not found else f"{len(found)} open sessions have"
            raise NotFound(f"{what} an id that begins with {prefix!r}", code="session.not-open")
        return found[0]

    def end_all(self, ending: Ending) -> None:
        """End every session, as when the gateway stops."""
        for session in list(self._open.values()):
            session.end(ending)
