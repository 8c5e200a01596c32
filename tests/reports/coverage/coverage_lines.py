"""Lines of logs, as the tests of coverage need them."""

from __future__ import annotations

from datetime import UTC, datetime

from watchgate.reports.coverage.forms import Forms
from watchgate.reports.coverage.join import SessionFacts
from watchgate.reports.coverage.model import Accepted, Login
from watchgate.reports.coverage.stamps import Stamps

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000

SESSION = "0190bbbb-0000-7000-8000-000000000001"
KEY = "SHA256:" + "k" * 43
CA = "SHA256:" + "c" * 43
CERTIFICATE = f"ED25519-CERT {KEY} ID {SESSION} (serial 4711) CA ED25519 {CA}"
MESSAGE = f"Accepted publickey for root from 10.0.0.1 port 42934 ssh2: {CERTIFICATE}"


def at(text: str) -> int:
    """A moment in microseconds."""
    moment = datetime.fromisoformat(text)
    return round(moment.timestamp()) * 1_000_000 + moment.microsecond


def forms() -> Forms:
    """What reads lines that were logged in UTC until now."""
    return Forms(Stamps(UTC, NOW_US, NOW_US))


def accepted(**given: object) -> Accepted:
    """The login of a session with a certificate."""
    values: dict[str, object] = {
        "account": "root",
        "method": "publickey",
        "source": "10.0.0.1",
        "port": 42934,
        "key_id": SESSION,
        "fingerprint": KEY,
        "authority": CA,
    }
    return Accepted(**(values | given))  # type: ignore[arg-type]


def plain(**given: object) -> Accepted:
    """A login without a certificate."""
    return accepted(**({"key_id": None, "authority": None} | given))


def login(at_us: int = NOW_US - 3_600_000_000, said: Accepted | None = None) -> Login:
    """A login to web1, an hour ago."""
    return Login("web1", at_us, said or accepted())


def facts(number: int = 1, **given: object) -> SessionFacts:
    """A session on web1 that began an hour ago and took ten minutes."""
    values: dict[str, object] = {
        "id": SESSION[:-1] + str(number),
        "target": "web1",
        "account": "root",
        "started_at_us": NOW_US - 3_600_000_000,
        "ended_at_us": NOW_US - 3_000_000_000,
        "key_id": SESSION[:-1] + str(number),
        "host": "10.0.0.1",
        "port": 42934,
    }
    return SessionFacts(**(values | given))  # type: ignore[arg-type]
