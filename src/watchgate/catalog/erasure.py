"""What the catalog keeps of a session whose recording was erased: that it was, not what was said in it.

Erasing a recording is destroying its key. What is in clear in the head of the file (who, where, when) stays
in the catalog too; commands and what was decided of them, names of files, destinations of forwarded connections
and the reason of the end go.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from watchgate.catalog.projection import Status, apply
from watchgate.catalog.schema import command, file_transfer, forward, rule_hit, session, verdict
from watchgate.session.ports import RecordingRequest

_TEXTS = (rule_hit, verdict, command, file_transfer, forward)


def erase(
    connection: Connection, request: RecordingRequest, status: Status, last_at_us: int
) -> int:
    """Remove the texts of a session; how many rows there were.

    A session that the catalog does not know is listed, with *last_at_us* as its end.
    """
    here = session.c.id == request.session
    known = connection.scalar(select(session.c.state).where(here))
    if known in (None, "live"):
        apply(connection, request, (), status)
    if known in (None, "live") and status is not Status.LIVE:
        connection.execute(
            update(session).where(here).values(last_at_us=last_at_us, ended_at_us=last_at_us)
        )
    connection.execute(update(session).where(here).values(detail=None))
    return sum(
        connection.execute(delete(table).where(table.c.session_id == request.session)).rowcount
        for table in _TEXTS
    )
