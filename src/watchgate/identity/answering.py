"""Approvals answered over SSH itself: `ssh -p 2222 bob@gate approvals`.

For approvers who log in by key only, and for all who have a terminal and no account on the gateway's machine.
What is said is the line of an exec request to the menu; the SSH login is the proof of who says it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from watchgate.catalog import approvals
from watchgate.catalog.approvals import ApprovalRecord, State
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import Clock, iso
from watchgate.errors import ConfigurationError
from watchgate.identity import approvers
from watchgate.identity.approving import Approving
from watchgate.quantities import parse_duration
from watchgate.session.model import Operator

WORD = "approvals"
LONGEST_LINE = 4_096
LISTED = 100

USAGE = (
    "approvals [list], approvals show ID, approvals approve ID [--for 2h] REASON, "
    "approvals refuse ID REASON"
)


@dataclass(frozen=True, slots=True)
class _Words:
    """What follows the verb."""

    name: str
    reason: str
    for_us: int | None


class Answering:
    """Answers the lines of operators who have logged in."""

    def __init__(self, approving: Approving, catalog: CatalogThread, clock: Clock) -> None:
        self._approving = approving
        self._catalog = catalog
        self._clock = clock

    async def answer_over_ssh(self, operator: Operator, line: str) -> list[str] | None:
        """What to show *operator*, who asked for *line*; None when it is not about approvals.

        The lines hold nothing that a terminal would obey. Raises NotFound, Refused and ConfigurationError,
        whose messages are for him.
        """
        if line.strip().partition(" ")[0] != WORD:
            return None
        if len(line) > LONGEST_LINE:
            raise ConfigurationError(f"write {USAGE}", code="approval.usage")
        verb, *rest = _split(line)[1:] or ["list"]
        await self._catalog.read(approvers.require_approver, operator.name)
        match verb:
            case "list" if not rest:
                return await self._list()
            case "show" if len(rest) == 1:
                return list(_described(await self._catalog.read(approvals.find, rest[0])))
            case "approve" | "refuse" if len(rest) > 1:
                return await self._answer(operator, rest, approved=verb == "approve")
            case _:
                raise ConfigurationError(f"write {USAGE}", code="approval.usage")

    async def _list(self) -> list[str]:
        waiting = await self._catalog.read(approvals.list_all, states=[State.WAITING], limit=LISTED)
        if not waiting:
            return ["no command waits for an approval"]
        now_us = self._clock.wall_us()
        return [self._waiting(one, now_us) for one in waiting]

    def _waiting(self, one: ApprovalRecord, now_us: int) -> str:
        left = max(0, one.expires_at_us - now_us) // 1_000_000
        where = f"{one.account}@{one.target}"
        return f"{one.id}  {one.operator}  {where}  {left} s left  {visible(one.command)}"

    async def _answer(
        self, operator: Operator, rest: Sequence[str], *, approved: bool
    ) -> list[str]:
        words = _parsed(rest)
        record = await self._approving.answer(
            words.name,
            operator.name,
            approved=approved,
            reason=words.reason,
            for_us=words.for_us,
        )
        return [f"{record.state}: {record.operator}, {visible(record.command)}"]


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise ConfigurationError(
            f"a quote is left open in {visible(line)}; write {USAGE}", code="approval.usage"
        ) from error


def _parsed(rest: Sequence[str]) -> _Words:
    """An id, then a reason, with `--for` and `--reason` anywhere behind it."""
    name, *following = rest
    reason: list[str] = []
    for_us = None
    words = iter(following)
    for word in words:
        option, equals, value = word.partition("=")
        if option not in ("--for", "--reason"):
            reason.append(word)
            continue
        said = value if equals else next(words, "")
        if option == "--for":
            for_us = _microseconds(said)
        else:
            reason.append(said)
    return _Words(name, " ".join(reason), for_us)


def _microseconds(text: str) -> int:
    try:
        return round(parse_duration(text) * 1e6)
    except ValueError as error:
        raise ConfigurationError(
            f"{visible(text)!r} is no length of time; write 30min or 2h", code="approval.usage"
        ) from error


def _described(one: ApprovalRecord) -> Iterator[str]:
    yield f"approval  {one.id}"
    yield f"state     {one.state}"
    yield f"operator  {one.operator}"
    yield f"where     {one.account}@{one.target}"
    yield f"asked     {iso(one.asked_at_us)}"
    yield f"waits to  {iso(one.expires_at_us)}"
    yield f"rules     {', '.join(one.rules)}"
    yield f"command   {visible(one.command)}"
    for text in one.normalized:
        yield f"which is  {visible(text)}"
    if one.answered_by is not None:
        yield f"answered  by {one.answered_by}: {visible(one.reason or '')}"


def visible(text: str) -> str:
    """*text* on one line, with everything that a terminal would obey written as an escape."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
