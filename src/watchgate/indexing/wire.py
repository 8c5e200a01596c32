"""What the gateway and its index worker say to each other: lines of JSON over the worker's stdin and stdout.

Keys travel here and nowhere else: not in arguments, not in the environment, not in files. The worker feeds
hostile output to a native library, so what it answers is believed as little as what a peer sends.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from watchgate.catalog.search.model import About
from watchgate.recording.tracks import KEY_SIZE, TrackKeys
from watchgate.secret import Secret
from watchgate.session.ports import RecordingRequest

LINE_LIMIT = 256 * 1024
"""A recording's header, from which an order's texts come, is JSON of at most 64 KiB."""
_REASON_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Begin:
    """The first line: where the index lies."""

    directory: Path


@dataclass(frozen=True, slots=True)
class Order:
    """A recording to be indexed."""

    about: About
    path: Path
    spool: Path | None
    keys: TrackKeys
    whole: bool = False
    """Read all that is there, whatever the index has of it, and do not wait for more."""

    @classmethod
    def of(
        cls,
        request: RecordingRequest,
        path: Path,
        spool: Path | None,
        keys: TrackKeys,
        *,
        whole: bool = False,
    ) -> Order:
        """The order for the recording that *request* describes."""
        about = About(
            session=request.session,
            recording=request.recording,
            operator=request.operator,
            account=request.account,
            target=request.target,
            protocol=request.protocol,
            started_at_us=request.started_at_us,
        )
        return cls(about, path, spool, keys, whole)

    @property
    def recording(self) -> str:
        return self.about.recording


@dataclass(frozen=True, slots=True)
class SetAside:
    """Remember of a recording that it is not read, and why."""

    recording: str
    session: str
    problem: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Read what there is, then end."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The worker turns to this recording; when it dies now, this is why."""

    recording: str


@dataclass(frozen=True, slots=True)
class Resting:
    """The worker reads nothing at present."""


@dataclass(frozen=True, slots=True)
class Done:
    """The worker has finished with a recording and forgot its keys."""

    recording: str
    complete: bool
    """It was read to its seal."""
    documents: int = 0
    """How many were new or changed."""
    problem: str = ""
    """Why a part of it could not be read."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """The index cannot be written; the worker keeps what it has and tries again."""

    reason: str
    lost: bool = False
    """A file of it was begun anew: what it held of sealed recordings is to be read again."""


Said: TypeAlias = Reading | Resting | Done | Stuck
Told: TypeAlias = Begin | Order | SetAside | Finish
_SAID: dict[str, type[Said]] = {
    "reading": Reading,
    "resting": Resting,
    "done": Done,
    "stuck": Stuck,
}


def pack_told(told: Told) -> bytes:
    """The line for the worker."""
    match told:
        case Begin(directory):
            return _line({"do": "begin", "directory": str(directory)})
        case SetAside():
            return _line({"do": "set aside", **asdict(told)})
        case Finish():
            return _line({"do": "finish"})
        case Order():
            return _line(
                {
                    "do": "follow",
                    "about": asdict(told.about),
                    "path": str(told.path),
                    "spool": str(told.spool) if told.spool else None,
                    "main": _pack_key(told.keys.main),
                    "input": _pack_key(told.keys.input),
                    "whole": told.whole,
                }
            )


def parse_told(line: bytes) -> Told:
    """The inverse of `pack_told`; raises ValueError, in which nothing of the line is quoted."""
    try:
        values = json.loads(line)
        match values.get("do"):
            case "begin":
                return Begin(Path(values["directory"]))
            case "set aside":
                said = (values["recording"], values["session"], values["problem"])
                return SetAside(*map(str, said))
            case "finish":
                return Finish()
            case "follow":
                return _parse_order(values)
            case _:
                raise ValueError("an unknown order")
    except (KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise ValueError(f"not an order ({type(error).__name__})") from None


def pack_said(said: Said) -> bytes:
    """The line for the gateway."""
    return _line({"said": type(said).__name__.lower(), **asdict(said)})


def parse_said(line: bytes) -> Said:
    """The inverse of `pack_said`, for what a broken worker may say too; raises ValueError."""
    try:
        values = json.loads(line)
        kind = _SAID[values.pop("said")]
        said = kind(**{name: _believed(name, value) for name, value in values.items()})
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("the index worker says what it never should") from error
    return said


def _believed(name: str, value: object) -> Any:
    """A value, when it is of its kind; text bounded and harmless."""
    if type(value) is not {"complete": bool, "lost": bool, "documents": int}.get(name, str):
        raise ValueError(f"the index worker says a {reason(name)} of a wrong kind")
    return reason(value) if isinstance(value, str) else value


def reason(text: str) -> str:
    """*text* as a reason that can be logged and kept: bounded, and on one line."""
    kept = text if len(text) <= _REASON_LIMIT else f"{text[:_REASON_LIMIT]}…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in kept)


class Lines:
    """Cuts a stream into lines of a bounded length."""

    __slots__ = ("_limit", "_rest")

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that *data* ends; raises ValueError for one beyond the bound."""
        self._rest += data
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest
        if max(map(len, (*lines, rest))) > self._limit:
            raise ValueError(f"a line of more than {self._limit} octets")
        return [bytes(line) for line in lines]


def _line(values: dict[str, Any]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n"


def _parse_order(values: dict[str, Any]) -> Order:
    spool = values["spool"]
    return Order(
        about=About(**values["about"]),
        path=Path(values["path"]),
        spool=Path(spool) if spool is not None else None,
        keys=TrackKeys(_parse_key(values["main"]), _parse_key(values["input"])),
        whole=bool(values["whole"]),
    )


def _pack_key(key: Secret | None) -> str | None:
    return base64.b64encode(key.reveal()).decode() if key is not None else None


def _parse_key(text: str | None) -> Secret | None:
    if text is None:
        return None
    octets = base64.b64decode(text, validate=True)
    if len(octets) != KEY_SIZE:
        raise ValueError("a key of a wrong length")
    return Secret(octets)
