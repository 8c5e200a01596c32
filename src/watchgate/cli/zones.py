"""The time zones of the command line: of what is read, and of what is shown."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from watchgate.cli.context import Context
from watchgate.cli.grant import local_zone
from watchgate.errors import ConfigurationError


def named(name: str | None) -> tzinfo:
    """The zone of that name, else this machine's."""
    wanted = name or local_zone()
    try:
        return ZoneInfo(wanted)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"{wanted!r} is not a time zone; write one such as Europe/Berlin or UTC",
            code="cli.illegal-zone",
        ) from error


def shown(context: Context) -> tzinfo:
    """The zone in which days are counted and moments written."""
    return UTC if context.utc else named(None)
