"""The terms of a grant as files say them, and back.

Nothing here depends on the machine that reads: a moment without an offset and a window of hours need
`zone`, and a length of time (`8h`) is refused, because it would mean another moment at every apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from watchgate.catalog.schema import storable
from watchgate.clock import iso
from watchgate.configuration.entries import GrantEntry
from watchgate.errors import ConfigurationError
from watchgate.identity import grants
from watchgate.identity.grants import Terms
from watchgate.identity.hours import Hours
from watchgate.session.model import DEFAULT_CAPABILITIES, Capability, ShellKind


def grant(said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `GrantEntry`, but for its name, of what a file says; or ConfigurationError."""
    _exactly_one(said, "operator", "group", "to whom")
    _exactly_one(said, "target", "labels", 'on what ("*" as target is every target)')
    if said.get("labels") == {}:
        raise ConfigurationError(
            'labels without any select every target; say so: target: "*"',
            code="grant.illegal-selector",
        )
    # Twice through its own text: a selector is kept as text, which has no spaces at its ends.
    where = said.get("target") or _selector(_selector(said["labels"]))
    return {
        "operator": said.get("operator"),
        "group": said.get("group"),
        "account": said["account"],
        "where": where,
        "terms": _terms(said),
    }


def _selector(labels: Mapping[str, str] | str) -> str:
    read = grants.parse_selector(labels) if isinstance(labels, str) else labels
    return grants.describe_selector(read)


def _exactly_one(said: Mapping[str, Any], one: str, other: str, question: str) -> None:
    if (one in said) == (other in said):
        raise ConfigurationError(
            f"a grant says {question} with {one} or with {other}, and with one of them",
            code="configuration.illegal-grant",
        )


def _terms(said: Mapping[str, Any]) -> Terms:
    if "allow" in said and "also" in said:
        raise ConfigurationError(
            "allow says all that is permitted, also says more than the usual; choose one",
            code="configuration.illegal-grant",
        )
    capabilities = frozenset(said.get("allow", ())) or DEFAULT_CAPABILITIES
    if said.get("allow") == ():
        raise ConfigurationError(
            "a grant that permits nothing is no grant; leave allow out, or the grant",
            code="grant.no-capability",
        )
    zone = said.get("zone")
    begin, until = (_moment(said.get(word), zone) for word in ("from", "until"))
    if begin is not None and until is not None and until <= begin:
        raise ConfigurationError("it would end before it begins", code="grant.illegal-time")
    return Terms(
        capabilities=capabilities | frozenset(said.get("also", ())),
        from_us=begin,
        until_us=until,
        hours=_hours(said.get("days"), said.get("hours"), zone),
        networks=ordered(said.get("networks", ())),
        max_sessions=said.get("max_sessions", 0),
        comment=storable(said.get("comment", "")),
        shell=said.get("shell", ShellKind.TARGET),
        elevation=said.get("elevation"),
    )


def ordered(networks: tuple[grants.Network, ...]) -> tuple[grants.Network, ...]:
    """Networks in one order, each once: it never matters in which they are written."""
    return tuple(sorted(set(networks), key=lambda one: (one.version, one)))


def moment(text: str) -> datetime:
    """A date, or a date with a time; ConfigurationError for anything else."""
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is not a moment; write 2026-11-21, or 2026-11-21T18:00Z",
            code="configuration.illegal-moment",
        ) from error


def _moment(at: datetime | None, zone: str | None) -> int | None:
    if at is None:
        return None
    if at.tzinfo is None:
        if zone is None:
            raise ConfigurationError(
                f"{at.isoformat(' ', 'minutes')} is another moment in each time zone; write it with "
                "Z or an offset (2026-11-21T18:00Z), or say zone: Europe/Berlin",
                code="configuration.no-zone",
            )
        Hours.parse(None, None, zone)  # says what is wrong with a zone that is none
        at = at.replace(tzinfo=ZoneInfo(zone))
    try:
        return round(at.astimezone(UTC).timestamp() * 1_000_000)
    except (OverflowError, ValueError) as error:
        raise ConfigurationError(
            f"{at} is not a moment that can be kept", code="configuration.illegal-moment"
        ) from error


def _hours(days: str | None, window: str | None, zone: str | None) -> Hours | None:
    if days is None and window is None:
        return None
    if zone is None:
        raise ConfigurationError(
            "days and hours need the zone whose clock is meant: zone: Europe/Berlin",
            code="configuration.no-zone",
        )
    return Hours.parse(days, window, zone)


# --- and back ------------------------------------------------------------------------------------


def written(entry: GrantEntry) -> dict[str, Any]:
    """What a file says of a grant; `grant` reads it back."""
    said: dict[str, Any] = {}
    if entry.operator is not None:
        said["operator"] = entry.operator
    else:
        said["group"] = entry.group
    said["account"] = entry.account
    if entry.by_labels and entry.where != grants.EVERY:
        said["labels"] = grants.parse_selector(entry.where)
    else:
        said["target"] = entry.where
    return said | written_terms(entry.terms)


def written_terms(terms: Terms) -> dict[str, Any]:
    """What a file says of the terms alone; what is as usual is left out."""
    said: dict[str, Any] = {}
    if terms.capabilities > DEFAULT_CAPABILITIES:
        said["also"] = _in_order(terms.capabilities - DEFAULT_CAPABILITIES)
    elif terms.capabilities != DEFAULT_CAPABILITIES:
        said["allow"] = _in_order(terms.capabilities)
    if terms.from_us is not None:
        said["from"] = written_moment(terms.from_us)
    if terms.until_us is not None:
        said["until"] = written_moment(terms.until_us)
    if terms.hours is not None:
        *days, window, zone = terms.hours.describe().split(" ")
        said |= {"days": days[0]} if days else {}
        said |= {"hours": window, "zone": zone}
    if terms.networks:
        said["networks"] = [str(network) for network in terms.networks]
    if terms.max_sessions:
        said["max_sessions"] = terms.max_sessions
    if terms.shell is not ShellKind.TARGET:
        said["shell"] = str(terms.shell)
    if terms.elevation is not None:
        said["elevation"] = grants.describe_elevation(terms.elevation)
    if terms.comment:
        said["comment"] = terms.comment
    return said


def _in_order(capabilities: frozenset[Capability]) -> list[str]:
    return [str(one) for one in Capability if one in capabilities]


def written_moment(at_us: int) -> str:
    """A moment in UTC, without a fraction when it has none."""
    return iso(at_us).replace(".000000", "")
