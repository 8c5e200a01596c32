"""How the octets of one channel become evidence: a terminal, a plain stream, or a file transfer.

A capture is asked before anything is passed on, and gives what to record and what to send. It pairs
every Send with the Record that must come before it. File contents are not recorded but read by their
protocol (transfers/), never judged by a command's name: what claims to be a transfer and is not is
recorded octet by octet from there on, and ended when the grant permits only transfers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from watchgate.clock import Clock
from watchgate.protocols.ssh.effects import Effect, Eof, Note, Record, Send, Side
from watchgate.secret import Secret
from watchgate.session.events import Event, InputRedacted
from watchgate.session.ports import RecordKind
from watchgate.terminal.echo import Decision, EchoProof, Redacted
from watchgate.transfers.manifest import KeepsUnread, TransferReader
from watchgate.transfers.sftp_filter import SftpFilter, Sifted

NOT_PERMITTED = "this is not the file transfer that your grant permits"


class Capture(Protocol):
    """The evidence of one running program."""

    @property
    def broken(self) -> str | None:
        """Why the channel must end, when it is not what was permitted."""

    @property
    def full(self) -> bool:
        """So much waits here that no more is to be read from the client."""

    @property
    def exit_status(self) -> bytes | None:
        """What its client is told instead of its own exit status."""

    def begun(self) -> list[Effect]:
        """The program was started."""

    def resized(self, columns: int, rows: int) -> list[Effect]:
        """The client's window changed its size."""

    def ended(self) -> list[Effect]:
        """The client sends no more octets."""

    def secret(self, ticket: int, secret: Secret | None) -> list[Effect]:
        """The password that was fetched, None when there is none."""

    def sent(self, data: bytes) -> list[Effect]:
        """Octets from the client."""

    def received(self, data: bytes) -> list[Effect]:
        """Octets of the target's standard output."""

    def due(self) -> int | None:
        """When `expire` wants to be called, in monotonic microseconds."""

    def expire(self, now_us: int) -> list[Effect]:
        """The moment of `due` has come."""

    def closed(self) -> list[Effect]:
        """The channel ended."""


class Plain:
    """What most captures have nothing to add to."""

    @property
    def full(self) -> bool:
        return False

    @property
    def exit_status(self) -> bytes | None:
        return None

    def begun(self) -> list[Effect]:
        return []

    def resized(self, columns: int, rows: int) -> list[Effect]:
        return []

    def ended(self) -> list[Effect]:
        return [Eof(Side.TARGET)]

    def secret(self, ticket: int, secret: Secret | None) -> list[Effect]:
        return []

    def due(self) -> int | None:
        return None

    def expire(self, now_us: int) -> list[Effect]:
        return []


class StreamCapture(Plain):
    """A program without a terminal: both directions octet by octet."""

    broken: str | None = None

    def __init__(self, record_input: bool) -> None:
        self._record_input = record_input

    def sent(self, data: bytes) -> list[Effect]:
        passed = Send(Side.TARGET, data)
        return [Record(RecordKind.INPUT, data), passed] if self._record_input else [passed]

    def received(self, data: bytes) -> list[Effect]:
        return [Record(RecordKind.OUTPUT, data), Send(Side.CLIENT, data)]

    def closed(self) -> list[Effect]:
        return []


class TerminalCapture(Plain):
    """A program on a terminal: what is typed is kept in clear only when the terminal echoed it."""

    broken: str | None = None

    def __init__(self, number: int, record_input: bool, clock: Clock) -> None:
        self._number = number
        self._record_input = record_input
        self._clock = clock
        self._proof = EchoProof()

    def sent(self, data: bytes) -> list[Effect]:
        passed = Send(Side.TARGET, data)
        if not self._record_input:
            return [passed]
        decided = self._proof.typed(self._clock.monotonic_us(), data)
        return [*self._decided(decided), passed] if decided else [passed]

    def received(self, data: bytes) -> list[Effect]:
        shown: list[Effect] = [Record(RecordKind.OUTPUT, data), Send(Side.CLIENT, data)]
        decided = self._proof.shown(self._clock.monotonic_us(), data)
        return [*self._decided(decided), *shown] if decided else shown

    def due(self) -> int | None:
        return self._proof.due()

    def expire(self, now_us: int) -> list[Effect]:
        return self._decided(self._proof.expire(now_us))

    def closed(self) -> list[Effect]:
        return self._decided(self._proof.close(self._clock.monotonic_us()))

    def _decided(self, decisions: Sequence[Decision]) -> list[Effect]:
        return [
            Note(InputRedacted(self._number))
            if isinstance(decision, Redacted)
            else Record(RecordKind.INPUT, decision.octets)
            for decision in decisions
        ]


class TransferCapture(Plain):
    """A file transfer (scp, rsync), read by its protocol; a plain stream from where it is not one."""

    def __init__(self, reader: TransferReader, fallback: StreamCapture | None) -> None:
        """Without a *fallback*, what is not the transfer is not permitted and ends the channel."""
        self._reader = reader
        self._fallback = fallback
        self._raw = False
        self.broken: str | None = None

    def sent(self, data: bytes) -> list[Effect]:
        if self._raw:
            return self._fallback.sent(data) if self._fallback else []
        return self._read(self._reader.sent(data), Send(Side.TARGET, data))

    def received(self, data: bytes) -> list[Effect]:
        if self._raw:
            return self._fallback.received(data) if self._fallback else []
        return self._read(self._reader.received(data), Send(Side.CLIENT, data))

    def closed(self) -> list[Effect]:
        effects: list[Effect] = [Note(event) for event in self._reader.closed()]
        if self._reader.failed and not self._raw and isinstance(self._reader, KeepsUnread):
            effects.extend(raw(self._reader.unread))
        return effects

    def _read(self, events: Sequence[Event], passed: Send) -> list[Effect]:
        effects: list[Effect] = [Note(event) for event in events]
        if self._reader.failed is None:
            return [*effects, passed]
        self._raw = True
        if self._fallback is None:
            self.broken = NOT_PERMITTED
            return [*effects, *raw(unread(self._reader, passed))]
        return [*effects, *raw(unread(self._reader, passed)), passed]


class SftpCapture(Plain):
    """The SFTP subsystem: read, and sifted by what is granted."""

    def __init__(self, sftp: SftpFilter) -> None:
        self._filter = sftp
        self._raw = False
        self.broken: str | None = None

    def sent(self, data: bytes) -> list[Effect]:
        return self._sifted(Side.CLIENT, data, self._filter.sent)

    def received(self, data: bytes) -> list[Effect]:
        return self._sifted(Side.TARGET, data, self._filter.received)

    def closed(self) -> list[Effect]:
        effects: list[Effect] = [Note(event) for event in self._filter.closed()]
        if self._filter.failed and not self._raw:
            effects.extend(raw(self._filter.unread))
        return effects

    def _sifted(self, side: Side, data: bytes, sift: Callable[[bytes], Sifted]) -> list[Effect]:
        if self._raw:
            kind = RecordKind.INPUT if side is Side.CLIENT else RecordKind.OUTPUT
            return [Record(kind, data), Send(side.other, data)]
        sifted = sift(data)
        effects: list[Effect] = [Note(event) for event in sifted.events]
        if self._filter.failed is not None:
            self._raw = True
            effects.extend(raw(self._filter.unread))
            if not self._filter.open_ended:
                self.broken = NOT_PERMITTED
                return effects
        effects.append(Send(side.other, sifted.forward))
        if sifted.answer:
            effects.append(Send(Side.CLIENT, sifted.answer))
        return effects


def unread(reader: TransferReader, passed: Send) -> tuple[bytes, bytes]:
    """What was sent and received and is in no event: as the reader kept it, or the last octets."""
    if isinstance(reader, KeepsUnread):
        return reader.unread
    sent = passed.side is Side.TARGET
    return (passed.data, b"") if sent else (b"", passed.data)


def raw(unread: tuple[bytes, bytes]) -> list[Effect]:
    """What a reader could not read, as records: what was sent, what was received."""
    sent, received = unread
    records: list[Effect] = []
    if sent:
        records.append(Record(RecordKind.INPUT, sent))
    if received:
        records.append(Record(RecordKind.OUTPUT, received))
    return records
