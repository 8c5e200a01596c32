"""`watchgate demo`: a gateway and a target in one process on loopback, and what to type to try them."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import typer
import uvloop

from watchgate.app import Gateway
from watchgate.clock import Clock, SystemClock
from watchgate.demo.check import Check
from watchgate.demo.world import FORBIDDEN, World
from watchgate.errors import ConfigurationError, WatchgateError
from watchgate.session.control import Sessions

DIRECTORY = Path("demo-data")
LOOK_AGAIN = 0.1
"""Seconds between two looks at which sessions there are."""


def run(check: bool, directory: Path | None = None) -> int:
    """The whole demo; returns its exit status. With *check* it is driven unattended, and ends.

    The demo keeps *directory* (`demo-data` where it is started). The check has a temporary one, which is
    left, and named, when a step failed.
    """
    _require_openssh()
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    if check:
        return _check(directory)
    world = World(directory or DIRECTORY)
    with suppress(KeyboardInterrupt):
        uvloop.run(_serve(world, SystemClock()))
    return 0


def _require_openssh() -> None:
    missing = [name for name in ("ssh", "scp") if shutil.which(name) is None]
    if missing:
        raise ConfigurationError(
            f"the demo is tried with OpenSSH's clients, and {' and '.join(missing)} "
            "cannot be found; install openssh-client",
            code="demo.no-client",
        )


@asynccontextmanager
async def running(world: World, clock: Clock, port: int | None = None) -> AsyncIterator[Gateway]:
    """The demo's target and gateway, serving."""
    if not world.exists():
        await asyncio.to_thread(world.make, clock)
    world.require_alone()
    async with world.target() as target:
        await asyncio.to_thread(world.introduce, target, clock)
        async with Gateway(world.settings(port), clock) as gateway:
            world.write_client(gateway.ports[0])
            yield gateway


# --- with a person -------------------------------------------------------------------------------


async def _serve(world: World, clock: Clock) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with running(world, clock) as gateway:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
        typer.echo(_welcome(world, gateway.ports[0]))
        async with asyncio.TaskGroup() as group:
            announcing = group.create_task(_announce(world, gateway.sessions))
            await ended.wait()
            announcing.cancel()
        typer.echo("\nThe demo ends; its sessions and recordings stay.")


def _welcome(world: World, port: int) -> str:
    return "\n".join(
        [
            f"Watchgate's demo is serving on 127.0.0.1 port {port}; Ctrl-C ends it.",
            "Paste these into another terminal, in this directory:",
            "",
            f"  {world.ssh('ssh', world.destination)}",
            f"  {world.ssh('scp', '/etc/hostname', world.destination + ':/tmp/')}",
            f"  {_watchgate(world)} session play last",
            f"  {_watchgate(world)} search hostname",
            "",
            f"In that shell, type `{FORBIDDEN}`: a rule of the demo blocks it. Then look at",
            "",
            f"  {_watchgate(world)} rules list",
            f"  {_watchgate(world)} session show last",
            "",
            "When a session has ended, the command that replays it appears here.",
        ]
    )


async def _announce(world: World, sessions: Sessions) -> None:
    """Say of each session, once it has ended, how it is replayed."""
    before: set[str] = set()
    while True:
        now = {session.id for session in sessions.all()}
        for ended in sorted(before - now):
            typer.echo(f"  {_watchgate(world)} session play {ended}")
        before = now
        await asyncio.sleep(LOOK_AGAIN)


def _watchgate(world: World) -> str:
    """The command that this was started with, as it can be typed where we are."""
    called = Path(sys.argv[0])
    command = os.path.relpath(called) if called.name == "watchgate" else "watchgate"
    return f"{command} --data {os.path.relpath(world.root)}"


# --- unattended ----------------------------------------------------------------------------------


def _check(directory: Path | None) -> int:
    root = directory or Path(tempfile.mkdtemp(prefix="watchgate-demo-"))
    try:
        uvloop.run(_checked(World(root), SystemClock()))
    except WatchgateError as error:
        typer.echo(f"FAILED  {error}", err=True)
        typer.echo(f"What it left is in {root}", err=True)
        return 1
    if directory is None:
        shutil.rmtree(root, ignore_errors=True)
    typer.echo("The demo works.")
    return 0


async def _checked(world: World, clock: Clock) -> None:
    async with running(world, clock, port=0):
        check = Check(world, _said)
        await asyncio.to_thread(check.run)


def _said(what: str) -> None:
    typer.echo(f"ok  {what}")
