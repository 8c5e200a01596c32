"""Runs one program for one SSH channel, in a pseudo terminal or on pipes, and tells its end exactly."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import asyncssh

from watchgate.demo import pseudoterminal

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, with exactly this environment."""

    argv: list[str]
    environment: dict[str, str]


@dataclass(frozen=True, slots=True)
class Streams:
    """The three streams of one SSH channel, as asyncssh hands them over."""

    stdin: asyncssh.SSHReader[bytes]
    stdout: asyncssh.SSHWriter[bytes]
    stderr: asyncssh.SSHWriter[bytes]

    @property
    def channel(self) -> asyncssh.SSHServerChannel[bytes]:
        """The channel itself."""
        return cast("asyncssh.SSHServerChannel[bytes]", self.stdin.channel)


async def run_on_pipes(program: Program, streams: Streams) -> None:
    """Run *program* with three pipes; its end is told when it has ended and all that it wrote was sent."""
    child = await asyncio.create_subprocess_exec(
        *program.argv,
        env=program.environment,
        cwd=_home(program),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    async with asyncio.TaskGroup() as group:
        feeding = group.create_task(_feed(streams, child.stdin, child.pid))
        showing = [
            group.create_task(_forward(child.stdout, streams.stdout)),
            group.create_task(_forward(child.stderr, streams.stderr)),
        ]
        watching = group.create_task(_hang_up(streams, child.pid))
        for task in showing:
            await task
        status = await child.wait()
        feeding.cancel()
        watching.cancel()
    _tell_end(streams.channel, status)


async def run_on_terminal(program: Program, streams: Streams) -> None:
    """Run *program* in a terminal of the size that the client has; window changes follow."""
    columns, rows, *_ = streams.channel.get_terminal_size()
    ours, theirs = pseudoterminal.open_pair(columns, rows)
    try:
        child = await asyncio.create_subprocess_exec(
            *pseudoterminal.leading(program.argv),
            env=program.environment,
            cwd=_home(program),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    try:
        async with asyncio.TaskGroup() as group:
            typing = group.create_task(_type(streams, ours, child.pid))
            watching = group.create_task(_hang_up(streams, child.pid))
            showing = group.create_task(_show(ours, streams.stdout))
            status = await child.wait()
            # What the program printed last is still in the terminal; a background job that keeps it
            # open must not keep the session open.
            await _drained(showing)
            for task in (typing, watching, showing):
                task.cancel()
    finally:
        os.close(ours)
    _tell_end(streams.channel, status)


async def _drained(showing: asyncio.Task[None]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            await asyncio.shield(showing)


async def _hang_up(streams: Streams, pid: int) -> None:
    """When the client goes away, so does the program, as when a terminal is closed."""
    await streams.channel.wait_closed()
    _signal(pid, signal.SIGHUP)


async def _feed(streams: Streams, pipe: asyncio.StreamWriter, pid: int) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while data := await _read(streams, lambda *_: None, pid):
            pipe.write(data)
            await pipe.drain()
        pipe.close()
        await pipe.wait_closed()


async def _forward(pipe: asyncio.StreamReader, writer: asyncssh.SSHWriter[bytes]) -> None:
    while data := await pipe.read(CHUNK):
        await _write(writer, data)


async def _type(streams: Streams, ours: int, pid: int) -> None:
    os.set_blocking(ours, False)

    def resize(columns: int, rows: int) -> None:
        pseudoterminal.resize(ours, columns, rows)

    while data := await _read(streams, resize, pid):
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(ours, rest) :]
            except BlockingIOError:
                await _ready(ours, writing=True)
            except OSError:  # the program closed its terminal
                return


async def _show(ours: int, writer: asyncssh.SSHWriter[bytes]) -> None:
    os.set_blocking(ours, False)
    while True:
        try:
            data = os.read(ours, CHUNK)
        except BlockingIOError:
            await _ready(ours, writing=False)
            continue
        except OSError as error:
            if error.errno == errno.EIO:  # the last holder of the other end closed it
                return
            raise
        await _write(writer, data)


async def _ready(descriptor: int, *, writing: bool) -> None:
    """Wait until *descriptor* can be read or written."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    # A copy: reading and writing one terminal are waited for apart, and a loop keeps one entry a descriptor.
    copy = os.dup(descriptor)
    add, remove = (
        (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
    )

    def settle() -> None:
        if not ready.done():
            ready.set_result(None)

    add(copy, settle)
    try:
        await ready
    finally:
        remove(copy)
        os.close(copy)


async def _write(writer: asyncssh.SSHWriter[bytes], data: bytes) -> None:
    """Send *data* when the client has room; a client that is gone takes everything."""
    with contextlib.suppress(BrokenPipeError, ConnectionError, asyncssh.Error):
        writer.write(data)
        await writer.drain()


async def _read(streams: Streams, resize: Callable[[int, int], None], pid: int) -> bytes:
    """The next octets from the client, b"" at their end; window changes and signals are acted on."""
    while True:
        try:
            return await streams.stdin.read(CHUNK)
        except asyncssh.TerminalSizeChanged as change:
            resize(change.width, change.height)
        except asyncssh.SignalReceived as received:
            _signal(pid, getattr(signal, f"SIG{received.signal}", 0))
        except asyncssh.BreakReceived:
            _signal(pid, signal.SIGINT)
        except (ConnectionError, asyncssh.Error):
            return b""


def _signal(pid: int, number: int) -> None:
    """Signal the program's whole process group; it leads one."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _tell_end(channel: asyncssh.SSHServerChannel[bytes], status: int) -> None:
    if status >= 0:
        channel.exit(status)
    else:
        name = signal.Signals(-status).name.removeprefix("SIG")
        channel.exit_with_signal(name)


def _home(program: Program) -> str:
    home = program.environment["HOME"]
    return home if os.path.isdir(home) else "/"
