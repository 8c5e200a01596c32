"""Commands speak to the serving gateway over its control socket."""

from __future__ import annotations

import asyncio
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from watchgate.api.control import ControlServer, request
from watchgate.errors import ConfigurationError, NotFound, WatchgateError


def serve(path: Path, ask: Any) -> Any:
    """Serve an echo on *path* while *ask* runs in a thread; gives what it returned."""

    async def handle(message: dict[str, Any]) -> dict[str, Any]:
        if message.get("do") == "miss":
            raise NotFound("no such session", code="session.not-open")
        if message.get("do") == "fail":
            raise WatchgateError("it failed")
        return {"heard": message}

    async def run() -> Any:
        async with ControlServer(path, handle):
            return await asyncio.to_thread(ask)

    return asyncio.run(run())


def test_a_question_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"

    answer = serve(path, lambda: request(path, {"do": "status"}))

    assert answer == {"heard": {"do": "status"}}


def test_an_error_keeps_its_kind_and_code(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"

    with pytest.raises(NotFound, match="no such session") as missed:
        serve(path, lambda: request(path, {"do": "miss"}))
    with pytest.raises(WatchgateError, match="it failed"):
        serve(path, lambda: request(path, {"do": "fail"}))

    assert missed.value.code == "session.not-open"


def test_without_a_gateway_the_error_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="watchgate serve"):
        request(tmp_path / "control.sock", {"do": "status"})


def test_the_socket_is_its_owners_alone_and_goes_with_the_gateway(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"

    mode = serve(path, lambda: stat.S_IMODE(path.stat().st_mode))

    assert mode == 0o600
    assert not path.exists()


def test_a_data_directory_may_lie_deeper_than_a_sockets_address_is_long(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)

    answer = serve(deep / "control.sock", lambda: request(deep / "control.sock", {"do": "status"}))

    assert answer["heard"]["do"] == "status"
    assert not (deep / "control.sock").exists()


def test_a_socket_that_a_crash_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))

    answer = serve(path, lambda: request(path, {"do": "status"}))

    assert answer["heard"]["do"] == "status"


@pytest.mark.parametrize("line", [b"\n", b"[]\n", b"{\n", b"\xff\n", b"x" * 2_000_000 + b"\n"])
def test_what_is_no_question_gets_an_error_or_a_closed_socket(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "control.sock"

    def ask() -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            try:
                connection.sendall(line)
                return connection.recv(65536)
            except OSError:
                return b""

    answer = serve(path, ask)

    assert b'"value"' not in answer


def test_an_answer_that_is_none_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with pytest.raises(ConfigurationError):
            _ask_and_hang_up(path, listener)


def _ask_and_hang_up(path: Path, listener: socket.socket) -> None:
    import threading

    def hang_up() -> None:
        connection, _ = listener.accept()
        connection.recv(100)
        connection.close()

    thread = threading.Thread(target=hang_up)
    thread.start()
    try:
        request(path, {"do": "status"})
    finally:
        thread.join()
