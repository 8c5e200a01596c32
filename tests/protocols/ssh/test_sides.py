"""The two ends of a session channel: each gives what it hears to its handler, and nothing before there is one."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchgate.protocols.ssh.effects import Side
from watchgate.protocols.ssh.sides import ClientSide, TargetSide


@dataclass
class Handler:
    """Remembers what it was told."""

    target_is_gone: bool = False
    told_: list[object] = field(default_factory=list)

    def requested(self, kind: str, payload: bytes) -> None:
        self.told_.append(("requested", kind, payload))

    def told(self, kind: str, payload: bytes) -> None:
        self.told_.append(("told", kind, payload))

    def heard(self, side: Side, data: bytes, stream: int | None) -> None:
        self.told_.append(("heard", side, data, stream))

    def ended(self, side: Side) -> None:
        self.told_.append(("ended", side))

    def leaving(self) -> bool:
        self.told_.append("leaving")
        return True

    def bereft(self) -> None:
        self.told_.append("bereft")

    def closed(self, side: Side) -> None:
        self.told_.append(("closed", side))

    def filled(self, side: Side, full: bool) -> None:
        self.told_.append(("filled", side, full))


def test_a_request_waits_for_who_handles_it_and_is_given_once() -> None:
    side, handler = ClientSide(lambda _: None), Handler()
    side.request("shell", b"")
    side.handle_with(handler)
    side.request("env", b"x")

    assert handler.told_ == [("requested", "shell", b""), ("requested", "env", b"x")]
    assert side.waiting is None


def test_a_client_that_is_gone_before_somebody_handles_it_is_closed_at_once() -> None:
    side, handler = ClientSide(lambda _: None), Handler()
    side.request("shell", b"")
    side.connection_lost(None)
    side.handle_with(handler)

    assert side.is_closed
    assert handler.told_ == [("closed", Side.CLIENT)]


def test_without_a_handler_nothing_is_passed_on_and_nothing_fails() -> None:
    side = ClientSide(lambda _: None)
    side.session_started()
    side.data_received(b"x", None)
    side.pause_writing()
    side.resume_writing()

    assert side.eof_received()
    assert not side.leaving()


def test_all_that_a_client_says_goes_to_its_handler_in_order() -> None:
    side, handler = ClientSide(lambda _: None), Handler()
    side.handle_with(handler)
    side.data_received(b"ls\r", None)
    side.pause_writing()
    side.resume_writing()
    later = side.eof_received(), side.leaving()
    side.connection_lost(None)

    assert later == (True, True)
    assert handler.told_ == [
        ("heard", Side.CLIENT, b"ls\r", None),
        ("filled", Side.CLIENT, True),
        ("filled", Side.CLIENT, False),
        ("ended", Side.CLIENT),
        "leaving",
        ("closed", Side.CLIENT),
    ]


def test_all_that_a_target_says_goes_to_its_handler_in_order() -> None:
    handler = Handler()
    side = TargetSide(handler)
    wants_answer = side.request("exit-status", b"\0\0\0\0")
    side.data_received(b"err", 1)
    side.pause_writing()
    side.resume_writing()
    stays = side.eof_received()
    side.connection_lost(None)

    assert (wants_answer, stays) == (False, True)
    assert handler.told_ == [
        ("told", "exit-status", b"\0\0\0\0"),
        ("heard", Side.TARGET, b"err", 1),
        ("filled", Side.TARGET, True),
        ("filled", Side.TARGET, False),
        ("ended", Side.TARGET),
        ("closed", Side.TARGET),
    ]


def test_a_target_whose_connection_is_lost_says_so_before_it_is_closed() -> None:
    handler = Handler(target_is_gone=True)
    TargetSide(handler).connection_lost(None)

    assert handler.told_ == ["bereft", ("closed", Side.TARGET)]
