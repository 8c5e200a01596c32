"""An activity with everything in it that a form can stumble over."""

from __future__ import annotations

from datetime import UTC, tzinfo

from watchgate.catalog.queries import SessionRow
from watchgate.reports.activity import (
    About,
    Action,
    Activity,
    Proof,
    Question,
    Refusal,
    What,
    Work,
)

BEGAN = 1_795_228_200_000_000
"""2026-11-21 02:30:00 UTC."""

HOSTILE = "</code><script>alert(1)</script>|`a``b` \x1b[31m\u202e\n=HYPERLINK(1)"


def session(number: int = 1, **given: object) -> SessionRow:
    """A session of alice on web1 that took an hour."""
    values: dict[str, object] = {
        "id": f"0190bbbb-0000-7000-8000-{number:012}",
        "recording": f"0190aaaa-0000-7000-8000-{number:012}",
        "protocol": "ssh",
        "operator": "alice",
        "account": "root",
        "target": "web1",
        "client": "192.0.2.7:50000",
        "grant": "0190cccc-0000-7000-8000-000000000001",
        "policy_digest": "ab" * 32,
        "started_at_us": BEGAN,
        "last_at_us": BEGAN + 3_600_000_000,
        "ended_at_us": BEGAN + 3_600_000_000,
        "state": "closed",
        "reason": "client",
        "detail": "logged out",
        "ended_by": None,
        "input_octets": 1,
        "output_octets": 1,
        "key_id": None,
        "target_address": "10.0.0.5:22",
        "gateway_address": "10.0.0.1:5000",
        "points": None,
        "risk": None,
        "commands": 0,
        "files": 0,
        "forwards": 0,
    }
    return SessionRow(**(values | given))  # type: ignore[arg-type]


def action(text: str = "uptime", seconds: int = 83, **given: object) -> Action:
    """Something done so many seconds after the begin."""
    values: dict[str, object] = {
        "at_us": BEGAN + seconds * 1_000_000,
        "offset_us": seconds * 1_000_000,
        "what": What.COMMAND,
        "how": "exec",
        "text": text,
        "outcome": "exit 0",
    }
    return Action(**(values | given))  # type: ignore[arg-type]


def activity(*actions: Action, zone: tzinfo = UTC, matching: str = "") -> Activity:
    """A report on alice with one session and one refused attempt."""
    question = Question(
        About.OPERATOR, "alice", BEGAN - 60_000_000, BEGAN + 86_400_000_000, matching
    )
    proof = Proof(
        "2026/11/21/x.wgr", "cd" * 32, "intact", "sealed 2026-11-21, 12 frames over 3600.0 s"
    )
    work = Work(
        session(), "root@web1 to alice (ticket 7), 0190cccc", actions, 0, "it is not indexed", proof
    )
    refusal = Refusal(BEGAN + 1, "alice", "root@db1", "192.0.2.7:50001", "no grant", 3)
    return Activity(question, zone, (work,), (refusal,))


def everything() -> Activity:
    """Commands that are known and inferred, files, forwards, hostile text."""
    return activity(
        action(),
        action("systemctl restart nginx", 95, inferred=True, how="screen", outcome=""),
        action(HOSTILE, 100),
        action(
            *("/etc/nginx/nginx.conf", 120),
            what=What.FILE,
            how="sftp upload",
            outcome="complete",
            size=1_234_567,
            digest="ef" * 32,
        ),
        action("/tmp/x -> /tmp/y", 130, what=What.FILE, how="sftp rename", outcome="done"),
        action("10.0.0.9:5432", 140, what=What.FORWARD, how="local", outcome="carries tls"),
    )
