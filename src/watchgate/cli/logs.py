"""The administrator's log on stderr: lines for people, or one JSON object a line."""

from __future__ import annotations

import json
import logging

from watchgate.cli.output import visible
from watchgate.clock import iso
from watchgate.settings import LogSettings


class TextFormatter(logging.Formatter):
    """`2026-11-21T09:30:00.000000Z WARNING watchgate.app: what happened`."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_at(record)} {record.levelname} {record.name}: {visible(record.getMessage())}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One object a line, for collectors."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def configure(settings: LogSettings) -> None:
    """Log to stderr as *settings* say, in the place of what was configured before."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if settings.format == "json" else TextFormatter())
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    # asyncssh tells each packet's story at INFO; what matters of it, our own events say.
    logging.getLogger("asyncssh").setLevel(logging.WARNING)


def _at(record: logging.LogRecord) -> str:
    return iso(round(record.created * 1_000_000))
