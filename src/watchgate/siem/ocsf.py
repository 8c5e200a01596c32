"""Open Cybersecurity Schema Framework 1.5, as one line of JSON.

Each class wants attributes of its own, beside those that all events have. `OBJECTS` gives them: what is
always there, and with what it is filled when an event does not say it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from watchgate.siem import meaning as m
from watchgate.siem.fact import Fact, Host
from watchgate.siem.fitting import compact, fitted, nested
from watchgate.siem.legible import one_line
from watchgate.siem.particulars import Particulars, Peer, Role

VERSION = "1.5.0"

CLASSES: dict[int, tuple[str, dict[int, str]]] = {
    m.SSH: ("SSH Activity", {1: "Open", 2: "Close", 3: "Reset", 4: "Fail", 5: "Refuse"}),
    m.NETWORK: ("Network Activity", {1: "Open", 2: "Close", 5: "Refuse", 7: "Listen"}),
    m.PROCESS: ("Process Activity", {1: "Launch", 2: "Terminate"}),
    m.FILE: (
        "File Hosting Activity",
        {1: "Upload", 2: "Download", 3: "Update", 4: "Delete", 5: "Rename", 6: "Copy"},
    ),
    m.LIFECYCLE: ("Application Lifecycle", {3: "Start", 4: "Stop"}),
    m.AUTHENTICATION: ("Authentication", {1: "Logon"}),
    m.ACCOUNT: ("Account Change", {9: "Lock"}),
    m.AUTHORIZE: ("Authorize Session", {1: "Assign Privileges"}),
    m.ENTITY: ("Entity Management", {1: "Create", 2: "Read", 3: "Update", 4: "Delete"}),
    m.FINDING: ("Detection Finding", {1: "Create"}),
    m.BASE: ("Base Event", {}),
}
"""The name of each class and of those of its activities that we use."""

PROFILES = {
    m.SSH: ("host", "network_proxy"),
    m.NETWORK: ("host", "network_proxy"),
    m.LIFECYCLE: ("host",),
}
"""`host` brings `actor` and `device`, `network_proxy` says that we stand between."""

SEVERITIES = {1: 1, 2: 1, 3: 1, 4: 2, 5: 3, 6: 3, 7: 4, 8: 4, 9: 5, 10: 6}
"""From ours: 1 informational, 2 low, 3 medium, 4 high, 5 critical, 6 fatal."""
STATUSES = {"success": 1, "failure": 2, "unknown": 0}
NEW = 1
"""A finding has no outcome; its status says how far somebody has come with it."""
ALLOWED, DENIED = 1, 2
BLOCKED = 2
SHA_256 = 3
SERVER = 1
UNKNOWN = "unknown"


def ocsf(fact: Fact, host: Host) -> bytes:
    """*fact* as one OCSF event."""
    return fitted(_shape, fact, host)


def _shape(said: Particulars, host: Host) -> str:
    class_uid, activity = _class_of(said)
    common = _classification(said, class_uid, activity) | _metadata(said, host, class_uid)
    unmapped = {
        "details": dict(said.details),
        "recording": said.texts.get(Role.RECORDING),
        "recording_offset_ms": said.offset_ms,
        "grant": said.texts.get(Role.GRANT),
        "exit_status": said.numbers.get(Role.EXIT_STATUS),
        "forward_destination": said.texts.get(Role.DESTINATION),
        "address": said.texts.get(Role.ADDRESS),
        "normalized_command": said.texts.get(Role.NORMALIZED),
        "rules": said.texts.get(Role.RULES),
    }
    return compact(
        nested(common | {f"unmapped.{key}": value for key, value in unmapped.items()})
        | OBJECTS[class_uid](said, host)
    )


def _class_of(said: Particulars) -> tuple[int, int]:
    class_uid, activity = said.meaning.ocsf
    if said.fact.kind == "settings.changed":
        verb = str(said.fact.data.get("action", "")).rpartition(".")[2]
        activity = ENTITY_VERBS.get(verb.rpartition("-")[2], activity)
    return class_uid, activity


ENTITY_VERBS = {"added": 1, "created": 1, "pinned": 1, "removed": 4, "revoked": 4, "cleared": 4}
"""How the actions of `settings.changed` end (`grant.revoked`), where that is no update."""


def _classification(said: Particulars, class_uid: int, activity: int) -> dict[str, Any]:
    name, activities = CLASSES[class_uid]
    refused = said.meaning.refused
    # The profile is for what a control decided; that a login failed, or a disk, is no decision.
    control = {"action_id": DENIED, "disposition_id": BLOCKED} if refused else {}
    return control | {
        "activity_id": activity,
        "activity_name": activities.get(activity, said.meaning.title),
        "category_uid": class_uid // 1000,
        "class_uid": class_uid,
        "class_name": name,
        "type_uid": class_uid * 100 + activity,
        "severity_id": SEVERITIES[said.meaning.severity],
        "status_id": NEW if class_uid == m.FINDING else STATUSES[said.meaning.outcome],
        "status_code": said.texts.get(Role.REASON) and said.details.get("code"),
        "status_detail": said.texts.get(Role.REASON),
        "time": said.fact.at_us // 1000,
        "duration": _milliseconds(said.numbers.get(Role.DURATION)),
        "message": said.message,
        "is_alert": True if said.meaning.alert else None,
    }


def _milliseconds(duration_us: int | None) -> int | None:
    return None if duration_us is None else duration_us // 1000


def _metadata(said: Particulars, host: Host, class_uid: int) -> dict[str, Any]:
    return {
        "metadata.version": VERSION,
        "metadata.uid": said.fact.uid,
        "metadata.event_code": said.fact.kind,
        "metadata.sequence": said.fact.seq,
        "metadata.correlation_uid": said.fact.session,
        "metadata.log_name": "session" if said.fact.session else "journal",
        "metadata.log_provider": one_line(host.node),
        "metadata.profiles": _profiles(said, class_uid),
        "metadata.product.name": host.product,
        "metadata.product.vendor_name": host.vendor,
        "metadata.product.version": host.version,
    }


def _profiles(said: Particulars, class_uid: int) -> list[str]:
    """Which profiles give the event attributes that its class alone does not have."""
    control = ["security_control"] if said.meaning.refused or said.meaning.alert else []
    return [*PROFILES.get(class_uid, ()), *control]


# --- the objects of the classes --------------------------------------------------------------------


def _user(name: str | None) -> dict[str, Any]:
    return {"name": name or UNKNOWN}


def _actor(said: Particulars) -> dict[str, Any]:
    session = {"session": {"uid": said.fact.session}} if said.fact.session else {}
    return {"user": _user(said.texts.get(Role.OPERATOR))} | session


def _endpoint(peer: Peer | None, name: str | None = None) -> dict[str, Any]:
    """Somewhere in the net; what is no address is its name."""
    known: dict[str, Any] = {"name": name} if name else {}
    if peer is not None:
        known |= {"hostname": peer.host} if peer.ip is None else {"ip": peer.ip}
        known |= {} if peer.port is None else {"port": peer.port}
    return known or {"name": UNKNOWN}


def _client(said: Particulars) -> dict[str, Any]:
    return _endpoint(said.peers.get(Role.CLIENT))


def _target(said: Particulars) -> dict[str, Any]:
    return _endpoint(said.peers.get(Role.ADDRESS), said.texts.get(Role.TARGET))


def _owned(endpoint: dict[str, Any], name: str | None) -> dict[str, Any]:
    """With the person or account who is logged in there."""
    return endpoint | ({"owner": _user(name)} if name else {})


def _network(said: Particulars, host: Host) -> dict[str, Any]:
    traffic = {
        "bytes_in": said.numbers.get(Role.OCTETS_IN),
        "bytes_out": said.numbers.get(Role.OCTETS_OUT),
    }
    moved = {key: value for key, value in traffic.items() if value is not None}
    return ({"traffic": moved} if moved else {}) | {
        "src_endpoint": _owned(_client(said), said.texts.get(Role.OPERATOR)),
        "dst_endpoint": _owned(_target(said), said.texts.get(Role.ACCOUNT)),
        "actor": _actor(said),
        "proxy_endpoint": {"name": one_line(host.node)},
        "app_name": said.texts.get(Role.PROTOCOL) or UNKNOWN,
    }


def _device(said: Particulars) -> dict[str, Any]:
    """The target as a machine, which has no port."""
    known = {key: value for key, value in _target(said).items() if key != "port"}
    return (known or {"name": UNKNOWN}) | {"type_id": SERVER}


def _process(said: Particulars, host: Host) -> dict[str, Any]:
    channel = said.details.get("channel")
    process = {
        "uid": f"{said.fact.session}/{channel}",
        "cmd_line": said.texts.get(Role.COMMAND),
        "user": _user(said.texts.get(Role.ACCOUNT)),
    }
    exit_code = said.numbers.get(Role.EXIT_STATUS)
    return ({} if exit_code is None else {"exit_code": exit_code}) | {
        "actor": _actor(said),
        "device": _device(said),
        "process": {key: value for key, value in process.items() if value is not None},
    }


def _file(said: Particulars, host: Host) -> dict[str, Any]:
    path = said.texts.get(Role.PATH, "")
    file: dict[str, Any] = {"name": path.rstrip("/").rpartition("/")[2] or path or UNKNOWN}
    file |= {"path": path} if path else {}
    file |= {"type_id": 0}
    if Role.SIZE in said.numbers:
        file["size"] = said.numbers[Role.SIZE]
    if said.texts.get(Role.DIGEST):
        file["hashes"] = [
            {"algorithm_id": SHA_256, "algorithm": "SHA-256", "value": said.texts[Role.DIGEST]}
        ]
    return {
        "actor": _actor(said),
        "file": file,
        "src_endpoint": _client(said),
        "dst_endpoint": _target(said),
    }


def _lifecycle(said: Particulars, host: Host) -> dict[str, Any]:
    app = {"name": host.product, "vendor_name": host.vendor, "version": host.version}
    return {"app": app, "device": {"hostname": one_line(host.node), "type_id": SERVER}}


def _authentication(said: Particulars, host: Host) -> dict[str, Any]:
    methods = said.details.get("methods")
    factors = len(methods) > 1 if isinstance(methods, list) else False
    return {
        "user": _user(said.texts.get(Role.OPERATOR)),
        "service": {"name": host.product},
        "src_endpoint": _client(said),
        "dst_endpoint": {"name": one_line(host.node)},
        "is_remote": True,
        "is_mfa": factors,
    }


def _authorization(said: Particulars, host: Host) -> dict[str, Any]:
    capabilities = said.details.get("capabilities")
    found = capabilities if isinstance(capabilities, list) else []
    session = {"uid": said.fact.session or UNKNOWN}
    return {
        "user": _user(said.texts.get(Role.OPERATOR)),
        "privileges": [str(item) for item in found] or ["none"],
        "session": session,
        "dst_endpoint": _target(said),
    }


def _account(said: Particulars, host: Host) -> dict[str, Any]:
    """An operator's own account was changed, by somebody else or in the name of a rule."""
    by = said.details.get("by")
    actor = {"actor": {"user": _user(by)}} if isinstance(by, str) and by else {}
    return actor | {"user": _user(said.texts.get(Role.OPERATOR))}


def _entity(said: Particulars, host: Host) -> dict[str, Any]:
    details = said.details
    kind = str(details.get("action") or said.fact.kind).partition(".")[0]
    named = (
        *(details.get(name) for name in ("subject", "directory", "digest")),
        *(said.texts.get(role) for role in (Role.RECORDING, Role.TARGET)),
    )
    name = next((one for one in named if isinstance(one, str) and one), host.product)
    actor = {"actor": _actor(said)} if said.texts.get(Role.OPERATOR) else {}
    return actor | {"entity": {"name": name, "type": kind}}


def _finding(said: Particulars, host: Host) -> dict[str, Any]:
    found = {
        "uid": said.fact.uid,
        "title": said.meaning.title,
        "desc": said.message,
        "types": [said.fact.kind],
    }
    resources = [{"name": said.texts[Role.TARGET]}] if said.texts.get(Role.TARGET) else []
    evidence = {"src_endpoint": _client(said), "dst_endpoint": _target(said)}
    return ({"resources": resources} if resources else {}) | {
        "finding_info": found,
        "evidences": [evidence],
        "is_alert": True,
    }


def _nothing(said: Particulars, host: Host) -> dict[str, Any]:
    return {}


OBJECTS: dict[int, Callable[[Particulars, Host], dict[str, Any]]] = {
    m.SSH: _network,
    m.NETWORK: _network,
    m.PROCESS: _process,
    m.FILE: _file,
    m.LIFECYCLE: _lifecycle,
    m.AUTHENTICATION: _authentication,
    m.ACCOUNT: _account,
    m.AUTHORIZE: _authorization,
    m.ENTITY: _entity,
    m.FINDING: _finding,
    m.BASE: _nothing,
}
"""By class: the attributes that it wants, and what else it has a place for."""
