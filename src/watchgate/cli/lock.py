"""`watchgate operator lock` and `unlock`: stop an operator at once, and let him in again.

Through the gateway that serves, so that his open sessions end; where none serves, in the catalog.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from watchgate.api.control import Message, request
from watchgate.cli.context import Context
from watchgate.cli.output import said
from watchgate.errors import NotFound
from watchgate.identity import locks

Name = Annotated[str, typer.Argument(metavar="OPERATOR", help="The operator's name.")]
Reason = Annotated[
    str, typer.Option(help="Why; it is recorded, and shown in the sessions that a lock ends.")
]


def lock(context: Context, name: Name, reason: Reason) -> None:
    """Lock an operator's account: his open sessions end, and new ones are refused."""
    answer = _asked(context, {"do": "lock", "operator": name, "reason": reason})
    if answer is None:
        with context.gateway() as gateway, gateway.catalog.write() as connection:
            held, _ = locks.lock(connection, context.clock, name, by=context.actor, reason=reason)
        answer = {"operator": held.operator, "at_us": held.at_us, "sessions": 0}
    ended = answer["sessions"]
    which = "he had no open session" if ended == 0 else f"{ended} open sessions are ended"
    if ended == 1:
        which = "his open session is ended"
    said(
        context,
        f"operator {answer['operator']} is locked; {which}. "
        f"He comes in again after: watchgate operator unlock {answer['operator']} --reason WHY",
        answer,
    )


def unlock(context: Context, name: Name, reason: Reason) -> None:
    """Release an operator's account; what he was locked for counts no more."""
    answer = _asked(context, {"do": "unlock", "operator": name, "reason": reason})
    if answer is None:
        with context.gateway() as gateway, gateway.catalog.write() as connection:
            held = locks.unlock(connection, context.clock, name, by=context.actor, reason=reason)
        whom = name if held is None else held.operator
        answer = {"operator": whom, "was_locked": held is not None}
    was = "is released" if answer["was_locked"] else "was not locked"
    said(context, f"operator {answer['operator']} {was}", answer)


def _asked(context: Context, question: dict[str, Any]) -> Message | None:
    """What the serving gateway answers; None when none serves."""
    context.require_initialized()
    try:
        return request(context.paths.control_socket, {**question, "by": context.actor})
    except NotFound as error:
        if error.code != "gateway.not-running":
            raise
        return None
