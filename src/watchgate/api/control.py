"""The control socket: how a `watchgate` command speaks to the gateway that serves.

One JSON object a line, asked and answered once a connection, over a Unix socket in the data directory.
Who may connect is decided twice: by the socket's mode (0600) and by the kernel's word on who the peer
is (SO_PEERCRED): the gateway's own user, or root.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from watchgate.errors import ConfigurationError, NotFound, Refused, WatchgateError

LINE_LIMIT = 1024 * 1024
"""Octets of a question or an answer."""

ANSWER_SECONDS = 15.0
"""How long either side waits for the other."""

ADDRESS_LIMIT = 107
"""Octets of a Unix socket's address."""

Message = dict[str, Any]
Handler = Callable[[Message], Awaitable[Message]]

_CREDENTIALS = struct.Struct("3i")


def request(path: Path, message: Message) -> Message:
    """Ask the serving gateway; raises NotFound when none serves, else what it answered with."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(ANSWER_SECONDS)
            with _reachable(path) as address:
                connection.connect(address)
            connection.sendall(json.dumps(message).encode() + b"\n")
            answer = _line(connection)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NotFound(
            f"no gateway serves this data directory (nothing listens on {path}); "
            "start it with 'watchgate serve'",
            code="gateway.not-running",
        ) from error
    except PermissionError as error:
        raise Refused(
            f"{path} may not be opened; run this as the gateway's user or as root",
            code="gateway.not-permitted",
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"the gateway did not answer on {path}: {error}", code="gateway.silent"
        ) from error
    return _unpacked(answer)


def _line(connection: socket.socket) -> bytes:
    received = bytearray()
    while not received.endswith(b"\n") and len(received) <= LINE_LIMIT:
        data = connection.recv(65536)
        if not data:
            break
        received += data
    return bytes(received)


def _unpacked(answer: bytes) -> Message:
    """The answer's value, or its error raised again."""
    try:
        message = json.loads(answer)
        error = message.get("error")
    except (ValueError, AttributeError) as problem:
        raise ConfigurationError("the gateway's answer cannot be read") from problem
    if error is not None:
        kind = NotFound if error["kind"] == "NotFound" else WatchgateError
        raise kind(str(error["message"]), code=str(error["code"]))
    return dict(message["value"])


class ControlServer:
    """Answers on a Unix socket while it is entered."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self._path = path
        self._handler = handler
        self._server: asyncio.AbstractServer | None = None

    async def __aenter__(self) -> ControlServer:
        # The data directory's lock is held, so a socket that is still there is a crash's.
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        previous = os.umask(0o177)
        try:
            with _reachable(self._path) as address:
                listener.bind(address)
        except OSError as error:
            listener.close()
            raise ConfigurationError(
                f"cannot open the control socket {self._path}: {error.strerror or error}"
            ) from error
        finally:
            os.umask(previous)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=LINE_LIMIT)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._server is not None:
            self._server.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._answer(reader, writer)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (OSError, TimeoutError, ValueError):
            pass  # a peer that is gone, silent or no speaker of this protocol: nothing to tell it
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Message:
        try:
            if not _permitted(writer.get_extra_info("socket")):
                raise Refused("the control socket answers the gateway's user and root only")
            message = json.loads(await reader.readline())
            if not isinstance(message, dict):
                raise Refused("a question is one JSON object")
            return {"value": await self._handler(message)}
        except WatchgateError as error:
            kind = type(error).__name__
            return {"error": {"kind": kind, "code": error.code, "message": str(error)}}


@contextlib.contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """*path* as a socket's address, which holds 107 octets (unix(7)), however deep it lies."""
    if len(os.fsencode(path)) <= ADDRESS_LIMIT:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


def _permitted(connection: socket.socket) -> bool:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(raw)
    return user in (0, os.geteuid())
