"""What OCSF 1.5 requires of the classes and objects that we use, and which numbers it knows.

Taken from the schema: the attributes with `requirement: required`, its `at_least_one` constraints, and the
activities that a class names (besides 0 Unknown and 99 Other).
"""

from __future__ import annotations

from typing import Any

BASE = (
    *("activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"),
    *("metadata.version", "metadata.product", "metadata.product.name"),
)

USER = ("name",)
CLASSES: dict[int, tuple[str, range, tuple[str, ...]]] = {
    0: ("Base Event", range(0), ()),
    1007: (
        "Process Activity",
        range(1, 6),
        ("actor", "device", "device.type_id", "process", "process.uid", "process.user.name"),
    ),
    2004: ("Detection Finding", range(1, 4), ("finding_info", "finding_info.uid")),
    3001: ("Account Change", range(1, 13), ("user", "user.name")),
    3002: ("Authentication", range(1, 8), ("user", "user.name", "service", "service.name")),
    3003: (
        "Authorize Session",
        range(1, 4),
        ("user", "user.name", "privileges", "session.uid"),
    ),
    3004: ("Entity Management", range(1, 5), ("entity", "entity.name", "entity.type")),
    4001: ("Network Activity", range(1, 8), ("src_endpoint", "dst_endpoint")),
    4007: ("SSH Activity", range(1, 8), ("src_endpoint", "dst_endpoint")),
    6002: ("Application Lifecycle", range(1, 5), ("app", "app.name", "app.vendor_name")),
    6006: (
        "File Hosting Activity",
        range(1, 17),
        ("actor", "file", "file.name", "file.type_id", "src_endpoint"),
    ),
}
COMMON = {
    *(
        "activity_id",
        "activity_name",
        "category_uid",
        "class_name",
        "class_uid",
        "duration",
        "message",
    ),
    *("metadata", "severity_id", "status_code", "status_detail", "status_id", "time", "type_uid"),
    "unmapped",
}
BY_CLASS = {
    0: set[str](),
    1007: {"actor", "device", "exit_code", "process"},
    2004: {"evidences", "finding_info", "is_alert", "resources"},
    3001: {"actor", "user"},
    3002: {"dst_endpoint", "is_mfa", "is_remote", "service", "src_endpoint", "user"},
    3003: {"dst_endpoint", "privileges", "session", "user"},
    3004: {"actor", "entity"},
    4001: {"app_name", "dst_endpoint", "src_endpoint", "traffic"},
    4007: {"app_name", "dst_endpoint", "src_endpoint", "traffic"},
    6002: {"app"},
    6006: {"actor", "dst_endpoint", "file", "src_endpoint"},
}
BY_PROFILE = {
    "host": {"actor", "device"},
    "network_proxy": {"proxy_endpoint"},
    "security_control": {"action_id", "disposition_id", "is_alert"},
}
"""The attributes that we use, by what permits them."""

CATEGORIES = {0: "none", 1: "system", 2: "findings", 3: "iam", 4: "network", 6: "application"}
ENDPOINTS = ("src_endpoint", "dst_endpoint", "device")
NAMES_OF_ENDPOINTS = {"ip", "uid", "name", "hostname", "svc_name"}


def at(event: dict[str, Any], path: str) -> Any:
    """The value at a dotted path; None if there is none."""
    value: Any = event
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def complaints(event: dict[str, Any]) -> list[str]:
    """What the schema would say of *event*."""
    class_uid = event["class_uid"]
    name, activities, required = CLASSES[class_uid]
    found = [path for path in (*BASE, *required) if at(event, path) in (None, "", [], {})]
    # Numbers may be zero; that is not missing.
    found = [f"{path} is missing" for path in found if at(event, path) != 0]
    if event["class_name"] != name or event["category_uid"] not in CATEGORIES:
        found.append("the class or category has another name")
    if event["type_uid"] != class_uid * 100 + event["activity_id"]:
        found.append("type_uid is not class and activity")
    if event["activity_id"] not in (*activities, 0, 99):
        found.append(f"the class has no activity {event['activity_id']}")
    if event["severity_id"] not in (*range(1, 7), 0, 99) or event["status_id"] not in (0, 1, 2, 99):
        found.append("an unknown severity or status")
    permitted = COMMON | BY_CLASS[class_uid]
    for profile in event["metadata"].get("profiles", []):
        permitted |= BY_PROFILE[profile]
    found += [f"the class has no {key}" for key in sorted(set(event) - permitted)]
    if event.get("device", {}).get("port") is not None:
        found.append("a device has no port")
    for endpoint in ENDPOINTS:
        shown = event.get(endpoint)
        if shown is not None and not NAMES_OF_ENDPOINTS & set(shown):
            found.append(f"{endpoint} says not who it is")
    return found
