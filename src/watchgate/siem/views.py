"""The formats by name, and the page that says how each kind of event looks in them."""

from __future__ import annotations

from collections.abc import Iterator

from watchgate.siem import cef, ecs, leef, ocsf, plain
from watchgate.siem.fact import View
from watchgate.siem.meaning import MEANINGS, VARIANTS
from watchgate.siem.particulars import Role
from watchgate.siem.severity import syslog_severity

VIEWS: dict[str, View] = {
    "cef": cef.cef,
    "leef": leef.leef,
    "ecs": ecs.ecs,
    "ocsf": ocsf.ocsf,
    "json": plain.plain,
}
"""What a sink's `format` may be."""

_FIXED = (
    ("event id, for duplicates", "`externalId`", "`externalId`", "`event.id`", "`metadata.uid`"),
    ("time", "`rt`", "`devTime`", "`@timestamp`", "`time`"),
    ("kind", "class id", "event id", "`event.action`", "`metadata.event_code`"),
    ("severity", "header", "`sev`", "`event.severity`", "`severity_id`"),
    ("what was done about it", "`act`", "`action`", "`labels.action`", "`action_id`"),
    ("outcome", "`outcome`", "`outcome`", "`event.outcome`", "`status_id`"),
    ("gateway", "`dvchost`", "`identHostName`", "`observer.hostname`", "`metadata.log_provider`"),
    ("session", "`cs2`", "`sessionId`", "`labels.session_id`", "`metadata.correlation_uid`"),
    ("number in the session", "", "", "`event.sequence`", "`metadata.sequence`"),
    (
        "milliseconds into the recording",
        *("`cn1`", "`recordingOffsetMs`"),
        *("`watchgate.recording.offset_ms`", "`unmapped.recording_offset_ms`"),
    ),
    ("sentence", "`msg`", "`msg`", "`message`", "`message`"),
    (
        "all other fields",
        "`cs6` (JSON)",
        "`details` (JSON)",
        "`watchgate.data`",
        "`unmapped.details`",
    ),
)

_IN_OCSF: dict[Role, str] = {
    Role.OPERATOR: "`actor.user.name`, `src_endpoint.owner.name`, `user.name`",
    Role.ACCOUNT: "`dst_endpoint.owner.name`, `process.user.name`",
    Role.TARGET: "`dst_endpoint.name`, `device.name`",
    Role.CLIENT: "`src_endpoint`",
    Role.ADDRESS: "`dst_endpoint`",
    Role.DESTINATION: "`unmapped.forward_destination`",
    Role.PROTOCOL: "`app_name`",
    Role.COMMAND: "`process.cmd_line`",
    Role.EXIT_STATUS: "`exit_code`, `unmapped.exit_status`",
    Role.PATH: "`file.path`",
    Role.SIZE: "`file.size`",
    Role.DIGEST: "`file.hashes`",
    Role.REASON: "`status_detail`",
    Role.RECORDING: "`unmapped.recording`",
    Role.GRANT: "`unmapped.grant`",
    Role.OCTETS_IN: "`traffic.bytes_in`",
    Role.OCTETS_OUT: "`traffic.bytes_out`",
    Role.DURATION: "`duration`",
    Role.RULES: "`unmapped.rules`",
    Role.NORMALIZED: "`unmapped.normalized_command`",
}


def mapping_table() -> Iterator[str]:
    """The two tables of docs/reference/siem-mapping.md in Markdown, behind its heading."""
    yield "\n## Fields\n\n| What | CEF | LEEF | ECS | OCSF |\n|---|---|---|---|---|\n"
    for row in _FIXED:
        yield f"| {' | '.join(row)} |\n"
    for role in Role:
        cells = (role.value, _in_cef(role), _in_leef(role), _in_ecs(role), _IN_OCSF[role])
        yield f"| {' | '.join(cells)} |\n"
    yield "\n## Kinds\n\nSeverity is CEF's, then syslog's. In OCSF a class and its activity.\n\n"
    yield "| Kind | Name | Severity | `act` | Outcome | ECS category, type | OCSF |\n"
    yield "|---|---|---|---|---|---|---|\n"
    for kind, meaning in sorted(MEANINGS.items()):
        syslog = f"{meaning.severity}, {syslog_severity(meaning.severity)}"
        in_ecs = f"{meaning.category}, {meaning.type}"
        words = (f"`{kind}`", meaning.title, syslog, meaning.action, meaning.outcome, in_ecs)
        yield f"| {' | '.join(words)} | {_in_ocsf(*meaning.ocsf)} |\n"
    yield "\n## What a value changes\n\n| Kind | Field | Value | Then |\n|---|---|---|---|\n"
    for (kind, field, value), changes in VARIANTS.items():
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        yield f"| `{kind}` | `{field}` | `{shown}` | {_changed(changes)} |\n"


def _in_ocsf(class_uid: int, activity: int) -> str:
    name, activities = ocsf.CLASSES[class_uid]
    return f"{class_uid} {name}: {activity} {activities.get(activity, 'Other')}"


def _changed(changes: object) -> str:
    assert isinstance(changes, dict)
    return ", ".join(
        f"{name}: {_in_ocsf(*value) if name == 'ocsf' else value}"
        for name, value in changes.items()
    )


def _code(*names: str | None) -> str:
    return ", ".join(f"`{name}`" for name in names if name)


def _in_cef(role: Role) -> str:
    labeled = cef.LABELED_TEXTS.get(role) or cef.LABELED_NUMBERS.get(role)
    if labeled is not None:
        return f"`{labeled[0]}` ({labeled[1]})"
    return _code(cef.TEXTS.get(role), cef.NUMBERS.get(role), *cef.PEERS.get(role, ()))


def _in_leef(role: Role) -> str:
    return _code(leef.TEXTS.get(role), leef.NUMBERS.get(role), *leef.PEERS.get(role, ()))


def _in_ecs(role: Role) -> str:
    place = ecs.PEERS.get(role)
    parts = [f"{place}.{name}" for name in ("address", "ip", "port")] if place else []
    duration = ecs.DURATION if role is Role.DURATION else None
    return _code(ecs.TEXTS.get(role), ecs.NUMBERS.get(role), duration, *parts)
