"""alice with a client in Python, for what the OpenSSH programs cannot be made to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncssh

from e2e.gateway import World

T = TypeVar("T")

Work = Callable[[asyncssh.SSHClientConnection], Awaitable[T]]


def talk(world: World, work: Work[T], timeout: float = 30.0, **options: object) -> T:
    """Log in as alice to root (or whoever we are) on web1, do *work* with the connection, and leave."""

    async def main() -> T:
        async with asyncio.timeout(timeout):
            async with asyncssh.connect(**(login(world) | options)) as connection:
                return await work(connection)

    return asyncio.run(main())


def login(world: World) -> dict[str, object]:
    """What `asyncssh.connect` needs to be alice on the way to web1."""
    return {
        "host": "127.0.0.1",
        "port": world.port,
        "username": world.name.removesuffix("@gate"),
        "client_keys": [str(world.alice.directory / "id_ed25519")],
        "known_hosts": str(world.alice.known_hosts),
        "agent_path": None,
        "config": None,
        "encoding": None,
    }
